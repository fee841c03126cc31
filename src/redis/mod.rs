//! Safe wrappers over the raw module API. All `unsafe` of the module is in this folder, one operation a block.
//!
//! The server calls the module on its main thread, or on the thread of another module that holds the server's lock. So no
//! two threads run code of this folder at once, and a context is only ever valid for the thread that has the lock.

#![allow(unsafe_code, reason = "the one folder that calls the server")]

pub mod api;
pub mod boundary;
pub mod bytes;
pub mod caller;
pub mod command;
pub mod config;
pub mod context;
mod in_use;
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
mod server_info;
pub mod user;
pub mod writable_key;

pub use bytes::{Bytes, Handle, KeyName, Owned};
pub use context::Context;
pub use key::Key;
pub use reply::Reply;
pub use writable_key::WritableKey;
