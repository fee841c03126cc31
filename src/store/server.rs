//! The store of the server that runs the module.
//!
//! This is the one place that replicates and notifies: every change of a key goes through [`ServerKey`] or
//! [`Store::unlink`], so no command can forget it.

use super::{Access, Field, Key, KeyType, Store, Stored, WritableKey, filing, keys, serving};
use crate::redis::bytes::ServerString;
use crate::redis::caller::Caller;
use crate::redis::context::EventClass;
use crate::redis::writable_key::{self, KeyspaceEvent};
use crate::redis::{self, Bytes, Context, Handle, Owned};
use crate::settings::{self, Settings};
use crate::stats::{self, Stat};
use rand::Rng;
use sessions_core::base64url::base64url;
use sessions_core::session::meta::Decimal;
use sessions_core::session::{self, Meta, Millis, NewToken};
use sessions_core::slot;
use sessions_core::status::{Error, Status};
use smallvec::SmallVec;
use std::ffi::CStr;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

impl Stored for Owned {
    fn bytes(&self) -> Bytes<'_> {
        self.handle().into()
    }
}

/// The selected database of the server, for one running command.
pub struct ServerStore {
    context: Context,
    /// The user whose permissions count, once they were asked for.
    caller: Option<Caller>,
}

impl ServerStore {
    pub fn new(context: Context) -> Self {
        Self { context, caller: None }
    }
}

impl Store for ServerStore {
    type Value = Owned;
    type Key<'s> = redis::Key<'s>;
    type WritableKey<'s> = ServerKey<'s>;

    fn now(&self) -> Millis {
        Millis(self.context.now())
    }

    fn served_since(&self, at: Millis) -> u64 {
        serving::served_since(at)
    }

    fn resumed_at(&self) -> Option<Millis> {
        serving::resumed_at()
    }

    fn randomness(&mut self) -> [u8; NewToken::RANDOMNESS] {
        let mut bytes = [0; NewToken::RANDOMNESS];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }

    fn new_secret(&mut self) -> String {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        base64url(bytes)
    }

    fn evicted_secret(&self) -> Option<Vec<u8>> {
        redis::kept::lost(self.context.database())
    }

    fn database(&self) -> u32 {
        self.context.database()
    }

    fn is_cluster(&self) -> bool {
        self.context.is_cluster()
    }

    fn is_replica(&self) -> bool {
        self.context.is_replica()
    }

    fn permit(&mut self, key: Bytes<'_>, access: Access) -> Result<(), Error> {
        let caller = self.caller.get_or_insert_with(|| Caller::of(&self.context));
        caller.may(key.server_string().handle(), access).map_err(|reason| Status::NoPerm.because(reason))
    }

    fn read<'s>(&'s mut self, key: Bytes<'s>) -> redis::Key<'s> {
        redis::Key::open(&mut self.context, key.server_string())
    }

    fn write<'s>(&'s mut self, key: Bytes<'s>) -> ServerKey<'s> {
        ServerKey(redis::WritableKey::open(&mut self.context, key.server_string()))
    }

    fn unlink<'k>(&mut self, keys: &[Bytes<'k>]) -> Vec<Bytes<'k>> {
        /// How many keys one replicated command removes.
        const KEYS_PER_COMMAND: usize = 1_000;
        let mut removed = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_PER_COMMAND) {
            let mut names = Vec::with_capacity(keys.len());
            for key in keys {
                let name = key.server_string();
                let mut open = redis::WritableKey::open(&mut self.context, ServerString::Borrowed(name.handle()));
                if open.key_type() == KeyType::Missing {
                    continue;
                }
                open.delete();
                drop(open);
                names.push(name);
                removed.push(*key);
            }
            let handles: Vec<_> = names.iter().map(ServerString::handle).collect();
            if let [first, others @ ..] = handles.as_slice() {
                self.context.replicate(c"UNLINK", *first, others);
            }
            // After the replication: a listening module may replicate a command of its own.
            for name in handles {
                writable_key::announce(&self.context, name, KeyspaceEvent::Del);
            }
        }
        removed
    }

    fn settings(&self) -> Arc<Settings> {
        settings::current()
    }

    fn announce(&mut self, event: session::Event, session: Bytes<'_>) {
        self.context.notify(EventClass::Module, event.name(), session.server_string().handle());
    }

    fn count(&mut self, stat: Stat) {
        stats::count(stat);
    }

    fn ensure_not_migrating(&mut self, key: &[u8]) -> Result<(), Error> {
        if !self.context.is_cluster() {
            return Ok(());
        }
        let slot = slot::of(key);
        let [one, other] = keys::unused(slot);
        let (one, other) = (Bytes::from(&one).server_string(), Bytes::from(&other).server_string());
        if self.context.is_migrating([one.handle(), other.handle()]) {
            return Err(Status::TryAgain.because("the slot is being migrated; try again in a moment"));
        }
        Ok(())
    }
}

/// The names of the metadata fields as strings of the server, made once.
static META: LazyLock<[Handle<'static>; Meta::ALL.len()]> =
    LazyLock::new(|| Meta::ALL.map(|meta| Owned::from(meta.field()).leak()));

impl<'a> Field<'a> {
    fn server_string(self) -> ServerString<'a> {
        match self {
            Self::Meta(meta) => ServerString::Borrowed(META[meta as usize]),
            Self::Data(name) => name.server_string(),
        }
    }
}

/// Room for the arguments of most commands without an allocation.
type Handles<'t> = SmallVec<[Handle<'t>; 16]>;

impl Key for redis::Key<'_> {
    type Value = Owned;

    fn now(&self) -> Millis {
        Millis(self.context().now())
    }

    fn key_type(&self) -> KeyType {
        self.key_type()
    }

    fn is_beside(&self, name: &[u8]) -> bool {
        filing::together(self.context().is_cluster(), self.name().as_bytes(), name)
    }

    fn expires(&self) -> Option<Millis> {
        self.expires().map(Millis)
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn field<'a>(&self, field: impl Into<Field<'a>>) -> Option<Owned> {
        self.field(field.into().server_string().handle())
    }

    fn has<'a>(&self, field: impl Into<Field<'a>>) -> bool {
        self.has_field(field.into().server_string().handle())
    }

    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.each_field(visit);
    }

    fn string(&self) -> Option<Owned> {
        self.string()
    }

    fn lowest(&self, up_to: f64, count: usize) -> Vec<(Owned, f64)> {
        self.lowest(up_to, count)
    }

    fn highest_score(&self) -> Option<f64> {
        self.highest_score()
    }

    fn score(&self, member: Bytes<'_>) -> Option<f64> {
        self.score(member.server_string().handle())
    }
}

/// A key of the server that is open for writing. Reading it is reading [`redis::Key`].
pub struct ServerKey<'s>(redis::WritableKey<'s>);

impl<'s> Deref for ServerKey<'s> {
    type Target = redis::Key<'s>;

    fn deref(&self) -> &redis::Key<'s> {
        &self.0
    }
}

impl ServerKey<'_> {
    /// Replicates a change, and notes its event for when the key is closed.
    fn effect(&mut self, event: KeyspaceEvent, command: &CStr, arguments: &[Handle<'_>]) {
        self.0.note(event);
        self.context().replicate(command, self.name(), arguments);
    }

    /// Replicates that elements were removed, and notes that the key went with its last one.
    fn removed(&mut self, event: KeyspaceEvent, command: &CStr, elements: &[ServerString<'_>]) -> usize {
        if !elements.is_empty() {
            let elements: Handles<'_> = elements.iter().map(ServerString::handle).collect();
            self.effect(event, command, &elements);
            if self.key_type() == KeyType::Missing {
                self.0.note(KeyspaceEvent::Del);
            }
        }
        elements.len()
    }
}

impl WritableKey for ServerKey<'_> {
    fn set_fields<'a>(&mut self, pairs: impl IntoIterator<Item = (Field<'a>, Bytes<'a>)>) -> usize {
        let mut strings: SmallVec<[[ServerString<'_>; 2]; 12]> = SmallVec::new();
        for (field, value) in pairs {
            strings.push([field.server_string(), value.server_string()]);
        }
        if strings.is_empty() {
            return 0;
        }
        let pairs: SmallVec<[[Handle<'_>; 2]; 12]> =
            strings.iter().map(|[field, value]| [field.handle(), value.handle()]).collect();
        let replaced = self.0.set_fields(&pairs);
        self.effect(KeyspaceEvent::Hset, c"HSET", pairs.as_flattened());
        pairs.len() - replaced
    }

    fn remove_fields<'a>(&mut self, fields: impl IntoIterator<Item = Field<'a>>) -> usize {
        let names = fields.into_iter().map(Field::server_string);
        let names: SmallVec<[ServerString<'_>; 12]> = names.filter(|name| self.0.remove_field(name.handle())).collect();
        self.removed(KeyspaceEvent::Hdel, c"HDEL", &names)
    }

    fn set_string(&mut self, value: Bytes<'_>, expires: Option<Millis>) {
        /// The option of SET, made once.
        static PXAT: LazyLock<Handle<'static>> = LazyLock::new(|| Owned::from(b"PXAT".as_slice()).leak());
        let value = value.server_string();
        self.0.set_string(value.handle());
        let Some(Millis(at)) = expires else {
            return self.effect(KeyspaceEvent::Set, c"SET", &[value.handle()]);
        };
        let (context, name) = (self.context(), self.name());
        context.with_number(at, |at| context.replicate(c"SET", name, &[value.handle(), *PXAT, at]));
        self.0.set_expires(at);
        self.0.note(KeyspaceEvent::Set);
        self.0.note(KeyspaceEvent::Expire);
    }

    fn add_members(&mut self, members: &[(Bytes<'_>, f64)]) {
        let mut strings: SmallVec<[ServerString<'_>; 8]> = SmallVec::new();
        for &(member, score) in members {
            let member = member.server_string();
            self.0.add_member(member.handle(), score);
            let number = Decimal::from(score as u64);
            let text = if score.is_finite() { number.as_ref() } else { b"inf" };
            strings.push(ServerString::Owned(Owned::from(text)));
            strings.push(member);
        }
        let arguments: Handles<'_> = strings.iter().map(ServerString::handle).collect();
        self.effect(KeyspaceEvent::Zadd, c"ZADD", &arguments);
    }

    fn remove_members<'a>(&mut self, members: impl IntoIterator<Item = Bytes<'a>>) -> usize {
        let names = members.into_iter().map(Bytes::server_string);
        let names: SmallVec<[ServerString<'_>; 12]> =
            names.filter(|name| self.0.remove_member(name.handle())).collect();
        self.removed(KeyspaceEvent::Zrem, c"ZREM", &names)
    }

    fn persist(&mut self) {
        self.0.persist();
        self.effect(KeyspaceEvent::Persist, c"PERSIST", &[]);
    }

    fn expire_at(&mut self, at: Millis) {
        self.0.set_expires(at.0);
        self.0.note(KeyspaceEvent::Expire);
        let (context, name) = (self.context(), self.name());
        context.with_number(at.0, |at| context.replicate(c"PEXPIREAT", name, &[at]));
    }

    fn delete(&mut self) {
        self.0.delete();
        self.effect(KeyspaceEvent::Del, c"UNLINK", &[]);
    }
}
