//! When this server served, for the grace period of rotated tokens: the rules are [`Serving`]'s.

use crate::redis::config;
use crate::redis::server_events::ServerEvent;
use crate::redis::{self, Context};
use sessions_core::session::serving::Clocks;
use sessions_core::session::{Millis, Serving};
use std::fs;
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, UNIX_EPOCH};

struct State {
    serving: Serving,
    /// The beginning of an outage that is not over: this server loads, or is a replica that lost its primary.
    away_since: Option<Millis>,
}

static STATE: Mutex<State> = Mutex::new(State { serving: Serving::always(), away_since: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both clocks, read one right after the other.
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

/// When this server came back from its last outage, if it is known to have been away.
pub fn resumed_at() -> Option<Millis> {
    state().serving.resumed_at()
}

/// How long this server was away before it last came back, in milliseconds.
pub fn last_outage_ms() -> u64 {
    state().serving.last_outage_ms()
}

/// What an event of the server means for the time that it served.
pub fn heed(context: &Context, event: ServerEvent) {
    let now = clocks();
    let mut state = state();
    match event {
        ServerEvent::Cron => state.serving.look(now),
        ServerEvent::LoadingDump => state.away_since = dump_written(context),
        ServerEvent::LoadingAof => state.away_since = aof_written(context),
        // A replica does not serve before it is promoted.
        ServerEvent::Loaded if context.is_replica() => {}
        ServerEvent::Loaded | ServerEvent::Promoted => {
            if let Some(stopped) = state.away_since.take() {
                state.serving.resume(stopped, now);
            }
        }
        // A promotion announces the loss twice: the first word of it is right.
        ServerEvent::LinkLost { silent_seconds } => {
            state.away_since.get_or_insert(Millis(now.wall.0.saturating_sub(silent_seconds * 1_000)));
        }
        // A replica refuses to refresh: the time counts again once this server is a primary or is in sync with one.
        ServerEvent::Demoted => {
            state.away_since.get_or_insert(now.wall);
        }
        // From here on the rotations of the primary count, which served while this server was away.
        ServerEvent::LinkUp => {
            state.serving = Serving::always();
            state.away_since = None;
        }
        _ => {}
    }
}

/// When the dump that the server is about to load was written. The server's working directory is its `dir`.
fn dump_written(context: &Context) -> Option<Millis> {
    modified(config::of_server(context, c"dbfilename")?.as_ref())
}

/// When the append-only file that the server is about to load was last written to: of its parts the newest counts.
fn aof_written(context: &Context) -> Option<Millis> {
    let parts = fs::read_dir(config::of_server(context, c"appenddirname")?).ok()?;
    parts.filter_map(|part| modified(&part.ok()?.path())).max()
}

fn modified(path: &Path) -> Option<Millis> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_millis()).ok().map(Millis)
}
