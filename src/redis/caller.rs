//! In whose name a command runs, and what that user may do.

use super::api::api;
use super::bytes::{Handle, Owned};
use super::context::Context;
use super::selectors::{Allowing, has_selectors};
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

/// In whose name a command runs.
pub enum Caller {
    /// In no user's, as a command that another module calls as its own: all is allowed.
    Nobody,
    /// In that of a user of whom the server tells nothing, for this reason: nothing is allowed.
    Unknown(&'static str),
    User(User),
    /// In that of a user with selectors.
    Selected(Allowing),
}

impl Caller {
    /// The API tells users by name alone: one that a module made under the name of one of the server's is taken for that.
    pub fn of(context: &Context) -> Self {
        const UNNAMED: &str = "the server does not tell the user in whose name the command runs";
        const GONE: &str =
            "the user in whose name the command runs is none of the server's: deleted, or a module's own";
        const UNREADABLE: &str = "the user's selectors cannot be read; give the user root permissions in their place";
        let name = match Name::of(context) {
            Name::Nobody => return Self::Nobody,
            Name::Unknown => return Self::Unknown(UNNAMED),
            Name::Known(name) => name,
        };
        // SAFETY: the string is alive.
        let user = unsafe { api!(RedisModule_GetModuleUserFromUserName)(name.handle().as_ptr()) };
        let Some(user) = NonNull::new(user) else { return Self::Unknown(GONE) };
        // SAFETY: the reference was just made for us.
        let user = unsafe { User::from_raw(user) };
        // SAFETY: the user is live. The server keeps the string until the user changes.
        let acl = unsafe { api!(RedisModule_GetModuleUserACLString)(user.as_ptr()) };
        // SAFETY: the server hands over a reference; no context is involved.
        let Some(acl) = (unsafe { Owned::from_raw(acl) }) else { return Self::Unknown(UNREADABLE) };
        if !has_selectors(acl.as_ref()) {
            return Self::User(user);
        }
        Allowing::of(context, acl.handle()).map_or(Self::Unknown(UNREADABLE), Self::Selected)
    }

    /// Whether the caller may do this with this key, beside all that was asked before; the error says why not.
    pub fn may(&mut self, key: Handle<'_>, access: Access) -> Result<(), &'static str> {
        const REFUSED: &str = "No permissions to access a key";
        const NO_SELECTOR: &str =
            "No permissions to access a key: no selector of the user allows the command and its keys";
        let (allowed, reason) = match self {
            Self::Nobody => return Ok(()),
            Self::Unknown(reason) => return Err(reason),
            Self::User(user) => (user.may(key, access), REFUSED),
            Self::Selected(allowing) => (allowing.allow(key, access), NO_SELECTOR),
        };
        if allowed { Ok(()) } else { Err(reason) }
    }
}

/// The name of the user in whose name a command runs.
enum Name {
    Nobody,
    Unknown,
    Known(Owned),
}

impl Name {
    fn of(context: &Context) -> Self {
        // SAFETY: the context is valid.
        let client = unsafe { api!(RedisModule_GetClientId)(context.as_ptr()) };
        // SAFETY: the context is valid; of a client that is on no list or has no user the answer is null.
        let name = unsafe { api!(RedisModule_GetClientUserNameById)(context.as_ptr(), client) };
        // SAFETY: the answer is a string of our own or null; no context here has automatic memory.
        if let Some(name) = unsafe { Owned::from_raw(name) } {
            return Self::Known(name);
        }
        // The clients of scripts and of other modules' calls are on no list.
        if !has_user(context) {
            return Self::Nobody;
        }
        // SAFETY: the context is valid and its client has a user: without one, Redis 7 and Valkey 8.0 would crash.
        let name = unsafe { api!(RedisModule_GetCurrentUserName)(context.as_ptr()) };
        // SAFETY: as above.
        unsafe { Owned::from_raw(name) }.map_or(Self::Unknown, Self::Known)
    }
}

/// Whether a user is behind the running command: the server refuses to call anything in the name of nobody. Asked with a
/// command that no server has, so that nothing is called otherwise either, and no user is told off for it in ACL LOG.
fn has_user(context: &Context) -> bool {
    // SAFETY: the context is valid; `C`, in the name of the context's user, takes no argument.
    let reply = unsafe { api!(RedisModule_Call)(context.as_ptr(), c"sh-no-such-command".as_ptr(), c"C".as_ptr()) };
    let refused = io::Error::last_os_error().raw_os_error();
    if reply.is_null() {
        return refused != Some(libc::ENOTSUP);
    }
    // SAFETY: the reply was just obtained and is used no more.
    unsafe { api!(RedisModule_FreeCallReply)(reply) };
    true
}

/// A reference to a user of the server, or to one of the module's own.
pub struct User(NonNull<raw::RedisModuleUser>);

impl User {
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

    /// Whether the user may call the running command with the keys that are among its arguments.
    pub fn may_call(&self, context: &Context) -> bool {
        let arguments = context.arguments();
        let argv = ptr::from_ref(arguments).cast_mut().cast();
        // SAFETY: the reference is ours; the server takes an array of strings, which a slice of handles is, and its length,
        // and changes neither.
        let checked =
            unsafe { api!(RedisModule_ACLCheckCommandPermissions)(self.as_ptr(), argv, arguments.len() as c_int) };
        checked as isize == raw::REDISMODULE_OK
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and used no more; a user of the server's stays.
        unsafe { api!(RedisModule_FreeModuleUser)(self.as_ptr()) };
    }
}
