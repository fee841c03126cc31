//! The time in which clients could reach this server: the wall clock without outages and without jumps.
//!
//! The grace period is measured in this time. By the wall clock honest users would be taken for thieves: after an outage that
//! is longer than the grace period, their clients repeat the requests that got no answer. And setting the clock would move
//! the end of the grace period.

use super::time::Millis;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    pub wall: Millis,
    /// Milliseconds of a clock that only ever moves forward; its zero is arbitrary.
    pub steady: u64,
}

/// The longest time between two looks of a running server, which looks once a second. After a longer time the process was
/// stopped in between.
const SILENCE_MS: u64 = 2_000;

/// How far the two clocks may drift apart between two looks. If they do by more, the wall clock was set.
const TOLERANCE_MS: u64 = 500;

/// The number of past intervals that are kept.
const KEPT: usize = 16;

/// A time in which the server served, by its wall clock then.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: Millis,
    to: Millis,
}

/// The intervals in which the server served.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The past intervals, oldest first. They overlap where the clock was set back.
    past: Vec<Interval>,
    /// The beginning of the current interval.
    since: Millis,
    last_look: Option<Clocks>,
    last_outage_ms: u64,
}

impl Default for Serving {
    fn default() -> Self {
        Self::always()
    }
}

impl Serving {
    /// A server without a known outage.
    pub const fn always() -> Self {
        Self { past: Vec::new(), since: Millis(0), last_look: None, last_outage_ms: 0 }
    }

    /// Takes a look at the clocks. It ends the current interval if the process was stopped, or the wall clock set, since the
    /// last look.
    pub fn look(&mut self, now: Clocks) {
        let Some(last) = self.last_look.replace(now) else { return };
        let elapsed = now.steady.saturating_sub(last.steady);
        let expected = Millis(last.wall.0 + elapsed);
        if elapsed > SILENCE_MS {
            self.interrupt(last.wall, now.wall);
        } else if now.wall.0.abs_diff(expected.0) > TOLERANCE_MS {
            self.interrupt(expected, now.wall);
        }
    }

    /// Ends an outage that began at `stopped`.
    pub fn resume(&mut self, stopped: Millis, now: Clocks) {
        self.last_look = Some(now);
        self.interrupt(stopped, now.wall);
    }

    fn interrupt(&mut self, stopped: Millis, resumed: Millis) {
        self.past.push(Interval { from: self.since, to: stopped.max(self.since) });
        self.since = resumed;
        self.last_outage_ms = resumed.since(stopped);
        if self.past.len() > KEPT {
            // The two oldest become one. The outage between them then counts as served.
            let oldest = self.past.remove(0);
            self.past[0].from = oldest.from;
        }
    }

    /// The length of the last outage in milliseconds; 0 if none is known.
    pub fn last_outage_ms(&self) -> u64 {
        self.last_outage_ms
    }

    /// The end of the last outage. `None`: none is known.
    pub fn resumed_at(&self) -> Option<Millis> {
        (!self.past.is_empty()).then_some(self.since)
    }

    /// The milliseconds that the server has served since `at`.
    ///
    /// If the clock has shown `at` twice, the later time counts. If `at` is in the future, the clock of another server wrote it,
    /// and the distance from now counts.
    pub fn served_since(&self, at: Millis, now: Millis) -> u64 {
        if (self.since..=now).contains(&at) {
            return now.since(at);
        }
        let (mut served, mut later) = (now.since(self.since), self.since);
        for interval in self.past.iter().rev() {
            // The end of an interval is only known to the tolerance of the clocks.
            let end = Millis(interval.to.0 + TOLERANCE_MS);
            if (interval.from..=end).contains(&at) {
                return served + interval.to.since(at);
            }
            if (interval.to..=later).contains(&at) {
                return served;
            }
            served += interval.to.since(interval.from);
            later = interval.from;
        }
        at.0.abs_diff(now.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3_600_000;
    const START: u64 = 1_000 * HOUR;

    fn clocks(wall: u64, steady: u64) -> Clocks {
        Clocks { wall: Millis(wall), steady }
    }

    /// A server that looks at its clocks every 100 ms.
    struct Running {
        serving: Serving,
        wall: u64,
        steady: u64,
    }

    impl Running {
        fn new() -> Self {
            let mut running = Self { serving: Serving::always(), wall: START, steady: 5 };
            running.run(0);
            running
        }

        fn run(&mut self, millis: u64) {
            self.serving.look(clocks(self.wall, self.steady));
            for _ in 0..millis / 100 {
                self.wall += 100;
                self.steady += 100;
                self.serving.look(clocks(self.wall, self.steady));
            }
        }

        fn served_since(&self, at: u64) -> u64 {
            self.serving.served_since(Millis(at), Millis(self.wall))
        }
    }

    #[test]
    fn without_an_outage_the_wall_clock_counts() {
        let mut server = Running::new();
        server.run(10_000);
        assert_eq!(server.served_since(START), 10_000);
        assert_eq!(server.served_since(START - HOUR), HOUR + 10_000, "from before the module was loaded");
        assert_eq!(server.served_since(server.wall + 3_000), 3_000, "written by a clock that is ahead");
        assert_eq!(server.serving.last_outage_ms(), 0);
    }

    #[test]
    fn an_outage_does_not_count() {
        let mut server = Running::new();
        server.run(1_000);
        // The last write was 400 ms before the end. The next process begins an hour later.
        let stopped = server.wall - 400;
        server.wall += HOUR;
        server.serving = Serving::always();
        server.serving.resume(Millis(stopped), clocks(server.wall, 7));
        server.steady = 7;
        server.run(2_000);
        assert_eq!(server.served_since(stopped - 300), 2_300);
        assert_eq!(server.served_since(stopped), 2_000);
        assert_eq!(server.served_since(stopped + 5), 2_000, "between the last write and the end");
        assert_eq!(server.served_since(server.wall - 500), 500);
        assert_eq!(server.serving.last_outage_ms(), HOUR + 400);
    }

    #[test]
    fn a_stopped_process_does_not_count() {
        let mut server = Running::new();
        let rotated = server.wall;
        server.run(1_000);
        server.wall += HOUR;
        server.steady += HOUR;
        server.run(500);
        assert_eq!(server.served_since(rotated), 1_500);
    }

    #[test]
    fn a_clock_that_is_set_moves_no_age() {
        for set in [-2 * HOUR.cast_signed(), HOUR.cast_signed(), 600, -600] {
            let mut server = Running::new();
            server.run(1_000);
            let rotated = server.wall;
            server.run(2_000);
            let rotated_last = server.wall + 1;
            server.wall = server.wall.saturating_add_signed(set);
            server.run(4_000);
            if set != -600 {
                assert_eq!(server.served_since(rotated_last), 4_000, "{set}: at the moment of the change");
            }
            assert_eq!(server.served_since(rotated), 6_000, "{set}");
            assert_eq!(server.served_since(server.wall - 1_000), 1_000, "{set}");
        }
    }

    #[test]
    fn a_moment_that_the_clock_shows_twice_is_taken_for_the_later_one() {
        let mut server = Running::new();
        server.run(10_000);
        server.wall -= 10_000;
        server.run(10_000);
        assert_eq!(server.served_since(server.wall - 1_000), 1_000);
    }

    #[test]
    fn small_corrections_are_no_jumps() {
        let mut server = Running::new();
        for _ in 0..100 {
            server.run(100);
            server.wall += 10;
        }
        assert_eq!(server.serving.past.len(), 0);
    }

    #[test]
    fn the_oldest_outages_are_forgotten_first() {
        let mut server = Running::new();
        for _ in 0..3 * KEPT {
            server.run(100);
            server.wall += HOUR;
        }
        server.run(0);
        assert_eq!(server.serving.past.len(), KEPT);
        assert!(server.served_since(START) > HOUR, "an outage that was forgotten counts");
        assert_eq!(server.served_since(server.wall - 2 * HOUR - 200), 200);
    }

    proptest! {
        /// An age is the time served, whatever happens to the clocks; it is shorter only if the wall clock was set back.
        #[test]
        fn an_age_is_the_time_served(
            steps in prop::collection::vec((0..3_000_u64, -100_000_i64..100_000, any::<bool>()), 1..KEPT),
        ) {
            let mut server = Running::new();
            let (rotated, mut served, mut went_back) = (server.wall, 0, false);
            for (run, change, stops) in steps {
                let run = run / 100 * 100;
                server.run(run);
                served += run;
                let is_seen = change.unsigned_abs() > TOLERANCE_MS;
                if stops && change > SILENCE_MS.cast_signed() {
                    server.steady += change.unsigned_abs();
                }
                if is_seen {
                    server.wall = server.wall.saturating_add_signed(change);
                    went_back |= change < 0;
                }
                server.run(0);
            }
            let age = server.served_since(rotated);
            prop_assert!(if went_back { age <= served } else { age == served }, "{age} of {served}");
        }
    }
}
