//! The index of a name: the tokens of its listed sessions, with the expiry that each had at the last write.
//!
//! The index may be wrong, and nothing depends on it: only the session's own key says whether the session lives. Each write
//! to the index removes or corrects some stale members. The index expires with the last of its sessions.
//!
//! Most names have one session. Their index is a string, the token, with the session's expiry: that takes one effect and
//! less memory, where a sorted set takes two effects. The second session makes it a sorted set, with the expiry as score.

use super::{Access, Key, KeyType, Store, Stored, WritableKey, filing, keys, record};
use crate::redis::bytes::NameBytes;
use crate::redis::{Bytes, KeyName};
use sessions_core::session::{Created, Flags, Millis, Token};
use sessions_core::status::{Error, Status};

/// How many stale members one command corrects at most.
const MAX_CORRECTED: usize = 16;

/// A listed session that lives.
pub struct Listed<V> {
    pub token: V,
    pub created: Created,
}

/// The members of an index, checked one by one.
pub struct Members<V> {
    /// The listed sessions that live.
    pub alive: Vec<Listed<V>>,
    /// The tokens of sessions that ended, or that do not belong here.
    pub stale: Vec<V>,
}

impl<V: AsRef<[u8]>> Members<V> {
    /// Sorts the sessions by the time when they were created, those of the same millisecond by token.
    pub fn oldest_first(mut self) -> Self {
        self.alive.sort_by(|one, other| {
            one.created.at.cmp(&other.created.at).then_with(|| one.token.as_ref().cmp(other.token.as_ref()))
        });
        self
    }

    pub fn is_empty(&self) -> bool {
        self.alive.is_empty() && self.stale.is_empty()
    }
}

impl<V> Default for Members<V> {
    fn default() -> Self {
        Self { alive: Vec::new(), stale: Vec::new() }
    }
}

/// The score of a session with this expiry. A session that never expires has the score infinity.
fn score(expires: Option<Millis>) -> f64 {
    // Exact: milliseconds since the epoch stay below 2^53 for 285,000 years.
    expires.map_or(f64::INFINITY, |Millis(at)| at as f64)
}

/// What the key of an index holds.
enum Content<V> {
    Empty,
    One(V),
    Many,
}

/// Reads what the key of an index holds. Fails if that is no index.
fn content<K: Key>(key: &K) -> Result<Content<K::Value>, Error> {
    match key.key_type() {
        KeyType::Missing => Ok(Content::Empty),
        KeyType::Zset => Ok(Content::Many),
        _ => {
            let short = (key.len() == Token::LEN).then(|| key.string()).flatten();
            let only = short.filter(|text| Token::parse(text.as_ref()).is_some());
            let wrong = "the key of the name's index holds the wrong kind of value";
            only.map(Content::One).ok_or_else(|| Status::WrongType.because(wrong))
        }
    }
}

/// Fails if the index cannot be written: its key holds something else, or the index may be on the other node of a migration.
/// Call this before anything is changed.
pub fn ensure_writable<S: Store>(store: &mut S, index: &KeyName) -> Result<(), Error> {
    let content = content(&store.read(index.into()))?;
    match content {
        Content::One(_) | Content::Many => Ok(()),
        Content::Empty => store.ensure_not_migrating(index.as_ref()),
    }
}

/// Adds a session to the index, or gives it its new expiry there. Corrects some stale members on the way.
///
/// The caller is about to remove the sessions that `leaves` selects. If such a session is the only one, the new one replaces
/// it.
///
/// Fails as [`ensure_writable`] does, and has then changed nothing. The caller asks for permission to the index.
pub fn put<S: Store>(
    store: &mut S,
    index: &KeyName,
    name: &[u8],
    (token, expires): (Bytes<'_>, Option<Millis>),
    leaves: impl Fn(&[u8]) -> bool,
) -> Result<(), Error> {
    if store.is_cluster() {
        ensure_writable(store, index)?;
    }
    let mut key = store.write(index.into());
    match content(&*key)? {
        Content::Empty => key.set_string(token, expires),
        Content::One(own) if own.as_ref() == token.as_bytes() => set_expiry(&mut key, expires),
        Content::One(other) if leaves(other.as_ref()) => key.set_string(token, expires),
        Content::One(other) => {
            let others = key.expires();
            key.delete();
            key.add_members(&[(other.bytes(), score(others)), (token, score(expires))]);
            expire_with_last_member(&mut key);
        }
        Content::Many => {
            let stale = key.lowest(score(Some(key.now())), MAX_CORRECTED);
            if stale.is_empty() {
                key.add_members(&[(token, score(expires))]);
                expire_with_last_member(&mut key);
            } else {
                drop(key);
                put_among(store, index, name, (token, expires), stale);
            }
        }
    }
    Ok(())
}

/// Adds a session to a sorted set of which some members look stale: those are corrected or removed.
fn put_among<S: Store>(
    store: &mut S,
    index: &KeyName,
    name: &[u8],
    (token, expires): (Bytes<'_>, Option<Millis>),
    stale: Vec<(S::Value, f64)>,
) {
    let others = stale.into_iter().filter(|(member, _)| member.as_ref() != token.as_bytes());
    let mut check = |member: &S::Value| listed(store, name, member.bytes(), Access::Read, |key, _| key.expires());
    let checked: Vec<_> = others.map(|(member, _)| (check(&member), member)).collect();
    let (mut ended, mut alive) = (Vec::new(), vec![(token, score(expires))]);
    for (found, member) in &checked {
        match found {
            Ok(Some(expires)) => alive.push((member.bytes(), score(*expires))),
            Ok(None) => ended.push(member.bytes()),
            // The session may be on another node, or the user may not read it: the member stays as it is.
            Err(_) => {}
        }
    }
    let mut key = store.write(index.into());
    key.add_members(&alive);
    key.remove_members(ended);
    expire_with_last_member(&mut key);
}

/// Adds a session again that is missing in its index or has another expiry there: the server evicted the index, or somebody
/// changed it by hand.
pub fn repair<S: Store>(store: &mut S, index: &KeyName, name: &[u8], token: Bytes<'_>, expires: Option<Millis>) {
    let key = store.read(index.into());
    let in_place = match content(&key) {
        Ok(Content::One(own)) => own.as_ref() == token.as_bytes() && key.expires() == expires,
        Ok(Content::Many) => key.score(token) == Some(score(expires)),
        Ok(Content::Empty) | Err(_) => false,
    };
    drop(key);
    if !in_place {
        // If this fails, a later touch repairs the index.
        let _ = put(store, index, name, (token, expires), |_| false);
    }
}

/// Removes sessions from the index.
pub fn remove<'a, S: Store>(store: &mut S, index: &KeyName, mut tokens: impl Iterator<Item = Bytes<'a>>) {
    let mut key = store.write(index.into());
    match content(&*key) {
        Ok(Content::One(own)) if tokens.any(|token| own.as_ref() == token.as_bytes()) => key.delete(),
        Ok(Content::Many) if key.remove_members(tokens) > 0 => expire_with_last_member(&mut key),
        _ => {}
    }
}

/// Removes the index.
pub fn clear<S: Store>(store: &mut S, index: &KeyName) {
    let mut key = store.write(index.into());
    if let Ok(Content::One(_) | Content::Many) = content(&*key) {
        key.delete();
    }
}

/// Gives a sorted set the expiry of the session that lives longest.
fn expire_with_last_member<K: WritableKey>(key: &mut K) {
    if let Some(highest) = key.highest_score() {
        set_expiry(key, highest.is_finite().then_some(Millis(highest as u64)));
    }
}

/// Sets the key's expiry, or removes it.
fn set_expiry<K: WritableKey>(key: &mut K, expires: Option<Millis>) {
    match expires {
        _ if key.expires() == expires => {}
        Some(at) => key.expire_at(at),
        None => key.persist(),
    }
}

/// Reads the session of this token, if it lives, has this name and is listed.
fn listed<S: Store, R>(
    store: &mut S,
    name: &[u8],
    token: Bytes<'_>,
    access: Access,
    read: impl FnOnce(&S::Key<'_>, Created) -> R,
) -> Result<Option<R>, Error> {
    let read = |key: &S::Key<'_>, created: Created| created.flags.listed.then(|| read(key, created));
    Ok(record::of_name(store, name, token, access, read)?.flatten())
}

/// Checks every member of a name's index. Asks for this permission to each session.
pub fn members<S: Store>(
    store: &mut S,
    name: &[u8],
    index: &KeyName,
    access: Access,
) -> Result<Members<S::Value>, Error> {
    let key = store.read(index.into());
    let tokens = match content(&key)? {
        Content::Empty => Vec::new(),
        Content::One(token) => vec![token],
        Content::Many => key.lowest(f64::INFINITY, usize::MAX).into_iter().map(|(token, _)| token).collect(),
    };
    drop(key);
    if tokens.is_empty() {
        store.ensure_not_migrating(index.as_ref())?;
    }
    let mut members = Members { alive: Vec::with_capacity(tokens.len()), ..Members::default() };
    for token in tokens {
        match listed(store, name, token.bytes(), access, |_, created| created)? {
            Some(created) => members.alive.push(Listed { token, created }),
            None => members.stale.push(token),
        }
    }
    Ok(members)
}

/// The members that have to leave so that one new session makes at most `limit`: the oldest sessions, and all that is stale.
pub fn beyond<S: Store>(store: &mut S, name: &[u8], index: &KeyName, limit: u32) -> Result<Members<S::Value>, Error> {
    let others = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    let key = store.read(index.into());
    let count = match content(&key)? {
        Content::Empty => 0,
        Content::One(_) => 1,
        Content::Many => key.len(),
    };
    drop(key);
    if count <= others {
        return Ok(Members::default());
    }
    let mut members = members(store, name, index, Access::Read)?.oldest_first();
    members.alive.truncate(members.alive.len().saturating_sub(others));
    Ok(members)
}

/// The index that lists an open session, and the session's name. `None` if the session is not listed.
pub fn of<K: Key>(key: &K, flags: Flags) -> Option<(KeyName, NameBytes)> {
    let name = flags.listed.then(|| filing::name_of(key)).flatten()?;
    Some((keys::index(name.as_ref()), NameBytes::from_slice(name.as_ref())))
}
