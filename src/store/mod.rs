//! Where sessions live: one plain hash each, and a few helper keys beside it.
//!
//! Commands use a database through [`Store`] alone: [`server`] implements it for the server, `memory` for tests. The other
//! files know what is in which key: [`record`] the session's own metadata, [`data`] its data, [`pointer`] and [`index`] the
//! helper keys of its name. [`touch`] and [`ending`] change all keys of a session together.

pub mod data;
pub mod ending;
pub mod filing;
pub mod grants;
pub mod index;
pub mod keys;
#[cfg(test)]
pub mod memory;
pub mod pointer;
pub mod realm;
pub mod record;
pub mod server;
pub mod serving;
pub mod touch;

use crate::redis::Bytes;
pub use crate::redis::key::KeyType;
pub use crate::redis::user::Access;
use crate::settings::Settings;
use crate::stats::Stat;
use sessions_core::session::{Event, Meta, Millis, NewToken};
use sessions_core::status::Error;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that the store returned, and that can be passed to it again.
pub trait Stored: AsRef<[u8]> {
    fn bytes(&self) -> Bytes<'_>;
}

/// A database, as one running command sees it.
pub trait Store {
    type Value: Stored;
    type Key<'s>: Key<Value = Self::Value>
    where
        Self: 's;
    type WritableKey<'s>: WritableKey<Target = Self::Key<'s>>
    where
        Self: 's;

    /// The time. It stands still while a command runs.
    fn now(&self) -> Millis;

    /// How many milliseconds this server has served since a moment: see [`Serving`](sessions_core::session::Serving).
    fn served_since(&self, at: Millis) -> u64;

    /// When this server came back from its last outage. `None` if none is known.
    fn resumed_at(&self) -> Option<Millis>;

    /// Random bytes for a new token, from a cryptographically secure generator.
    fn randomness(&mut self) -> [u8; NewToken::RANDOMNESS];

    /// A new secret for the database: 256 random bits, as text.
    fn new_secret(&mut self) -> String;

    /// The generated secret, if the server evicted its key and the key was not written again yet.
    fn evicted_secret(&self) -> Option<Vec<u8>>;

    /// The number of the selected database.
    fn database(&self) -> u32;

    fn is_cluster(&self) -> bool;

    /// Whether this is a replica. A key that is missing on a replica may exist on its primary.
    fn is_replica(&self) -> bool;

    /// Fails with NOPERM unless the user may access this key in this way.
    ///
    /// Call this for every key before anything is changed. The server itself has checked only arguments that are keys.
    fn permit(&mut self, key: Bytes<'_>, access: Access) -> Result<(), Error>;

    /// Opens a key for reading. An expired key is missing.
    fn read<'s>(&'s mut self, key: Bytes<'s>) -> Self::Key<'s>;

    /// Opens a key for reading and writing. An expired key is missing.
    fn write<'s>(&'s mut self, key: Bytes<'s>) -> Self::WritableKey<'s>;

    /// UNLINK of many keys at once. Returns those that existed, each once.
    fn unlink<'k>(&mut self, keys: &[Bytes<'k>]) -> Vec<Bytes<'k>>;

    fn settings(&self) -> Arc<Settings>;

    /// Publishes an event of a session.
    fn announce(&mut self, event: Event, session: Bytes<'_>);

    fn count(&mut self, stat: Stat);

    /// Fails with TRYAGAIN if the slot of this missing key is being migrated: the key may be on the other node.
    fn ensure_not_migrating(&mut self, key: &[u8]) -> Result<(), Error>;
}

/// A field of a session's hash.
#[derive(Clone, Copy)]
pub enum Field<'a> {
    Meta(Meta),
    Data(Bytes<'a>),
}

impl<'a> Field<'a> {
    #[cfg(test)]
    pub fn name(self) -> &'a [u8] {
        match self {
            Self::Meta(meta) => meta.field(),
            Self::Data(name) => name.as_bytes(),
        }
    }
}

impl From<Meta> for Field<'_> {
    fn from(meta: Meta) -> Self {
        Self::Meta(meta)
    }
}

impl<'a> From<Bytes<'a>> for Field<'a> {
    fn from(name: Bytes<'a>) -> Self {
        Self::Data(name)
    }
}

/// A key that is open for reading.
pub trait Key {
    type Value: Stored;

    /// The time, as the store tells it.
    fn now(&self) -> Millis;
    fn key_type(&self) -> KeyType;
    /// Whether keys made of this name may be stored beside this key: [`filing::together`].
    fn is_beside(&self, name: &[u8]) -> bool;
    fn expires(&self) -> Option<Millis>;
    /// The number of fields of a hash, of members of a sorted set, or of bytes of a string. 0 if the key is missing.
    fn len(&self) -> usize;

    /// The value of a field of a hash.
    fn field<'a>(&self, field: impl Into<Field<'a>>) -> Option<Self::Value>;
    fn has<'a>(&self, field: impl Into<Field<'a>>) -> bool;
    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
    /// The value of a string key.
    fn string(&self) -> Option<Self::Value>;
    /// The members of a sorted set with a score of at most `up_to`, lowest first, and their scores.
    fn lowest(&self, up_to: f64, count: usize) -> Vec<(Self::Value, f64)>;
    fn highest_score(&self) -> Option<f64>;
    fn score(&self, member: Bytes<'_>) -> Option<f64>;
}

/// A key that is open for reading and writing. Each change is replicated as the native command that does the same.
pub trait WritableKey: Deref<Target: Key + Sized> {
    /// HSET. Returns how many fields are new.
    fn set_fields<'a>(&mut self, pairs: impl IntoIterator<Item = (Field<'a>, Bytes<'a>)>) -> usize;
    /// HSET of one field.
    fn set_field<'a>(&mut self, field: impl Into<Field<'a>>, value: &'a [u8]) {
        self.set_fields([(field.into(), value.into())]);
    }
    /// HDEL. Returns how many of the fields existed. With its last field the key is removed.
    fn remove_fields<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) -> usize;
    /// SET, with PXAT if there is an expiry.
    fn set_string(&mut self, value: Bytes<'_>, expires: Option<Millis>);
    /// ZADD.
    fn add_members(&mut self, members: &[(Bytes<'_>, f64)]);
    /// ZREM. Returns how many of the members existed. With its last member the key is removed.
    fn remove_members<'a>(&mut self, members: impl IntoIterator<Item = Bytes<'a>>) -> usize;
    /// PERSIST.
    fn persist(&mut self);
    /// PEXPIREAT.
    fn expire_at(&mut self, at: Millis);
    /// UNLINK.
    fn delete(&mut self);
}
