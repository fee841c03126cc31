//! The server's log. It never gets a credential, a token or a name.

use super::api::api;
use redis_module::raw;
use std::ffi::{CStr, CString};
use std::ptr;

/// How important a line is, in the words of the server.
#[derive(Clone, Copy)]
pub enum Level {
    Notice,
    Warning,
}

/// Writes one line to the server's log. The text is data, not a format; a NUL in it becomes `\0`.
pub fn log(level: Level, text: &str) {
    let level: &CStr = match level {
        Level::Notice => c"notice",
        Level::Warning => c"warning",
    };
    let text = CString::new(text.replace('\0', "\\0")).unwrap_or_default();
    // SAFETY: a null context is allowed; the level, the format and the text end in NUL, and `%s` takes exactly the text.
    unsafe {
        api!(RedisModule_Log)(
            ptr::null_mut::<raw::RedisModuleCtx>(),
            level.as_ptr(),
            c"sh: %s".as_ptr(),
            text.as_ptr(),
        );
    }
}
