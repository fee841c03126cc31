//! The rights of the default user. The server checks them when it loads the transactions of an append-only file.

use super::api::api;
use super::bytes::Owned;
use redis_module::raw;
use std::io;
use std::ptr::NonNull;

/// A command with its arguments.
pub type Call = &'static [&'static str];

/// The name of the first of these commands that the default user may not run; `None` if that user may run all, or is not
/// there. Whether the user is `on` does not matter, and neither does a command that the server does not know.
pub fn default_user_lacks(calls: impl IntoIterator<Item = Call>) -> Option<&'static str> {
    let name = Owned::from(b"default".as_slice());
    // SAFETY: the string is alive.
    let user = unsafe { api!(RedisModule_GetModuleUserFromUserName)(name.handle().as_ptr()) };
    let user = NonNull::new(user)?;
    let lacks = calls.into_iter().find(|call| !may(user, call)).map(|call| call[0]);
    // SAFETY: the reference is this function's own and not used again; the user itself stays.
    unsafe { api!(RedisModule_FreeModuleUser)(user.as_ptr()) };
    lacks
}

fn may(user: NonNull<raw::RedisModuleUser>, call: Call) -> bool {
    /// `errno` if the server knows the command and the user may not run it.
    const EACCES: i32 = 13;
    let strings: Vec<_> = call.iter().map(|text| Owned::from(text.as_bytes())).collect();
    let mut handles: Vec<_> = strings.iter().map(|string| string.handle().as_ptr()).collect();
    let (user, argv, argc) = (user.as_ptr(), handles.as_mut_ptr(), handles.len() as i32);
    // SAFETY: the user is live, and `argv` points to `argc` live strings.
    let checked = unsafe { api!(RedisModule_ACLCheckCommandPermissions)(user, argv, argc) };
    checked as isize == raw::REDISMODULE_OK || io::Error::last_os_error().raw_os_error() != Some(EACCES)
}
