//! The keys of the database that a command runs on.
//!
//! They come from `sh.secret-file` or, without one, from a secret that the database keeps itself.

use super::{Key, KeyType, Store, WritableKey};
use crate::protocol::{Error, Status};
use crate::redis::Bytes;
use crate::settings::Settings;
use sessions_core::credentials::Ring;
use sessions_core::credentials::secret::Secret;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Where a database keeps its generated secret: outside `sh:*`, so that no application user can read it.
pub const SECRET_KEY: &[u8] = b"redis-sessions:secret";

/// The keys made last for a database, and what they were made of.
struct Made {
    secrets: Vec<Secret>,
    settings: (sessions_core::credentials::Algorithm, u32, u32),
    ring: Rc<Ring>,
}

thread_local! {
    static MADE: RefCell<HashMap<u32, Made>> = RefCell::default();
}

/// A secret that was just made, or evicted, and is in no key yet.
#[must_use]
pub struct NewSecret(Vec<u8>);

impl NewSecret {
    pub fn keep<S: Store>(self, store: &mut S) {
        store.write(SECRET_KEY.into()).set_string(Bytes::from(self.0.as_slice()), None);
    }
}

/// The keys to mint credentials with. The first command that needs them makes the secret, and keeps it once nothing can
/// be refused any more.
pub fn minting<S: Store>(store: &mut S, settings: &Settings) -> Result<(Rc<Ring>, Option<NewSecret>), Error> {
    if let Some(ring) = verifying(store, settings)? {
        let evicted = settings.secrets.is_none().then(|| store.evicted_secret()).flatten();
        return Ok((ring, evicted.map(NewSecret)));
    }
    let new = NewSecret(store.new_secret().into_bytes());
    let secret = Secret::new(&new.0).ok_or_else(unreadable)?;
    Ok((ring(store.database(), &[secret], settings), Some(new)))
}

/// The keys to verify credentials with; none, as long as none was ever minted. In a cluster each node would make a secret
/// of its own, and one without the file would log out whoever came to it.
pub fn verifying<S: Store>(store: &mut S, settings: &Settings) -> Result<Option<Rc<Ring>>, Error> {
    if let Some(file) = &settings.secrets {
        return Ok(Some(ring(store.database(), file, settings)));
    }
    if store.is_cluster() {
        return Err(Status::GeneralError.because("in a cluster credentials need sh.secret-file, the same on all nodes"));
    }
    // Opened each time, so that it is never the key that was not used for longest.
    let key = store.read(SECRET_KEY.into());
    let there = match key.key_type() {
        KeyType::Missing => None,
        _ => Some(key.string().and_then(|text| Secret::new(text.as_ref())).ok_or_else(unreadable)?),
    };
    drop(key);
    let secret = match there {
        Some(secret) => secret,
        // One that was evicted is missing for a moment, and was made all the same.
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

fn ring(database: u32, secrets: &[Secret], settings: &Settings) -> Rc<Ring> {
    let inputs = (settings.algorithm, settings.key_rotation.0, settings.policy.access_validity.0);
    MADE.with_borrow_mut(|made| {
        if let Some(made) = made.get(&database)
            && made.secrets == secrets
            && made.settings == inputs
        {
            return made.ring.clone();
        }
        let ring =
            Ring::new(secrets, database, settings.algorithm, settings.key_rotation, settings.policy.access_validity);
        let ring = Rc::new(ring);
        made.insert(database, Made { secrets: secrets.to_vec(), settings: inputs, ring: ring.clone() });
        ring
    })
}

/// The keys of database 0, for INFO: those of the file, or those that the last command made of the generated secret.
pub fn known(settings: &Settings) -> Option<Rc<Ring>> {
    if let Some(file) = &settings.secrets {
        return Some(ring(0, file, settings));
    }
    MADE.with_borrow(|made| made.get(&0).map(|made| made.ring.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    #[test]
    fn a_secret_that_was_evicted_is_used_and_kept_again_by_the_first_that_may_write() {
        let text = b"a-secret-that-was-evicted-of-more-than-32-bytes".to_vec();
        let mut store = Memory { evicted_secret: Some(text.clone()), ..Memory::default() };
        let settings = Settings::default();
        let verifying = verifying(&mut store, &settings).expect("a secret").expect("one that was made");
        assert!(store.entries.is_empty(), "who only reads writes nothing");
        let (minting, again) = minting(&mut store, &settings).expect("a secret");
        assert_eq!(minting.fingerprint(), verifying.fingerprint());
        again.expect("what is to be kept").keep(&mut store);
        assert_eq!(store.read(SECRET_KEY.into()).string(), Some(text));
    }

    #[test]
    fn with_a_file_a_secret_that_was_evicted_stays_away() {
        let secret = Secret::new(&[7; 32]).expect("a secret");
        let mut settings = Settings::default();
        settings.secrets = Some(std::sync::Arc::new(vec![secret]));
        let mut store = Memory { evicted_secret: Some(vec![b'a'; 40]), ..Memory::default() };
        assert!(minting(&mut store, &settings).expect("a secret").1.is_none());
    }
}
