//! Where sessions live: one plain hash each, and the few keys beside it.
//!
//! [`Store`] is all that the rest needs of a database; [`server`] is the real one, `memory` one for tests.
//! [`sessions`] knows which keys belong together and changes them together.

pub mod ending;
pub mod filing;
pub mod grants;
pub mod index;
pub mod keys;
#[cfg(test)]
pub mod memory;
pub mod realm;
pub mod server;
pub mod serving;
pub mod sessions;

use crate::protocol::Error;
use crate::redis::Bytes;
pub use crate::redis::caller::Access;
pub use crate::redis::key::KeyType;
use crate::settings::Settings;
use crate::stats::Stat;
use sessions_core::session::{Event, Meta, Millis, NewToken};
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that were read, and may be handed to the store again.
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

    /// The time, the same throughout a command.
    fn now(&self) -> Millis;

    /// How many milliseconds this server has served since a moment: see [`Serving`](sessions_core::session::Serving).
    fn served_since(&self, at: Millis) -> u64;

    /// When this server came back from its last outage, if it is known to have been away.
    fn resumed_at(&self) -> Option<Millis>;

    /// What a new token is made of, from a cryptographically secure generator.
    fn randomness(&mut self) -> [u8; NewToken::RANDOMNESS];

    /// A new secret for the database, as text of 256 random bits.
    fn new_secret(&mut self) -> String;

    /// What the key of the generated secret held, if the server evicted it and it is not there again yet.
    fn evicted_secret(&self) -> Option<Vec<u8>>;

    /// The number of the selected database.
    fn database(&self) -> u32;

    fn is_cluster(&self) -> bool;

    /// Whether this is a replica, whose absent keys prove nothing.
    fn is_replica(&self) -> bool;

    /// Fails with NOPERM unless the user may do this with this key.
    ///
    /// To be asked, before anything is changed, of every key that is not an argument declared as a key: of those the
    /// server has asked itself.
    fn permit(&mut self, key: Bytes<'_>, access: Access) -> Result<(), Error>;

    /// Opens a key for reading. An expired key is missing.
    fn read<'s>(&'s mut self, key: Bytes<'s>) -> Self::Key<'s>;

    /// Opens a key for reading and writing. An expired key is missing.
    fn write<'s>(&'s mut self, key: Bytes<'s>) -> Self::WritableKey<'s>;

    /// UNLINK of many keys at once. Answers those that were there, each once.
    fn unlink<'k>(&mut self, keys: &[Bytes<'k>]) -> Vec<Bytes<'k>>;

    fn settings(&self) -> Arc<Settings>;

    /// Tells whoever listens what happened to a session.
    fn announce(&mut self, event: Event, session: Bytes<'_>);

    fn count(&mut self, stat: Stat);

    /// Fails with TRYAGAIN if the slot of this key is being migrated, so that its absence proves nothing.
    fn absence_is_proof(&mut self, key: &[u8]) -> Result<(), Error>;
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
    /// Whether keys made of this name belong beside this one: [`filing::together`].
    fn is_beside(&self, name: &[u8]) -> bool;
    fn expires(&self) -> Option<Millis>;
    /// The number of fields of a hash, metadata included, of members of a sorted set, or of bytes of a string.
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
