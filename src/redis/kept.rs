//! The kept key: if the server evicts this key, the module writes it again.
//!
//! The module keeps a copy of the key's value in each database. Only a policy that evicts keys without an expiry can evict
//! the key, and listening to keyspace events costs something with each write. So the module listens from the first moment
//! at which such a policy is in force.
//!
//! The module reads the key after a command has changed it, never during the command: opening the key could free what the
//! command still uses. A copy is the key's value or does not exist, so a deleted, flushed or replaced value never comes
//! back.

mod copies;

use self::copies::Copies;
use super::api::{api, optional};
use super::bytes::{Handle, Owned, ServerString};
use super::context::Context;
use super::key::{Key, KeyType};
use super::panics::guard;
use super::server_events::ServerEvent;
use super::writable_key::{KeyspaceEvent, WritableKey};
use redis_module::raw;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The name of the kept key.
static NAME: OnceLock<&'static [u8]> = OnceLock::new();
/// Whether the module listens to keyspace events.
static LISTENS: AtomicBool = AtomicBool::new(false);
/// Whether a timer is set that restores the key.
static TIMER_IS_SET: AtomicBool = AtomicBool::new(false);
static COPIES: Mutex<Copies> = Mutex::new(Copies::new());
/// How often the module wrote the key again.
static RESTORED: AtomicU64 = AtomicU64::new(0);
/// When the module last wrote the key again.
static RESTORED_AT: Mutex<Option<Instant>> = Mutex::new(None);

/// The time between two writes of the key. A server that has nothing else to evict would evict the key again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The keyspace events that can change the key: evictions, commands for all types, and commands that write any type in the
/// place of a string.
const EVENTS: c_int = raw::REDISMODULE_NOTIFY_EVICTED
    | raw::REDISMODULE_NOTIFY_GENERIC
    | raw::REDISMODULE_NOTIFY_STRING
    | raw::REDISMODULE_NOTIFY_LIST
    | raw::REDISMODULE_NOTIFY_SET
    | raw::REDISMODULE_NOTIFY_ZSET;

fn copies() -> MutexGuard<'static, Copies> {
    COPIES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn restored_at() -> MutexGuard<'static, Option<Instant>> {
    RESTORED_AT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The evicted value of this database, until the key is there again.
pub fn lost(database: u32) -> Option<Vec<u8>> {
    copies().lost(database)
}

/// How often the module wrote the key again, since it was loaded.
pub fn restored() -> u64 {
    RESTORED.load(Ordering::Relaxed)
}

/// Names the kept key. Only the first call counts.
pub fn name(key: &'static [u8]) {
    NAME.get_or_init(|| key);
}

/// Follows events of whole databases, and changes of the server's role.
pub fn on_server_event(context: &mut Context, event: ServerEvent) {
    match event {
        ServerEvent::Flushed { database: Some(database) } => copies().flushed(database),
        ServerEvent::Flushed { database: None } => copies().all_flushed(),
        ServerEvent::Swapped { databases: [one, other] } => copies().swapped(one, other),
        ServerEvent::Loaded | ServerEvent::LoadingFailed | ServerEvent::Promoted | ServerEvent::Demoted => {
            look_everywhere(context);
        }
        _ => {}
    }
}

/// Listens to keyspace events from now on, and copies the key's value of each database.
pub fn listen(context: &mut Context) {
    if LISTENS.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the context is valid; the callback has the type that the server expects.
    unsafe { api!(RedisModule_SubscribeToKeyspaceEvents)(context.as_ptr(), EVENTS, Some(notified)) };
    look_everywhere(context);
}

/// What the key is in the selected database.
enum Seen {
    Missing,
    Value(Vec<u8>),
    /// Not a string, or a string with an expiry. The module keeps neither.
    Other,
}

fn look(context: &mut Context) -> Seen {
    let Some(&name) = NAME.get() else { return Seen::Other };
    let key = Key::open(context, ServerString::Owned(Owned::from(name)));
    match key.key_type() {
        KeyType::Missing => Seen::Missing,
        KeyType::String if key.expires().is_none() => {
            key.string().map_or(Seen::Other, |value| Seen::Value(value.as_ref().to_vec()))
        }
        _ => Seen::Other,
    }
}

/// Selects a database. Answers whether the server has it.
fn select(context: &Context, database: u32) -> bool {
    let Ok(database) = c_int::try_from(database) else { return false };
    // SAFETY: the context is valid; the server refuses a number that is out of range.
    let selected = unsafe { api!(RedisModule_SelectDb)(context.as_ptr(), database) };
    selected as isize == raw::REDISMODULE_OK
}

/// Replaces all copies by the key's value in each database.
fn look_everywhere(context: &mut Context) {
    if !LISTENS.load(Ordering::Relaxed) {
        return;
    }
    let selected = context.database();
    copies().all_flushed();
    for database in 0.. {
        if !select(context, database) {
            break;
        }
        if let Seen::Value(value) = look(context) {
            copies().found(database, Some(value));
        }
    }
    select(context, selected);
}

/// Reads the key in each database where it may have changed, and writes it again where the server evicted it.
fn restore(context: &mut Context) {
    let to_read = copies().to_read();
    for database in to_read {
        let seen = if select(context, database) { look(context) } else { Seen::Other };
        let value = match seen {
            Seen::Value(value) => Some(value),
            Seen::Other => None,
            Seen::Missing => match write_evicted(context, database) {
                Written::Now(value) => Some(value),
                Written::Never => None,
                Written::Later => continue,
            },
        };
        copies().found(database, value);
    }
}

/// Whether the module wrote a missing key again.
enum Written {
    Now(Vec<u8>),
    /// A timer writes the key.
    Later,
    /// The server did not evict the key, or this server is a replica, which receives the write of its primary.
    Never,
}

/// Writes the evicted value of the selected database, or sets a timer if nothing may be written now.
fn write_evicted(context: &mut Context, database: u32) -> Written {
    let lost = copies().lost(database);
    let Some(value) = lost.filter(|_| !context.is_replica()) else { return Written::Never };
    if is_too_soon() || is_paused() {
        if !TIMER_IS_SET.swap(true, Ordering::Relaxed) {
            start_timer(context, PAUSE, restore_after_pause);
        }
        return Written::Later;
    }
    write(context, &value);
    Written::Now(value)
}

/// Writes the key in the selected database and on the replicas.
fn write(context: &mut Context, value: &[u8]) {
    let Some(&name) = NAME.get() else { return };
    RESTORED.fetch_add(1, Ordering::Relaxed);
    *restored_at() = Some(Instant::now());
    let value = Owned::from(value);
    let mut key = WritableKey::open(context, ServerString::Owned(Owned::from(name)));
    key.set_string(value.handle());
    key.note(KeyspaceEvent::Set);
    key.context().replicate(c"SET", key.name(), &[value.handle()]);
}

/// Whether the last write of the key is less than [`PAUSE`] ago.
fn is_too_soon() -> bool {
    restored_at().is_some_and(|at| at.elapsed() < PAUSE)
}

/// Whether nothing may be replicated now: the server waits for its replicas, before a failover or a shutdown.
fn is_paused() -> bool {
    // SAFETY: the function takes no arguments.
    optional!(RedisModule_AvoidReplicaTraffic).is_some_and(|paused| unsafe { paused() } != 0)
}

/// Restores the key when the running command is done: in a job after the notification, or in a timer where the server has no
/// such jobs.
fn restore_soon(context: &Context) {
    if let Some(add) = optional!(RedisModule_AddPostNotificationJob) {
        // SAFETY: the context is that of a notification; there is no data, so none is freed.
        let added = unsafe { add(context.as_ptr(), Some(restore_now), ptr::null_mut(), None) };
        if added as isize == raw::REDISMODULE_OK {
            return;
        }
    }
    start_timer(context, Duration::ZERO, restore_now);
}

type Timer = unsafe extern "C" fn(*mut raw::RedisModuleCtx, *mut c_void);

fn start_timer(context: &Context, delay: Duration, callback: Timer) {
    let milliseconds = delay.as_millis() as i64;
    // SAFETY: the context is valid, and the callback takes no data.
    unsafe { api!(RedisModule_CreateTimer)(context.as_ptr(), milliseconds, Some(callback), ptr::null_mut()) };
}

/// Runs `work` with the context of a callback. A panic goes to the log.
///
/// # Safety
/// `context` is null or the server's, valid during this call, and nothing else uses it.
unsafe fn with(context: *mut raw::RedisModuleCtx, work: impl FnOnce(&mut Context)) {
    let Some(context) = NonNull::new(context) else { return };
    // SAFETY: the caller's contract.
    let mut context = unsafe { Context::new(context) };
    let _ = guard("keeping the secret", || work(&mut context));
}

unsafe extern "C" fn restore_now(context: *mut raw::RedisModuleCtx, _: *mut c_void) {
    // SAFETY: the server's context, valid during this call; nothing else uses it.
    unsafe { with(context, restore) };
}

unsafe extern "C" fn restore_after_pause(context: *mut raw::RedisModuleCtx, _: *mut c_void) {
    TIMER_IS_SET.store(false, Ordering::Relaxed);
    // SAFETY: the server's context, valid during this call; nothing else uses it.
    unsafe { with(context, restore) };
}

/// The server's callback for each keyspace event.
unsafe extern "C" fn notified(
    context: *mut raw::RedisModuleCtx,
    _: c_int,
    event: *const c_char,
    key: *mut raw::RedisModuleString,
) -> c_int {
    const OK: c_int = raw::REDISMODULE_OK as c_int;
    let Some(key) = NonNull::new(key) else { return OK };
    // SAFETY: the server keeps the key's name alive during this call.
    let key = unsafe { Handle::new(key) };
    if NAME.get().is_none_or(|&name| name != key.as_bytes()) {
        return OK;
    }
    // SAFETY: the server passes the event's name, which ends in NUL and lives during this call.
    let event = unsafe { CStr::from_ptr(event) };
    let note = |context: &mut Context| {
        let database = context.database();
        if event == c"evicted" {
            copies().evicted(database);
        } else {
            copies().changed(database);
        }
        restore_soon(context);
    };
    // SAFETY: the server's context, valid during this call; nothing else uses it.
    unsafe { with(context, note) };
    OK
}
