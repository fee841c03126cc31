//! The credentials of a session: access, refresh, cookie, idRefresh and anti-CSRF tokens, and the cookies that carry them.
//!
//! Each credential is computed from a secret, a session and a moment. None is stored.

pub mod access;
pub mod cookies;
pub mod issue;
#[cfg(test)]
mod known_answers;
pub mod payload;
pub mod ring;
pub mod sealed;
pub mod secret;
pub mod signing;

pub use access::Access;
pub use payload::Payload;
pub use ring::Ring;
pub use sealed::Sealed;
pub use secret::Secret;
pub use signing::Algorithm;
