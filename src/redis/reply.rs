//! The reply to the running command.

use super::api::api;
use redis_module::raw;
use std::ffi::{CString, c_char, c_int};
use std::ptr::NonNull;

/// Where the reply goes. It is apart from the context because replying touches no keys: a reply can hold on to what
/// was read from the store.
pub struct Reply(NonNull<raw::RedisModuleCtx>);

impl Reply {
    /// # Safety
    /// `raw` is a context of the server that stays valid as long as the value.
    pub(super) unsafe fn new(raw: NonNull<raw::RedisModuleCtx>) -> Self {
        Self(raw)
    }

    pub fn map(&mut self, entries: usize) {
        // SAFETY: the context is valid.
        unsafe { api!(RedisModule_ReplyWithMap)(self.0.as_ptr(), entries as _) };
    }

    pub fn array(&mut self, elements: usize) {
        // SAFETY: the context is valid.
        unsafe { api!(RedisModule_ReplyWithArray)(self.0.as_ptr(), elements as _) };
    }

    pub fn integer(&mut self, integer: i64) {
        // SAFETY: the context is valid.
        unsafe { api!(RedisModule_ReplyWithLongLong)(self.0.as_ptr(), integer) };
    }

    pub fn bool(&mut self, value: bool) {
        // SAFETY: the context is valid.
        unsafe { api!(RedisModule_ReplyWithBool)(self.0.as_ptr(), c_int::from(value)) };
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        // SAFETY: the context is valid; the server copies the bytes.
        unsafe {
            api!(RedisModule_ReplyWithStringBuffer)(self.0.as_ptr(), bytes.as_ptr().cast::<c_char>(), bytes.len())
        };
    }

    pub fn null(&mut self) {
        // SAFETY: the context is valid.
        unsafe { api!(RedisModule_ReplyWithNull)(self.0.as_ptr()) };
    }

    /// Replies with an error. The text brings its own first word and is ASCII without control characters.
    pub fn error(&mut self, text: &str) {
        let text = CString::new(text).unwrap_or_else(|_| c"GENERALERROR an error text held a NUL".into());
        // SAFETY: the context is valid and the text ends in NUL; it is no format.
        unsafe { api!(RedisModule_ReplyWithError)(self.0.as_ptr(), text.as_ptr()) };
    }
}
