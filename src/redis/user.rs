//! Users of the server, and what they may do.

use super::api::api;
use super::bytes::{Handle, Owned};
use redis_module::raw;
use std::ffi::c_int;
use std::io;
use std::ptr::{self, NonNull};

/// What a command is about to do with a key, for the server's access control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
}

/// A reference to a user of the server, or to one of the module's own.
pub struct User(NonNull<raw::RedisModuleUser>);

impl User {
    /// The user of the server with this name, if there is one.
    pub fn named(name: &Owned) -> Option<Self> {
        // SAFETY: the string is alive.
        let user = unsafe { api!(RedisModule_GetModuleUserFromUserName)(name.handle().as_ptr()) };
        NonNull::new(user).map(Self)
    }

    /// # Safety
    /// The caller hands over the reference.
    pub(super) unsafe fn from_raw(raw: NonNull<raw::RedisModuleUser>) -> Self {
        Self(raw)
    }

    pub(super) fn as_ptr(&self) -> *mut raw::RedisModuleUser {
        self.0.as_ptr()
    }

    /// Whether the user may do this with this key.
    pub fn may(&self, key: Handle<'_>, access: Access) -> bool {
        let flags = match access {
            Access::Read => raw::REDISMODULE_CMD_KEY_ACCESS,
            Access::ReadWrite => raw::REDISMODULE_CMD_KEY_ACCESS | raw::REDISMODULE_CMD_KEY_UPDATE,
        };
        // SAFETY: the reference is ours, and the string is alive.
        let checked = unsafe { api!(RedisModule_ACLCheckKeyPermissions)(self.as_ptr(), key.as_ptr(), flags as c_int) };
        checked as isize == raw::REDISMODULE_OK
    }

    /// Whether the user may run this command with the keys among its arguments. The error is the server's `errno`: EACCES if
    /// the server knows the command.
    pub fn may_run(&self, command: &[Handle<'_>]) -> Result<(), Option<i32>> {
        let argv = ptr::from_ref(command).cast_mut().cast();
        // SAFETY: the reference is ours; the server takes an array of strings, which a slice of handles is, and its length,
        // and changes neither.
        let checked =
            unsafe { api!(RedisModule_ACLCheckCommandPermissions)(self.as_ptr(), argv, command.len() as c_int) };
        let refused = io::Error::last_os_error().raw_os_error();
        if checked as isize == raw::REDISMODULE_OK { Ok(()) } else { Err(refused) }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and used no more; a user of the server's stays.
        unsafe { api!(RedisModule_FreeModuleUser)(self.as_ptr()) };
    }
}
