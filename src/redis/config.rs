//! The module's settings in the server's configuration: `sh.*` in its file and in CONFIG, and the arguments of
//! `loadmodule`. Each value is text to the server; [`Settings`] reads and checks it.

use super::api::api;
use super::bytes::{Handle, Owned};
use super::context::Context;
use super::log::{Level, log};
use super::panics::guard;
use redis_module::raw;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

const OK: c_int = raw::REDISMODULE_OK as c_int;
const ERR: c_int = raw::REDISMODULE_ERR as c_int;

thread_local! {
    /// The last answer to CONFIG GET of each setting: the server copies the answer and does not free it.
    static ANSWERS: RefCell<HashMap<&'static str, Owned>> = RefCell::default();
}

/// The settings of a module. Names are without the module's prefix.
#[derive(Clone, Copy)]
pub struct Settings {
    pub names: &'static [&'static str],
    /// Reads the value of a setting into a draft. The error names the setting and says what was expected.
    pub read: fn(name: &str, value: &str) -> Result<(), String>,
    /// The value of a setting in the draft; `read` accepts it.
    pub show: fn(name: &str) -> String,
    /// Puts the draft in force, or drops it and says why. Answers a line for the log, if there is one.
    pub commit: fn() -> Result<Option<String>, String>,
}

/// One setting, as the server hands it back to the callbacks.
struct Registered {
    name: &'static str,
    settings: Settings,
}

/// Registers all settings and reads their values from the arguments of `loadmodule` and the configuration file. The error
/// says which setting is wrong.
pub fn load(context: &Context, settings: &Settings, arguments: &[Handle<'_>]) -> Result<(), String> {
    let defaults = from_arguments(settings, arguments)?;
    for &name in settings.names {
        let default = defaults.get(name).cloned().unwrap_or_else(|| (settings.show)(name));
        register(context, settings, name, &default)?;
    }
    // SAFETY: the context is that of the loading module.
    if unsafe { api!(RedisModule_LoadConfigs)(context.as_ptr()) } != OK {
        return Err("a setting in the configuration is wrong; the line above says which".to_owned());
    }
    commit(settings)
}

/// Puts the draft in force and logs the line that the commit answers.
fn commit(settings: &Settings) -> Result<(), String> {
    if let Some(line) = (settings.commit)()? {
        log(Level::Notice, &line);
    }
    Ok(())
}

/// Reads the arguments of `loadmodule`: pairs of a name, with or without the prefix `sh.`, and a value. The values become
/// the defaults of their settings.
fn from_arguments(settings: &Settings, arguments: &[Handle<'_>]) -> Result<HashMap<&'static str, String>, String> {
    let mut defaults = HashMap::new();
    for pair in arguments.chunks(2) {
        let name = String::from_utf8_lossy(pair[0].as_bytes());
        let name = find(settings.names, &name).ok_or_else(|| {
            format!("unknown argument '{}'; known are: {}", name.escape_debug(), settings.names.join(", "))
        })?;
        let value = pair.get(1).ok_or_else(|| format!("the argument '{name}' has no value"))?;
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // The server checks the default too, but does not log what was expected.
        (settings.read)(name, &value)?;
        if defaults.insert(name, value).is_some() {
            return Err(format!("the argument '{name}' is given twice"));
        }
    }
    Ok(defaults)
}

/// The setting of this name, with or without the prefix.
fn find(names: &[&'static str], name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("sh.").unwrap_or(name);
    names.iter().copied().find(|known| *known == name)
}

fn register(context: &Context, settings: &Settings, name: &'static str, default: &str) -> Result<(), String> {
    let refused = || format!("the server refused the setting sh.{name}");
    let c_name = CString::new(name).map_err(|_| refused())?;
    let default = CString::new(default).map_err(|_| refused())?;
    // The server keeps a registered setting as long as the module, which is never unloaded once it has loaded.
    let setting: &'static Registered = Box::leak(Box::new(Registered { name, settings: *settings }));
    // SAFETY: the server copies the strings, which end in NUL, and hands the pointer back to the callbacks below; it points
    // to a value that is never freed.
    let registered = unsafe {
        api!(RedisModule_RegisterStringConfig)(
            context.as_ptr(),
            c_name.as_ptr(),
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

/// The setting that `register` gave to the server.
///
/// # Safety
/// `setting` is the pointer that `register` gave to the server.
unsafe fn registered(setting: *mut c_void) -> &'static Registered {
    // SAFETY: the caller's contract; the value is never freed or written to.
    unsafe { &*setting.cast::<Registered>() }
}

/// The server's callback for CONFIG GET.
unsafe extern "C" fn get(_: *const c_char, setting: *mut c_void) -> *mut raw::RedisModuleString {
    // SAFETY: the server hands back the pointer of `register`.
    let setting = unsafe { registered(setting) };
    // After a panic the answer is empty: the server would dereference a null pointer.
    let shown = guard("CONFIG GET", || (setting.settings.show)(setting.name)).unwrap_or_default();
    let answer = Owned::from(shown.as_bytes());
    let raw = answer.handle().as_ptr();
    ANSWERS.with_borrow_mut(|answers| answers.insert(setting.name, answer));
    raw
}

/// The server's callback for one setting of a CONFIG SET.
unsafe extern "C" fn set(
    _: *const c_char,
    value: *mut raw::RedisModuleString,
    setting: *mut c_void,
    error: *mut *mut raw::RedisModuleString,
) -> c_int {
    // SAFETY: the server hands back the pointer of `register`.
    let setting = unsafe { registered(setting) };
    let Some(value) = NonNull::new(value) else { return ERR };
    // SAFETY: the server keeps the value alive during this call.
    let value = unsafe { Handle::new(value) };
    let read = || (setting.settings.read)(setting.name, &String::from_utf8_lossy(value.as_bytes()));
    let done = guarded("CONFIG SET", read);
    // SAFETY: `error` is the server's place for an error text, or null.
    unsafe { answer(done, error) }
}

/// The server's callback after all settings of a CONFIG SET.
unsafe extern "C" fn apply(
    _: *mut raw::RedisModuleCtx,
    setting: *mut c_void,
    error: *mut *mut raw::RedisModuleString,
) -> c_int {
    // SAFETY: the server hands back the pointer of `register`.
    let setting = unsafe { registered(setting) };
    let done = guarded("applying settings", || commit(&setting.settings));
    // SAFETY: `error` is the server's place for an error text, or null.
    unsafe { answer(done, error) }
}

/// Runs `work`. A panic is an error that points to the log.
fn guarded(what: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    guard(what, work).unwrap_or_else(|_| Err("internal error; the server's log says where".to_owned()))
}

/// Answers the server: success, or an error with its text.
///
/// # Safety
/// `error` is the server's place for an error text, or null.
unsafe fn answer(done: Result<(), String>, error: *mut *mut raw::RedisModuleString) -> c_int {
    let Err(reason) = done else { return OK };
    if !error.is_null() {
        let reason = Owned::from(reason.as_bytes()).into_raw();
        // SAFETY: the caller's contract. The server owns the text from here on.
        unsafe { error.write(reason) };
    }
    ERR
}

/// The value of one of the server's own settings; `None` for a name that CONFIG GET does not answer.
pub fn of_server(context: &Context, name: &CStr) -> Option<String> {
    // SAFETY: the context is valid; `cc` takes two strings that end in NUL.
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
        // SAFETY: the start and the length of a string that lives as long as the reply.
        let bytes: &[u8] = unsafe { std::slice::from_raw_parts(start.cast(), length) };
        String::from_utf8_lossy(bytes).into_owned()
    });
    // SAFETY: the reply is used no more.
    unsafe { api!(RedisModule_FreeCallReply)(reply) };
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_with_and_without_its_prefix() {
        let names = ["max-lifetime", "issuer"];
        assert_eq!(find(&names, "max-lifetime"), Some("max-lifetime"));
        assert_eq!(find(&names, "sh.max-lifetime"), Some("max-lifetime"));
        assert_eq!(find(&names, "lifetime"), None);
    }
}
