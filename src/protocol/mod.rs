//! Reads arguments, keywords or JSON, and writes replies in RESP or JSON.

pub mod args;
pub mod blob;
pub mod resp;
pub mod values;

pub use args::{Args, Form, Options};
pub use blob::Blob;
pub use sessions_core::status::{Error, Status};
