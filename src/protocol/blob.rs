//! Bytes in a reply.

use serde::{Serialize, Serializer};

/// Any bytes: a bulk string in RESP; in JSON a string, with U+FFFD for what is no UTF-8.
pub struct Blob<T>(pub T);

impl<T: AsRef<[u8]>> Serialize for Blob<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.as_ref();
        if serializer.is_human_readable() {
            serializer.serialize_str(&String::from_utf8_lossy(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }
}
