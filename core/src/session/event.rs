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
    /// Its sealed token was rotated.
    Refresh,
    /// A predecessor was presented within the grace period and got the same successor again.
    Replay,
    /// A token of a generation not known here was presented: a failover lost a write.
    Forward,
    /// A token that was rotated out was presented, and the session was ended.
    Theft,
}

impl Event {
    pub const fn name(self) -> &'static CStr {
        match self {
            Self::New => c"sh.new",
            Self::End => c"sh.end",
            Self::Refresh => c"sh.refresh",
            Self::Replay => c"sh.replay",
            Self::Forward => c"sh.forward",
            Self::Theft => c"sh.theft",
        }
    }
}
