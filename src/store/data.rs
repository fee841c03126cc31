//! A session's data: in the session's own hash or, for a session made with CLEAR, in a hash of its own.

use super::touch::Touch;
use super::{Access, Field, Key, KeyType, Store, WritableKey, keys, record};
use crate::redis::{Bytes, KeyName};
use sessions_core::session::{Meta, Seconds, meta};
use sessions_core::status::{Error, Status};

/// Reads a session's data.
pub fn read<S: Store, R>(store: &mut S, token: Bytes<'_>, read: impl FnOnce(&S::Key<'_>) -> R) -> Result<R, Error> {
    let (key, flags) = record::open(store, token)?;
    if !flags.clears {
        return Ok(read(&key));
    }
    drop(key);
    let data = keys::data_of(token)?;
    store.permit((&data).into(), Access::Read)?;
    let key = store.read((&data).into());
    match key.key_type() {
        KeyType::Hash => return Ok(read(&key)),
        KeyType::Missing => {}
        _ => return Err(wrong_type()),
    }
    drop(key);
    store.ensure_not_migrating(data.as_ref())?;
    Ok(read(&store.read((&data).into())))
}

/// Writes to a session's data, and touches the session.
pub fn write<S: Store, R>(
    store: &mut S,
    token: Bytes<'_>,
    write: impl FnOnce(&mut S::WritableKey<'_>) -> R,
) -> Result<R, Error> {
    let (mut key, flags) = record::open_to_write(store, token)?;
    let touch = Touch::of(&*key, flags);
    let clears_after = flags.clears.then(|| record::seconds(&*key, Meta::Duration)).flatten();
    let written = if clears_after.is_none() && touch.expires().is_none() {
        // The usual case needs no permission, and opens the key once.
        let written = write(&mut key);
        drop(key);
        written
    } else {
        drop(key);
        touch.permit(store)?;
        match clears_after {
            None => write(&mut store.write(token)),
            Some(duration) => write_expiring(store, &keys::data_of(token)?, duration, write)?,
        }
    };
    touch.apply(store, token);
    Ok(written)
}

/// Writes to data that has a key of its own. The first write to empty data sets when the data expires.
fn write_expiring<S: Store, R>(
    store: &mut S,
    data: &KeyName,
    duration: Seconds,
    write: impl FnOnce(&mut S::WritableKey<'_>) -> R,
) -> Result<R, Error> {
    store.permit(data.into(), Access::ReadWrite)?;
    let key_type = store.read(data.into()).key_type();
    match key_type {
        KeyType::Hash => {}
        KeyType::Missing => store.ensure_not_migrating(data.as_ref())?,
        _ => return Err(wrong_type()),
    }
    let mut key = store.write(data.into());
    let written = write(&mut key);
    if key.key_type() == KeyType::Hash && key.expires().is_none() {
        let at = key.now().after(duration);
        key.expire_at(at);
    }
    Ok(written)
}

/// The number of data fields in an open hash.
pub fn count<K: Key>(key: &K) -> usize {
    key.len() - Meta::ALL.into_iter().filter(|&meta| key.has(meta)).count()
}

/// The names of the data fields in an open hash.
pub fn fields<K: Key>(key: &K) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    key.each_field(&mut |field, _| {
        if !meta::is_reserved(field) {
            fields.push(field.to_vec());
        }
    });
    fields
}

/// Removes the data fields from an open hash. Returns how many there were.
pub fn clear<K: WritableKey>(key: &mut K) -> usize {
    let fields = fields(&**key);
    key.remove_fields(fields.iter().map(|field| Field::Data(field.as_slice().into())))
}

fn wrong_type() -> Error {
    Status::WrongType.because("the key of the session's data holds the wrong kind of value")
}
