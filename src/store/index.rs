//! The index of a name: a sorted set of the tokens of its listed sessions, by the expiry known at the last write.
//!
//! It is a help, never the truth: a session lives or not whatever the index says. What is stale in it is dropped or put
//! right by whoever writes to it next, a few members at a time, and it goes by itself with the last of its sessions.

use super::{Access, Key, Kind, Mode, Store, Stored, keys, sessions};
use crate::protocol::{Error, Status};
use crate::redis::{Bytes, Name};
use crate::session::{Created, Flags, Meta, Millis, Token};
use crate::slot;

/// How many stale members one command puts right at most.
const HEALED: usize = 16;

/// A listed session that lives.
pub struct Listed<V> {
    pub token: V,
    pub created: Created,
}

/// What a name's index comes to once each of its members has been looked at.
pub struct Roll<V> {
    /// The listed sessions that live, oldest first.
    pub alive: Vec<Listed<V>>,
    /// What is on the list for no reason any more.
    pub gone: Vec<V>,
}

impl<V> Roll<V> {
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

fn wrong_type() -> Error {
    Status::WrongType.because("the key of the name's index holds the wrong kind of value")
}

/// Fails if the index cannot be written to: another kind of value is in its place, or it may be on another node. To be
/// asked before anything is changed.
pub fn prepare<S: Store>(store: &mut S, index: &Name) -> Result<(), Error> {
    let kind = store.open(index.into(), Mode::Read).kind();
    match kind {
        Kind::Zset => Ok(()),
        Kind::Missing => store.absence_is_proof(index.as_ref()),
        _ => Err(wrong_type()),
    }
}

/// Lists a session, or moves it to its new expiry. Puts some stale members right on the way.
///
/// Fails, before anything is changed, if the index cannot be written to: another kind of value is in its place, or it may
/// be on another node. Permission is the caller's to ask for.
pub fn put<S: Store>(
    store: &mut S,
    index: &Name,
    name: &[u8],
    token: Bytes<'_>,
    expires: Option<Millis>,
) -> Result<(), Error> {
    if store.is_cluster() {
        prepare(store, index)?;
    }
    let mut key = store.open(index.into(), Mode::Write);
    let stale = match key.kind() {
        Kind::Zset => key.lowest(score(Some(key.now())), HEALED),
        Kind::Missing => {
            key.add_members(&[(token, score(expires))]);
            if let Some(at) = expires {
                key.expire_at(at);
            }
            return Ok(());
        }
        _ => return Err(wrong_type()),
    };
    if stale.is_empty() {
        key.add_members(&[(token, score(expires))]);
        settle(&mut key);
    } else {
        drop(key);
        put_among(store, index, name, (token, expires), stale);
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
    let mut key = store.open(index.into(), Mode::Write);
    key.add_members(&there);
    key.remove_members(gone.into_iter());
    settle(&mut key);
}

/// Lists a session again whose place was lost, or is not that of its expiry: the server evicted the index, or somebody
/// changed the one or the other by hand.
pub fn heal<S: Store>(store: &mut S, index: &Name, name: &[u8], token: Bytes<'_>, expires: Option<Millis>) {
    if store.open(index.into(), Mode::Read).score(token) != Some(score(expires)) {
        // An index that cannot be written to now heals later.
        let _ = put(store, index, name, token, expires);
    }
}

/// Takes sessions off the list.
pub fn remove<'a, S: Store>(store: &mut S, index: &Name, tokens: impl Iterator<Item = Bytes<'a>>) {
    let mut key = store.open(index.into(), Mode::Write);
    if key.kind() == Kind::Zset && key.remove_members(tokens) > 0 {
        settle(&mut key);
    }
}

/// Takes everything off the list.
pub fn clear<S: Store>(store: &mut S, index: &Name) {
    let mut key = store.open(index.into(), Mode::Write);
    if key.kind() == Kind::Zset {
        key.delete();
    }
}

/// Makes the index go with the last of its sessions.
fn settle<K: Key>(key: &mut K) {
    let Some(highest) = key.highest_score() else { return };
    let wanted = highest.is_finite().then_some(Millis(highest as u64));
    match wanted {
        _ if key.expires() == wanted => {}
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
    if Token::parse(&token).is_none() || slot::of(&token) != slot::of(name) {
        return Ok(None);
    }
    store.permit(&[(token, access)])?;
    let key = store.open(token, Mode::Read);
    if key.kind() == Kind::Missing {
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
    let key = store.open(index.into(), Mode::Read);
    let listed = match key.kind() {
        Kind::Zset => key.lowest(f64::INFINITY, usize::MAX),
        Kind::Missing => Vec::new(),
        _ => return Err(wrong_type()),
    };
    drop(key);
    if listed.is_empty() {
        store.absence_is_proof(index.as_ref())?;
    }
    let mut roll = Roll { alive: Vec::with_capacity(listed.len()), ..Roll::default() };
    for (token, _) in listed {
        match find(store, name, token.bytes(), access, |_, created| created)? {
            Some(created) => roll.alive.push(Listed { token, created }),
            None => roll.gone.push(token),
        }
    }
    roll.alive.sort_by(|one, other| {
        one.created.at.cmp(&other.created.at).then_with(|| one.token.as_ref().cmp(other.token.as_ref()))
    });
    Ok(roll)
}

/// What has to leave the list so that a new session makes at most `limit`: the oldest sessions have to end.
pub fn beyond<S: Store>(store: &mut S, name: &[u8], index: &Name, limit: u32) -> Result<Roll<S::Value>, Error> {
    let others = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    if store.open(index.into(), Mode::Read).len() <= others {
        return Ok(Roll::default());
    }
    let mut roll = roll(store, name, index, Access::Read)?;
    roll.alive.truncate(roll.alive.len().saturating_sub(others));
    Ok(roll)
}

/// The index that a session is on, if it is a listed one.
pub fn of<K: Key>(key: &K, flags: Flags) -> Option<(Name, Name)> {
    let name = flags.listed.then(|| key.field(Meta::Name)).flatten()?;
    Some((keys::index(name.as_ref()), Name::from(name.as_ref())))
}
