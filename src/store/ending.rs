//! Ending sessions: all keys of a session are removed together.

use super::{Access, Key, KeyType, Store, filing, index, keys, record};
use crate::redis::{Bytes, KeyName};
use crate::stats::Stat;
use sessions_core::session::{Event, Flags};
use sessions_core::status::Error;

/// Sessions that are to end, and their other keys.
#[derive(Default)]
pub struct Endings<'a> {
    sessions: Vec<Bytes<'a>>,
    /// The keys of data that is not in the session's own hash.
    data: Vec<KeyName>,
    /// The pointers to shared sessions, each with the token that it should hold.
    pointers: Vec<(KeyName, Bytes<'a>)>,
    /// The indexes to remove sessions from, each with the session's token.
    indexes: Vec<(KeyName, Bytes<'a>)>,
}

impl<'a> Endings<'a> {
    /// Collects the keys of these sessions, and asks for permission to change them. Skips sessions that have ended.
    pub fn of<S: Store>(store: &mut S, tokens: &[Bytes<'a>]) -> Result<Self, Error> {
        let mut endings = Self::default();
        for &token in tokens {
            let key = store.read(token);
            if key.key_type() == KeyType::Missing {
                continue;
            }
            let flags = record::created(&key).ok_or_else(Error::not_a_session)?.flags;
            let name = (flags.shared || flags.listed).then(|| filing::name_of(&key)).flatten();
            drop(key);
            let name = name.as_ref().map(AsRef::as_ref);
            endings.add(store, token, flags, name)?;
            if let Some(name) = name.filter(|_| flags.listed) {
                let index = keys::index(name);
                store.permit((&index).into(), Access::ReadWrite)?;
                endings.indexes.push((index, token));
            }
        }
        Ok(endings)
    }

    /// Adds one session with its flags and the name that it is filed under. The caller removes it from its index, and asks
    /// for permission to that and to the session itself.
    pub fn add<S: Store>(
        &mut self,
        store: &mut S,
        token: Bytes<'a>,
        flags: Flags,
        name: Option<&[u8]>,
    ) -> Result<(), Error> {
        if flags.clears {
            let data = keys::data_of(token)?;
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

    /// Ends the sessions. Returns those that existed, each once.
    pub fn apply<S: Store>(self, store: &mut S) -> Vec<Bytes<'a>> {
        let ended = store.unlink(&self.sessions);
        let mut helpers: Vec<_> = self.data.iter().map(Bytes::from).collect();
        for (pointer, token) in &self.pointers {
            let held = store.read(pointer.into()).string();
            if held.is_some_and(|held| held.as_ref() == token.as_bytes()) {
                helpers.push(pointer.into());
            }
        }
        store.unlink(&helpers);
        for &session in &ended {
            store.count(Stat::Ended);
            store.announce(Event::End, session);
        }
        for (index, token) in &self.indexes {
            index::remove(store, index, std::iter::once(*token));
        }
        ended
    }
}
