//! Counters for INFO, from 0 when the module loads.
//!
//! This file imports the pure crate alone: the store and the commands count here.

use sessions_core::status::Status;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter of events that are no failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Stat {
    Created,
    Ended,
    Refreshed,
    Replayed,
    Forwarded,
    Thefts,
    Verified,
    Checked,
    Resumed,
    TouchesWritten,
    /// Touches that wrote nothing: the last written touch was too recent.
    TouchesSpared,
}

impl Stat {
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::Ended,
        Self::Refreshed,
        Self::Replayed,
        Self::Forwarded,
        Self::Thefts,
        Self::Verified,
        Self::Checked,
        Self::Resumed,
        Self::TouchesWritten,
        Self::TouchesSpared,
    ];

    /// The name of the counter's line in INFO, without the module's prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Ended => "ended",
            Self::Refreshed => "refreshed",
            Self::Replayed => "replayed",
            Self::Forwarded => "forwarded",
            Self::Thefts => "thefts",
            Self::Verified => "verified",
            Self::Checked => "checked",
            Self::Resumed => "resumed",
            Self::TouchesWritten => "touches_written",
            Self::TouchesSpared => "touches_spared",
        }
    }
}

static COUNTS: [AtomicU64; Stat::ALL.len()] = [const { AtomicU64::new(0) }; Stat::ALL.len()];
static REFUSED: [AtomicU64; Status::ALL.len()] = [const { AtomicU64::new(0) }; Status::ALL.len()];

/// Adds one.
pub fn count(stat: Stat) {
    COUNTS[stat as usize].fetch_add(1, Ordering::Relaxed);
}

/// Counts a command that failed, by status.
pub fn count_refused(status: Status) {
    REFUSED[status as usize].fetch_add(1, Ordering::Relaxed);
}

/// All counters as lines of INFO: names without the module's prefix, and numbers.
pub fn lines() -> impl Iterator<Item = (String, u64)> {
    let counts = Stat::ALL.into_iter().map(|stat| (stat.name().to_owned(), &COUNTS[stat as usize]));
    let refused = Status::ALL
        .into_iter()
        .map(|status| (format!("refused_{}", status.word().to_ascii_lowercase()), &REFUSED[status as usize]));
    counts.chain(refused).map(|(name, count)| (name, count.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counter_has_its_own_index_and_name() {
        for (position, stat) in Stat::ALL.into_iter().enumerate() {
            assert_eq!(stat as usize, position);
        }
        for (position, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, position);
        }
        let mut names: Vec<_> = lines().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
