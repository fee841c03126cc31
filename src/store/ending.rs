//! The end of sessions, of one or of many: all their keys go together.

use super::{Access, Key, KeyType, Store, filing, index, keys, sessions};
use crate::protocol::Error;
use crate::redis::{Bytes, Name};
use crate::stats::Stat;
use sessions_core::session::{Event, Flags};

/// Sessions that are to end, and what goes with them.
#[derive(Default)]
pub struct Endings<'a> {
    sessions: Vec<Bytes<'a>>,
    data: Vec<Name>,
    /// The pointers to shared sessions, each with the session that it should lead to.
    pointers: Vec<(Name, Bytes<'a>)>,
    /// The indexes that sessions have to be taken off.
    places: Vec<(Name, Bytes<'a>)>,
}

impl<'a> Endings<'a> {
    /// What ending these sessions takes; what has ended is left out. Changes nothing, and asks for permission to change
    /// whatever goes with the sessions.
    pub fn of<S: Store>(store: &mut S, tokens: &[Bytes<'a>]) -> Result<Self, Error> {
        let mut endings = Self::default();
        for &token in tokens {
            let key = store.read(token);
            if key.key_type() == KeyType::Missing {
                continue;
            }
            let flags = sessions::created(&key).ok_or_else(Error::not_a_session)?.flags;
            let name = (flags.shared || flags.listed).then(|| filing::name_of(&key)).flatten();
            drop(key);
            let name = name.as_ref().map(AsRef::as_ref);
            endings.add(store, token, flags, name)?;
            if let Some(name) = name.filter(|_| flags.listed) {
                let index = keys::index(name);
                store.permit((&index).into(), Access::ReadWrite)?;
                endings.places.push((index, token));
            }
        }
        Ok(endings)
    }

    /// Adds a session that was looked at, with the name that it is filed under. Its place on a list is left to the caller, as is permission to change it.
    pub fn add<S: Store>(
        &mut self,
        store: &mut S,
        token: Bytes<'a>,
        flags: Flags,
        name: Option<&[u8]>,
    ) -> Result<(), Error> {
        if flags.clears {
            let data = sessions::data_key(token)?;
            store.permit((&data).into(), Access::ReadWrite)?;
            self.data.push(data);
        }
        if let Some(name) = name.filter(|_| flags.shared) {
            let pointer = keys::shared(name);
            store.permit((&pointer).into(), Access::ReadWrite)?;
            self.pointers.push((pointer, token));
        }
        self.sessions.push(token);
        Ok(())
    }

    /// Ends the sessions. Answers those that were there: one that was given twice ends once.
    pub fn apply<S: Store>(self, store: &mut S) -> Vec<Bytes<'a>> {
        let ended = store.unlink(&self.sessions);
        let mut derived: Vec<_> = self.data.iter().map(Bytes::from).collect();
        for (pointer, token) in &self.pointers {
            let led_to = store.read(pointer.into()).string();
            if led_to.is_some_and(|led_to| led_to.as_ref() == token.as_bytes()) {
                derived.push(pointer.into());
            }
        }
        store.unlink(&derived);
        for &session in &ended {
            store.count(Stat::Ended);
            store.announce(Event::End, session);
        }
        for (index, token) in &self.places {
            index::remove(store, index, std::iter::once(*token));
        }
        ended
    }
}
