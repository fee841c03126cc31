//! How long a session lives, as pure functions of moments and durations.

use super::time::{Millis, Seconds};

/// What happens when the duration of EXPIRY has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The session ends so long after it was created.
    Delete(Seconds),
    /// The session stays; its data goes so long after the first write to empty data.
    Clear(Seconds),
}

/// What was asked for when the session was made. The default lives for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    pub expiry: Option<Expiry>,
    /// The session ends so long after it was last touched.
    pub idle: Option<Seconds>,
    /// What `sh.max-lifetime` allows.
    pub max: Option<Seconds>,
}

impl Lifetime {
    /// The moment after which the session cannot be alive, whatever touches it.
    pub fn limit(self, created: Millis) -> Option<Millis> {
        let ends_after = match self.expiry {
            Some(Expiry::Delete(duration)) => Some(duration),
            Some(Expiry::Clear(_)) | None => None,
        };
        ends_after.into_iter().chain(self.max).min().map(|duration| created.after(duration))
    }
}

/// The expiry of a session that is created or touched `now`: after its idle time, but never after its limit.
pub fn deadline(idle: Option<Seconds>, limit: Option<Millis>, now: Millis) -> Option<Millis> {
    idle.map(|idle| now.after(idle)).into_iter().chain(limit).min()
}

/// Where touching a session with an idle time moves its expiry, or `None` if it stays.
///
/// A move by less than a sixteenth of the idle time, at most a minute, is spared: a busy session then costs no
/// replication traffic, and its idle time is short by that much at worst. A session whose expiry somebody set later
/// by hand keeps it.
pub fn touched(idle: Seconds, limit: Option<Millis>, expires: Option<Millis>, now: Millis) -> Option<Millis> {
    let target = deadline(Some(idle), limit, now)?;
    let spared = (idle.as_millis() / 16).min(60_000);
    match expires {
        Some(expires) if target <= expires || target.since(expires) < spared => None,
        _ => Some(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn the_earlier_of_idle_time_and_limit_ends_a_session() {
        let idle = Some(Seconds(60));
        assert_eq!(deadline(None, None, NOW), None);
        assert_eq!(deadline(idle, None, NOW), Some(Millis(1_060_000)));
        assert_eq!(deadline(None, Some(Millis(1_030_000)), NOW), Some(Millis(1_030_000)));
        assert_eq!(deadline(idle, Some(Millis(1_030_000)), NOW), Some(Millis(1_030_000)));
        assert_eq!(deadline(idle, Some(Millis(1_090_000)), NOW), Some(Millis(1_060_000)));
    }

    #[test]
    fn only_delete_limits_the_session_itself() {
        let limit = |expiry| Lifetime { expiry, idle: Some(Seconds(1)), max: None }.limit(NOW);
        assert_eq!(limit(None), None);
        assert_eq!(limit(Some(Expiry::Clear(Seconds(5)))), None);
        assert_eq!(limit(Some(Expiry::Delete(Seconds(5)))), Some(Millis(1_005_000)));
    }

    #[test]
    fn no_session_outlives_the_maximum() {
        let limit = |expiry| Lifetime { expiry, idle: None, max: Some(Seconds(10)) }.limit(NOW);
        assert_eq!(limit(None), Some(Millis(1_010_000)));
        assert_eq!(limit(Some(Expiry::Clear(Seconds(5)))), Some(Millis(1_010_000)));
        assert_eq!(limit(Some(Expiry::Delete(Seconds(5)))), Some(Millis(1_005_000)));
        assert_eq!(limit(Some(Expiry::Delete(Seconds(50)))), Some(Millis(1_010_000)));
    }

    #[test]
    fn a_touch_is_spared_until_a_sixteenth_has_passed() {
        let idle = Seconds(16);
        let expires = Some(NOW.after(idle));
        assert_eq!(touched(idle, None, expires, NOW), None);
        assert_eq!(touched(idle, None, expires, Millis(NOW.0 + 999)), None);
        assert_eq!(touched(idle, None, expires, Millis(NOW.0 + 1_000)), Some(Millis(NOW.0 + 17_000)));
    }

    #[test]
    fn a_long_idle_time_spares_at_most_a_minute() {
        let idle = Seconds(86_400);
        let expires = Some(NOW.after(idle));
        assert_eq!(touched(idle, None, expires, Millis(NOW.0 + 59_999)), None);
        let later = Millis(NOW.0 + 60_000);
        assert_eq!(touched(idle, None, expires, later), Some(later.after(idle)));
    }

    #[test]
    fn touching_never_goes_beyond_the_limit_nor_back() {
        let idle = Seconds(160);
        let limit = Some(Millis(NOW.0 + 100_000));
        assert_eq!(touched(idle, limit, limit, NOW), None);
        assert_eq!(touched(idle, limit, Some(Millis(NOW.0 + 50_000)), NOW), limit);
        assert_eq!(touched(idle, limit, Some(Millis(NOW.0 + 999_000)), NOW), None);
    }

    #[test]
    fn a_session_made_persistent_by_hand_gets_its_idle_time_back() {
        assert_eq!(touched(Seconds(160), None, None, NOW), Some(Millis(NOW.0 + 160_000)));
    }

    proptest! {
        #[test]
        fn a_touched_session_lives_at_least_fifteen_sixteenths_of_its_idle_time(
            idle in 1..u32::MAX, elapsed in 0..u64::from(u32::MAX) * 1_000,
        ) {
            let (idle, later) = (Seconds(idle), Millis(NOW.0 + elapsed));
            let before = NOW.after(idle);
            prop_assume!(later < before);
            let expires = touched(idle, None, Some(before), later).unwrap_or(before);
            prop_assert!(expires.since(later) >= idle.as_millis() - idle.as_millis() / 16);
            prop_assert!(expires <= later.after(idle));
        }
    }
}
