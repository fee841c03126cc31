//! The rights of the default user. The server checks them when it loads the transactions of an append-only file.

use super::bytes::Owned;
use super::user::User;

/// A command with its arguments.
pub type Call = &'static [&'static str];

/// The name of the first of these commands that the default user may not run; `None` if that user may run all, or is not
/// there. Whether the user is `on` does not matter, and neither does a command that the server does not know.
pub fn default_user_lacks(calls: impl IntoIterator<Item = Call>) -> Option<&'static str> {
    let user = User::named(&Owned::from(b"default".as_slice()))?;
    let may = |call: &Call| {
        let strings: Vec<_> = call.iter().map(|text| Owned::from(text.as_bytes())).collect();
        let handles: Vec<_> = strings.iter().map(Owned::handle).collect();
        user.may_run(&handles) != Err(Some(libc::EACCES))
    };
    calls.into_iter().find(|call| !may(call)).map(|call| call[0])
}
