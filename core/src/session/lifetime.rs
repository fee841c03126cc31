//! How long a session lives.

use super::time::{Millis, Seconds};

/// The option EXPIRY: a duration, and what happens after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The session ends this long after its creation.
    Delete(Seconds),
    /// The data is deleted this long after the first write to empty data. The session stays.
    Clear(Seconds),
}

/// The lifetime of a session, as its creation fixes it. By default a session never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    pub expiry: Option<Expiry>,
    /// The session ends this long after its last touch.
    pub idle: Option<Seconds>,
    /// The longest lifetime: `sh.max-lifetime`.
    pub max: Option<Seconds>,
}

impl Lifetime {
    /// The moment at which the session ends even if it is touched. `None`: there is no such moment.
    pub fn limit(self, created: Millis) -> Option<Millis> {
        let ends_after = match self.expiry {
            Some(Expiry::Delete(duration)) => Some(duration),
            Some(Expiry::Clear(_)) | None => None,
        };
        ends_after.into_iter().chain(self.max).min().map(|duration| created.after(duration))
    }
}

/// The expiry of a session that is created or touched `now`: `idle` later, at most `limit`. `None`: the session never expires.
pub fn deadline(idle: Option<Seconds>, limit: Option<Millis>, now: Millis) -> Option<Millis> {
    idle.map(|idle| now.after(idle)).into_iter().chain(limit).min()
}

/// The new expiry of a session with an idle time after a touch. `None`: the expiry stays.
///
/// The expiry stays if it would move by less than a sixteenth of the idle time, and by less than a minute. A busy session
/// then costs no replication traffic; its idle time is shorter by so much at worst. An expiry that a native command set
/// to a later moment stays too.
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
    fn expiry_delete_limits_the_session_and_expiry_clear_does_not() {
        let limit = |expiry| Lifetime { expiry, idle: Some(Seconds(1)), max: None }.limit(NOW);
        assert_eq!(limit(None), None);
        assert_eq!(limit(Some(Expiry::Clear(Seconds(5)))), None);
        assert_eq!(limit(Some(Expiry::Delete(Seconds(5)))), Some(Millis(1_005_000)));
    }

    #[test]
    fn no_session_outlives_the_longest_lifetime() {
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
    fn a_touch_gives_a_session_after_persist_its_idle_time_back() {
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
