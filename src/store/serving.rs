//! When this server was reachable, for the grace period of rotated tokens. The rules are in [`Serving`].

use crate::redis::config;
use crate::redis::server;
use crate::redis::server_events::ServerEvent;
use crate::redis::{self, Context};
use sessions_core::session::serving::Clocks;
use sessions_core::session::{Millis, Serving};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

struct State {
    serving: Serving,
    /// When the current outage began: this server loads its data, or is a replica that lost its primary.
    away_since: Option<Millis>,
}

impl State {
    fn end_outage(&mut self, now: Clocks) {
        if let Some(stopped) = self.away_since.take() {
            self.serving.resume(stopped, now);
        }
    }
}

static STATE: Mutex<State> = Mutex::new(State { serving: Serving::always(), away_since: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads both clocks.
fn clocks() -> Clocks {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    let wall = redis::context::now();
    Clocks { wall, steady: u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// How many milliseconds this server has served since a moment.
pub fn served_since(at: Millis) -> u64 {
    let (now, mut state) = (clocks(), state());
    state.serving.look(now);
    state.serving.served_since(at, now.wall)
}

/// When this server came back from its last outage. `None` if none is known.
pub fn resumed_at() -> Option<Millis> {
    state().serving.resumed_at()
}

/// How long the last outage was, in milliseconds.
pub fn last_outage_ms() -> u64 {
    state().serving.last_outage_ms()
}

/// Notes the outages and the returns that an event of the server tells of.
pub fn on_server_event(context: &Context, event: ServerEvent) {
    let now = clocks();
    let mut state = state();
    match event {
        ServerEvent::Cron => state.serving.look(now),
        ServerEvent::LoadingDump => state.away_since = dump_written(context),
        ServerEvent::LoadingAof => state.away_since = aof_written(context),
        // The outage of a replica lasts until it is promoted.
        ServerEvent::Loaded if context.is_replica() => {}
        ServerEvent::Loaded => state.end_outage(now),
        // Until the outage began the primary served: pauses of this server as a replica do not count.
        ServerEvent::Promoted => {
            state.serving = Serving::always();
            state.end_outage(now);
        }
        ServerEvent::ShuttingDown => mark_end(context),
        // Before a promotion the server announces the loss twice. The first announcement has the right time.
        ServerEvent::LinkLost { silent_seconds } => {
            state.away_since.get_or_insert(Millis(now.wall.0.saturating_sub(silent_seconds * 1_000)));
        }
        // A replica refuses to refresh: the time counts again once this server is a primary or is in sync with one.
        ServerEvent::Demoted => {
            state.away_since.get_or_insert(now.wall);
        }
        // From now on this replica has the rotations of its primary, which was not away.
        ServerEvent::LinkUp => {
            state.serving = Serving::always();
            state.away_since = None;
        }
        _ => {}
    }
}

/// When the dump that the server is about to load was written. The path is relative to the server's `dir`, where it runs.
fn dump_written(context: &Context) -> Option<Millis> {
    modified(config::of_server(context, c"dbfilename")?.as_ref())
}

/// When the append-only file that the server is about to load was last written: the time of its newest part.
fn aof_written(context: &Context) -> Option<Millis> {
    newest_part(context).map(|(written, _)| written)
}

/// The part of the append-only file that was written last.
fn newest_part(context: &Context) -> Option<(Millis, PathBuf)> {
    let parts = fs::read_dir(config::of_server(context, c"appenddirname")?).ok()?;
    let parts = parts.filter_map(|part| {
        let path = part.ok()?.path();
        Some((modified(&path)?, path))
    });
    parts.max()
}

/// Makes the append-only file tell when the server was shut down: a server that served without a write would seem to have
/// been away since its last write.
fn mark_end(context: &Context) {
    if !server::known().appends {
        return;
    }
    if let Some((_, part)) = newest_part(context) {
        let file = fs::File::options().append(true).open(part);
        // Without the mark the outage seems longer than it was: no reason to hold up the end.
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
    }
}

fn modified(path: &Path) -> Option<Millis> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_millis()).ok().map(Millis)
}
