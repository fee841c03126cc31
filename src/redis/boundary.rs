//! Where the server calls the module's commands: one adapter for all of them.

use super::bytes::{Bytes, Handle};
use super::command::Spec;
use super::context::Context;
use super::in_use;
use super::panics::guard;
use super::reply::Reply;
use redis_module::raw;
use smallvec::SmallVec;
use std::ffi::c_int;
use std::ptr::NonNull;

/// A command, as the server calls it.
pub trait Callable {
    /// What the server is told of the command.
    const SPEC: Spec;

    /// Executes the command and writes its reply. The arguments follow the command's name.
    fn call(context: Context, reply: &mut Reply, arguments: &[Bytes<'_>]);
}

/// The handler of a command, as the server calls it.
///
/// # Safety
/// Called by the server with the context and the arguments of a command of this module.
pub unsafe extern "C" fn handle<C: Callable>(
    context: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    let Some(raw_context) = NonNull::new(context) else { return raw::REDISMODULE_OK as c_int };
    // SAFETY: the server passes `argc` strings at `argv` and keeps them, unchanged, until this returns; a handle has the layout
    // of the pointer, and none is null.
    let argv: &[Handle<'_>] = unsafe { std::slice::from_raw_parts(argv.cast(), argc as usize) };
    // SAFETY: the server's context, valid until this returns, as the arguments are; no other `Context` is made of it.
    let context = unsafe { Context::of_command(raw_context, argv) };
    // SAFETY: the server's context, valid until this returns.
    let mut reply = unsafe { Reply::new(raw_context) };
    in_use::note();
    let answered = guard(C::SPEC.name, || {
        // The first is the command's own name.
        let arguments: SmallVec<[Bytes<'_>; 8]> = argv[1..].iter().map(|&argument| Bytes::from(argument)).collect();
        C::call(context, &mut reply, &arguments);
    });
    if answered.is_err() {
        reply.error("GENERALERROR internal error; the server's log says where");
    }
    raw::REDISMODULE_OK as c_int
}
