//! What there is to know of the server beside its keys: the settings of its own that matter to sessions, looked at now and
//! whenever they change.

use super::api::{api, optional};
use super::boundary::guard;
use super::config;
use super::context::Context;
use redis_module::raw;
use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What the server's configuration and version say.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// `maxmemory-policy`.
    pub policy: String,
    /// `appendonly`.
    pub appends: bool,
    /// Whether the server is known to load all of an append-only file, whatever the default user may do.
    pub replays_all: bool,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// What is to be called when something of it may have changed.
static EXAMINE: OnceLock<fn()> = OnceLock::new();

pub fn known() -> Known {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

/// Looks at the server now, when its configuration changes, and once it has started: it reads its users after its
/// modules. To be called last of all at load, since what is begun here cannot be taken back.
pub fn watch(context: &Context, examine: fn()) -> Result<(), String> {
    let examine = EXAMINE.get_or_init(|| examine);
    /// RedisModuleEvent_Config of the server's header.
    const CONFIG_CHANGED: raw::RedisModuleEvent =
        raw::RedisModuleEvent { id: raw::REDISMODULE_EVENT_CONFIG, dataver: 1 };
    // SAFETY: the context is that of the loading module.
    let subscribed =
        unsafe { api!(RedisModule_SubscribeToServerEvent)(context.as_ptr(), CONFIG_CHANGED, Some(changed)) };
    if subscribed as isize != raw::REDISMODULE_OK {
        return Err("the server tells no configuration changes".into());
    }
    look(context);
    examine();
    // SAFETY: the context is that of the loading module, and the callback takes no data.
    unsafe { api!(RedisModule_CreateTimer)(context.as_ptr(), 0, Some(started), ptr::null_mut()) };
    Ok(())
}

fn look(context: &Context) {
    let setting = |name| config::of_server(context, name).unwrap_or_default();
    let known = Known {
        policy: setting(c"maxmemory-policy"),
        appends: setting(c"appendonly") == "yes",
        replays_all: valkey_version(context).is_some_and(|version| version >= (9, 1)),
    };
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
}

/// The version of Valkey; `None` if this is another server.
fn valkey_version(context: &Context) -> Option<(u32, u32)> {
    let (get, field, free) = (
        optional!(RedisModule_GetServerInfo)?,
        optional!(RedisModule_ServerInfoGetFieldC)?,
        optional!(RedisModule_FreeServerInfo)?,
    );
    // SAFETY: the context is valid, and the section's name ends in NUL.
    let info = unsafe { get(context.as_ptr(), c"server".as_ptr()) };
    // SAFETY: the info is live, and the field's name ends in NUL.
    let version = unsafe { field(info, c"valkey_version".as_ptr()) };
    let numbers = (!version.is_null()).then(|| {
        // SAFETY: the server answered with text that ends in NUL and lives as long as the info.
        let version = unsafe { CStr::from_ptr(version) };
        let mut numbers = version
            .to_bytes()
            .split(|&byte| byte == b'.')
            .map(|number| std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    });
    // SAFETY: the info is used no more.
    unsafe { free(context.as_ptr(), info) };
    numbers
}

unsafe extern "C" fn changed(context: *mut raw::RedisModuleCtx, _: raw::RedisModuleEvent, _: u64, _: *mut c_void) {
    let Some(context) = NonNull::new(context) else { return };
    // SAFETY: the server's context, valid during this call.
    let context = unsafe { Context::new(context) };
    let _ = guard("watching the configuration", || {
        look(&context);
        examine();
    });
}

unsafe extern "C" fn started(_: *mut raw::RedisModuleCtx, _: *mut c_void) {
    let _ = guard("looking at the users", examine);
}

fn examine() {
    if let Some(examine) = EXAMINE.get() {
        examine();
    }
}
