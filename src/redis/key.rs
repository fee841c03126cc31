//! One open key, for reading. [`WritableKey`](super::writable_key::WritableKey) can write, too.

use super::api::api;
use super::bytes::{Handle, Owned, ServerString};
use super::context::Context;
use super::panics::caught;
use redis_module::raw;
use std::any::Any;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::{panic, ptr};

/// The type of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// There is no such key.
    Missing,
    Hash,
    String,
    Zset,
    Other,
}

impl KeyType {
    /// The type that the server names by this number.
    fn of(number: c_int) -> Self {
        match number as isize {
            raw::REDISMODULE_KEYTYPE_EMPTY => Self::Missing,
            raw::REDISMODULE_KEYTYPE_HASH => Self::Hash,
            raw::REDISMODULE_KEYTYPE_STRING => Self::String,
            raw::REDISMODULE_KEYTYPE_ZSET => Self::Zset,
            _ => Self::Other,
        }
    }
}

/// A key that is open for reading. Dropping it closes it.
///
/// It borrows the context exclusively: if anything else touched the key now, the server would be left with stale
/// pointers. So nothing that touches keys can be called before this is dropped.
pub struct Key<'a> {
    /// `None` for a missing key that is open for reading: the server then opens nothing. A missing key that is open for
    /// writing has one.
    raw: Option<NonNull<raw::RedisModuleKey>>,
    name: ServerString<'a>,
    context: &'a mut Context,
    key_type: KeyType,
}

impl<'a> Key<'a> {
    /// Opens a key for reading.
    pub fn open(context: &'a mut Context, name: ServerString<'a>) -> Self {
        Self::open_for(context, name, raw::REDISMODULE_READ as c_int)
    }

    /// Opens a key with the server's own `mode`.
    pub(super) fn open_for(context: &'a mut Context, name: ServerString<'a>, mode: c_int) -> Self {
        // SAFETY: the context is valid; the server keeps a reference to the name of its own.
        let raw = unsafe { api!(RedisModule_OpenKey)(context.as_ptr(), name.handle().as_ptr(), mode) };
        let mut key = Self { raw: NonNull::new(raw), name, context, key_type: KeyType::Missing };
        if let Some(raw) = key.raw {
            // SAFETY: the key is open.
            let key_type = unsafe { api!(RedisModule_KeyType)(raw.as_ptr()) };
            key.key_type = KeyType::of(key_type);
        }
        key
    }

    pub fn name(&self) -> Handle<'_> {
        self.name.handle()
    }

    /// The context. A shared reference to it cannot open another key.
    pub fn context(&self) -> &Context {
        self.context
    }

    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Notes the type that a write gave the key.
    pub(super) fn set_type(&mut self, key_type: KeyType) {
        self.key_type = key_type;
    }

    pub(super) fn as_raw(&self) -> Option<NonNull<raw::RedisModuleKey>> {
        self.raw
    }

    /// The open key, if it holds a value of this type.
    pub(super) fn holding(&self, key_type: KeyType) -> Option<*mut raw::RedisModuleKey> {
        if self.key_type == key_type { self.raw.map(NonNull::as_ptr) } else { None }
    }

    /// The key's expiry in milliseconds since the epoch.
    pub fn expires(&self) -> Option<u64> {
        let key = self.raw?;
        // SAFETY: the key is open.
        let expires = unsafe { api!(RedisModule_GetAbsExpire)(key.as_ptr()) };
        u64::try_from(expires).ok()
    }

    /// The number of fields of a hash, of members of a sorted set, or of bytes of a string.
    pub fn len(&self) -> usize {
        let Some(key) = self.raw else { return 0 };
        // SAFETY: the key is open.
        unsafe { api!(RedisModule_ValueLength)(key.as_ptr()) }
    }

    /// The value of a field of a hash. On a key that holds no hash there is none.
    pub fn field(&self, name: Handle<'_>) -> Option<Owned> {
        let key = self.holding(KeyType::Hash)?;
        let mut value: *mut raw::RedisModuleString = ptr::null_mut();
        let end: *mut c_void = ptr::null_mut();
        // SAFETY: the key is an open hash; one field and the place for its value, then the end.
        unsafe {
            api!(RedisModule_HashGet)(key, raw::REDISMODULE_HASH_NONE as c_int, name.as_ptr(), &raw mut value, end)
        };
        // SAFETY: the server hands over a new string, or leaves null; no context here has automatic memory.
        unsafe { Owned::from_raw(value) }
    }

    /// Whether a hash has a field. A key that holds no hash has none.
    pub fn has_field(&self, name: Handle<'_>) -> bool {
        let Some(key) = self.holding(KeyType::Hash) else { return false };
        let mut exists: c_int = 0;
        let end: *mut c_void = ptr::null_mut();
        // SAFETY: the key is an open hash; with this flag the place is an int; then the end.
        unsafe {
            api!(RedisModule_HashGet)(key, raw::REDISMODULE_HASH_EXISTS as c_int, name.as_ptr(), &raw mut exists, end)
        };
        exists != 0
    }

    /// Calls `visit` with every field and value of a hash.
    pub fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        let Some(key) = self.holding(KeyType::Hash) else { return };
        let mut scan = Scan { visit, panicked: None };
        // SAFETY: it takes no arguments; the cursor is destroyed below.
        let cursor = unsafe { api!(RedisModule_ScanCursorCreate)() };
        loop {
            // SAFETY: the key is an open hash that nothing changes meanwhile, the cursor is live, and `scan` is the `Scan`
            // that `visited` expects.
            let more = unsafe { api!(RedisModule_ScanKey)(key, cursor, Some(visited), (&raw mut scan).cast()) };
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
        let key = self.holding(KeyType::String)?;
        let mut length = 0;
        // SAFETY: the key is an open string.
        let start = unsafe { api!(RedisModule_StringDMA)(key, &mut length, raw::REDISMODULE_READ as c_int) };
        // SAFETY: the server answers with the buffer and length of the value, which stay until the key is written to or closed.
        let bytes: &[u8] = unsafe { std::slice::from_raw_parts(start.cast(), length) };
        Some(Owned::from(bytes))
    }

    /// The members of a sorted set with a score of at most `up_to`, lowest first, and their scores.
    pub fn lowest(&self, up_to: f64, count: usize) -> Vec<(Owned, f64)> {
        let mut members = Vec::new();
        let Some(key) = self.holding(KeyType::Zset) else { return members };
        // SAFETY: the key is an open sorted set.
        unsafe { api!(RedisModule_ZsetFirstInScoreRange)(key, f64::NEG_INFINITY, up_to, 0, 0) };
        while members.len() < count {
            let Some(member) = self.range_element() else { break };
            members.push(member);
            // SAFETY: a range was begun above.
            if unsafe { api!(RedisModule_ZsetRangeNext)(key) } == 0 {
                break;
            }
        }
        // SAFETY: a range was begun above.
        unsafe { api!(RedisModule_ZsetRangeStop)(key) };
        members
    }

    /// The highest score of a sorted set.
    pub fn highest_score(&self) -> Option<f64> {
        let key = self.holding(KeyType::Zset)?;
        // SAFETY: the key is an open sorted set.
        unsafe { api!(RedisModule_ZsetLastInScoreRange)(key, f64::NEG_INFINITY, f64::INFINITY, 0, 0) };
        let highest = self.range_element();
        // SAFETY: a range was begun above.
        unsafe { api!(RedisModule_ZsetRangeStop)(key) };
        highest.map(|(_, score)| score)
    }

    /// The score of a member of a sorted set.
    pub fn score(&self, member: Handle<'_>) -> Option<f64> {
        let key = self.holding(KeyType::Zset)?;
        let mut score = 0.0;
        // SAFETY: the key is an open sorted set.
        let found = unsafe { api!(RedisModule_ZsetScore)(key, member.as_ptr(), &mut score) };
        (found as isize == raw::REDISMODULE_OK).then_some(score)
    }

    /// The member at the current place of a range, and its score. `None` if no range was begun, or none is left of it.
    fn range_element(&self) -> Option<(Owned, f64)> {
        let key = self.holding(KeyType::Zset)?;
        let mut score = 0.0;
        // SAFETY: the key is an open sorted set. Without a range, and after its end, the server returns null.
        let member = unsafe { api!(RedisModule_ZsetRangeCurrentElement)(key, &mut score) };
        // SAFETY: the server hands over a new string, or null; no context here has automatic memory.
        unsafe { Owned::from_raw(member) }.map(|member| (member, score))
    }

    /// Closes the key now. Nothing is open afterwards.
    pub(super) fn close(&mut self) {
        let Some(key) = self.raw.take() else { return };
        // SAFETY: `open_for` opened the key. It is closed once: nobody else has it, and `take` left nothing behind.
        unsafe { api!(RedisModule_CloseKey)(key.as_ptr()) }
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The data of one scan, which [`visited`] gets back from the server.
struct Scan<'v> {
    visit: &'v mut dyn FnMut(&[u8], &[u8]),
    /// The panic of `visit`: it must not pass through the server's own function.
    panicked: Option<Box<dyn Any + Send>>,
}

/// The server calls this for each field of a scanned hash.
///
/// # Safety
/// Called by the server for a scan that `each_field` began: `scan` is its `Scan`, and the strings live during the call.
unsafe extern "C" fn visited(
    _: *mut raw::RedisModuleKey,
    field: *mut raw::RedisModuleString,
    value: *mut raw::RedisModuleString,
    scan: *mut c_void,
) {
    let (Some(field), Some(value)) = (NonNull::new(field), NonNull::new(value)) else { return };
    // SAFETY: the server keeps the field alive during this call.
    let field = unsafe { Handle::new(field) };
    // SAFETY: likewise the value.
    let value = unsafe { Handle::new(value) };
    // SAFETY: `each_field` passes a pointer to its `Scan`, which outlives the scan and which nothing else uses meanwhile.
    let scan = unsafe { &mut *scan.cast::<Scan<'_>>() };
    if scan.panicked.is_none() {
        scan.panicked = caught("a scan", || (scan.visit)(field.as_bytes(), value.as_bytes())).err();
    }
}
