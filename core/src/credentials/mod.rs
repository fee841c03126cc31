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

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes bytes as base64url without padding (RFC 4648, section 5).
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding; `None` if the text is malformed or not what [`base64url`] writes of these bytes.
fn from_base64url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
