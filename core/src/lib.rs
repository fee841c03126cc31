//! The rules of sessions and their credentials. The crate is pure: it has no Redis, no clock and no randomness of its own, so
//! every rule is tested without a server.

#![forbid(unsafe_code)]

pub mod base64url;
pub mod credentials;
pub mod json;
pub mod number;
pub mod session;
pub mod slot;
pub mod status;
