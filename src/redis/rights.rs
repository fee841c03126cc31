//! What the default user may do, in whose name the server runs the transactions of an append-only file that it loads.

use super::api::api;
use super::bytes::Owned;
use redis_module::raw;
use std::io;
use std::ptr::NonNull;

/// Commands that are in transactions of the append-only file, each on a key of its own kind.
const EFFECTS: [&[&str]; 8] = [
    &["HSET", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "a", "1"],
    &["HDEL", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "a"],
    &["PEXPIREAT", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "1"],
    &["UNLINK", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA"],
    &["SET", "sh:s:a:AAA", "a"],
    &["PERSIST", "sh:n:a:AAA"],
    &["ZADD", "sh:n:a:AAA", "1", "a"],
    &["ZREM", "sh:n:a:AAA", "a"],
];

/// Where the database makes its own secret.
const NEW_SECRET: &[&str] = &["SET", "redis-sessions:secret", "a"];

/// A command that the default user may not run on what the module writes. Whether the user is `on` does not matter.
pub fn default_user_lacks(makes_secret: bool) -> Option<&'static str> {
    let name = Owned::from(b"default".as_slice());
    // SAFETY: the string is alive.
    let user = unsafe { api!(RedisModule_GetModuleUserFromUserName)(name.handle().as_ptr()) };
    let user = NonNull::new(user)?;
    let secret = makes_secret.then_some(NEW_SECRET);
    let lacks = EFFECTS.into_iter().chain(secret).find(|effect| !may(user, effect)).map(|effect| effect[0]);
    // SAFETY: the reference is ours and used no more; the user itself stays.
    unsafe { api!(RedisModule_FreeModuleUser)(user.as_ptr()) };
    lacks
}

fn may(user: NonNull<raw::RedisModuleUser>, command: &[&str]) -> bool {
    /// The server knows the command, and the user may not run it.
    const EACCES: i32 = 13;
    let strings: Vec<_> = command.iter().map(|text| Owned::from(text.as_bytes())).collect();
    let mut handles: Vec<_> = strings.iter().map(|string| string.handle().as_ptr()).collect();
    let (user, argv, argc) = (user.as_ptr(), handles.as_mut_ptr(), handles.len() as i32);
    // SAFETY: the user is live, and `argv` points to `argc` live strings.
    let checked = unsafe { api!(RedisModule_ACLCheckCommandPermissions)(user, argv, argc) };
    checked as isize == raw::REDISMODULE_OK || io::Error::last_os_error().raw_os_error() != Some(EACCES)
}
