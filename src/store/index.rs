//! The index of a name: the tokens of its listed sessions, by the expiry known at the last write.
//!
//! It is a help, never the truth: a session lives or not whatever the index says. What is stale in it is dropped or put
//! right by whoever writes to it next, a few members at a time, and it goes by itself with the last of its sessions.
//!
//! Most names have one session. Then the index is a string, the token, that expires with the session: one effect where a
//! sorted set takes two, and less memory. With the second session it becomes a sorted set.

use super::{Access, Key, KeyType, Store, Stored, WritableKey, filing, keys, sessions};
use crate::protocol::{Error, Status};
use crate::redis::{Bytes, Name};
use sessions_core::session::{Created, Flags, Millis, Token};

/// How many stale members one command puts right at most.
const HEALED: usize = 16;

/// A listed session that lives.
pub struct Listed<V> {
    pub token: V,
    pub created: Created,
}

/// What a name's index comes to once each of its members has been looked at.
pub struct Roll<V> {
    /// The listed sessions that live.
    pub alive: Vec<Listed<V>>,
    /// What is on the list for no reason any more.
    pub gone: Vec<V>,
}

impl<V: AsRef<[u8]>> Roll<V> {
    /// Puts the sessions in the order in which they were created; of the same millisecond, by token.
    pub fn oldest_first(mut self) -> Self {
        self.alive.sort_by(|one, other| {
            one.created.at.cmp(&other.created.at).then_with(|| one.token.as_ref().cmp(other.token.as_ref()))
        });
        self
    }

    pub fn is_empty(&self) -> bool {
        self.alive.is_empty() && self.gone.is_empty()
    }
}

impl<V> Default for Roll<V> {
    fn default() -> Self {
        Self { alive: Vec::new(), gone: Vec::new() }
    }
}

/// The score of a session that expires then, or never.
fn score(expires: Option<Millis>) -> f64 {
    // Exact: milliseconds since the epoch stay below 2^53 for 285,000 years.
    expires.map_or(f64::INFINITY, |Millis(at)| at as f64)
}

/// What an index holds.
enum List<V> {
    Empty,
    One(V),
    Many,
}

/// Fails if something else is in the index's place.
fn list<K: Key>(key: &K) -> Result<List<K::Value>, Error> {
    match key.key_type() {
        KeyType::Missing => Ok(List::Empty),
        KeyType::Zset => Ok(List::Many),
        _ => {
            let short = (key.len() == Token::LEN).then(|| key.string()).flatten();
            let only = short.filter(|text| Token::parse(text.as_ref()).is_some());
            let wrong = "the key of the name's index holds the wrong kind of value";
            only.map(List::One).ok_or_else(|| Status::WrongType.because(wrong))
        }
    }
}

/// Fails if the index cannot be written to: another kind of value is in its place, or it may be on another node. To be
/// asked before anything is changed.
pub fn prepare<S: Store>(store: &mut S, index: &Name) -> Result<(), Error> {
    let list = list(&store.read(index.into()))?;
    match list {
        List::One(_) | List::Many => Ok(()),
        List::Empty => store.absence_is_proof(index.as_ref()),
    }
}

/// Lists a session, or moves it to its new expiry. Puts some stale members right on the way.
///
/// A session of which `leaves` says so is about to be taken off the list: the new one takes its place if it was alone.
///
/// Fails, before anything is changed, if the index cannot be written to: another kind of value is in its place, or it may
/// be on another node. Permission is the caller's to ask for.
pub fn put<S: Store>(
    store: &mut S,
    index: &Name,
    name: &[u8],
    (token, expires): (Bytes<'_>, Option<Millis>),
    leaves: impl Fn(&[u8]) -> bool,
) -> Result<(), Error> {
    if store.is_cluster() {
        prepare(store, index)?;
    }
    let mut key = store.write(index.into());
    match list(&*key)? {
        List::Empty => key.set_string(token, expires),
        List::One(own) if own.as_ref() == token.as_bytes() => settle(&mut key, expires),
        List::One(other) if leaves(other.as_ref()) => key.set_string(token, expires),
        List::One(other) => {
            let others = key.expires();
            key.delete();
            key.add_members(&[(other.bytes(), score(others)), (token, score(expires))]);
            settle_many(&mut key);
        }
        List::Many => {
            let stale = key.lowest(score(Some(key.now())), HEALED);
            if stale.is_empty() {
                key.add_members(&[(token, score(expires))]);
                settle_many(&mut key);
            } else {
                drop(key);
                put_among(store, index, name, (token, expires), stale);
            }
        }
    }
    Ok(())
}

/// Lists a session among others, some of which are stale.
fn put_among<S: Store>(
    store: &mut S,
    index: &Name,
    name: &[u8],
    (token, expires): (Bytes<'_>, Option<Millis>),
    stale: Vec<(S::Value, f64)>,
) {
    let others = stale.into_iter().filter(|(member, _)| member.as_ref() != token.as_bytes());
    let mut look = |member: &S::Value| find(store, name, member.bytes(), Access::Read, |key, _| key.expires());
    let checked: Vec<_> = others.map(|(member, _)| (look(&member), member)).collect();
    let (mut gone, mut there) = (Vec::new(), vec![(token, score(expires))]);
    for (found, member) in &checked {
        match found {
            Ok(Some(expires)) => there.push((member.bytes(), score(*expires))),
            Ok(None) => gone.push(member.bytes()),
            // It may be on another node, or is not ours to look at: it stays as it is.
            Err(_) => {}
        }
    }
    let mut key = store.write(index.into());
    key.add_members(&there);
    key.remove_members(gone);
    settle_many(&mut key);
}

/// Lists a session again whose place was lost, or is not that of its expiry: the server evicted the index, or somebody
/// changed the one or the other by hand.
pub fn heal<S: Store>(store: &mut S, index: &Name, name: &[u8], token: Bytes<'_>, expires: Option<Millis>) {
    let key = store.read(index.into());
    let in_place = match list(&key) {
        Ok(List::One(own)) => own.as_ref() == token.as_bytes() && key.expires() == expires,
        Ok(List::Many) => key.score(token) == Some(score(expires)),
        Ok(List::Empty) | Err(_) => false,
    };
    drop(key);
    if !in_place {
        // An index that cannot be written to now heals later.
        let _ = put(store, index, name, (token, expires), |_| false);
    }
}

/// Takes sessions off the list.
pub fn remove<'a, S: Store>(store: &mut S, index: &Name, mut tokens: impl Iterator<Item = Bytes<'a>>) {
    let mut key = store.write(index.into());
    match list(&*key) {
        Ok(List::One(own)) if tokens.any(|token| own.as_ref() == token.as_bytes()) => key.delete(),
        Ok(List::Many) if key.remove_members(tokens) > 0 => settle_many(&mut key),
        _ => {}
    }
}

/// Takes everything off the list.
pub fn clear<S: Store>(store: &mut S, index: &Name) {
    let mut key = store.write(index.into());
    if let Ok(List::One(_) | List::Many) = list(&*key) {
        key.delete();
    }
}

/// Makes an index of many go with the last of its sessions.
fn settle_many<K: WritableKey>(key: &mut K) {
    if let Some(highest) = key.highest_score() {
        settle(key, highest.is_finite().then_some(Millis(highest as u64)));
    }
}

/// Makes an index go at that time, or never.
fn settle<K: WritableKey>(key: &mut K, expires: Option<Millis>) {
    match expires {
        _ if key.expires() == expires => {}
        Some(at) => key.expire_at(at),
        None => key.persist(),
    }
}

/// Sees the session of this token, if it lives and is a listed one of this name.
fn find<S: Store, R>(
    store: &mut S,
    name: &[u8],
    token: Bytes<'_>,
    access: Access,
    see: impl FnOnce(&S::Key<'_>, Created) -> R,
) -> Result<Option<R>, Error> {
    if Token::parse(&token).is_none() || !filing::are_together(store, &token, name) {
        return Ok(None);
    }
    store.permit(token, access)?;
    let key = store.read(token);
    if key.key_type() == KeyType::Missing {
        drop(key);
        store.absence_is_proof(&token)?;
        return Ok(None);
    }
    let listed = sessions::created(&key).filter(|created| created.flags.listed);
    let ours = listed.filter(|_| sessions::is_named(&key, name));
    Ok(ours.map(|created| see(&key, created)))
}

/// Looks at every session that is on the list of a name. Asks for this permission to each of them.
pub fn roll<S: Store>(store: &mut S, name: &[u8], index: &Name, access: Access) -> Result<Roll<S::Value>, Error> {
    let key = store.read(index.into());
    let listed = match list(&key)? {
        List::Empty => Vec::new(),
        List::One(token) => vec![token],
        List::Many => key.lowest(f64::INFINITY, usize::MAX).into_iter().map(|(token, _)| token).collect(),
    };
    drop(key);
    if listed.is_empty() {
        store.absence_is_proof(index.as_ref())?;
    }
    let mut roll = Roll { alive: Vec::with_capacity(listed.len()), ..Roll::default() };
    for token in listed {
        match find(store, name, token.bytes(), access, |_, created| created)? {
            Some(created) => roll.alive.push(Listed { token, created }),
            None => roll.gone.push(token),
        }
    }
    Ok(roll)
}

/// What has to leave the list so that a new session makes at most `limit`: the oldest sessions have to end.
pub fn beyond<S: Store>(store: &mut S, name: &[u8], index: &Name, limit: u32) -> Result<Roll<S::Value>, Error> {
    let others = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    let key = store.read(index.into());
    let listed = match list(&key)? {
        List::Empty => 0,
        List::One(_) => 1,
        List::Many => key.len(),
    };
    drop(key);
    if listed <= others {
        return Ok(Roll::default());
    }
    let mut roll = roll(store, name, index, Access::Read)?.oldest_first();
    roll.alive.truncate(roll.alive.len().saturating_sub(others));
    Ok(roll)
}

/// The index that a session is on, if it is a listed one.
pub fn of<K: Key>(key: &K, flags: Flags) -> Option<(Name, Name)> {
    let name = flags.listed.then(|| filing::name_of(key)).flatten()?;
    Some((keys::index(name.as_ref()), Name::from(name.as_ref())))
}
