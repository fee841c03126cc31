//! Units of time, as types.

use serde::Serialize;

/// A moment, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// A duration in whole seconds. The largest, 2^32 - 1, is 136 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Millis {
    /// The moment `duration` later, at most the last one that there is.
    pub fn after(self, duration: Seconds) -> Self {
        Self(self.0.saturating_add(duration.as_millis()))
    }

    /// The milliseconds from `earlier` to this moment; 0 if `earlier` is later.
    ///
    /// The server stops its clock while a script or a transaction runs, but not the module's clock. So an expiry can be in the
    /// past while its key is still visible.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Seconds {
    pub fn as_millis(self) -> u64 {
        u64::from(self.0) * 1_000
    }

    /// Rounds milliseconds up to seconds, so that a session with any time left has at least one second left.
    pub fn covering(millis: u64) -> Self {
        Self(u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_duration_does_not_overflow() {
        assert_eq!(Millis(1).after(Seconds(u32::MAX)), Millis(4_294_967_295_001));
        assert_eq!(Millis(u64::MAX).after(Seconds(1)), Millis(u64::MAX));
    }

    #[test]
    fn a_deadline_in_the_past_leaves_nothing() {
        assert_eq!(Millis(5).since(Millis(7)), 0);
        assert_eq!(Millis(7).since(Millis(5)), 2);
    }

    #[test]
    fn a_started_second_counts() {
        assert_eq!(Seconds::covering(0), Seconds(0));
        assert_eq!(Seconds::covering(1), Seconds(1));
        assert_eq!(Seconds::covering(60_000), Seconds(60));
        assert_eq!(Seconds::covering(60_001), Seconds(61));
    }
}
