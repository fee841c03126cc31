//! What happens to sessions, for whoever listens.

use std::ffi::CStr;

/// Something that happened to a session: a keyspace notification of module type (`notify-keyspace-events KEd`) on the
/// session's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The session was created.
    New,
    /// The session was ended, by a command; one that expires does so with the server's own `expired`.
    End,
}

impl Event {
    pub const fn name(self) -> &'static CStr {
        match self {
            Self::New => c"sh.new",
            Self::End => c"sh.end",
        }
    }
}
