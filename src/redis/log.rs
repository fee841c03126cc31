//! The server's log. No credential, token or name is ever written to it.

use super::api::api;
use redis_module::raw;
use std::ffi::{CStr, CString};
use std::ptr;

#[derive(Clone, Copy)]
pub enum Level {
    Notice,
    Warning,
}

/// Writes one line to the server's log. The text is data, never a format.
pub fn log(level: Level, text: &str) {
    let level: &CStr = match level {
        Level::Notice => c"notice",
        Level::Warning => c"warning",
    };
    let text = CString::new(text.replace('\0', "\\0")).unwrap_or_default();
    // SAFETY: the server takes a null context for "no module in particular"; both strings end in NUL, and `%s` takes
    // exactly one of them.
    unsafe {
        api!(RedisModule_Log)(
            ptr::null_mut::<raw::RedisModuleCtx>(),
            level.as_ptr(),
            c"sh: %s".as_ptr(),
            text.as_ptr(),
        );
    }
}
