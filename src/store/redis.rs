//! The server that runs the module, as a store.
//!
//! The one place that replicates and notifies: whatever changes a key goes through [`OpenKey`], so no command can
//! forget it.

use super::{Access, Field, Key, Kind, Mode, Store, Stored, filing, keys, serving};
use crate::protocol::{Error, Status};
use crate::redis::bytes::{Static, Text};
use crate::redis::caller::Caller;
use crate::redis::context::EventClass;
use crate::redis::key::Event;
use crate::redis::{self, Bytes, Context, Handle, Owned};
use crate::settings::{self, Settings};
use crate::stats::{self, Stat};
use rand::Rng;
use sessions_core::credentials::base64url;
use sessions_core::session::meta::Decimal;
use sessions_core::session::{self, Meta, Millis, NewToken};
use sessions_core::slot;
use smallvec::SmallVec;
use std::ffi::CStr;
use std::sync::{Arc, LazyLock};

impl Stored for Owned {
    fn bytes(&self) -> Bytes<'_> {
        self.handle().into()
    }
}

pub struct RedisStore {
    context: Context,
    caller: Option<Caller>,
}

impl RedisStore {
    pub fn new(context: Context) -> Self {
        Self { context, caller: None }
    }
}

impl Store for RedisStore {
    type Value = Owned;
    type Key<'s> = OpenKey<'s>;

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
        caller.may(key.to_string().handle(), access).map_err(|reason| Status::NoPerm.because(reason))
    }

    fn open<'s>(&'s mut self, key: Bytes<'s>, mode: Mode) -> OpenKey<'s> {
        OpenKey(redis::Key::open(&mut self.context, key.to_string(), mode))
    }

    fn unlink<'k>(&mut self, keys: &[Bytes<'k>]) -> Vec<Bytes<'k>> {
        /// How many keys go in one command to the replicas and the AOF.
        const AT_ONCE: usize = 1_000;
        let mut gone = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let mut names = Vec::with_capacity(keys.len());
            for key in keys {
                let name = key.to_string();
                let mut open = redis::Key::open(&mut self.context, Text::Borrowed(name.handle()), Mode::Write);
                if open.kind() == Kind::Missing {
                    continue;
                }
                open.delete();
                drop(open);
                names.push(name);
                gone.push(*key);
            }
            let handles: Vec<_> = names.iter().map(Text::handle).collect();
            if let [first, others @ ..] = handles.as_slice() {
                self.context.replicate(c"UNLINK", *first, others);
            }
            // Once it is on its way: another module that listens may replicate something of its own.
            for name in handles {
                redis::key::announce(&self.context, name, Event::Del);
            }
        }
        gone
    }

    fn settings(&self) -> Arc<Settings> {
        settings::current()
    }

    fn announce(&mut self, event: session::Event, session: Bytes<'_>) {
        self.context.notify(EventClass::Module, event.name(), session.to_string().handle());
    }

    fn count(&mut self, stat: Stat) {
        stats::count(stat);
    }

    fn absence_is_proof(&mut self, key: &[u8]) -> Result<(), Error> {
        if !self.context.is_cluster() {
            return Ok(());
        }
        let slot = slot::of(key);
        let absent = keys::unused(slot);
        let absent = [Bytes::from(&absent[0]).to_string(), Bytes::from(&absent[1]).to_string()];
        if self.context.is_unstable([absent[0].handle(), absent[1].handle()]) {
            return Err(Status::TryAgain.because("the slot is being migrated; try again in a moment"));
        }
        Ok(())
    }
}

/// The names of the metadata fields as strings of the server, made once.
static META: LazyLock<[Static; Meta::ALL.len()]> =
    LazyLock::new(|| Meta::ALL.map(|meta| Static::from(Owned::from(meta.field()))));

impl<'a> Field<'a> {
    fn to_string(self) -> Text<'a> {
        match self {
            Self::Meta(meta) => Text::Borrowed(META[meta as usize].handle()),
            Self::Data(name) => name.to_string(),
        }
    }
}

fn handles<'t>(strings: &'t [Text<'_>]) -> SmallVec<[Handle<'t>; 24]> {
    strings.iter().map(Text::handle).collect()
}

/// An open key of the server.
pub struct OpenKey<'s>(redis::Key<'s>);

impl OpenKey<'_> {
    /// Replicates an effect, and notes it for when the key is closed.
    fn effect(&mut self, event: Event, command: &CStr, arguments: &[Handle<'_>]) {
        self.0.changed(event);
        self.0.context().replicate(command, self.0.name(), arguments);
    }
}

impl Key for OpenKey<'_> {
    type Value = Owned;

    fn now(&self) -> Millis {
        Millis(self.0.context().now())
    }

    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn is_beside(&self, name: &[u8]) -> bool {
        filing::together(self.0.context().is_cluster(), self.0.name().as_bytes(), name)
    }

    fn expires(&self) -> Option<Millis> {
        self.0.expires().map(Millis)
    }

    fn field<'a>(&self, field: impl Into<Field<'a>>) -> Option<Owned> {
        self.0.field(field.into().to_string().handle())
    }

    fn has<'a>(&self, field: impl Into<Field<'a>>) -> bool {
        self.0.has_field(field.into().to_string().handle())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.0.each_field(visit);
    }

    fn string(&self) -> Option<Owned> {
        self.0.string()
    }

    fn set_fields<'a>(&mut self, fields: impl Iterator<Item = (Field<'a>, Bytes<'a>)>) -> usize {
        let mut strings: SmallVec<[Text<'_>; 24]> = SmallVec::new();
        for (field, value) in fields {
            strings.push(field.to_string());
            strings.push(value.to_string());
        }
        if strings.is_empty() {
            return 0;
        }
        let pairs = handles(&strings);
        let replaced = self.0.set_fields(&pairs);
        self.effect(Event::Hset, c"HSET", &pairs);
        pairs.len() / 2 - replaced
    }

    fn remove_fields<'a>(&mut self, fields: impl Iterator<Item = Bytes<'a>>) -> usize {
        let names: SmallVec<[Text<'_>; 12]> =
            fields.map(Bytes::to_string).filter(|name| self.0.remove_field(name.handle())).collect();
        if !names.is_empty() {
            self.effect(Event::Hdel, c"HDEL", &handles(&names));
            if self.kind() == Kind::Missing {
                self.0.changed(Event::Del);
            }
        }
        names.len()
    }

    fn set_string(&mut self, value: Bytes<'_>, expires: Option<Millis>) {
        /// The option of SET, made once.
        static PXAT: LazyLock<Static> = LazyLock::new(|| Static::from(Owned::from(b"PXAT".as_slice())));
        let value = value.to_string();
        self.0.set_string(value.handle());
        self.0.changed(Event::Set);
        let (context, name) = (self.0.context(), self.0.name());
        let Some(Millis(at)) = expires else { return context.replicate(c"SET", name, &[value.handle()]) };
        context.with_number(at, |at| context.replicate(c"SET", name, &[value.handle(), PXAT.handle(), at]));
        self.0.set_expires(at);
        self.0.changed(Event::Expire);
    }

    fn lowest(&self, up_to: f64, count: usize) -> Vec<(Owned, f64)> {
        self.0.lowest(up_to, count)
    }

    fn highest_score(&self) -> Option<f64> {
        self.0.highest_score()
    }

    fn score(&self, member: Bytes<'_>) -> Option<f64> {
        self.0.score(member.to_string().handle())
    }

    fn add_members(&mut self, members: &[(Bytes<'_>, f64)]) {
        let mut strings: SmallVec<[Text<'_>; 8]> = SmallVec::new();
        for &(member, score) in members {
            let member = member.to_string();
            self.0.add_member(member.handle(), score);
            let number = Decimal::from(score as u64);
            let text = if score.is_finite() { number.as_ref() } else { b"inf" };
            strings.push(Text::Owned(Owned::from(text)));
            strings.push(member);
        }
        self.effect(Event::Zadd, c"ZADD", &handles(&strings));
    }

    fn remove_members<'a>(&mut self, members: impl Iterator<Item = Bytes<'a>>) -> usize {
        let names: SmallVec<[Text<'_>; 12]> =
            members.map(Bytes::to_string).filter(|name| self.0.remove_member(name.handle())).collect();
        if !names.is_empty() {
            self.effect(Event::Zrem, c"ZREM", &handles(&names));
            if self.kind() == Kind::Missing {
                self.0.changed(Event::Del);
            }
        }
        names.len()
    }

    fn persist(&mut self) {
        self.0.persist();
        self.effect(Event::Persist, c"PERSIST", &[]);
    }

    fn expire_at(&mut self, at: Millis) {
        self.0.set_expires(at.0);
        self.0.changed(Event::Expire);
        let (context, name) = (self.0.context(), self.0.name());
        context.with_number(at.0, |at| context.replicate(c"PEXPIREAT", name, &[at]));
    }

    fn delete(&mut self) {
        self.0.delete();
        self.effect(Event::Del, c"UNLINK", &[]);
    }
}
