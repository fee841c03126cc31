//! Rotation of refresh and cookie tokens, and revocation on reuse (RFC 9700, section 4.14.2).
//!
//! A session counts its rotations: the count is its generation. A sealed token holds the generation that it was issued for.
//! The functions here take the generation of a genuine token: its MAC was checked before, so the module has issued it.

use super::time::{Millis, Seconds};

/// The rotations of a session, as its metadata has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The current generation; 0 until the first rotation.
    pub generation: u32,
    /// The moment of the last rotation. `None`: there was none.
    pub at: Option<Millis>,
}

/// What a refresh does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The token is current. The session gets this generation.
    Rotate { to: u32 },
    /// The previous token within the grace period: two tabs, or a lost answer. The answer is the current token again.
    Replay,
    /// The token is newer than the session: a failover lost the write of its rotation. The session gets this generation.
    Forward { to: u32 },
    /// The token was replaced before. That token has been copied, so the session ends.
    Theft,
    /// The generation cannot grow any more. The session ends.
    Exhausted,
}

/// The generation of a genuine token, compared with the session's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// The generation before the current one, within the grace period.
    Previous,
    /// Newer than the current one: this server lost the write of the rotation, or has not received it yet.
    Newer,
    /// Older than the current one, and out of the grace period.
    RotatedOut,
}

/// Compares the generation of a token with the session's. `served_since` answers the age of a moment in milliseconds, without
/// the time in which the server did not serve.
pub fn standing(
    presented: u32,
    rotated: Rotated,
    grace: Seconds,
    served_since: impl FnOnce(Millis) -> u64,
) -> Standing {
    let in_grace = || rotated.at.is_some_and(|at| served_since(at) <= grace.as_millis());
    match presented {
        _ if presented > rotated.generation => Standing::Newer,
        _ if presented == rotated.generation => Standing::Current,
        _ if presented + 1 == rotated.generation && in_grace() => Standing::Previous,
        _ => Standing::RotatedOut,
    }
}

/// Decides what a refresh with a token of this generation does.
///
/// With `no_grace` the session skips a generation. Then no issued token is of the previous generation, so none is accepted in
/// the grace period.
pub fn rotate(
    presented: u32,
    rotated: Rotated,
    grace: Seconds,
    no_grace: bool,
    served_since: impl FnOnce(Millis) -> u64,
) -> Rotation {
    let step = if no_grace { 2 } else { 1 };
    let after = |generation: u32| generation.checked_add(step);
    match standing(presented, rotated, grace, served_since) {
        Standing::Previous if !no_grace => Rotation::Replay,
        Standing::Current | Standing::Previous => {
            after(rotated.generation).map_or(Rotation::Exhausted, |to| Rotation::Rotate { to })
        }
        Standing::Newer => after(presented).map_or(Rotation::Exhausted, |to| Rotation::Forward { to }),
        Standing::RotatedOut => Rotation::Theft,
    }
}

/// The moment at which a rotation that the server lost counts as done: the later of the last known rotation and the end of the
/// last outage. The grace period of the previous generation begins there; after it no honest client uses that generation.
pub fn lost_rotation_at(last_known: Option<Millis>, resumed_at: Option<Millis>) -> Option<Millis> {
    last_known.max(resumed_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRACE: Seconds = Seconds(30);
    const AT: Millis = Millis(1_000_000);

    fn outcome(presented: u32, generation: u32, after: i64, no_grace: bool) -> Rotation {
        let rotated = Rotated { generation, at: (generation > 0).then_some(AT) };
        let now = AT.0.saturating_add_signed(after);
        rotate(presented, rotated, GRACE, no_grace, |at| now.abs_diff(at.0))
    }

    #[test]
    fn every_case_of_the_table() {
        use Rotation::*;
        const LAST: u32 = u32::MAX;
        // presented, current, ms since the rotation, no grace: outcome
        let table = [
            (0, 0, 0, false, Rotate { to: 1 }),
            (0, 0, 0, true, Rotate { to: 2 }),
            (5, 5, 0, false, Rotate { to: 6 }),
            (5, 5, 9_999_999, false, Rotate { to: 6 }),
            (5, 5, 0, true, Rotate { to: 7 }),
            (4, 5, 0, false, Replay),
            (4, 5, 30_000, false, Replay),
            (4, 5, -30_000, false, Replay),
            (4, 5, 30_001, false, Theft),
            (4, 5, -30_001, false, Theft),
            (4, 5, 0, true, Rotate { to: 7 }),
            (4, 5, 30_001, true, Theft),
            (3, 5, 0, false, Theft),
            (3, 5, 0, true, Theft),
            (0, 5, 0, false, Theft),
            (6, 5, 0, false, Forward { to: 7 }),
            (6, 5, 0, true, Forward { to: 8 }),
            (100, 0, 0, false, Forward { to: 101 }),
            (LAST, LAST, 0, false, Exhausted),
            (LAST - 1, LAST - 1, 0, false, Rotate { to: LAST }),
            (LAST - 1, LAST - 1, 0, true, Exhausted),
            (LAST, 0, 0, false, Exhausted),
            (LAST - 1, LAST, 0, false, Replay),
        ];
        for (presented, generation, after, no_grace, expected) in table {
            let given = (presented, generation, after, no_grace);
            assert_eq!(outcome(presented, generation, after, no_grace), expected, "{given:?}");
        }
    }

    #[test]
    fn with_a_grace_of_zero_the_previous_token_is_good_for_the_same_millisecond_alone() {
        let rotated = Rotated { generation: 5, at: Some(AT) };
        assert_eq!(rotate(4, rotated, Seconds(0), false, |_| 0), Rotation::Replay);
        assert_eq!(rotate(4, rotated, Seconds(0), false, |_| 1), Rotation::Theft);
    }

    #[test]
    fn a_lost_rotation_begins_no_grace_period_of_its_own() {
        let (before, outage_end) = (Some(Millis(1)), Some(Millis(2)));
        assert_eq!(lost_rotation_at(before, outage_end), outage_end);
        assert_eq!(lost_rotation_at(outage_end, before), outage_end, "a rotation since the outage");
        assert_eq!(lost_rotation_at(None, outage_end), outage_end);
        assert_eq!(lost_rotation_at(before, None), before, "no outage is known");
        assert_eq!(lost_rotation_at(None, None), None);
    }

    /// One session and its clients. Each client holds the generation of the last token that it received.
    #[derive(Debug)]
    struct Clients {
        rotated: Rotated,
        now: Millis,
        held: Vec<u32>,
    }

    impl Clients {
        /// One client refreshes. The network may lose the answer.
        fn refresh(&mut self, client: usize, answer_arrives: bool) -> Rotation {
            let outcome = rotate(self.held[client], self.rotated, GRACE, false, |at| self.now.since(at));
            match outcome {
                Rotation::Rotate { to } | Rotation::Forward { to } => {
                    self.rotated = Rotated { generation: to, at: Some(self.now) };
                }
                _ => {}
            }
            if answer_arrives {
                self.held[client] = self.rotated.generation;
            }
            outcome
        }
    }

    proptest! {
        /// Tabs share a cookie jar: an answer to one reaches all. A request that began before may still carry the previous token.
        #[test]
        fn honest_tabs_are_never_logged_out(
            steps in prop::collection::vec((0..15_000_u64, any::<bool>(), 0..3_usize), 1..200),
        ) {
            let mut session = Clients { rotated: Rotated { generation: 0, at: None }, now: AT, held: vec![0] };
            for (wait, answer_arrives, late_requests) in steps {
                session.now = Millis(session.now.0 + wait);
                let begun_with = session.held[0];
                let first = session.refresh(0, answer_arrives);
                prop_assert_ne!(first, Rotation::Theft);
                // The client repeats the request whose answer was lost, within the grace period.
                if !answer_arrives {
                    prop_assert_ne!(session.refresh(0, true), Rotation::Theft);
                }
                for _ in 0..late_requests {
                    let late = rotate(begun_with, session.rotated, GRACE, false, |at| session.now.since(at));
                    prop_assert!(matches!(late, Rotation::Replay | Rotation::Rotate { .. }), "{late:?}");
                }
            }
        }

        #[test]
        fn a_token_from_before_the_predecessor_always_ends_the_session(
            generation in 2..u32::MAX, age in 2..u32::MAX, after: u32, no_grace: bool,
        ) {
            prop_assume!(age <= generation);
            prop_assert_eq!(outcome(generation - age, generation, i64::from(after), no_grace), Rotation::Theft);
        }

        #[test]
        fn after_a_failover_a_client_goes_on_from_its_own_token(lost in 1..1000_u32, generation in 0..1_000_000_u32) {
            let outcome = outcome(generation + lost, generation, 0, false);
            prop_assert_eq!(outcome, Rotation::Forward { to: generation + lost + 1 });
        }
    }
}
