//! The pointer of a name: a string key that holds the token of the name's shared session.

use super::{Access, Key, KeyType, Store, Stored, WritableKey, filing, keys, record};
use crate::redis::{Bytes, KeyName};
use sessions_core::session::{Flags, Millis};
use sessions_core::status::{Error, Status};

/// The key of the pointer to an open session, if the session is shared.
pub fn of<K: Key>(key: &K, flags: Flags) -> Option<KeyName> {
    let name = flags.shared.then(|| filing::name_of(key)).flatten()?;
    Some(keys::shared(name.as_ref()))
}

/// The token of the name's shared session, if that session lives.
///
/// The caller asks for permission to read the pointer; this asks for permission to read the session.
pub fn follow<S: Store>(store: &mut S, name: &[u8], pointer: &KeyName) -> Result<Option<S::Value>, Error> {
    let key = store.read(pointer.into());
    let token = match key.key_type() {
        KeyType::String => key.string(),
        KeyType::Missing => None,
        _ => {
            return Err(Status::WrongType.because("the key of the shared session's name holds the wrong kind of value"));
        }
    };
    drop(key);
    let Some(token) = token else {
        store.ensure_not_migrating(pointer.as_ref())?;
        return Ok(None);
    };
    let is_shared = record::of_name(store, name, token.bytes(), Access::Read, |_, created| created.flags.shared)?;
    Ok((is_shared == Some(true)).then_some(token))
}

/// Gives the pointer the expiry of its session. Writes the pointer again if it is missing, for example after an eviction:
/// unless the slot is being migrated, because then the pointer may still be on the other node.
pub fn renew<S: Store>(store: &mut S, token: Bytes<'_>, pointer: &KeyName, expires: Option<Millis>) {
    let mut key = store.write(pointer.into());
    match key.key_type() {
        KeyType::String if key.string().is_some_and(|own| own.as_ref() == token.as_bytes()) => {
            if let Some(at) = expires.filter(|_| key.expires() != expires) {
                key.expire_at(at);
            }
        }
        KeyType::Missing => {
            drop(key);
            if store.ensure_not_migrating(pointer.as_ref()).is_ok() {
                store.write(pointer.into()).set_string(token, expires);
            }
        }
        // The name has another shared session now, or the key holds something that is not the module's.
        _ => {}
    }
}
