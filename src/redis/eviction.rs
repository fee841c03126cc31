//! Whether the server may evict what it should not.
//!
//! Under a policy that chooses among all keys, or by how recently they were used, the server can evict an index or a
//! pointer and keep the sessions it leads to: they then live unlisted. Evicting by time to live, or not at all, cannot.

use super::api::api;
use super::config;
use super::context::Context;
use super::log::{Level, log};
use redis_module::raw;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// The policy in force, where it is one to warn of.
static RISKY_POLICY: Mutex<Option<String>> = Mutex::new(None);

/// The policy in force, where it is one to warn of.
pub fn risky_policy() -> Option<String> {
    RISKY_POLICY.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Looks at the policy now and whenever the server's configuration changes.
pub fn watch(context: &Context) -> Result<(), String> {
    look(context);
    /// RedisModuleEvent_Config of the server's header.
    const CONFIG_CHANGED: raw::RedisModuleEvent =
        raw::RedisModuleEvent { id: raw::REDISMODULE_EVENT_CONFIG, dataver: 1 };
    // SAFETY: the context is that of the loading module.
    let subscribed =
        unsafe { api!(RedisModule_SubscribeToServerEvent)(context.as_ptr(), CONFIG_CHANGED, Some(changed)) };
    if subscribed as isize == raw::REDISMODULE_OK {
        Ok(())
    } else {
        Err("the server tells no configuration changes".into())
    }
}

unsafe extern "C" fn changed(context: *mut raw::RedisModuleCtx, _: raw::RedisModuleEvent, _: u64, _: *mut c_void) {
    let Some(context) = NonNull::new(context) else { return };
    // SAFETY: the server's context, valid during this call.
    let context = unsafe { Context::new(context) };
    let _ = super::boundary::guard("watching the configuration", || look(&context));
}

fn look(context: &Context) {
    let policy = config::of_server(context, c"maxmemory-policy");
    let risky = policy.filter(|policy| !matches!(policy.as_str(), "noeviction" | "volatile-ttl"));
    let mut known = RISKY_POLICY.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != risky {
        if let Some(policy) = &risky {
            let advice = "use noeviction or volatile-ttl, so that indexes are not evicted before their sessions";
            log(Level::Warning, &format!("maxmemory-policy is {policy}: {advice}"));
        }
        *known = risky;
    }
}
