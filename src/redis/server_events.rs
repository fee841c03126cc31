//! What the server tells of itself: that it loads, loses its primary, is promoted.
//!
//! The server keeps one callback of a module for each event, so all who want to know are told from here.

use super::api::api;
use super::context::Context;
use super::panics::guard;
use redis_module::raw;
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent {
    /// The module has just been loaded. The server reads its users and its keys later.
    ModuleLoaded,
    /// The server's configuration was changed.
    ConfigChanged,
    /// The server looks after itself: at least once a second while it serves.
    Cron,
    /// The server is about to load a dump of its own.
    LoadingDump,
    /// The server is about to load its append-only file.
    LoadingAof,
    /// The server has loaded a dump or an append-only file, or what its primary sent.
    Loaded,
    /// The server could not load it.
    LoadingFailed,
    /// A replica lost its primary, which it had last heard of so many seconds before.
    LinkLost { silent_seconds: u64 },
    /// A replica is in sync with its primary.
    LinkUp,
    /// A replica has become a primary.
    Promoted,
    /// A primary has become a replica.
    Demoted,
    /// A database was emptied, or all of them.
    Flushed { database: Option<u32> },
    /// Two databases changed places.
    Swapped { databases: [u32; 2] },
}

type Listener = fn(&mut Context, ServerEvent);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Whether the server's event loop has run since the module was loaded.
static RUN: AtomicBool = AtomicBool::new(false);

/// Whether the server's event loop has run since the module was loaded, as far as the server tells: up to 100 ms late.
pub fn server_has_run() -> bool {
    RUN.load(Ordering::Relaxed)
}

/// Calls `listener` for each event from now on. The error says what the server refused.
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

unsafe extern "C" fn happened(
    context: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    let (Some(context), Some(listener)) = (NonNull::new(context), LISTENER.get()) else { return };
    // SAFETY: the server's context, valid during this call.
    let mut context = unsafe { Context::new(context) };
    if event.id == raw::REDISMODULE_EVENT_CRON_LOOP {
        RUN.store(true, Ordering::Relaxed);
    }
    let _ = guard("a server event", || {
        // SAFETY: the server passes the data that belongs to the event.
        let known = known(&context, event.id, subevent).or_else(|| unsafe { of_databases(event.id, subevent, data) });
        if let Some(event) = known {
            listener(&mut context, event);
        }
    });
}

fn known(context: &Context, event: u64, subevent: u64) -> Option<ServerEvent> {
    match (event, subevent) {
        (raw::REDISMODULE_EVENT_CONFIG, _) => Some(ServerEvent::ConfigChanged),
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

/// What happened to whole databases.
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

/// How long the primary has sent nothing: a primary that is cut off is silent long before its connection breaks.
fn primary_silent_seconds(context: &Context) -> u64 {
    // SAFETY: the context is valid, and the name of the section ends in NUL.
    let info = unsafe { api!(RedisModule_GetServerInfo)(context.as_ptr(), c"replication".as_ptr()) };
    let mut error: c_int = 0;
    let field = c"master_last_io_seconds_ago".as_ptr();
    // SAFETY: the info is live, and the field's name ends in NUL.
    let seconds = unsafe { api!(RedisModule_ServerInfoGetFieldSigned)(info, field, ptr::from_mut(&mut error)) };
    // SAFETY: the info is used no more.
    unsafe { api!(RedisModule_FreeServerInfo)(context.as_ptr(), info) };
    u64::try_from(seconds).unwrap_or(0)
}
