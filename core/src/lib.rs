//! What a session and its credentials are. Pure: no Redis, no clock and no randomness of its own, so that every rule is
//! tested without a server.

#![forbid(unsafe_code)]

pub mod credentials;
pub mod json;
pub mod number;
pub mod session;
pub mod slot;
pub mod status;
