//! The module's section of INFO.

use super::api::api;
use super::context::Context;
use redis_module::raw;
use std::ffi::{CString, c_int};

/// Registers the section. The error says what the server refused.
pub fn register(context: &Context) -> Result<(), String> {
    // SAFETY: the context is that of the loading module.
    let registered = unsafe { api!(RedisModule_RegisterInfoFunc)(context.as_ptr(), Some(write)) };
    if registered as isize == raw::REDISMODULE_OK { Ok(()) } else { Err("the server refused the INFO section".into()) }
}

/// Where lines of INFO go.
pub struct Section(*mut raw::RedisModuleInfoCtx);

impl Section {
    pub fn number(&mut self, name: &str, number: u64) {
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: the context of INFO is valid while `write` runs; the name ends in NUL.
        unsafe { api!(RedisModule_InfoAddFieldULongLong)(self.0, name.as_ptr(), number) };
    }

    pub fn text(&mut self, name: &str, text: &str) {
        let (Ok(name), Ok(text)) = (CString::new(name), CString::new(text)) else { return };
        // SAFETY: as above.
        unsafe { api!(RedisModule_InfoAddFieldCString)(self.0, name.as_ptr(), text.as_ptr()) };
    }
}

/// What the server calls for INFO. For the report of a crash it is left out: it would have to be async-signal-safe.
unsafe extern "C" fn write(context: *mut raw::RedisModuleInfoCtx, for_crash_report: c_int) {
    if for_crash_report != 0 {
        return;
    }
    // SAFETY: the server's context; a null name makes the section bear the module's own.
    let wanted = unsafe { api!(RedisModule_InfoAddSection)(context, std::ptr::null()) };
    if wanted as isize == raw::REDISMODULE_OK {
        let _ = super::panics::guard("INFO", || crate::info(&mut Section(context)));
    }
}
