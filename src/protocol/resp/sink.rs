//! Where RESP goes.

use crate::redis::Reply;
use serde::ser;
use std::fmt;

/// Where RESP goes: the server, or in tests a list.
pub trait Sink {
    fn map(&mut self, entries: usize);
    fn array(&mut self, elements: usize);
    fn bytes(&mut self, bytes: &[u8]);
    fn integer(&mut self, integer: i64);
    fn boolean(&mut self, value: bool);
    fn null(&mut self);
}

impl Sink for Reply {
    fn map(&mut self, entries: usize) {
        Self::map(self, entries);
    }

    fn array(&mut self, elements: usize) {
        Self::array(self, elements);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        Self::bytes(self, bytes);
    }

    fn integer(&mut self, integer: i64) {
        Self::integer(self, integer);
    }

    fn boolean(&mut self, value: bool) {
        Self::bool(self, value);
    }

    fn null(&mut self) {
        Self::null(self);
    }
}

/// The error for a value that RESP cannot express here. No command makes one.
#[derive(Debug)]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply of an unsupported shape")
    }
}

impl std::error::Error for Unsupported {}

impl ser::Error for Unsupported {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
