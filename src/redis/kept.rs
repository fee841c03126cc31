//! A key that outlives its eviction: the server may evict it, the module writes it again.
//!
//! Only policies that evict keys without an expiry can take it. As soon as such a policy is in force the module listens to
//! what happens to keys, which costs something with each write: before that it does not. What the key holds is looked at
//! after each change to it, never while it is being changed: opening it then could free what the running command still
//! holds. So a copy is the truth, or there is none. What was deleted, flushed or replaced is never written again.

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

/// The name of the key.
static NAME: OnceLock<&'static [u8]> = OnceLock::new();
/// Whether what happens to keys is listened to.
static LISTENS: AtomicBool = AtomicBool::new(false);
/// Whether a timer is on its way that writes the key again.
static AWAITED: AtomicBool = AtomicBool::new(false);
static COPIES: Mutex<Copies> = Mutex::new(Copies::new());
/// How often the key was written again, and when last.
static RESTORED: AtomicU64 = AtomicU64::new(0);
static RESTORED_AT: Mutex<Option<Instant>> = Mutex::new(None);

/// How long a key that was just written again, or must not be written yet, has to wait. A server that
/// has nothing else to evict would evict it in a circle.
const PAUSE: Duration = Duration::from_millis(100);

/// What happens to a key of any type, and commands that put another type in a key's place.
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

/// What the key held that was evicted from this database, until it is there again.
pub fn lost(database: u32) -> Option<Vec<u8>> {
    copies().lost(database)
}

/// How often the key was written again.
pub fn restored() -> u64 {
    RESTORED.load(Ordering::Relaxed)
}

/// Says which key it is.
pub fn name(key: &'static [u8]) {
    NAME.get_or_init(|| key);
}

/// What happened to whole databases, or to the server's part.
pub fn heed(context: &mut Context, event: ServerEvent) {
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

/// Listens to what happens to the key from now on, and looks at what it holds.
pub fn listen(context: &mut Context) {
    if LISTENS.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the context is one of this module's.
    unsafe { api!(RedisModule_SubscribeToKeyspaceEvents)(context.as_ptr(), EVENTS, Some(notified)) };
    look_everywhere(context);
}

/// What there is to see of the key in the selected database.
enum Seen {
    Missing,
    Value(Vec<u8>),
    /// No text, or one that goes by itself: nothing to keep.
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

fn select(context: &Context, database: u32) -> bool {
    let Ok(database) = c_int::try_from(database) else { return false };
    // SAFETY: the context is valid; a number that is out of range changes nothing.
    let selected = unsafe { api!(RedisModule_SelectDb)(context.as_ptr(), database) };
    selected as isize == raw::REDISMODULE_OK
}

/// Looks at the key in each database, whatever was known.
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

/// Looks at the key where it was changed, and writes it again where it was evicted.
fn settle(context: &mut Context) {
    let unsettled = copies().unsettled();
    for database in unsettled {
        let seen = if select(context, database) { look(context) } else { Seen::Other };
        let found = match seen {
            Seen::Value(value) => Some(value),
            Seen::Other => None,
            Seen::Missing => {
                let lost = copies().lost(database);
                // A replica gets what its primary writes.
                match lost.filter(|_| !context.is_replica()) {
                    Some(_) if is_too_soon() || is_paused() => {
                        if !AWAITED.swap(true, Ordering::Relaxed) {
                            start_timer(context, PAUSE, write_late);
                        }
                        continue;
                    }
                    Some(value) => {
                        write(context, &value);
                        Some(value)
                    }
                    None => None,
                }
            }
        };
        copies().found(database, found);
    }
}

/// Writes the key again, in the selected database and on the replicas.
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

/// Whether the key was written again just before.
fn is_too_soon() -> bool {
    restored_at().is_some_and(|at| at.elapsed() < PAUSE)
}

/// Whether nothing must reach the replicas now: a failover waits for them.
fn is_paused() -> bool {
    // SAFETY: it takes no arguments.
    optional!(RedisModule_AvoidReplicaTraffic).is_some_and(|paused| unsafe { paused() } != 0)
}

/// Settles as soon as that is safe: at the end of what is running, where the server offers that, else a moment later.
fn settle_soon(context: &Context) {
    if let Some(add) = optional!(RedisModule_AddPostNotificationJob) {
        // SAFETY: the context is that of a notification; the callback takes no data, so there is none to free.
        let added = unsafe { add(context.as_ptr(), Some(run), ptr::null_mut(), None) };
        if added as isize == raw::REDISMODULE_OK {
            return;
        }
    }
    start_timer(context, Duration::ZERO, run);
}

type Timer = unsafe extern "C" fn(*mut raw::RedisModuleCtx, *mut c_void);

fn start_timer(context: &Context, delay: Duration, callback: Timer) {
    let milliseconds = delay.as_millis() as i64;
    // SAFETY: the context is one of this module's, and the callback takes no data.
    unsafe { api!(RedisModule_CreateTimer)(context.as_ptr(), milliseconds, Some(callback), ptr::null_mut()) };
}

/// Does this with a context that the server called with.
///
/// # Safety
/// `context` is null or the server's, valid during this call, and nothing else uses it.
unsafe fn with(context: *mut raw::RedisModuleCtx, work: impl FnOnce(&mut Context)) {
    let Some(context) = NonNull::new(context) else { return };
    // SAFETY: the caller's contract.
    let mut context = unsafe { Context::new(context) };
    let _ = guard("keeping the secret", || work(&mut context));
}

unsafe extern "C" fn run(context: *mut raw::RedisModuleCtx, _: *mut c_void) {
    // SAFETY: the server calls with its own context.
    unsafe { with(context, settle) };
}

unsafe extern "C" fn write_late(context: *mut raw::RedisModuleCtx, _: *mut c_void) {
    AWAITED.store(false, Ordering::Relaxed);
    // SAFETY: the server calls with its own context.
    unsafe { with(context, settle) };
}

/// Something happened to a key.
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
    // SAFETY: the server passes the event's name, which ends in NUL.
    let event = unsafe { CStr::from_ptr(event) };
    let note = |context: &mut Context| {
        let database = context.database();
        if event == c"evicted" {
            copies().evicted(database);
        } else {
            copies().changed(database);
        }
        settle_soon(context);
    };
    // SAFETY: the server calls with its own context.
    unsafe { with(context, note) };
    OK
}
