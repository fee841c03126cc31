//! What leaves the back end: access, refresh, cookie, idRefresh and anti-CSRF tokens, and the cookies they travel in.
//!
//! Pure: everything here is a function of a secret, a session and a moment. No credential is ever stored.

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

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// RFC 4648, section 5, without padding.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that this is the one base64url text of.
fn from_base64url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
