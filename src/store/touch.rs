//! Touching a session: a new expiry for the session, its pointer and its place in the index.

use super::{Access, Key, Store, WritableKey, index, pointer, record};
use crate::redis::bytes::NameBytes;
use crate::redis::{Bytes, KeyName};
use crate::stats::Stat;
use sessions_core::session::{Flags, Meta, Millis, lifetime};
use sessions_core::status::Error;

/// What touching a session changes.
pub enum Touch {
    /// Nothing: the session has no idle time.
    NoIdleTime,
    /// Nothing: another touch was just before.
    Spared,
    Renewed(Renewal),
}

/// A session's new expiry, and the helper keys that follow it.
pub struct Renewal {
    expires: Millis,
    helpers: Helpers,
}

impl Touch {
    /// What touching an open session changes.
    pub fn of<K: Key>(key: &K, flags: Flags) -> Self {
        let Some(idle) = flags.idles.then(|| record::seconds(key, Meta::Idle)).flatten() else {
            return Self::NoIdleTime;
        };
        let limit = record::moment(key, Meta::Until);
        match lifetime::touched(idle, limit, key.expires(), key.now()) {
            Some(expires) => Self::Renewed(Renewal { expires, helpers: Helpers::of(key, flags) }),
            None => Self::Spared,
        }
    }

    /// The new expiry, if touching changes it.
    pub fn expires(&self) -> Option<Millis> {
        match self {
            Self::Renewed(renewal) => Some(renewal.expires),
            Self::NoIdleTime | Self::Spared => None,
        }
    }

    /// Asks for permission to the helper keys. Call this before anything is changed.
    pub fn permit<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        match self {
            Self::Renewed(renewal) => renewal.helpers.permit(store),
            Self::NoIdleTime | Self::Spared => Ok(()),
        }
    }

    /// Touches the session.
    pub fn apply<S: Store>(self, store: &mut S, token: Bytes<'_>) {
        match self {
            Self::NoIdleTime => {}
            Self::Spared => store.count(Stat::TouchesSpared),
            Self::Renewed(Renewal { expires, helpers }) => {
                store.count(Stat::TouchesWritten);
                store.write(token).expire_at(expires);
                helpers.renew(store, token, expires);
            }
        }
    }
}

/// The helper keys that have their session's expiry.
struct Helpers {
    pointer: Option<KeyName>,
    /// The index that lists the session, and the session's name.
    index: Option<(KeyName, NameBytes)>,
}

impl Helpers {
    fn of<K: Key>(key: &K, flags: Flags) -> Self {
        Self { pointer: pointer::of(key, flags), index: index::of(key, flags) }
    }

    fn permit<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let index = self.index.as_ref().map(|(index, _)| index);
        for helper in self.pointer.iter().chain(index) {
            store.permit(helper.into(), Access::ReadWrite)?;
        }
        Ok(())
    }

    /// Gives the helper keys their session's new expiry.
    fn renew<S: Store>(&self, store: &mut S, token: Bytes<'_>, expires: Millis) {
        if let Some(pointer) = &self.pointer {
            pointer::renew(store, token, pointer, Some(expires));
        }
        if let Some((index, name)) = &self.index {
            // If this fails, a later touch repairs the index.
            let _ = index::put(store, index, name, (token, Some(expires)), |_| false);
        }
    }

    /// Repairs what was lost or changed by hand. Writes nothing if all is right.
    fn repair<S: Store>(&self, store: &mut S, token: Bytes<'_>, expires: Option<Millis>) {
        if let Some(pointer) = &self.pointer {
            pointer::renew(store, token, pointer, expires);
        }
        if let Some((index, name)) = &self.index {
            index::repair(store, index, name, token, expires);
        }
    }
}

/// Touches a session and repairs its helper keys. Returns the session's expiry.
pub fn touch<S: Store>(store: &mut S, token: Bytes<'_>) -> Result<Option<Millis>, Error> {
    let (key, flags) = record::open(store, token)?;
    let touch = Touch::of(&key, flags);
    let expires = touch.expires().or(key.expires());
    // A renewal writes the helper keys anyway.
    let unrenewed = match touch {
        Touch::Renewed(_) => None,
        Touch::NoIdleTime | Touch::Spared => Some(Helpers::of(&key, flags)),
    };
    drop(key);
    touch.permit(store)?;
    if let Some(helpers) = &unrenewed {
        helpers.permit(store)?;
    }
    touch.apply(store, token);
    if let Some(helpers) = unrenewed {
        helpers.repair(store, token, expires);
    }
    Ok(expires)
}
