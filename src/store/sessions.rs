//! Sessions in a store: which keys belong to one, and what changes together.

use super::{Access, Field, Key, KeyType, Store, Stored, WritableKey, filing, index, keys};
use crate::protocol::{Error, Status};
use crate::redis::{Bytes, Name};
use crate::stats::Stat;
use sessions_core::session::{Created, Flags, Meta, Millis, Seconds, Token, lifetime, meta};

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

/// When an open session was created, and as what; `None` if it is no session.
pub fn created<K: Key>(key: &K) -> Option<Created> {
    key.field(Meta::Created).and_then(|text| Created::parse(text.as_ref()))
}

/// Whether an open session has this name.
pub fn is_named<K: Key>(key: &K, name: &[u8]) -> bool {
    key.field(Meta::Name).is_some_and(|field| field.as_ref() == name)
}

/// A metadata field that holds a number, if it is there and does.
pub fn number<K: Key>(key: &K, meta: Meta) -> Option<u64> {
    let value = key.field(meta)?;
    std::str::from_utf8(value.as_ref()).ok()?.parse().ok()
}

/// A metadata field that holds a duration in seconds.
pub fn seconds<K: Key>(key: &K, meta: Meta) -> Option<Seconds> {
    number(key, meta).and_then(|number| u32::try_from(number).ok()).map(Seconds)
}

/// The number of data fields in a session's hash or in that of its data.
pub fn count<K: Key>(key: &K) -> usize {
    key.len() - Meta::ALL.into_iter().filter(|&meta| key.has(meta)).count()
}

/// The session that a name's pointer leads to, as long as it lives and is the shared session of that name.
///
/// Permission to read the pointer's key is the caller's to ask for; that of the session is asked for here.
pub fn shared<S: Store>(store: &mut S, name: &[u8], pointer: &Name) -> Result<Option<S::Value>, Error> {
    let key = store.read(pointer.into());
    let found = match key.key_type() {
        KeyType::Missing => None,
        KeyType::String => key.string(),
        _ => {
            return Err(Status::WrongType.because("the key of the shared session's name holds the wrong kind of value"));
        }
    };
    drop(key);
    let Some(found) = found else {
        store.absence_is_proof(pointer.as_ref())?;
        return Ok(None);
    };
    if Token::parse(found.as_ref()).is_none() || !filing::are_together(store, found.as_ref(), name) {
        return Ok(None);
    }
    store.permit(found.bytes(), Access::Read)?;
    let session = store.read(found.bytes());
    if session.key_type() == KeyType::Missing {
        drop(session);
        store.absence_is_proof(found.as_ref())?;
        return Ok(None);
    }
    let lives = is_named(&session, name) && created(&session).is_some_and(|created| created.flags.shared);
    drop(session);
    Ok(lives.then_some(found))
}

/// What touching a session comes to.
pub enum Touch {
    /// It has no idle time.
    Nothing,
    /// It was touched just before.
    Spared,
    Renewed(Renewal),
}

/// A session's new expiry, and what has to follow it.
pub struct Renewal {
    expires: Millis,
    /// The key of the pointer that lives as long as the session.
    pointer: Option<Name>,
    /// The index that knows when the session expires, and the name it is of.
    index: Option<(Name, Name)>,
}

impl Touch {
    /// What touching an open session comes to.
    pub fn of<K: Key>(key: &K, flags: Flags) -> Self {
        let Some(idle) = flags.idles.then(|| seconds(key, Meta::Idle)).flatten() else { return Self::Nothing };
        let until = number(key, Meta::Until).map(Millis);
        match lifetime::touched(idle, until, key.expires(), key.now()) {
            None => Self::Spared,
            Some(expires) => {
                Self::Renewed(Renewal { expires, pointer: pointer_of(key, flags), index: index::of(key, flags) })
            }
        }
    }

    /// When the session expires from then on, if that changes.
    pub fn expires(&self) -> Option<Millis> {
        match self {
            Self::Renewed(renewal) => Some(renewal.expires),
            Self::Nothing | Self::Spared => None,
        }
    }

    pub fn permit<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let Self::Renewed(renewal) = self else { return Ok(()) };
        for derived in renewal.pointer.iter().chain(renewal.index.as_ref().map(|(index, _)| index)) {
            store.permit(derived.into(), Access::ReadWrite)?;
        }
        Ok(())
    }

    pub fn apply<S: Store>(self, store: &mut S, token: Bytes<'_>) {
        let renewal = match self {
            Self::Nothing => return,
            Self::Spared => return store.count(Stat::TouchesSpared),
            Self::Renewed(renewal) => renewal,
        };
        store.count(Stat::TouchesWritten);
        store.write(token).expire_at(renewal.expires);
        if let Some(pointer) = &renewal.pointer {
            settle_pointer(store, token, pointer, Some(renewal.expires));
        }
        if let Some((index, name)) = &renewal.index {
            // An index that cannot be written to now heals later.
            let _ = index::put(store, index, name.as_ref(), (token, Some(renewal.expires)), |_| false);
        }
    }
}

/// The key of the pointer to an open session, if it is a shared one.
fn pointer_of<K: Key>(key: &K, flags: Flags) -> Option<Name> {
    let name = flags.shared.then(|| filing::name_of(key)).flatten()?;
    Some(keys::shared(name.as_ref()))
}

/// Makes the pointer to a session live as long as the session. One that was evicted, or deleted by hand, is made again,
/// unless it may still be on its way from another node.
fn settle_pointer<S: Store>(store: &mut S, token: Bytes<'_>, pointer: &Name, expires: Option<Millis>) {
    let mut key = store.write(pointer.into());
    match key.key_type() {
        KeyType::String if key.string().is_some_and(|own| own.as_ref() == token.as_bytes()) => {
            if let Some(at) = expires.filter(|_| key.expires() != expires) {
                key.expire_at(at);
            }
        }
        KeyType::Missing => {
            drop(key);
            if store.absence_is_proof(pointer.as_ref()).is_ok() {
                store.write(pointer.into()).set_string(token, expires);
            }
        }
        // Another session's by now, or somebody else's altogether.
        _ => {}
    }
}

/// Touches a session, and puts right what others should know of it. Answers when it expires.
pub fn touch<S: Store>(store: &mut S, token: Bytes<'_>) -> Result<Option<Millis>, Error> {
    let (key, flags) = open(store, token)?;
    let touch = Touch::of(&key, flags);
    let expires = touch.expires().or(key.expires());
    // Where the touch itself changes nothing: this is how a lost pointer heals, and a lost place on the list.
    let (pointer, index) = match touch {
        Touch::Renewed(_) => (None, None),
        Touch::Nothing | Touch::Spared => (pointer_of(&key, flags), index::of(&key, flags)),
    };
    drop(key);
    touch.permit(store)?;
    for derived in pointer.iter().chain(index.as_ref().map(|(index, _)| index)) {
        store.permit(derived.into(), Access::ReadWrite)?;
    }
    touch.apply(store, token);
    if let Some(pointer) = &pointer {
        settle_pointer(store, token, pointer, expires);
    }
    if let Some((index, name)) = &index {
        index::heal(store, index, name.as_ref(), token, expires);
    }
    Ok(expires)
}

/// Reads a session's data, which is in its own hash or, if it was made with CLEAR, in the hash beside it.
pub fn read_data<S: Store, R>(
    store: &mut S,
    token: Bytes<'_>,
    read: impl FnOnce(&S::Key<'_>) -> R,
) -> Result<R, Error> {
    let (key, flags) = open(store, token)?;
    if !flags.clears {
        return Ok(read(&key));
    }
    drop(key);
    let data = data_key(token)?;
    store.permit((&data).into(), Access::Read)?;
    let key = store.read((&data).into());
    match key.key_type() {
        KeyType::Hash => return Ok(read(&key)),
        KeyType::Missing => {}
        _ => return Err(wrong_data()),
    }
    drop(key);
    store.absence_is_proof(data.as_ref())?;
    Ok(read(&store.read((&data).into())))
}

/// Writes to a session's data, and touches the session.
pub fn write_data<S: Store, R>(
    store: &mut S,
    token: Bytes<'_>,
    write: impl FnOnce(&mut S::WritableKey<'_>) -> R,
) -> Result<R, Error> {
    let (mut key, flags) = open_to_write(store, token)?;
    let touch = Touch::of(&*key, flags);
    let clears_after = flags.clears.then(|| seconds(&*key, Meta::Duration)).flatten();
    let written = if clears_after.is_none() && touch.expires().is_none() {
        let written = write(&mut key);
        drop(key);
        written
    } else {
        drop(key);
        touch.permit(store)?;
        match clears_after {
            None => write(&mut store.write(token)),
            Some(duration) => write_clearing(store, &data_key(token)?, duration, write)?,
        }
    };
    touch.apply(store, token);
    Ok(written)
}

/// Writes to data that goes by itself: the first write to empty data says when.
fn write_clearing<S: Store, R>(
    store: &mut S,
    data: &Name,
    duration: Seconds,
    write: impl FnOnce(&mut S::WritableKey<'_>) -> R,
) -> Result<R, Error> {
    store.permit(data.into(), Access::ReadWrite)?;
    let kind = store.read(data.into()).key_type();
    match kind {
        KeyType::Hash => {}
        KeyType::Missing => store.absence_is_proof(data.as_ref())?,
        _ => return Err(wrong_data()),
    }
    let mut key = store.write(data.into());
    let written = write(&mut key);
    if key.key_type() == KeyType::Hash && key.expires().is_none() {
        let at = key.now().after(duration);
        key.expire_at(at);
    }
    Ok(written)
}

/// Removes all data fields. Answers how many there were.
pub fn clear<K: WritableKey>(key: &mut K) -> usize {
    let fields = data_fields(&**key);
    key.remove_fields(fields.iter().map(|field| Field::Data(field.as_slice().into())))
}

/// The names of all data fields.
pub fn data_fields<K: Key>(key: &K) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    key.each_field(&mut |field, _| {
        if !meta::is_reserved(field) {
            fields.push(field.to_vec());
        }
    });
    fields
}

pub fn data_key(token: Bytes<'_>) -> Result<Name, Error> {
    Token::parse(token.as_bytes()).map(keys::data).ok_or_else(Error::not_a_session)
}

fn wrong_data() -> Error {
    Status::WrongType.because("the key of the session's data holds the wrong kind of value")
}
