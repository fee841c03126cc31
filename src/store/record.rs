//! Reading a session's hash: its metadata fields, and whether it is the session that a helper key promises.

use super::{Access, Key, KeyType, Store, filing};
use crate::redis::Bytes;
use sessions_core::number;
use sessions_core::session::{Created, Flags, Meta, Millis, Seconds, Token};
use sessions_core::status::Error;
use std::str::FromStr;

/// Opens a session for reading. Fails if it does not exist.
pub fn open<'s, S: Store>(store: &'s mut S, token: Bytes<'s>) -> Result<(S::Key<'s>, Flags), Error> {
    let key = store.read(token);
    let flags = flags(&key)?;
    Ok((key, flags))
}

/// Opens a session for reading and writing. Fails if it does not exist.
pub fn open_to_write<'s, S: Store>(store: &'s mut S, token: Bytes<'s>) -> Result<(S::WritableKey<'s>, Flags), Error> {
    let key = store.write(token);
    let flags = flags(&*key)?;
    Ok((key, flags))
}

/// The flags of an open session. Fails if the key is missing, or is no session.
fn flags<K: Key>(key: &K) -> Result<Flags, Error> {
    if key.key_type() == KeyType::Missing {
        return Err(Error::no_session());
    }
    created(key).map(|created| created.flags).ok_or_else(Error::not_a_session)
}

/// When an open session was created, and with which flags. `None` if the key holds no session.
pub fn created<K: Key>(key: &K) -> Option<Created> {
    key.field(Meta::Created).and_then(|text| Created::parse(text.as_ref()))
}

/// Whether an open session has this name.
pub fn is_named<K: Key>(key: &K, name: &[u8]) -> bool {
    key.field(Meta::Name).is_some_and(|field| field.as_ref() == name)
}

/// The number in a metadata field. `None` if the field is missing or holds no number.
pub fn number<K: Key, N: FromStr>(key: &K, meta: Meta) -> Option<N> {
    key.field(meta).and_then(|text| number::of_digits(text.as_ref()))
}

/// The duration in a metadata field.
pub fn seconds<K: Key>(key: &K, meta: Meta) -> Option<Seconds> {
    number(key, meta).map(Seconds)
}

/// The moment in a metadata field.
pub fn moment<K: Key>(key: &K, meta: Meta) -> Option<Millis> {
    number(key, meta).map(Millis)
}

/// Reads the session that a helper key of `name` promises. `None` if no session of that name lives under this token.
///
/// The helper key may be stale, or written by hand. So this asks for permission to the session's key, and fails if the slot
/// is being migrated and the session may be on the other node.
pub fn of_name<S: Store, R>(
    store: &mut S,
    name: &[u8],
    token: Bytes<'_>,
    access: Access,
    read: impl FnOnce(&S::Key<'_>, Created) -> R,
) -> Result<Option<R>, Error> {
    if Token::parse(&token).is_none() || !filing::are_together(store, &token, name) {
        return Ok(None);
    }
    store.permit(token, access)?;
    let key = store.read(token);
    if key.key_type() == KeyType::Missing {
        drop(key);
        store.ensure_not_migrating(&token)?;
        return Ok(None);
    }
    let created = created(&key).filter(|_| is_named(&key, name));
    Ok(created.map(|created| read(&key, created)))
}
