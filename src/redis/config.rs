//! Settings, as the server keeps them: `sh.*` in its configuration file and CONFIG, and the arguments of `loadmodule`.
//!
//! Each is a string to the server: reading and checking it is [`crate::settings`]'s.

use super::api::api;
use super::bytes::{Handle, Owned};
use super::context::Context;
use super::log::{Level, log};
use super::panics::guard;
use crate::settings::{self, Setting};
use redis_module::raw;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

const OK: c_int = raw::REDISMODULE_OK as c_int;
const ERR: c_int = raw::REDISMODULE_ERR as c_int;

thread_local! {
    /// What CONFIG GET was last answered: the server does not free the answer.
    static ANSWERS: RefCell<HashMap<&'static str, Owned>> = RefCell::default();
}

/// Registers all settings and reads them from the arguments of `loadmodule` and the configuration file. The error says
/// which setting is wrong.
pub fn load(context: &Context, arguments: &[Handle<'_>]) -> Result<(), String> {
    let defaults = from_arguments(arguments)?;
    for setting in settings::ALL {
        let default = defaults.get(setting.name).cloned().unwrap_or_else(|| settings::shown(setting));
        register(context, setting, &default)?;
    }
    // SAFETY: the context is that of the loading module.
    if unsafe { api!(RedisModule_LoadConfigs)(context.as_ptr()) } != OK {
        return Err("a setting in the configuration is wrong; the line above says which".to_owned());
    }
    commit()
}

/// Puts the settings that were set in force, and tells the log if secrets were read for it.
fn commit() -> Result<(), String> {
    if let Some(told) = settings::commit()? {
        log(Level::Notice, &told);
    }
    Ok(())
}

/// The arguments of `loadmodule`: pairs of a setting and its value. What is given there is the setting's default.
fn from_arguments(arguments: &[Handle<'_>]) -> Result<HashMap<&'static str, String>, String> {
    let known = || settings::ALL.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ");
    let mut defaults = HashMap::new();
    for pair in arguments.chunks(2) {
        let name = String::from_utf8_lossy(pair[0].as_bytes());
        let setting = settings::find(&name)
            .ok_or_else(|| format!("unknown argument '{}'; known are: {}", name.escape_debug(), known()))?;
        let value = pair.get(1).ok_or_else(|| format!("the argument '{}' has no value", setting.name))?;
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // Checked here as well, for a reason in the log: the server itself tells less of a wrong default.
        settings::draft(setting, &value)?;
        if defaults.insert(setting.name, value).is_some() {
            return Err(format!("the argument '{}' is given twice", setting.name));
        }
    }
    Ok(defaults)
}

fn register(context: &Context, setting: &'static Setting, default: &str) -> Result<(), String> {
    let refused = || format!("the server refused the setting sh.{}", setting.name);
    let name = CString::new(setting.name).map_err(|_| refused())?;
    let default = CString::new(default).map_err(|_| refused())?;
    // SAFETY: the server copies the strings; it hands the pointer, to a constant, back to the functions below.
    let registered = unsafe {
        api!(RedisModule_RegisterStringConfig)(
            context.as_ptr(),
            name.as_ptr(),
            default.as_ptr(),
            raw::REDISMODULE_CONFIG_DEFAULT,
            Some(get),
            Some(set),
            Some(apply),
            ptr::from_ref(setting).cast_mut().cast(),
        )
    };
    if registered == OK { Ok(()) } else { Err(refused()) }
}

/// The setting that the server was given with the registration.
///
/// # Safety
/// `setting` is the pointer that `register` passed on.
unsafe fn registered(setting: *mut c_void) -> &'static Setting {
    // SAFETY: the caller's contract; it points into a constant.
    unsafe { &*setting.cast::<Setting>() }
}

/// CONFIG GET.
unsafe extern "C" fn get(_: *const c_char, setting: *mut c_void) -> *mut raw::RedisModuleString {
    // SAFETY: the server hands back what it was given.
    let setting = unsafe { registered(setting) };
    // A null pointer would crash the server.
    let shown = guard("CONFIG GET", || settings::shown(setting)).unwrap_or_default();
    let answer = Owned::from(shown.as_bytes());
    let raw = answer.handle().as_ptr();
    ANSWERS.with_borrow_mut(|answers| answers.insert(setting.name, answer));
    raw
}

/// CONFIG SET, of one setting.
unsafe extern "C" fn set(
    _: *const c_char,
    value: *mut raw::RedisModuleString,
    setting: *mut c_void,
    error: *mut *mut raw::RedisModuleString,
) -> c_int {
    // SAFETY: the server hands back what it was given.
    let setting = unsafe { registered(setting) };
    let Some(value) = NonNull::new(value) else { return ERR };
    // SAFETY: the server keeps the value alive during this call.
    let value = unsafe { Handle::new(value) };
    let done = guarded("CONFIG SET", || settings::draft(setting, &String::from_utf8_lossy(value.as_bytes())));
    // SAFETY: `error` is the server's place for an error text.
    unsafe { answer(done, error) }
}

/// CONFIG SET, when all settings of one command are in.
unsafe extern "C" fn apply(
    _: *mut raw::RedisModuleCtx,
    _: *mut c_void,
    error: *mut *mut raw::RedisModuleString,
) -> c_int {
    let done = guarded("applying settings", commit);
    // SAFETY: `error` is the server's place for an error text.
    unsafe { answer(done, error) }
}

/// What `work` answers, or an error if it panics.
fn guarded(what: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    guard(what, work).unwrap_or_else(|_| Err("internal error; the server's log says where".to_owned()))
}

/// # Safety
/// `error` is the server's place for an error text, or null.
unsafe fn answer(done: Result<(), String>, error: *mut *mut raw::RedisModuleString) -> c_int {
    let Err(reason) = done else { return OK };
    if !error.is_null() {
        let reason = Owned::from(reason.as_bytes()).into_raw();
        // SAFETY: the caller's contract; the server frees the text.
        unsafe { error.write(reason) };
    }
    ERR
}

/// The value of one of the server's own settings.
pub fn of_server(context: &Context, name: &CStr) -> Option<String> {
    // SAFETY: the context is valid, and `cc` takes two strings that end in NUL.
    let reply = unsafe {
        api!(RedisModule_Call)(context.as_ptr(), c"CONFIG".as_ptr(), c"cc".as_ptr(), c"GET".as_ptr(), name.as_ptr())
    };
    if reply.is_null() {
        return None;
    }
    // SAFETY: the reply is live; its second element, where there is one, is part of it.
    let element = unsafe { api!(RedisModule_CallReplyArrayElement)(reply, 1) };
    let mut length = 0;
    let start = if element.is_null() {
        ptr::null()
    } else {
        // SAFETY: the element is live.
        unsafe { api!(RedisModule_CallReplyStringPtr)(element, &mut length) }
    };
    let value = (!start.is_null()).then(|| {
        // SAFETY: the server answered with the start and length of a string that lives as long as the reply.
        let bytes: &[u8] = unsafe { std::slice::from_raw_parts(start.cast(), length) };
        String::from_utf8_lossy(bytes).into_owned()
    });
    // SAFETY: the reply is used no more.
    unsafe { api!(RedisModule_FreeCallReply)(reply) };
    value
}
