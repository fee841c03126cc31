//! The events of the server: loading, losing the primary, promotion.
//!
//! The server calls one callback of a module for each event. This file subscribes to all events and passes them to one
//! listener, in the words of [`ServerEvent`].

use super::api::api;
use super::context::Context;
use super::in_use;
use super::panics::guard;
use super::server_info;
use redis_module::raw;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// What happened to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent {
    /// The module was loaded. At a start, the server reads its users and its keys later.
    ModuleLoaded,
    /// The server's configuration changed.
    ConfigChanged,
    /// The server's periodic work: at least once a second while the server serves.
    Cron,
    /// The server is about to load its RDB file.
    LoadingDump,
    /// The server is about to load its append-only file.
    LoadingAof,
    /// The server has loaded a file, or the data set of its primary.
    Loaded,
    /// The server could not load a file, or the data set of its primary.
    LoadingFailed,
    /// This replica lost its primary, which had sent nothing for so many seconds.
    LinkLost { silent_seconds: u64 },
    /// This replica is in sync with its primary.
    LinkUp,
    /// The server is about to end, by SHUTDOWN or a signal.
    ShuttingDown,
    /// This replica became a primary.
    Promoted,
    /// This primary became a replica.
    Demoted,
    /// One database was emptied; `None`: all of them.
    Flushed { database: Option<u32> },
    /// Two databases changed places.
    Swapped { databases: [u32; 2] },
}

type Listener = fn(&mut Context, ServerEvent);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Calls `listener` for each event from now on, beginning with [`ServerEvent::ModuleLoaded`]. The error names the event that
/// the server refused.
pub fn subscribe(context: &mut Context, listener: Listener) -> Result<(), String> {
    LISTENER.get_or_init(|| listener);
    let events = [
        raw::REDISMODULE_EVENT_CONFIG,
        raw::REDISMODULE_EVENT_CRON_LOOP,
        raw::REDISMODULE_EVENT_LOADING,
        raw::REDISMODULE_EVENT_MASTER_LINK_CHANGE,
        raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED,
        raw::REDISMODULE_EVENT_FLUSHDB,
        raw::REDISMODULE_EVENT_SWAPDB,
        raw::REDISMODULE_EVENT_SHUTDOWN,
    ];
    for id in events {
        let event = raw::RedisModuleEvent { id, dataver: 1 };
        // SAFETY: the context is that of the loading module.
        let subscribed = unsafe { api!(RedisModule_SubscribeToServerEvent)(context.as_ptr(), event, Some(happened)) };
        if subscribed as isize != raw::REDISMODULE_OK {
            return Err(format!("the server does not announce its event {id}"));
        }
    }
    listener(context, ServerEvent::ModuleLoaded);
    Ok(())
}

/// The server's callback for each event.
unsafe extern "C" fn happened(
    context: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    let (Some(context), Some(listener)) = (NonNull::new(context), LISTENER.get()) else { return };
    // SAFETY: the server's context, valid during this call; nothing else uses it.
    let mut context = unsafe { Context::new(context) };
    if event.id == raw::REDISMODULE_EVENT_CRON_LOOP {
        in_use::note();
    }
    let _ = guard("a server event", || {
        let of_server = of_server(&context, event.id, subevent);
        // SAFETY: the server passes the data that belongs to the event.
        if let Some(event) = of_server.or_else(|| unsafe { of_databases(event.id, subevent, data) }) {
            listener(&mut context, event);
        }
    });
}

/// The event of the server as a whole; `None` for any other.
fn of_server(context: &Context, event: u64, subevent: u64) -> Option<ServerEvent> {
    match (event, subevent) {
        (raw::REDISMODULE_EVENT_CONFIG, _) => Some(ServerEvent::ConfigChanged),
        (raw::REDISMODULE_EVENT_SHUTDOWN, _) => Some(ServerEvent::ShuttingDown),
        (raw::REDISMODULE_EVENT_CRON_LOOP, _) => Some(ServerEvent::Cron),
        (raw::REDISMODULE_EVENT_LOADING, raw::REDISMODULE_SUBEVENT_LOADING_RDB_START) => Some(ServerEvent::LoadingDump),
        (raw::REDISMODULE_EVENT_LOADING, raw::REDISMODULE_SUBEVENT_LOADING_AOF_START) => Some(ServerEvent::LoadingAof),
        (raw::REDISMODULE_EVENT_LOADING, raw::REDISMODULE_SUBEVENT_LOADING_ENDED) => Some(ServerEvent::Loaded),
        (raw::REDISMODULE_EVENT_MASTER_LINK_CHANGE, raw::REDISMODULE_SUBEVENT_MASTER_LINK_UP) => {
            Some(ServerEvent::LinkUp)
        }
        (raw::REDISMODULE_EVENT_MASTER_LINK_CHANGE, raw::REDISMODULE_SUBEVENT_MASTER_LINK_DOWN) => {
            Some(ServerEvent::LinkLost { silent_seconds: primary_silent_seconds(context) })
        }
        (raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, raw::REDISMODULE_EVENT_REPLROLECHANGED_NOW_MASTER) => {
            Some(ServerEvent::Promoted)
        }
        (raw::REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, raw::REDISMODULE_EVENT_REPLROLECHANGED_NOW_REPLICA) => {
            Some(ServerEvent::Demoted)
        }
        (raw::REDISMODULE_EVENT_LOADING, raw::REDISMODULE_SUBEVENT_LOADING_FAILED) => Some(ServerEvent::LoadingFailed),
        _ => None,
    }
}

/// The event of whole databases; `None` for any other.
///
/// # Safety
/// `data` is what the server passes with this event.
unsafe fn of_databases(event: u64, subevent: u64, data: *mut c_void) -> Option<ServerEvent> {
    match event {
        raw::REDISMODULE_EVENT_FLUSHDB if subevent == raw::REDISMODULE_SUBEVENT_FLUSHDB_START => {
            // SAFETY: the caller's contract: this event comes with this structure, or null.
            let flushed = unsafe { data.cast::<raw::RedisModuleFlushInfo>().as_ref() }?;
            Some(ServerEvent::Flushed { database: u32::try_from(flushed.dbnum).ok() })
        }
        raw::REDISMODULE_EVENT_SWAPDB => {
            // SAFETY: the caller's contract: this event comes with this structure, or null.
            let swapped = unsafe { data.cast::<raw::RedisModuleSwapDbInfo>().as_ref() }?;
            let [one, other] = [swapped.dbnum_first, swapped.dbnum_second].map(|number| u32::try_from(number).ok());
            Some(ServerEvent::Swapped { databases: [one?, other?] })
        }
        _ => None,
    }
}

/// The seconds since the primary last sent something: a primary that is cut off is silent long before its connection
/// breaks.
fn primary_silent_seconds(context: &Context) -> u64 {
    let seconds = server_info::field(context, c"replication", c"master_last_io_seconds_ago");
    // The server answers -1 while it has no connection to the primary.
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}
