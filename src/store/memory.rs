//! A store in memory: it tests the rules without a server, on the same keys, fields and expiries.

use super::{Access, Field, Key, KeyType, Store, Stored, WritableKey, filing};
use crate::redis::Bytes;
use crate::settings::Settings;
use crate::stats::Stat;
use sessions_core::session::serving::Clocks;
use sessions_core::session::{Event, Millis, NewToken, Serving};
use sessions_core::status::{Error, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    String(Vec<u8>),
    Zset(BTreeMap<Vec<u8>, f64>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub value: Value,
    pub expires: Option<Millis>,
}

/// A database with a clock that the test sets. It records the effects that a server would replicate.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub entries: BTreeMap<Vec<u8>, Entry>,
    pub now: u64,
    pub effects: Vec<String>,
    /// Keys that the user has no permission to.
    pub forbidden: BTreeSet<Vec<u8>>,
    /// Whether the slot is being migrated.
    pub moving: bool,
    pub cluster: bool,
    pub replica: bool,
    pub evicted_secret: Option<Vec<u8>>,
    pub settings: Settings,
    pub events: Vec<Event>,
    pub counts: Vec<Stat>,
    pub made: u32,
    pub serving: Serving,
}

impl Memory {
    /// Simulates a failover: the new primary has only these entries.
    pub fn fail_over(&mut self, entries: BTreeMap<Vec<u8>, Entry>) {
        self.entries = entries;
        self.serving.resume(self.now(), Clocks { wall: self.now(), steady: 0 });
    }
}

impl Stored for Vec<u8> {
    fn bytes(&self) -> Bytes<'_> {
        self.as_slice().into()
    }
}

impl Store for Memory {
    type Value = Vec<u8>;
    type Key<'s> = MemoryKey<'s>;
    type WritableKey<'s> = WritableMemoryKey<'s>;

    fn now(&self) -> Millis {
        Millis(self.now)
    }

    fn served_since(&self, at: Millis) -> u64 {
        self.serving.served_since(at, self.now())
    }

    fn resumed_at(&self) -> Option<Millis> {
        self.serving.resumed_at()
    }

    fn randomness(&mut self) -> [u8; NewToken::RANDOMNESS] {
        self.made += 1;
        let mut bytes = [0; NewToken::RANDOMNESS];
        for (position, byte) in bytes.iter_mut().take(6).enumerate() {
            *byte = (self.made >> (6 * position)) as u8 & 63;
        }
        bytes
    }

    fn new_secret(&mut self) -> String {
        "generated-secret-of-more-than-32-bytes".to_owned()
    }

    fn evicted_secret(&self) -> Option<Vec<u8>> {
        self.evicted_secret.clone()
    }

    fn database(&self) -> u32 {
        0
    }

    fn is_cluster(&self) -> bool {
        self.cluster
    }

    fn is_replica(&self) -> bool {
        self.replica
    }

    fn permit(&mut self, key: Bytes<'_>, _: Access) -> Result<(), Error> {
        if self.forbidden.contains(key.as_bytes()) {
            return Err(Status::NoPerm.because("No permissions to access a key"));
        }
        Ok(())
    }

    fn read<'s>(&'s mut self, key: Bytes<'s>) -> MemoryKey<'s> {
        let now = self.now();
        let expired = |entry: &Entry| entry.expires.is_some_and(|expires| expires <= now);
        if self.entries.get(key.as_bytes()).is_some_and(expired) {
            self.entries.remove(key.as_bytes());
        }
        MemoryKey { store: self, name: key.as_bytes() }
    }

    fn write<'s>(&'s mut self, key: Bytes<'s>) -> WritableMemoryKey<'s> {
        WritableMemoryKey(self.read(key))
    }

    fn unlink<'k>(&mut self, keys: &[Bytes<'k>]) -> Vec<Bytes<'k>> {
        let mut there = |key: &Bytes<'k>| {
            let kind = self.read(*key).key_type();
            self.entries.remove(key.as_bytes());
            kind != KeyType::Missing
        };
        let gone: Vec<_> = keys.iter().filter(|key| there(key)).copied().collect();
        if !gone.is_empty() {
            self.effects.push("UNLINK".to_owned());
        }
        gone
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::new(self.settings.clone())
    }

    fn announce(&mut self, event: Event, _: Bytes<'_>) {
        self.events.push(event);
    }

    fn count(&mut self, stat: Stat) {
        self.counts.push(stat);
    }

    fn ensure_not_migrating(&mut self, _: &[u8]) -> Result<(), Error> {
        if self.moving { Err(Status::TryAgain.because("the slot is being migrated")) } else { Ok(()) }
    }
}

/// A key of the store in memory, open for reading.
pub struct MemoryKey<'s> {
    store: &'s mut Memory,
    name: &'s [u8],
}

impl MemoryKey<'_> {
    fn entry(&self) -> Option<&Entry> {
        self.store.entries.get(self.name)
    }

    fn hash(&self) -> Option<&BTreeMap<Vec<u8>, Vec<u8>>> {
        match self.entry() {
            Some(Entry { value: Value::Hash(hash), .. }) => Some(hash),
            _ => None,
        }
    }
}

impl Key for MemoryKey<'_> {
    type Value = Vec<u8>;

    fn now(&self) -> Millis {
        self.store.now()
    }

    fn key_type(&self) -> KeyType {
        match self.entry() {
            None => KeyType::Missing,
            Some(Entry { value: Value::Hash(_), .. }) => KeyType::Hash,
            Some(Entry { value: Value::String(_), .. }) => KeyType::String,
            Some(Entry { value: Value::Zset(_), .. }) => KeyType::Zset,
        }
    }

    fn is_beside(&self, name: &[u8]) -> bool {
        filing::together(self.store.cluster, self.name, name)
    }

    fn expires(&self) -> Option<Millis> {
        self.entry()?.expires
    }

    fn field<'a>(&self, field: impl Into<Field<'a>>) -> Option<Vec<u8>> {
        self.hash()?.get(field.into().name()).cloned()
    }

    fn has<'a>(&self, field: impl Into<Field<'a>>) -> bool {
        self.hash().is_some_and(|hash| hash.contains_key(field.into().name()))
    }

    fn len(&self) -> usize {
        match self.entry().map(|entry| &entry.value) {
            Some(Value::Hash(hash)) => hash.len(),
            Some(Value::Zset(members)) => members.len(),
            Some(Value::String(text)) => text.len(),
            None => 0,
        }
    }

    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.hash().into_iter().flatten().for_each(|(field, value)| visit(field, value));
    }

    fn string(&self) -> Option<Vec<u8>> {
        match self.entry() {
            Some(Entry { value: Value::String(value), .. }) => Some(value.clone()),
            _ => None,
        }
    }

    fn lowest(&self, up_to: f64, count: usize) -> Vec<(Vec<u8>, f64)> {
        let Some(Entry { value: Value::Zset(members), .. }) = self.entry() else { return Vec::new() };
        let mut members: Vec<_> = members.iter().map(|(member, score)| (member.clone(), *score)).collect();
        members.sort_by(|one, other| one.1.total_cmp(&other.1));
        members.into_iter().filter(|(_, score)| *score <= up_to).take(count).collect()
    }

    fn highest_score(&self) -> Option<f64> {
        let Some(Entry { value: Value::Zset(members), .. }) = self.entry() else { return None };
        members.values().copied().max_by(f64::total_cmp)
    }

    fn score(&self, member: Bytes<'_>) -> Option<f64> {
        let Some(Entry { value: Value::Zset(members), .. }) = self.entry() else { return None };
        members.get(member.as_bytes()).copied()
    }
}

/// A key of the store in memory, open for writing.
pub struct WritableMemoryKey<'s>(MemoryKey<'s>);

impl<'s> Deref for WritableMemoryKey<'s> {
    type Target = MemoryKey<'s>;

    fn deref(&self) -> &MemoryKey<'s> {
        &self.0
    }
}

impl WritableMemoryKey<'_> {
    fn effect(&mut self, effect: &str) {
        self.0.store.effects.push(effect.to_owned());
    }
}

impl WritableKey for WritableMemoryKey<'_> {
    fn set_fields<'a>(&mut self, pairs: impl IntoIterator<Item = (Field<'a>, Bytes<'a>)>) -> usize {
        let pairs: Vec<_> = pairs.into_iter().collect();
        if pairs.is_empty() {
            return 0;
        }
        self.effect("HSET");
        let empty = Entry { value: Value::Hash(BTreeMap::new()), expires: None };
        let entry = self.0.store.entries.entry(self.0.name.to_vec()).or_insert(empty);
        let Value::Hash(hash) = &mut entry.value else { panic!("HSET on a string") };
        let mut is_new =
            |(field, value): &(Field<'_>, Bytes<'_>)| hash.insert(field.name().to_vec(), value.to_vec()).is_none();
        pairs.iter().filter(|pair| is_new(pair)).count()
    }

    fn remove_fields<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) -> usize {
        let Some(Entry { value: Value::Hash(hash), .. }) = self.0.store.entries.get_mut(self.0.name) else { return 0 };
        let removed = fields.into_iter().filter(|field| hash.remove(field.name()).is_some()).count();
        if hash.is_empty() {
            self.0.store.entries.remove(self.0.name);
        }
        if removed > 0 {
            self.effect("HDEL");
        }
        removed
    }

    fn set_string(&mut self, value: Bytes<'_>, expires: Option<Millis>) {
        self.effect("SET");
        let entry = Entry { value: Value::String(value.to_vec()), expires };
        self.0.store.entries.insert(self.0.name.to_vec(), entry);
    }

    fn add_members(&mut self, members: &[(Bytes<'_>, f64)]) {
        self.effect("ZADD");
        let empty = Entry { value: Value::Zset(BTreeMap::new()), expires: None };
        let entry = self.0.store.entries.entry(self.0.name.to_vec()).or_insert(empty);
        let Value::Zset(zset) = &mut entry.value else { panic!("ZADD on another type") };
        zset.extend(members.iter().map(|(member, score)| (member.to_vec(), *score)));
    }

    fn remove_members<'a>(&mut self, members: impl IntoIterator<Item = Bytes<'a>>) -> usize {
        let Some(Entry { value: Value::Zset(zset), .. }) = self.0.store.entries.get_mut(self.0.name) else { return 0 };
        let removed = members.into_iter().filter(|member| zset.remove(member.as_bytes()).is_some()).count();
        if zset.is_empty() {
            self.0.store.entries.remove(self.0.name);
        }
        if removed > 0 {
            self.effect("ZREM");
        }
        removed
    }

    fn persist(&mut self) {
        self.effect("PERSIST");
        self.0.store.entries.get_mut(self.0.name).expect("PERSIST of a key that is there").expires = None;
    }

    fn expire_at(&mut self, at: Millis) {
        self.effect("PEXPIREAT");
        self.0.store.entries.get_mut(self.0.name).expect("PEXPIREAT of a key that is there").expires = Some(at);
    }

    fn delete(&mut self) {
        self.effect("UNLINK");
        self.0.store.entries.remove(self.0.name);
    }
}
