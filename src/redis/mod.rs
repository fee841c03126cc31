//! Safe wrappers over the raw module API. All `unsafe` of the project is in this folder, one operation a block.
//!
//! The server calls this folder by one thread at a time: its main thread, or a module's thread that holds the server's lock.

#![allow(unsafe_code, reason = "the one folder that calls the server")]

pub mod api;
pub mod boundary;
pub mod bytes;
pub mod caller;
pub mod command;
pub mod config;
pub mod context;
pub mod info;
pub mod kept;
pub mod key;
pub mod log;
pub mod module;
pub mod panics;
pub mod reply;
pub mod rights;
#[cfg(not(test))]
mod sdallocx;
mod selectors;
pub mod server;
pub mod server_events;

pub use bytes::{Bytes, Handle, Name, Owned};
pub use context::Context;
pub use key::Key;
pub use reply::Reply;
