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
    /// The running command with its arguments, as long as the context.
    arguments: (*const Handle<'static>, usize),
    now: OnceCell<u64>,
    /// The number that was last written out, and its string.
    number: Cell<Option<(u64, Owned)>>,
}

/// The class of a keyspace event, as `notify-keyspace-events` tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventClass {
    Generic,
    String,
    Hash,
    Zset,
    /// Of a module's own making.
    Module,
}

impl Context {
    /// # Safety
    /// `raw` is a context of the server that stays valid as long as the value, and nothing else uses it.
    pub(super) unsafe fn new(raw: NonNull<raw::RedisModuleCtx>) -> Self {
        Self { raw, arguments: (NonNull::dangling().as_ptr(), 0), now: OnceCell::new(), number: Cell::new(None) }
    }

    /// The context of a running command.
    ///
    /// # Safety
    /// As for [`Context::new`]; `arguments` are the command and its arguments, which stay as long as the value.
    pub(super) unsafe fn of_command(raw: NonNull<raw::RedisModuleCtx>, arguments: &[Handle<'_>]) -> Self {
        // SAFETY: the caller's contract.
        let context = unsafe { Self::new(raw) };
        Self { arguments: (arguments.as_ptr().cast(), arguments.len()), ..context }
    }

    /// The running command with its arguments.
    pub(super) fn arguments(&self) -> &[Handle<'_>] {
        let (start, length) = self.arguments;
        // SAFETY: the slice that `of_command` was given and that outlives this value, or an empty one.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    pub(super) fn as_ptr(&self) -> *mut raw::RedisModuleCtx {
        self.raw.as_ptr()
    }

    /// The time when it was first asked for, in milliseconds since the epoch.
    pub fn now(&self) -> u64 {
        *self.now.get_or_init(|| now().0)
    }

    /// A number as a string of the server. A session's expiry is said of its key, its pointer and its index: the same string
    /// serves them all.
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

    /// Whether this server is a node of a cluster. It is or is not for as long as it runs.
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

    /// Sends a command of a key and further arguments to the replicas and the AOF.
    pub fn replicate(&self, command: &CStr, key: Handle<'_>, arguments: &[Handle<'_>]) {
        /// How many arguments, beside the key, can be passed one by one: an array costs the server a second allocation.
        const ONE_BY_ONE: usize = 12;
        const FORMAT: &CStr = c"sssssssssssss";
        let (context, command, key) = (self.as_ptr(), command.as_ptr(), key.as_ptr());
        let Some(unused) = ONE_BY_ONE.checked_sub(arguments.len()) else {
            // SAFETY: `s` takes a string, `v` an array of strings and its length, which a slice of handles is; the
            // server takes its own references.
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
        // SAFETY: the format has an `s` for the key and for each of the arguments; the server reads no others, and takes
        // its own references.
        unsafe { api!(RedisModule_Replicate)(context, command, format, key, a, b, c, d, e, f, g, h, i, j, k, l) };
    }

    /// Tells who waits for it (WATCH, client-side caching) that a key has changed.
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

    /// Whether the slot of these two absent keys is being migrated: the server then refuses to say of two absent keys
    /// whether they exist, since they might be on either node.
    pub fn is_unstable(&self, absent: [Handle<'_>; 2]) -> bool {
        let [one, other] = absent.map(Handle::as_ptr);
        // SAFETY: the context is valid, and `ss` takes two strings that are alive.
        let reply = unsafe { api!(RedisModule_Call)(self.as_ptr(), c"EXISTS".as_ptr(), c"ss".as_ptr(), one, other) };
        if reply.is_null() {
            return true;
        }
        // SAFETY: the reply was just obtained and is used no more.
        unsafe { api!(RedisModule_FreeCallReply)(reply) };
        false
    }
}

/// The time.
pub fn now() -> Millis {
    // SAFETY: it takes no arguments.
    let now = unsafe { api!(RedisModule_Milliseconds)() };
    Millis(u64::try_from(now).unwrap_or(0))
}

/// What the module tells the server of itself, once.
pub fn set_module_options(context: &Context) {
    /// Lets Valkey 9 migrate slots atomically beside this module; servers before it do not know the bit.
    const HANDLE_ATOMIC_SLOT_MIGRATION: c_uint = 1 << 5;
    let options = raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD
        | raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED
        | HANDLE_ATOMIC_SLOT_MIGRATION;
    // SAFETY: the context is valid.
    unsafe { api!(RedisModule_SetModuleOptions)(context.as_ptr(), options as c_int) };
}
