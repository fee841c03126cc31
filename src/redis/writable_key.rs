//! One open key, for writing. Writing is direct: the store says what goes to replicas and the AOF.

use super::api::api;
use super::bytes::{Handle, ServerString};
use super::context::{Context, EventClass};
use super::key::{Key, KeyType};
use redis_module::raw;
use std::ffi::{c_int, c_void};
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// A keyspace event, as the server's own commands announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum KeyspaceEvent {
    Hdel,
    Zrem,
    Del,
    Hset,
    Set,
    Zadd,
    Expire,
    Persist,
}

impl KeyspaceEvent {
    /// All events, in the order in which they are announced: first those of removals, then those of writes.
    const ALL: [Self; 8] =
        [Self::Hdel, Self::Zrem, Self::Del, Self::Hset, Self::Set, Self::Zadd, Self::Expire, Self::Persist];

    /// The event's place in a set of events.
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    fn publish(self, context: &Context, key: Handle<'_>) {
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

/// Announces a change of a key that is not open: to clients that watch or cache it, and to subscribers of its events.
pub fn announce(context: &Context, key: Handle<'_>, event: KeyspaceEvent) {
    context.signal_modified(key);
    event.publish(context, key);
}

/// A key that is open for reading and writing. Dropping it closes it and announces what was done.
///
/// Opening a key that is missing makes no key: the first write does.
pub struct WritableKey<'a> {
    key: Key<'a>,
    /// The same open key. Opened for writing, a missing key is open, too.
    raw: NonNull<raw::RedisModuleKey>,
    /// The events to announce, as a set of bits.
    events: u8,
}

impl<'a> Deref for WritableKey<'a> {
    type Target = Key<'a>;

    fn deref(&self) -> &Key<'a> {
        &self.key
    }
}

impl<'a> WritableKey<'a> {
    /// Opens a key for writing.
    pub fn open(context: &'a mut Context, name: ServerString<'a>) -> Self {
        let key = Key::open_for(context, name, (raw::REDISMODULE_READ | raw::REDISMODULE_WRITE) as c_int);
        let raw = key.as_raw().expect("the server opens also a missing key for writing");
        Self { key, raw, events: 0 }
    }

    /// Notes an event. It is announced when the key is closed, because a listening module may open the key itself.
    pub fn note(&mut self, event: KeyspaceEvent) {
        self.events |= event.bit();
    }

    /// Sets the expiry, in milliseconds since the epoch. On a missing key it does nothing.
    pub fn set_expires(&mut self, at: u64) {
        let at = i64::try_from(at).unwrap_or(i64::MAX);
        // SAFETY: the key is open for writing.
        unsafe { api!(RedisModule_SetAbsExpire)(self.raw.as_ptr(), at) };
    }

    /// Removes the expiry.
    pub fn persist(&mut self) {
        // SAFETY: the key is open for writing.
        unsafe { api!(RedisModule_SetAbsExpire)(self.raw.as_ptr(), raw::REDISMODULE_NO_EXPIRE.into()) };
    }

    /// Sets fields of a hash; makes the hash if the key is missing. Returns how many fields existed before.
    pub fn set_fields(&mut self, pairs: &[[Handle<'_>; 2]]) -> usize {
        /// How many pairs go in one call: a call costs as much as half a field.
        const PAIRS_PER_CALL: usize = 4;
        let mut replaced = 0;
        for chunk in pairs.chunks(PAIRS_PER_CALL) {
            let mut all = [ptr::null_mut(); 2 * PAIRS_PER_CALL];
            for (place, handle) in all.iter_mut().zip(chunk.as_flattened()) {
                *place = handle.as_ptr();
            }
            let [a, b, c, d, e, f, g, h] = all;
            let (none, end) = (raw::REDISMODULE_HASH_NONE as c_int, ptr::null_mut::<c_void>());
            // SAFETY: the key is open for writing, the strings live, and the server copies them. It reads pairs up to the
            // first null, which `end` is at the latest.
            let count = unsafe { api!(RedisModule_HashSet)(self.raw.as_ptr(), none, a, b, c, d, e, f, g, h, end) };
            replaced += usize::try_from(count).unwrap_or(0);
            self.key.set_type(KeyType::Hash);
        }
        replaced
    }

    /// Removes a field of a hash. Returns whether it existed. With its last field the key is removed.
    pub fn remove_field(&mut self, name: Handle<'_>) -> bool {
        let Some(key) = self.holding(KeyType::Hash) else { return false };
        let end: *mut c_void = ptr::null_mut();
        // REDISMODULE_HASH_DELETE: a value that is no string and tells the server to remove the field.
        let remove: *mut raw::RedisModuleString = ptr::without_provenance_mut(1);
        // SAFETY: the key is a hash, open for writing; one pair, then the end.
        let removed =
            unsafe { api!(RedisModule_HashSet)(key, raw::REDISMODULE_HASH_NONE as c_int, name.as_ptr(), remove, end) };
        self.note_if_emptied();
        removed != 0
    }

    /// Adds a member to a sorted set, or gives it another score; makes the set if the key is missing.
    pub fn add_member(&mut self, member: Handle<'_>, score: f64) {
        // SAFETY: the key is open for writing, and the string lives; the server checks the type. No flags are passed.
        unsafe { api!(RedisModule_ZsetAdd)(self.raw.as_ptr(), score, member.as_ptr(), ptr::null_mut()) };
        self.key.set_type(KeyType::Zset);
    }

    /// Removes a member of a sorted set. Returns whether it existed. With its last member the key is removed.
    pub fn remove_member(&mut self, member: Handle<'_>) -> bool {
        let Some(key) = self.holding(KeyType::Zset) else { return false };
        let mut removed: c_int = 0;
        // SAFETY: the key is a sorted set, open for writing, and the string lives.
        unsafe { api!(RedisModule_ZsetRem)(key, member.as_ptr(), &mut removed) };
        self.note_if_emptied();
        removed != 0
    }

    /// Replaces the key's value, of any type, by a string without an expiry.
    pub fn set_string(&mut self, value: Handle<'_>) {
        // SAFETY: the key is open for writing, and the string lives; the server takes a reference of its own.
        unsafe { api!(RedisModule_StringSet)(self.raw.as_ptr(), value.as_ptr()) };
        self.key.set_type(KeyType::String);
    }

    /// Removes the key; a large value is freed in the background.
    pub fn delete(&mut self) {
        // SAFETY: the key is open for writing.
        unsafe { api!(RedisModule_UnlinkKey)(self.raw.as_ptr()) };
        self.key.set_type(KeyType::Missing);
    }

    /// The server removes a key with its last element.
    fn note_if_emptied(&mut self) {
        if self.len() == 0 {
            self.key.set_type(KeyType::Missing);
        }
    }
}

impl Drop for WritableKey<'_> {
    fn drop(&mut self) {
        self.key.close();
        if self.events == 0 {
            return;
        }
        let (context, name) = (self.key.context(), self.key.name());
        context.signal_modified(name);
        for event in KeyspaceEvent::ALL {
            if self.events & event.bit() != 0 {
                event.publish(context, name);
            }
        }
    }
}
