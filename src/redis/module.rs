//! Loading: the server's first call, and what it needs to know of the module.

use super::api::{self, optional};
use super::boundary::{self, Callable};
use super::bytes::Handle;
use super::command::{self, Handler, Spec};
use super::config;
use super::context::{self, Context};
use super::in_use;
use super::info;
use super::kept;
use super::log::{Level, log};
use super::panics;
use super::server_events::{self, ServerEvent};
use redis_module::raw;
use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

/// The module's own memory is the server's: it counts in INFO memory and against maxmemory. Not in unit tests, where
/// there is no server.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: redis_module::alloc::RedisAlloc = redis_module::alloc::RedisAlloc;

/// The surface of the module, for the server to be told of.
pub struct Module {
    pub name: &'static CStr,
    pub version: i32,
    pub commands: &'static [Row],
    pub settings: config::Settings,
    pub info: info::Writer,
    pub on_server_event: fn(&mut Context, ServerEvent),
    /// The key that is written again where the server evicts it.
    pub kept: &'static [u8],
}

/// One command of the module.
pub struct Row {
    spec: &'static Spec,
    handler: Handler,
}

impl Row {
    pub const fn of<C: Callable>() -> Self {
        Self { spec: &C::SPEC, handler: boundary::handle::<C> }
    }
}

/// Tells the server of the module. The error is for the log; after it the server unloads the module.
fn load(context: &mut Context, module: &Module, arguments: &[Handle<'_>]) -> Result<(), String> {
    context::set_module_options(context);
    config::load(context, &module.settings, arguments)?;
    info::register(context, module.info)?;
    kept::name(module.kept);
    command::add_category(context);
    for row in module.commands {
        command::register(context, row.spec, row.handler)?;
    }
    server_events::subscribe(context, module.on_server_event)
}

/// Defines the functions that the server looks for in the module's file.
macro_rules! export {
    ($module:path) => {
        /// What the server calls when it loads the module.
        ///
        /// # Safety
        /// Called by the server, once, with its own context and arguments.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, unsafe_code, reason = "the server's name; the functions behind it are safe to use so")]
        pub unsafe extern "C" fn RedisModule_OnLoad(
            context: *mut redis_module::raw::RedisModuleCtx,
            argv: *mut *mut redis_module::raw::RedisModuleString,
            argc: std::ffi::c_int,
        ) -> std::ffi::c_int {
            // SAFETY: the server calls with its own context and arguments.
            unsafe { $crate::redis::module::on_load(&$module, context, argv, argc) }
        }

        /// What the server calls before it unloads the module.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, unsafe_code, reason = "as above")]
        pub extern "C" fn RedisModule_OnUnload(_: *mut redis_module::raw::RedisModuleCtx) -> std::ffi::c_int {
            $crate::redis::module::on_unload()
        }
    };
}
pub(crate) use export;

/// Loads the module.
///
/// # Safety
/// The server has called with this context and these arguments, once.
pub unsafe fn on_load(
    module: &Module,
    context: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    const REFUSED: c_int = raw::REDISMODULE_ERR as c_int;
    let api_version = raw::REDISMODULE_APIVER_1 as c_int;
    // Until this has run there is no allocator: nothing before it may allocate.
    // SAFETY: the server's context; the name ends in NUL.
    let initialized =
        unsafe { raw::Export_RedisModule_Init(context, module.name.as_ptr(), module.version, api_version) };
    if initialized == REFUSED {
        return REFUSED;
    }
    let Some(context) = NonNull::new(context) else { return REFUSED };
    // SAFETY: the server's context, valid until this returns; nothing else uses it.
    let mut context = unsafe { Context::new(context) };
    if let Some(missing) = api::first_missing() {
        if optional!(RedisModule_Log).is_some() {
            let needed = "Redis 7.0.6 or later, or Valkey, is needed";
            log(Level::Warning, &format!("not loaded: {needed}; this server has no {missing}"));
        }
        return REFUSED;
    }
    panics::silence_panics();
    let arguments: &[NonNull<raw::RedisModuleString>] = if argc == 0 {
        &[]
    } else {
        // SAFETY: the server passes `argc` strings at `argv`; `NonNull` has the layout of the pointer, and none is null.
        unsafe { std::slice::from_raw_parts(argv.cast(), argc as usize) }
    };
    // SAFETY: the server keeps the arguments, unchanged, until this returns.
    let arguments: Vec<_> = arguments.iter().map(|&argument| unsafe { Handle::new(argument) }).collect();
    match panics::guard("loading", || load(&mut context, module, &arguments)) {
        Ok(Ok(())) => raw::REDISMODULE_OK as c_int,
        Ok(Err(reason)) => {
            log(Level::Warning, &format!("not loaded: {reason}"));
            REFUSED
        }
        Err(_) => REFUSED,
    }
}

/// What the server calls before it unloads the module: refused. The server does not look whether a queued command is still
/// there, so EXEC would crash it; and the file stays mapped, so that another one loaded from the same path would run the
/// old code.
pub fn on_unload() -> c_int {
    const REFUSED: c_int = raw::REDISMODULE_ERR as c_int;
    let allowed = panics::guard("unloading", || {
        // The server unloads the module by itself where a MODULE LOADEX fails at the end. No command of the module was called
        // then, and the server has not come back to its event loop.
        let allowed = !in_use::is_in_use();
        if !allowed {
            let why = "a command of the module that is queued in MULTI would crash the server";
            log(Level::Warning, &format!("not unloaded: {why}; to remove or upgrade the module, restart the server"));
        }
        allowed
    });
    if allowed.unwrap_or(false) { raw::REDISMODULE_OK as c_int } else { REFUSED }
}
