//! Reads single fields of the server's own INFO. The module's section of INFO is in [`super::info`].

use super::api::api;
use super::context::Context;
use redis_module::raw;
use std::ffi::CStr;

/// What the server answers to INFO of one section. It is freed on drop.
struct ServerInfo<'c> {
    context: &'c Context,
    raw: *mut raw::RedisModuleServerInfoData,
}

impl<'c> ServerInfo<'c> {
    fn of_section(context: &'c Context, section: &CStr) -> Self {
        // SAFETY: the context is valid, and the section's name ends in NUL.
        let raw = unsafe { api!(RedisModule_GetServerInfo)(context.as_ptr(), section.as_ptr()) };
        Self { context, raw }
    }

    fn field(&self, name: &CStr) -> Option<String> {
        // SAFETY: the data is freed on drop only, and the field's name ends in NUL.
        let text = unsafe { api!(RedisModule_ServerInfoGetFieldC)(self.raw, name.as_ptr()) };
        if text.is_null() {
            return None;
        }
        // SAFETY: the server answered with text that ends in NUL and lives as long as the data.
        let text = unsafe { CStr::from_ptr(text) };
        Some(text.to_string_lossy().into_owned())
    }
}

impl Drop for ServerInfo<'_> {
    fn drop(&mut self) {
        // SAFETY: the data came from GetServerInfo with this context, and is not used again.
        unsafe { api!(RedisModule_FreeServerInfo)(self.context.as_ptr(), self.raw) };
    }
}

/// One field of the server's INFO, as text; `None` where the section has no such field.
pub fn field(context: &Context, section: &CStr, name: &CStr) -> Option<String> {
    ServerInfo::of_section(context, section).field(name)
}
