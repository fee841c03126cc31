//! Where the server calls in: one adapter for all commands. No panic passes it.

use super::bytes::{Bytes, Handle};
use super::context::Context;
use super::log::{Level, log};
use super::reply::Reply;
use crate::commands::{self, Command};
use redis_module::raw;
use smallvec::SmallVec;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_int;
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;

thread_local! {
    /// Where the last panic began, for the log.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics of this module from writing to the server's standard error: their messages could hold anything.
pub fn silence_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        PANICKED_AT.with_borrow_mut(|at| *at = place);
    }));
}

/// Runs `work`. If it panics, that is logged, by its place in the source alone.
pub fn guard<R>(what: &str, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    caught(what, work).inspect_err(|_| {
        let place = PANICKED_AT.take();
        log(Level::Warning, &format!("{what} failed at {place}; please report this"));
    })
}

/// Runs `work`. If it panics, the panic is the caller's: to be resumed where no function of the server is in between.
pub fn caught<R>(what: &str, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    panic::catch_unwind(AssertUnwindSafe(|| {
        #[cfg(debug_assertions)]
        fail_if_a_test_says_so(what);
        #[cfg(not(debug_assertions))]
        let _ = what;
        work()
    }))
}

/// Panics where a test wants to see that panics are caught: the variable names a file, which holds the name of what fails.
/// It is in no release.
#[cfg(debug_assertions)]
fn fail_if_a_test_says_so(what: &str) {
    use std::{env, ffi::OsString, fs, sync::LazyLock};
    static FILE: LazyLock<Option<OsString>> = LazyLock::new(|| env::var_os("SH_TEST_PANIC_FILE"));
    let fails = FILE.as_ref().and_then(|file| fs::read_to_string(file).ok());
    assert!(fails.is_none_or(|fails| fails != what), "a test says so");
}

/// The handler of a command, as the server calls it.
///
/// # Safety
/// Called by the server with the context and the arguments of a command of this module.
pub unsafe extern "C" fn handle<C: Command>(
    context: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    let Some(raw_context) = NonNull::new(context) else { return raw::REDISMODULE_OK as c_int };
    // SAFETY: the server passes `argc` strings at `argv` and keeps them, unchanged, until this returns; a handle has the layout
    // of the pointer, and none is null.
    let argv: &[Handle<'_>] = unsafe { std::slice::from_raw_parts(argv.cast(), argc as usize) };
    // SAFETY: the server's context, valid until this returns, as the arguments are; nothing else touches keys.
    let context = unsafe { Context::of_command(raw_context, argv) };
    // SAFETY: likewise.
    let mut reply = unsafe { Reply::new(raw_context) };
    let answered = guard(C::SPEC.name, || {
        // The first is the command's own name.
        let arguments: SmallVec<[Bytes<'_>; 8]> = argv[1..].iter().map(|&argument| Bytes::from(argument)).collect();
        commands::execute::<C>(context, &mut reply, &arguments);
    });
    if answered.is_err() {
        reply.error("GENERALERROR internal error; the server's log says where");
    }
    raw::REDISMODULE_OK as c_int
}
