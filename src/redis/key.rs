//! One open key. Writing is direct: what goes to replicas and the AOF is up to the store.

use super::api::api;
use super::bytes::{Handle, Owned, Text};
use super::context::{Context, EventClass};
use super::panics::caught;
use redis_module::raw;
use std::any::Any;
use std::ffi::{c_int, c_void};
use std::{panic, ptr};

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Hash,
    String,
    Zset,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Read,
    Write,
}

/// What happened to a key, as the server's own commands announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    Hdel,
    Zrem,
    Del,
    Hset,
    Set,
    Zadd,
    Expire,
    Persist,
}

impl Event {
    /// In the order in which they are announced: what is removed makes room for what is written.
    const ALL: [Self; 8] =
        [Self::Hdel, Self::Zrem, Self::Del, Self::Hset, Self::Set, Self::Zadd, Self::Expire, Self::Persist];

    fn announce(self, context: &Context, key: Handle<'_>) {
        let (class, event) = match self {
            Self::Hset => (EventClass::Hash, c"hset"),
            Self::Hdel => (EventClass::Hash, c"hdel"),
            Self::Set => (EventClass::String, c"set"),
            Self::Zrem => (EventClass::Zset, c"zrem"),
            Self::Zadd => (EventClass::Zset, c"zadd"),
            Self::Persist => (EventClass::Generic, c"persist"),
            Self::Expire => (EventClass::Generic, c"expire"),
            Self::Del => (EventClass::Generic, c"del"),
        };
        context.notify(class, event, key);
    }
}

/// Tells who waits for it, and who listens, what happened to a key that is not open.
pub fn announce(context: &Context, key: Handle<'_>, event: Event) {
    context.signal_modified(key);
    event.announce(context, key);
}

/// An open key; closed when dropped.
///
/// It borrows the context as its only user, since a key that is open while something else touches it holds stale
/// pointers: nothing that touches keys can be called before it is dropped.
pub struct Key<'a> {
    raw: *mut raw::RedisModuleKey,
    name: Text<'a>,
    context: &'a mut Context,
    kind: Kind,
    /// The events to announce, one bit each.
    events: u8,
}

impl<'a> Key<'a> {
    pub fn open(context: &'a mut Context, name: Text<'a>, mode: Mode) -> Self {
        let mode = match mode {
            Mode::Read => raw::REDISMODULE_READ,
            Mode::Write => raw::REDISMODULE_READ | raw::REDISMODULE_WRITE,
        };
        // SAFETY: the context is that of the running command, and the server keeps its own reference to the name.
        let raw = unsafe { api!(RedisModule_OpenKey)(context.as_ptr(), name.handle().as_ptr(), mode as c_int) };
        // SAFETY: the key is open, or null, which the server takes for a key that is not there.
        let kind = unsafe { api!(RedisModule_KeyType)(raw) };
        let kind = match kind as isize {
            raw::REDISMODULE_KEYTYPE_EMPTY => Kind::Missing,
            raw::REDISMODULE_KEYTYPE_HASH => Kind::Hash,
            raw::REDISMODULE_KEYTYPE_STRING => Kind::String,
            raw::REDISMODULE_KEYTYPE_ZSET => Kind::Zset,
            _ => Kind::Other,
        };
        Self { raw, name, context, kind, events: 0 }
    }

    pub fn name(&self) -> Handle<'_> {
        self.name.handle()
    }

    /// What may be done with the context while the key is open: nothing that touches keys.
    pub fn context(&self) -> &Context {
        self.context
    }

    /// Notes what was done to the key. It is announced once the key is closed: another module that listens may open
    /// the key in turn.
    pub fn changed(&mut self, event: Event) {
        self.events |= 1 << event as u8;
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key's expiry in milliseconds since the epoch.
    pub fn expires(&self) -> Option<u64> {
        if self.raw.is_null() {
            return None;
        }
        // SAFETY: the key is open.
        let expires = unsafe { api!(RedisModule_GetAbsExpire)(self.raw) };
        u64::try_from(expires).ok()
    }

    /// Sets the expiry, in milliseconds since the epoch, of a key that is open for writing and holds something.
    pub fn set_expires(&mut self, at: u64) {
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        // SAFETY: the key is open.
        unsafe { api!(RedisModule_SetAbsExpire)(self.raw, at) };
    }

    /// The number of fields of a hash, of members of a sorted set, or of bytes of a string.
    pub fn len(&self) -> usize {
        // SAFETY: the key is open, or null, whose length is 0.
        unsafe { api!(RedisModule_ValueLength)(self.raw) }
    }

    /// The value of a field of a hash. On a key that holds no hash there is none.
    pub fn field(&self, name: Handle<'_>) -> Option<Owned> {
        if self.kind != Kind::Hash {
            return None;
        }
        let mut value: *mut raw::RedisModuleString = ptr::null_mut();
        let end: *mut c_void = ptr::null_mut();
        // SAFETY: the key is an open hash; one pair of field and place for its value, then the end.
        unsafe {
            api!(RedisModule_HashGet)(self.raw, raw::REDISMODULE_HASH_NONE as c_int, name.as_ptr(), &raw mut value, end)
        };
        // SAFETY: the server answers with a string of our own, or leaves null; no context here has automatic memory.
        unsafe { Owned::from_raw(value) }
    }

    /// Whether a hash has a field. A key that holds no hash has none.
    pub fn has_field(&self, name: Handle<'_>) -> bool {
        if self.kind != Kind::Hash {
            return false;
        }
        let mut exists: c_int = 0;
        let end: *mut c_void = ptr::null_mut();
        // SAFETY: the key is an open hash; with this flag the place is an int; then the end.
        unsafe {
            api!(RedisModule_HashGet)(
                self.raw,
                raw::REDISMODULE_HASH_EXISTS as c_int,
                name.as_ptr(),
                &raw mut exists,
                end,
            )
        };
        exists != 0
    }

    /// Sets fields of a hash, or of a hash that this makes: names and values by turns. Answers how many were there.
    pub fn set_fields(&mut self, pairs: &[Handle<'_>]) -> usize {
        /// How many names and values go in one call: a call costs as much as half a field.
        const AT_ONCE: usize = 8;
        let mut replaced = 0;
        for chunk in pairs.chunks(AT_ONCE) {
            let mut all = [ptr::null_mut(); AT_ONCE];
            for (place, handle) in all.iter_mut().zip(chunk) {
                *place = handle.as_ptr();
            }
            let [a, b, c, d, e, f, g, h] = all;
            let (none, end) = (raw::REDISMODULE_HASH_NONE as c_int, ptr::null_mut::<c_void>());
            // SAFETY: the key is open for writing and the server copies the strings; it reads pairs up to the first null.
            let count = unsafe { api!(RedisModule_HashSet)(self.raw, none, a, b, c, d, e, f, g, h, end) };
            replaced += usize::try_from(count).unwrap_or(0);
            self.kind = Kind::Hash;
        }
        replaced
    }

    /// Removes a field of a hash; says whether it was there. With its last field the hash goes.
    pub fn remove_field(&mut self, name: Handle<'_>) -> bool {
        if self.kind != Kind::Hash {
            return false;
        }
        let end: *mut c_void = ptr::null_mut();
        // The value that tells the server to remove the field: REDISMODULE_HASH_DELETE, which is no string.
        let remove: *mut raw::RedisModuleString = ptr::without_provenance_mut(1);
        // SAFETY: the key is an open hash; one pair, then the end.
        let removed = unsafe {
            api!(RedisModule_HashSet)(self.raw, raw::REDISMODULE_HASH_NONE as c_int, name.as_ptr(), remove, end)
        };
        if self.len() == 0 {
            self.kind = Kind::Missing;
        }
        removed != 0
    }

    /// Calls `visit` with every field and value of a hash.
    pub fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        if self.kind != Kind::Hash {
            return;
        }
        /// What a scan takes along.
        struct Scan<'v> {
            visit: &'v mut dyn FnMut(&[u8], &[u8]),
            panicked: Option<Box<dyn Any + Send>>,
        }
        /// Shows two strings to the closure that `scan` points to. Panics wait until the server's function has returned.
        extern "C" fn visited(
            _: *mut raw::RedisModuleKey,
            field: *mut raw::RedisModuleString,
            value: *mut raw::RedisModuleString,
            scan: *mut c_void,
        ) {
            let (Some(field), Some(value)) = (ptr::NonNull::new(field), ptr::NonNull::new(value)) else { return };
            // SAFETY: the server keeps the field alive during this call.
            let field = unsafe { Handle::new(field) };
            // SAFETY: likewise the value.
            let value = unsafe { Handle::new(value) };
            // SAFETY: `each_field` passes a pointer to its scan, which outlives the scanning, and nobody else uses it.
            let scan = unsafe { &mut *scan.cast::<Scan<'_>>() };
            if scan.panicked.is_none() {
                scan.panicked = caught("a scan", || (scan.visit)(field.as_bytes(), value.as_bytes())).err();
            }
        }
        let mut scan = Scan { visit, panicked: None };
        // SAFETY: it takes no arguments; the cursor is destroyed below.
        let cursor = unsafe { api!(RedisModule_ScanCursorCreate)() };
        loop {
            // SAFETY: the key is an open hash that nobody changes meanwhile, the cursor is live, and `scan` is what
            // `visited` takes its pointer for.
            let more = unsafe { api!(RedisModule_ScanKey)(self.raw, cursor, Some(visited), (&raw mut scan).cast()) };
            if more == 0 {
                break;
            }
        }
        // SAFETY: the cursor was created above and is used no more.
        unsafe { api!(RedisModule_ScanCursorDestroy)(cursor) }
        if let Some(panicked) = scan.panicked {
            panic::resume_unwind(panicked);
        }
    }

    /// The bytes of a string key.
    pub fn string(&self) -> Option<Owned> {
        if self.kind != Kind::String {
            return None;
        }
        let mut length = 0;
        // SAFETY: the key is an open string.
        let start = unsafe { api!(RedisModule_StringDMA)(self.raw, &mut length, raw::REDISMODULE_READ as c_int) };
        // SAFETY: the server answers with the buffer and length of the value, which stays until the key is written to.
        let bytes: &[u8] = unsafe { std::slice::from_raw_parts(start.cast(), length) };
        Some(Owned::from(bytes))
    }

    /// The members of a sorted set with a score of at most `up_to`, lowest first, and their scores.
    pub fn lowest(&self, up_to: f64, count: usize) -> Vec<(Owned, f64)> {
        let mut members = Vec::new();
        if self.kind != Kind::Zset {
            return members;
        }
        // SAFETY: the key is an open sorted set.
        unsafe { api!(RedisModule_ZsetFirstInScoreRange)(self.raw, f64::NEG_INFINITY, up_to, 0, 0) };
        while members.len() < count {
            let Some(member) = self.range_element() else { break };
            members.push(member);
            // SAFETY: a range was begun above.
            if unsafe { api!(RedisModule_ZsetRangeNext)(self.raw) } == 0 {
                break;
            }
        }
        // SAFETY: a range was begun above.
        unsafe { api!(RedisModule_ZsetRangeStop)(self.raw) };
        members
    }

    /// The highest score of a sorted set.
    pub fn highest_score(&self) -> Option<f64> {
        if self.kind != Kind::Zset {
            return None;
        }
        // SAFETY: the key is an open sorted set.
        unsafe { api!(RedisModule_ZsetLastInScoreRange)(self.raw, f64::NEG_INFINITY, f64::INFINITY, 0, 0) };
        let highest = self.range_element();
        // SAFETY: a range was begun above.
        unsafe { api!(RedisModule_ZsetRangeStop)(self.raw) };
        highest.map(|(_, score)| score)
    }

    /// The score of a member of a sorted set.
    pub fn score(&self, member: Handle<'_>) -> Option<f64> {
        if self.kind != Kind::Zset {
            return None;
        }
        let mut score = 0.0;
        // SAFETY: the key is an open sorted set.
        let found = unsafe { api!(RedisModule_ZsetScore)(self.raw, member.as_ptr(), &mut score) };
        (found as isize == raw::REDISMODULE_OK).then_some(score)
    }

    /// Where the range of a sorted set that was begun stands, unless it is empty or over.
    fn range_element(&self) -> Option<(Owned, f64)> {
        let mut score = 0.0;
        // SAFETY: the key is an open sorted set in which a range was begun; where it is over the answer is null.
        let member = unsafe { api!(RedisModule_ZsetRangeCurrentElement)(self.raw, &mut score) };
        // SAFETY: the answer is a string of our own; no context here has automatic memory.
        unsafe { Owned::from_raw(member) }.map(|member| (member, score))
    }

    /// Adds a member to a sorted set, or to one that this makes; or gives it another score.
    pub fn add_member(&mut self, member: Handle<'_>, score: f64) {
        // SAFETY: the key is open for writing, and is a sorted set or empty; no flags are passed.
        unsafe { api!(RedisModule_ZsetAdd)(self.raw, score, member.as_ptr(), ptr::null_mut()) };
        self.kind = Kind::Zset;
    }

    /// Removes a member of a sorted set; says whether it was there. With its last member the set goes.
    pub fn remove_member(&mut self, member: Handle<'_>) -> bool {
        if self.kind != Kind::Zset {
            return false;
        }
        let mut removed: c_int = 0;
        // SAFETY: the key is a sorted set, open for writing.
        unsafe { api!(RedisModule_ZsetRem)(self.raw, member.as_ptr(), &mut removed) };
        if self.len() == 0 {
            self.kind = Kind::Missing;
        }
        removed != 0
    }

    /// Takes the expiry away.
    pub fn persist(&mut self) {
        // SAFETY: the key is open for writing.
        unsafe { api!(RedisModule_SetAbsExpire)(self.raw, raw::REDISMODULE_NO_EXPIRE.into()) };
    }

    /// Makes the key a string, whatever it was, without an expiry.
    pub fn set_string(&mut self, value: Handle<'_>) {
        // SAFETY: the key is open for writing; the server takes its own reference to the value.
        unsafe { api!(RedisModule_StringSet)(self.raw, value.as_ptr()) };
        self.kind = Kind::String;
    }

    /// Removes the key; a large value is freed in the background.
    pub fn delete(&mut self) {
        // SAFETY: the key is open for writing.
        unsafe { api!(RedisModule_UnlinkKey)(self.raw) };
        self.kind = Kind::Missing;
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        // SAFETY: the key was opened by `open` and is closed once; null is allowed.
        unsafe { api!(RedisModule_CloseKey)(self.raw) }
        if self.events == 0 {
            return;
        }
        self.context.signal_modified(self.name.handle());
        for event in Event::ALL {
            if self.events & 1 << event as u8 != 0 {
                event.announce(self.context, self.name.handle());
            }
        }
    }
}
