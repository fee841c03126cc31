//! The events of sessions that the module announces.

use std::ffi::CStr;

/// An event of a session: a keyspace notification of the module type (`notify-keyspace-events KEd`) on the session's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The session was created.
    New,
    /// A command ended the session. For a session that expires the server sends its own event `expired`.
    End,
    /// The session's sealed token was rotated.
    Refresh,
    /// The previous token was used again within the grace period, and was answered with the same successor.
    Replay,
    /// A token of a generation that is not known here was used: a failover lost the write of its rotation.
    Forward,
    /// A token was used after it was replaced: the token has been copied, so the session ended.
    Theft,
}

impl Event {
    /// The name of the notification.
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
