//! The credentials of a session, as its hash tells of them: which kind, and how far they were rotated.

use super::{Field, Key, KeyType, Store, WritableKey, sessions};
use crate::protocol::{Error, Status};
use crate::redis::Bytes;
use sessions_core::credentials::{Payload, Sealed};
use sessions_core::credentials::{Ring, issue::SessionView};
use sessions_core::session::meta::Decimal;
use sessions_core::session::rotation::Rotated;
use sessions_core::session::{Created, Credentials, Flags, Meta, Millis, Token};
use smallvec::SmallVec;

/// What a session's hash says of its credentials.
pub struct Grant {
    pub name: String,
    pub kind: Credentials,
    pub rotated: Rotated,
    pub payload: Payload,
    pub expires: Option<Millis>,
    pub flags: Flags,
    /// The moment that touching never goes beyond.
    pub limit: Option<Millis>,
}

impl Grant {
    /// The credentials of an open session; `None` if it was made without any.
    fn of<K: Key>(key: &K) -> Result<Option<Self>, Error> {
        let text = |meta| key.field(meta).and_then(|field| String::from_utf8(field.as_ref().to_vec()).ok());
        let (Some(kind), Some(name)) = (text(Meta::Kind), text(Meta::Name)) else { return Ok(None) };
        let Some(kind) = Credentials::of_word(&kind) else { return Ok(None) };
        let generation = generation(key)?;
        let Some(Created { flags, .. }) = sessions::created(key) else { return Ok(None) };
        Ok(Some(Self {
            name,
            kind,
            rotated: Rotated { generation, at: sessions::number(key, Meta::Rotated).map(Millis) },
            payload: payload(key)?,
            expires: key.expires(),
            flags,
            limit: if flags.idles { sessions::number(key, Meta::Until).map(Millis) } else { key.expires() },
        }))
    }

    /// The session, as its credentials speak of it.
    pub fn view(self, token: Token<'_>) -> SessionView {
        SessionView {
            handle: String::from_utf8_lossy(token.as_bytes()).into_owned(),
            user_id: self.name,
            payload: self.payload,
        }
    }
}

/// How often an open session's sealed token was rotated. Anyone with access to the key could have written the field: a
/// number that no rotation leads to must not pass for another one.
fn generation<K: Key>(key: &K) -> Result<u32, Error> {
    let Some(text) = key.field(Meta::Gen) else { return Ok(0) };
    let number = std::str::from_utf8(text.as_ref()).ok().and_then(|text| text.parse().ok());
    number
        .ok_or_else(|| Status::GeneralError.because("the session's .gen is not one that SH.REFRESH would have stored"))
}

/// The payload of an open session. It is checked again: anyone with access to the key could have written it.
pub fn payload<K: Key>(key: &K) -> Result<Payload, Error> {
    let damaged =
        |_| Status::GeneralError.because("the session's .payload is not one that SH.PAYLOAD would have stored");
    key.field(Meta::Payload)
        .map_or(Ok(Payload::default()), |text| Payload::parse(text.as_ref(), usize::MAX).map_err(damaged))
}

/// What a credential is worth for which nothing is there: nothing. On a replica it may only not have arrived yet.
pub fn worthless<S: Store>(store: &S) -> Error {
    if store.is_replica() { Error::try_refresh_token() } else { Error::unauthorised() }
}

/// The credentials of a session whose credential was found to be genuine. That the session is gone, or is another kind
/// of thing by now, makes the credential worthless.
pub fn find<S: Store>(store: &mut S, token: Bytes<'_>) -> Result<Grant, Error> {
    find_and(store, token, |_, _| ()).map(|(grant, ())| grant)
}

/// The same, with what there is to see of the session while it is open.
pub fn find_and<S: Store, R>(
    store: &mut S,
    token: Bytes<'_>,
    see: impl FnOnce(&S::Key<'_>, Flags) -> R,
) -> Result<(Grant, R), Error> {
    let key = store.read(token);
    let grant = match key.key_type() {
        KeyType::Hash => Grant::of(&key)?,
        _ => None,
    };
    let found = grant.map(|grant| {
        let seen = see(&key, grant.flags);
        (grant, seen)
    });
    drop(key);
    found.ok_or_else(|| worthless(store))
}

/// Stores that a session has moved on. Without the moment of the rotation the generation before has no grace period.
pub fn move_on<S: Store>(store: &mut S, token: Bytes<'_>, rotated: Rotated) {
    let generation = (Meta::Gen, Decimal::from(u64::from(rotated.generation)));
    let at = rotated.at.map(|at| (Meta::Rotated, Decimal::from(at.0)));
    let fields: SmallVec<[_; 2]> = [generation].into_iter().chain(at).collect();
    let mut key = store.write(token);
    key.set_fields(fields.iter().map(|(meta, value)| (Field::Meta(*meta), value.as_ref().into())));
    if rotated.at.is_none() {
        key.remove_fields([Field::Meta(Meta::Rotated)]);
    }
}

/// The generation of a sealed token of this session, and its kind, if it is one of these kinds and genuine.
pub fn open_sealed(
    ring: &Ring,
    kinds: &[Credentials],
    token: Token<'_>,
    presented: &[u8],
    bind: Option<&[u8]>,
) -> Option<(Credentials, u32)> {
    let sealed = Sealed::parse(presented)?;
    kinds.iter().find_map(|&kind| Some((kind, sealed.open(ring, kind, token, bind)?)))
}
