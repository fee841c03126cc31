//! The user in whose name a command runs, and what that user may do.

use super::api::api;
use super::bytes::{Handle, Owned};
use super::context::Context;
use super::selectors::{Allowing, has_selectors};
use super::user::{Access, User};
use std::io;

/// The user in whose name a command runs.
pub enum Caller {
    /// No user: another module calls the command as its own. All is allowed.
    Nobody,
    /// A user whom the server does not tell, for this reason. Nothing is allowed.
    Unknown(&'static str),
    User(User),
    /// A user with selectors.
    WithSelectors(Allowing),
}

impl Caller {
    /// The API tells the name of a user alone. A user that another module made under the name of a server's user is taken for
    /// the server's.
    pub fn of(context: &Context) -> Self {
        const UNNAMED: &str = "the server does not tell the user in whose name the command runs";
        const GONE: &str =
            "the user in whose name the command runs is none of the server's: deleted, or a module's own";
        const UNREADABLE: &str = "the user's rights cannot be read";
        let name = match UserName::of(context) {
            UserName::Nobody => return Self::Nobody,
            UserName::Unknown => return Self::Unknown(UNNAMED),
            UserName::Known(name) => name,
        };
        let Some(user) = User::named(&name) else { return Self::Unknown(GONE) };
        // SAFETY: the user is live. The server keeps the string until the user changes.
        let acl = unsafe { api!(RedisModule_GetModuleUserACLString)(user.as_ptr()) };
        // SAFETY: the server hands over a reference; no context is involved.
        let Some(acl) = (unsafe { Owned::from_raw(acl) }) else { return Self::Unknown(UNREADABLE) };
        if !has_selectors(acl.as_ref()) {
            return Self::User(user);
        }
        Allowing::of(context, acl.handle()).map_or(Self::Unknown(UNREADABLE), Self::WithSelectors)
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
            Self::WithSelectors(allowing) => (allowing.allow(key, access), NO_SELECTOR),
        };
        if allowed { Ok(()) } else { Err(reason) }
    }
}

/// The name of the user in whose name a command runs.
enum UserName {
    Nobody,
    Unknown,
    Known(Owned),
}

impl UserName {
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

/// Whether a user is behind the running command: without a user the server refuses a call in the caller's name. The call is
/// of a command that no server has, so nothing runs and ACL LOG stays empty.
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
