//! The context of one running command: what the server lets a module do besides opening keys.

use super::api::api;
use super::bytes::{Handle, Owned};
use redis_module::raw;
use sessions_core::session::Millis;
use std::cell::{Cell, OnceCell};
use std::ffi::{CStr, c_int, c_uint};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

/// The context that the server hands to a command. It is valid until the command returns.
pub struct Context {
    raw: NonNull<raw::RedisModuleCtx>,
    /// The running command and its arguments: a slice that lives as long as the context.
    arguments: (*const Handle<'static>, usize),
    now: OnceCell<u64>,
    /// The last number that [`Self::with_number`] was called with, and its string.
    number: Cell<Option<(u64, Owned)>>,
}

/// The class of a keyspace event, as in `notify-keyspace-events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventClass {
    Generic,
    String,
    Hash,
    Zset,
    /// An event of a module.
    Module,
}

impl Context {
    /// # Safety
    /// `raw` is a context of the server that stays valid as long as the value, and no other `Context` is made of it. A
    /// `Reply` may be: it touches no key.
    pub(super) unsafe fn new(raw: NonNull<raw::RedisModuleCtx>) -> Self {
        Self { raw, arguments: (NonNull::dangling().as_ptr(), 0), now: OnceCell::new(), number: Cell::new(None) }
    }

    /// The context of a running command.
    ///
    /// # Safety
    /// As for [`Context::new`]; `arguments` are the command and its arguments, and live as long as the value.
    pub(super) unsafe fn of_command(raw: NonNull<raw::RedisModuleCtx>, arguments: &[Handle<'_>]) -> Self {
        // SAFETY: the caller's contract.
        let context = unsafe { Self::new(raw) };
        Self { arguments: (arguments.as_ptr().cast(), arguments.len()), ..context }
    }

    /// The running command and its arguments.
    pub(super) fn arguments(&self) -> &[Handle<'_>] {
        let (start, length) = self.arguments;
        // SAFETY: this is the slice that `of_command` got, which outlives this value, or an empty one.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    pub(super) fn as_ptr(&self) -> *mut raw::RedisModuleCtx {
        self.raw.as_ptr()
    }

    /// The time, in milliseconds since the epoch. Every later call on this context returns the time of the first.
    pub fn now(&self) -> u64 {
        *self.now.get_or_init(|| now().0)
    }

    /// Calls `work` with the number as a string of the server. The last string is kept, because a session's expiry is
    /// replicated for its key, its pointer and its index.
    pub fn with_number<R>(&self, number: u64, work: impl FnOnce(Handle<'_>) -> R) -> R {
        let last = self.number.take().filter(|(known, _)| *known == number);
        let (_, string) = last.unwrap_or_else(|| (number, Owned::from(itoa::Buffer::new().format(number).as_bytes())));
        let done = work(string.handle());
        self.number.set(Some((number, string)));
        done
    }

    fn has_flag(&self, flag: u32) -> bool {
        // SAFETY: the context is valid.
        let flags = unsafe { api!(RedisModule_GetContextFlags)(self.as_ptr()) };
        flags as u32 & flag != 0
    }

    /// Whether this server is a node of a cluster. That never changes while it runs.
    pub fn is_cluster(&self) -> bool {
        static CLUSTER: OnceLock<bool> = OnceLock::new();
        *CLUSTER.get_or_init(|| self.has_flag(raw::REDISMODULE_CTX_FLAGS_CLUSTER))
    }

    pub fn is_replica(&self) -> bool {
        self.has_flag(raw::REDISMODULE_CTX_FLAGS_SLAVE)
    }

    /// The number of the selected database.
    pub fn database(&self) -> u32 {
        // SAFETY: the context is valid.
        let number = unsafe { api!(RedisModule_GetSelectedDb)(self.as_ptr()) };
        u32::try_from(number).unwrap_or(0)
    }

    /// Keeps an argument out of SLOWLOG and MONITOR; 0 is the command's own name.
    pub fn redact(&self, position: usize) {
        // SAFETY: the context is valid; a position that is out of range changes nothing.
        unsafe { api!(RedisModule_RedactClientCommandArgument)(self.as_ptr(), position as c_int) };
    }

    /// Sends a command with a key and further arguments to the replicas and the AOF.
    pub fn replicate(&self, command: &CStr, key: Handle<'_>, arguments: &[Handle<'_>]) {
        /// How many arguments after the key can be passed one by one. An array costs the server one more allocation.
        const ONE_BY_ONE: usize = 12;
        const FORMAT: &CStr = c"sssssssssssss";
        let (context, command, key) = (self.as_ptr(), command.as_ptr(), key.as_ptr());
        let Some(unused) = ONE_BY_ONE.checked_sub(arguments.len()) else {
            // SAFETY: `s` takes a string, and `v` an array of strings and its length: a handle has the layout of a pointer.
            // The server takes its own references.
            unsafe {
                api!(RedisModule_Replicate)(context, command, c"sv".as_ptr(), key, arguments.as_ptr(), arguments.len())
            };
            return;
        };
        let mut all = [ptr::null_mut(); ONE_BY_ONE];
        for (place, handle) in all.iter_mut().zip(arguments) {
            *place = handle.as_ptr();
        }
        let format = FORMAT.to_bytes_with_nul()[unused..].as_ptr().cast();
        let [a, b, c, d, e, f, g, h, i, j, k, l] = all;
        // SAFETY: the format has one `s` for the key and one for each argument; the server reads no others. It takes its
        // own references.
        unsafe { api!(RedisModule_Replicate)(context, command, format, key, a, b, c, d, e, f, g, h, i, j, k, l) };
    }

    /// Signals to clients that WATCH or cache a key that it has changed.
    pub fn signal_modified(&self, key: Handle<'_>) {
        // SAFETY: the context is valid and the string alive.
        unsafe { api!(RedisModule_SignalModifiedKey)(self.as_ptr(), key.as_ptr()) };
    }

    /// Publishes a keyspace event.
    pub fn notify(&self, class: EventClass, event: &CStr, key: Handle<'_>) {
        let class = match class {
            EventClass::Generic => raw::REDISMODULE_NOTIFY_GENERIC,
            EventClass::String => raw::REDISMODULE_NOTIFY_STRING,
            EventClass::Hash => raw::REDISMODULE_NOTIFY_HASH,
            EventClass::Zset => raw::REDISMODULE_NOTIFY_ZSET,
            EventClass::Module => raw::REDISMODULE_NOTIFY_MODULE,
        };
        // SAFETY: the context is valid, the event ends in NUL, the string is alive.
        unsafe { api!(RedisModule_NotifyKeyspaceEvent)(self.as_ptr(), class, event.as_ptr(), key.as_ptr()) };
    }

    /// Whether the slot of these two missing keys is being migrated. Then the server refuses EXISTS of two missing keys,
    /// because they may be on the other node.
    pub fn is_migrating(&self, missing: [Handle<'_>; 2]) -> bool {
        let [one, other] = missing.map(Handle::as_ptr);
        // SAFETY: the context is valid, and `ss` takes two strings that are alive.
        let reply = unsafe { api!(RedisModule_Call)(self.as_ptr(), c"EXISTS".as_ptr(), c"ss".as_ptr(), one, other) };
        if reply.is_null() {
            return true;
        }
        // SAFETY: the server has just made the reply, and nothing uses it any more.
        unsafe { api!(RedisModule_FreeCallReply)(reply) };
        false
    }
}

/// The time.
pub fn now() -> Millis {
    // SAFETY: the function takes no arguments and needs no context.
    let now = unsafe { api!(RedisModule_Milliseconds)() };
    Millis(u64::try_from(now).unwrap_or(0))
}

/// Sets the module's options. Called once, at load.
pub fn set_module_options(context: &Context) {
    /// Lets Valkey 9 migrate slots atomically while this module is loaded. Older servers ignore the bit.
    const HANDLE_ATOMIC_SLOT_MIGRATION: c_uint = 1 << 5;
    let options = raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD
        | raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED
        | HANDLE_ATOMIC_SLOT_MIGRATION;
    // SAFETY: the context is valid.
    unsafe { api!(RedisModule_SetModuleOptions)(context.as_ptr(), options as c_int) };
}
