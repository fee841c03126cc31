//! The warnings in force: what an operator should change. They go to the log and to INFO.
//!
//! The module looks for the causes at load, after the start, when the configuration changes, and at INFO. The log gets
//! each warning once, until the warning changes.
//!
//! This file stands between lib.rs, which alone calls it, and the settings and redis/.

use crate::redis::log::{Level, log};
use crate::redis::rights::{self, Call};
use crate::redis::server;
use crate::redis::server_events::ServerEvent;
use crate::settings::{self, secret_file};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The commands in transactions of the append-only file, each on the key of its kind.
const EFFECTS: [Call; 8] = [
    &["HSET", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "a", "1"],
    &["HDEL", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "a"],
    &["PEXPIREAT", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA", "1"],
    &["UNLINK", "sh:AAAAAAAAAAAAAAAAAAAAAAAAA"],
    &["SET", "sh:s:a:AAA", "a"],
    &["PERSIST", "sh:n:a:AAA"],
    &["ZADD", "sh:n:a:AAA", "1", "a"],
    &["ZREM", "sh:n:a:AAA", "a"],
];

/// Besides, where the database generates its own secret.
const NEW_SECRET: Call = &["SET", "redis-sessions:secret", "a"];

/// The causes of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Cause {
    Policy,
    SecretFile,
    DefaultUser,
}

const CAUSES: usize = 3;

/// The warnings in force, by cause.
#[derive(Default)]
struct Board([Option<String>; CAUSES]);

impl Board {
    /// Replaces the warning of a cause. Answers the warning if it is new, for the log.
    fn note(&mut self, cause: Cause, found: Option<String>) -> Option<&str> {
        let noted = &mut self.0[cause as usize];
        let is_new = found.is_some() && *noted != found;
        *noted = found;
        noted.as_deref().filter(|_| is_new)
    }
}

static BOARD: Mutex<Board> = Mutex::new(Board([const { None }; CAUSES]));

fn board() -> MutexGuard<'static, Board> {
    BOARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The warnings in force, as the last look found them.
pub fn in_force() -> Vec<String> {
    board().0.iter().flatten().cloned().collect()
}

/// Looks for causes of warnings after an event that can change them. The server reads its users after it has loaded its
/// modules, so the first `Cron` is the first moment to look at them.
pub fn on_server_event(event: ServerEvent) {
    static STARTED: AtomicBool = AtomicBool::new(false);
    match event {
        ServerEvent::ModuleLoaded | ServerEvent::ConfigChanged => {}
        ServerEvent::Cron if !STARTED.swap(true, Ordering::Relaxed) => {}
        _ => return,
    }
    examine();
}

/// Looks for all causes of warnings, and logs each new warning.
pub fn examine() {
    let (settings, server) = (settings::current(), server::known());
    let new_secret = settings.secret_file.is_empty().then_some(NEW_SECRET);
    let lacks = || rights::default_user_lacks(EFFECTS.into_iter().chain(new_secret));
    let found = [
        (Cause::Policy, of_policy(&server.policy)),
        (Cause::SecretFile, secret_file::exposure(&settings.secret_file)),
        (Cause::DefaultUser, of_default_user(&server, lacks)),
    ];
    for (cause, found) in found {
        if let Some(warning) = board().note(cause, found) {
            log(Level::Warning, warning);
        }
    }
}

/// The warning about `maxmemory-policy`. Only noeviction keeps a list, and the pointer to a shared session, as long as
/// their sessions.
fn of_policy(policy: &str) -> Option<String> {
    if matches!(policy, "noeviction" | "") {
        return None;
    }
    let means =
        "it can evict the list of a name before the sessions on it, which SH.ENDALL then misses; use noeviction";
    Some(format!("maxmemory-policy is {policy}: {means}"))
}

/// The warning about the default user. While an append-only file loads, EXEC checks the rights of that user, and drops the
/// transaction if one is missing.
fn of_default_user(server: &server::Known, lacks: impl FnOnce() -> Option<&'static str>) -> Option<String> {
    if !server.appends || server.replays_all {
        return None;
    }
    let lacks = lacks()?;
    Some(format!(
        "appendonly is yes and the default user may not run {lacks} on sessions: at a restart a server without the mend of \
         redis#14541 or valkey#3983 drops all transactions of the append-only file, and sessions with them; \
         set 'user default off ~* &* +@all'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_logged_once_until_it_changes() {
        let mut board = Board::default();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(board.note(Cause::Policy, some("a")), Some("a"));
        assert_eq!(board.note(Cause::Policy, some("a")), None);
        assert_eq!(board.note(Cause::DefaultUser, some("a")), Some("a"), "each cause has its own warning");
        assert_eq!(board.note(Cause::Policy, some("b")), Some("b"));
        assert_eq!(board.note(Cause::Policy, None), None);
        assert_eq!(board.note(Cause::Policy, some("b")), Some("b"));
    }

    #[test]
    fn every_policy_but_noeviction_is_warned_of() {
        assert_eq!(of_policy("noeviction"), None);
        for policy in ["volatile-ttl", "volatile-lru", "allkeys-lru", "allkeys-random", "one-of-the-future"] {
            assert!(of_policy(policy).is_some_and(|warning| warning.contains(policy)), "{policy}");
        }
    }

    #[test]
    fn the_default_user_matters_only_with_an_aof_on_a_server_that_checks_its_rights() {
        let known = |appends, replays_all| server::Known { appends, replays_all, ..server::Known::default() };
        let warns = |known, lacks| of_default_user(&known, || lacks).is_some();
        assert!(warns(known(true, false), Some("HSET")));
        assert!(!warns(known(true, false), None));
        assert!(!warns(known(false, false), Some("HSET")));
        assert!(!warns(known(true, true), Some("HSET")));
    }
}
