//! How things are said: arguments or a JSON object to a request, a reply to RESP or JSON, failures to statuses.

pub mod args;
pub mod blob;
pub mod resp;
pub mod values;

pub use args::{Args, Form, Options};
pub use blob::Blob;
pub use sessions_core::status::{Error, Status};
