//! The index of a name: a sorted set of the tokens of its listed sessions, by the expiry known at the last write.
//!
//! It is a help, never the truth: a session lives or not whatever the index says. What is stale in it is dropped or put
//! right by whoever writes to it next, a few members at a time, and it goes by itself with the last of its sessions.

use super::{Access, Key, Kind, Mode, Store, keys, sessions};
use crate::protocol::{Error, Status};
use crate::redis::{Bytes, Name};
use crate::session::{Flags, Meta, Millis, Token};
use crate::slot;

/// How many stale members one command puts right at most.
const HEALED: usize = 16;

/// What a name's index comes to once each of its members has been looked at.
#[derive(Default)]
pub struct Roll {
    /// The listed sessions that live, oldest first.
    pub alive: Vec<Name>,
    /// What is on the list for no reason any more.
    pub gone: Vec<Name>,
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
        Kind::Missing => Vec::new(),
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
    let checked: Vec<_> = others.map(|(member, _)| (find(store, name, member.as_ref()), member)).collect();
    let (mut gone, mut there) = (Vec::new(), vec![(token, score(expires))]);
    for (found, member) in &checked {
        match found {
            Ok(Some(session)) => there.push((member.as_ref().into(), score(session.expires))),
            Ok(None) => gone.push(Bytes::from(member.as_ref())),
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

/// A session as its index needs to know it.
struct Found {
    created: Millis,
    expires: Option<Millis>,
}

/// The session of this token, if it lives and is a listed one of this name.
fn find<S: Store>(store: &mut S, name: &[u8], token: &[u8]) -> Result<Option<Found>, Error> {
    if Token::parse(token).is_none() || slot::of(token) != slot::of(name) {
        return Ok(None);
    }
    store.permit(&[(token.into(), Access::Read)])?;
    let key = store.open(token.into(), Mode::Read);
    let missing = key.kind() == Kind::Missing;
    let listed = sessions::created(&key).filter(|created| created.flags.listed);
    let ours = listed.filter(|_| sessions::is_named(&key, name));
    let found = ours.map(|created| Found { created: created.at, expires: key.expires() });
    drop(key);
    if missing {
        store.absence_is_proof(token)?;
    }
    Ok(found)
}

/// Looks at every session that is on the list of a name.
pub fn roll<S: Store>(store: &mut S, name: &[u8], index: &Name) -> Result<Roll, Error> {
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
    let (mut alive, mut gone) = (Vec::with_capacity(listed.len()), Vec::new());
    for (token, _) in listed {
        let found = find(store, name, token.as_ref())?;
        let token = Name::from(token.as_ref());
        match found {
            Some(session) => alive.push((session.created, token)),
            None => gone.push(token),
        }
    }
    alive.sort_by(|one, other| (one.0, one.1.as_ref()).cmp(&(other.0, other.1.as_ref())));
    Ok(Roll { alive: alive.into_iter().map(|(_, token)| token).collect(), gone })
}

/// What has to leave the list so that a new session makes at most `limit`: the oldest sessions have to end.
pub fn beyond<S: Store>(store: &mut S, name: &[u8], index: &Name, limit: u32) -> Result<Roll, Error> {
    let others = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    if store.open(index.into(), Mode::Read).len() <= others {
        return Ok(Roll::default());
    }
    let mut roll = roll(store, name, index)?;
    roll.alive.truncate(roll.alive.len().saturating_sub(others));
    Ok(roll)
}

/// The index that a session is on, if it is a listed one.
pub fn of<K: Key>(key: &K, flags: Flags) -> Option<(Name, Name)> {
    let name = flags.listed.then(|| key.field(Meta::Name)).flatten()?;
    Some((keys::index(name.as_ref()), Name::from(name.as_ref())))
}
