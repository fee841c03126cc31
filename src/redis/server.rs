//! What there is to know of the server beside its keys: its version, and the settings of its own that matter to sessions.

use super::api::optional;
use super::config;
use super::context::Context;
use super::kept;
use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

/// What the server's configuration and version say.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// `maxmemory-policy`.
    pub policy: String,
    /// `appendonly`.
    pub appends: bool,
    /// Whether the server is known to load all of an append-only file, whatever the default user may do.
    pub replays_all: bool,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

pub fn known() -> Known {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

/// Looks at the server.
pub fn look(context: &mut Context) {
    let setting = |name| config::of_server(context, name).unwrap_or_default();
    let known = Known {
        policy: setting(c"maxmemory-policy"),
        appends: setting(c"appendonly") == "yes",
        replays_all: valkey_version(context).is_some_and(|version| version >= (9, 1)),
    };
    // No other evicts a key without an expiry. In a cluster no database makes a secret.
    if known.policy.starts_with("allkeys-") && !context.is_cluster() {
        kept::listen(context);
    }
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
}

/// The version of Valkey; `None` if this is another server.
fn valkey_version(context: &Context) -> Option<(u32, u32)> {
    let (get, field, free) = (
        optional!(RedisModule_GetServerInfo)?,
        optional!(RedisModule_ServerInfoGetFieldC)?,
        optional!(RedisModule_FreeServerInfo)?,
    );
    // SAFETY: the context is valid, and the section's name ends in NUL.
    let info = unsafe { get(context.as_ptr(), c"server".as_ptr()) };
    // SAFETY: the info is live, and the field's name ends in NUL.
    let version = unsafe { field(info, c"valkey_version".as_ptr()) };
    let numbers = (!version.is_null()).then(|| {
        // SAFETY: the server answered with text that ends in NUL and lives as long as the info.
        let version = unsafe { CStr::from_ptr(version) };
        let mut numbers = version
            .to_bytes()
            .split(|&byte| byte == b'.')
            .map(|number| std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    });
    // SAFETY: the info is used no more.
    unsafe { free(context.as_ptr(), info) };
    numbers
}
