//! The module's section of INFO.

use super::api::api;
use super::context::Context;
use super::panics::guard;
use redis_module::raw;
use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::OnceLock;

/// Writes the lines of the section.
pub type Writer = fn(&mut Section);

static WRITER: OnceLock<Writer> = OnceLock::new();

/// Registers the section. The error says what the server refused.
pub fn register(context: &Context, writer: Writer) -> Result<(), String> {
    WRITER.get_or_init(|| writer);
    // SAFETY: the context is that of the loading module.
    let registered = unsafe { api!(RedisModule_RegisterInfoFunc)(context.as_ptr(), Some(write)) };
    if registered as isize == raw::REDISMODULE_OK { Ok(()) } else { Err("the server refused the INFO section".into()) }
}

/// The section of one INFO. Lines whose name or text holds a NUL are left out.
pub struct Section(*mut raw::RedisModuleInfoCtx);

impl Section {
    pub fn number(&mut self, name: &str, number: u64) {
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: a section lives while `write` runs, which keeps its context valid; the name ends in NUL.
        unsafe { api!(RedisModule_InfoAddFieldULongLong)(self.0, name.as_ptr(), number) };
    }

    pub fn text(&mut self, name: &str, text: &str) {
        let (Ok(name), Ok(text)) = (CString::new(name), CString::new(text)) else { return };
        // SAFETY: a section lives while `write` runs, which keeps its context valid; both strings end in NUL.
        unsafe { api!(RedisModule_InfoAddFieldCString)(self.0, name.as_ptr(), text.as_ptr()) };
    }
}

/// The server's callback for INFO. It writes nothing for a crash report, which allows async-signal-safe calls alone.
unsafe extern "C" fn write(context: *mut raw::RedisModuleInfoCtx, for_crash_report: c_int) {
    let Some(writer) = WRITER.get().filter(|_| for_crash_report == 0) else { return };
    // SAFETY: the server's context, valid during this call; a null name is that of the module.
    let wanted = unsafe { api!(RedisModule_InfoAddSection)(context, ptr::null()) };
    if wanted as isize == raw::REDISMODULE_OK {
        let _ = guard("INFO", || writer(&mut Section(context)));
    }
}
