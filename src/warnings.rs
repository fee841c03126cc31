//! What an operator should change: the warnings in force, for the log and for INFO.
//!
//! Each is looked for again when it can change: at load, after the start, when the server's configuration changes, when the
//! secret is read, and at INFO. The log tells of each once, until it changes.

use crate::redis::log::{Level, log};
use crate::redis::server_events::ServerEvent;
use crate::redis::{Context, rights, server};
use crate::settings::{self, secret_file};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Cause {
    Policy,
    SecretFile,
    DefaultUser,
}

const CAUSES: usize = 3;

/// The warnings in force.
#[derive(Default)]
struct Board([Option<String>; CAUSES]);

impl Board {
    /// Notes what was found of a cause. Answers what the log has to be told: a warning that was not there before.
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

/// The warnings in force.
pub fn in_force() -> Vec<String> {
    board().0.iter().flatten().cloned().collect()
}

/// Looks for what can be wrong after an event of the server. The server reads its users after its modules, so they are
/// looked at once it has started.
pub fn heed(context: &mut Context, event: ServerEvent) {
    static STARTED: AtomicBool = AtomicBool::new(false);
    match event {
        ServerEvent::ModuleLoaded | ServerEvent::ConfigChanged => server::look(context),
        ServerEvent::Cron if !STARTED.swap(true, Ordering::Relaxed) => {}
        _ => return,
    }
    examine();
}

/// Looks for everything that can be wrong, and tells the log what is new.
pub fn examine() {
    let (settings, server) = (settings::current(), server::known());
    let makes_secret = settings.secret_file.is_empty();
    let found = [
        (Cause::Policy, of_policy(&server.policy)),
        (Cause::SecretFile, secret_file::exposure(&settings.secret_file)),
        (Cause::DefaultUser, of_default_user(&server, || rights::default_user_lacks(makes_secret))),
    ];
    for (cause, found) in found {
        if let Some(warning) = board().note(cause, found) {
            log(Level::Warning, warning);
        }
    }
}

/// Every policy but one evicts a list, or the pointer to a shared session, and may leave its sessions.
fn of_policy(policy: &str) -> Option<String> {
    if matches!(policy, "noeviction" | "") {
        return None;
    }
    let means =
        "it can evict the list of a name before the sessions on it, which SH.ENDALL then misses; use noeviction";
    Some(format!("maxmemory-policy is {policy}: {means}"))
}

/// While an append-only file loads, EXEC asks what the default user may do, and drops what that user may not.
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
    fn a_warning_is_told_once_until_it_changes() {
        let mut board = Board::default();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(board.note(Cause::Policy, some("a")), Some("a"));
        assert_eq!(board.note(Cause::Policy, some("a")), None);
        assert_eq!(board.note(Cause::DefaultUser, some("a")), Some("a"), "each cause by itself");
        assert_eq!(board.note(Cause::Policy, some("b")), Some("b"));
        assert_eq!(board.note(Cause::Policy, None), None);
        assert_eq!(board.note(Cause::Policy, some("b")), Some("b"));
    }

    #[test]
    fn only_noeviction_is_no_reason_to_warn() {
        assert_eq!(of_policy("noeviction"), None);
        for policy in ["volatile-ttl", "volatile-lru", "allkeys-lru", "allkeys-random", "one-of-the-future"] {
            assert!(of_policy(policy).is_some_and(|warning| warning.contains(policy)), "{policy}");
        }
    }

    #[test]
    fn the_default_user_matters_to_a_server_that_appends_and_checks_when_it_loads() {
        let known = |appends, replays_all| server::Known { appends, replays_all, ..server::Known::default() };
        let warns = |known, lacks| of_default_user(&known, || lacks).is_some();
        assert!(warns(known(true, false), Some("HSET")));
        assert!(!warns(known(true, false), None));
        assert!(!warns(known(false, false), Some("HSET")));
        assert!(!warns(known(true, true), Some("HSET")));
    }
}
