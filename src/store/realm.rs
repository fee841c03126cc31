//! The signing and sealing keys of the database that a command runs on.
//!
//! They are derived from the secrets of `sh.secret-file` or, without that file, from a secret that the database stores.

use super::{Key, KeyType, Store, WritableKey};
use crate::redis::Bytes;
use crate::settings::Settings;
use sessions_core::credentials::secret::Secret;
use sessions_core::credentials::{Algorithm, Ring};
use sessions_core::status::{Error, Status};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The key of a database's generated secret: outside `sh:*`, so that no application user can read it.
pub const SECRET_KEY: &[u8] = b"redis-sessions:secret";

/// Whether the server may evict a generated secret: only these policies evict a key without an expiry, and a cluster
/// generates no secret.
pub fn secret_can_be_evicted(maxmemory_policy: &str, is_cluster: bool) -> bool {
    maxmemory_policy.starts_with("allkeys-") && !is_cluster
}

/// The keys that were last derived for a database, and what they were derived from.
struct Derived {
    secrets: Vec<Secret>,
    settings: (Algorithm, u32, u32),
    ring: Rc<Ring>,
}

thread_local! {
    static DERIVED: RefCell<HashMap<u32, Derived>> = RefCell::default();
}

/// A secret that no key holds: it was just generated, or its key was evicted.
#[must_use]
pub struct NewSecret(Vec<u8>);

impl NewSecret {
    /// Writes the secret to its key.
    pub fn keep<S: Store>(self, store: &mut S) {
        store.write(SECRET_KEY.into()).set_string(Bytes::from(self.0.as_slice()), None);
    }
}

/// The keys to issue credentials with. The first command that needs them generates the secret. It writes the secret with
/// [`NewSecret::keep`] after its last check, because an error changes nothing.
pub fn minting<S: Store>(store: &mut S, settings: &Settings) -> Result<(Rc<Ring>, Option<NewSecret>), Error> {
    if let Some(ring) = verifying(store, settings)? {
        let evicted = settings.secrets.is_none().then(|| store.evicted_secret()).flatten();
        return Ok((ring, evicted.map(NewSecret)));
    }
    let new = NewSecret(store.new_secret().into_bytes());
    let secret = Secret::new(&new.0).ok_or_else(unreadable)?;
    Ok((ring(store.database(), &[secret], settings), Some(new)))
}

/// The keys to verify credentials with. `None` if no credential was ever issued. In a cluster this needs the file: nodes
/// with generated secrets would each refuse the credentials of the other nodes.
pub fn verifying<S: Store>(store: &mut S, settings: &Settings) -> Result<Option<Rc<Ring>>, Error> {
    if let Some(file) = &settings.secrets {
        return Ok(Some(ring(store.database(), file, settings)));
    }
    if store.is_cluster() {
        return Err(Status::GeneralError.because("in a cluster credentials need sh.secret-file, the same on all nodes"));
    }
    // Read each time, so that an LRU policy does not take the key for unused.
    let key = store.read(SECRET_KEY.into());
    let stored = match key.key_type() {
        KeyType::Missing => None,
        _ => Some(key.string().and_then(|text| Secret::new(text.as_ref())).ok_or_else(unreadable)?),
    };
    drop(key);
    let secret = match stored {
        Some(secret) => secret,
        // After an eviction the key is missing until the module writes it again.
        None => match store.evicted_secret() {
            Some(text) => Secret::new(&text).ok_or_else(unreadable)?,
            None => return Ok(None),
        },
    };
    Ok(Some(ring(store.database(), &[secret], settings)))
}

fn unreadable() -> Error {
    Status::GeneralError.because("the key redis-sessions:secret does not hold a secret of at least 32 bytes")
}

/// The keys for these secrets and settings, derived again only if one of them changed.
fn ring(database: u32, secrets: &[Secret], settings: &Settings) -> Rc<Ring> {
    let inputs = (settings.algorithm, settings.key_rotation.0, settings.policy.access_validity.0);
    DERIVED.with_borrow_mut(|derived| {
        if let Some(derived) = derived.get(&database)
            && derived.secrets == secrets
            && derived.settings == inputs
        {
            return derived.ring.clone();
        }
        let ring =
            Ring::new(secrets, database, settings.algorithm, settings.key_rotation, settings.policy.access_validity);
        let ring = Rc::new(ring);
        derived.insert(database, Derived { secrets: secrets.to_vec(), settings: inputs, ring: ring.clone() });
        ring
    })
}

/// The keys of database 0, for INFO: those of the file, or those that a command last derived from the generated secret.
pub fn known(settings: &Settings) -> Option<Rc<Ring>> {
    if let Some(file) = &settings.secrets {
        return Some(ring(0, file, settings));
    }
    DERIVED.with_borrow(|derived| derived.get(&0).map(|derived| derived.ring.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    #[test]
    fn an_evicted_secret_is_used_at_once_and_written_again_by_the_next_command_that_writes() {
        let text = b"a-secret-that-was-evicted-of-more-than-32-bytes".to_vec();
        let mut store = Memory { evicted_secret: Some(text.clone()), ..Memory::default() };
        let settings = Settings::default();
        let verifying = verifying(&mut store, &settings).expect("a secret").expect("a ring");
        assert!(store.entries.is_empty(), "verifying writes nothing");
        let (minting, again) = minting(&mut store, &settings).expect("a secret");
        assert_eq!(minting.fingerprint(), verifying.fingerprint());
        again.expect("the evicted secret").keep(&mut store);
        assert_eq!(store.read(SECRET_KEY.into()).string(), Some(text));
    }

    #[test]
    fn with_a_secret_file_an_evicted_secret_is_not_written_again() {
        let secret = Secret::new(&[7; 32]).expect("a secret");
        let mut settings = Settings::default();
        settings.secrets = Some(std::sync::Arc::new(vec![secret]));
        let mut store = Memory { evicted_secret: Some(vec![b'a'; 40]), ..Memory::default() };
        assert!(minting(&mut store, &settings).expect("a secret").1.is_none());
    }
}
