//! The credentials of a session, as its hash describes them: their kind, and how often they were rotated.

use super::{Field, Key, KeyType, Store, WritableKey, record};
use crate::redis::Bytes;
use sessions_core::credentials::issue::SessionView;
use sessions_core::credentials::{Payload, Ring, Sealed};
use sessions_core::number;
use sessions_core::session::meta::Decimal;
use sessions_core::session::rotation::Rotated;
use sessions_core::session::{Created, Credentials, Flags, Meta, Millis, Token};
use sessions_core::status::{Error, Status};
use smallvec::SmallVec;

/// The metadata of a session that its credentials depend on.
pub struct Grant {
    pub name: String,
    pub kind: Credentials,
    pub rotated: Rotated,
    pub payload: Payload,
    pub expires: Option<Millis>,
    pub flags: Flags,
    /// No touch moves the expiry beyond this moment.
    pub limit: Option<Millis>,
}

impl Grant {
    /// The grant of an open session. `None` if the session has no credentials.
    fn of<K: Key>(key: &K) -> Result<Option<Self>, Error> {
        let text = |meta| key.field(meta).and_then(|field| String::from_utf8(field.as_ref().to_vec()).ok());
        let (Some(kind), Some(name)) = (text(Meta::Kind), text(Meta::Name)) else { return Ok(None) };
        let Some(kind) = Credentials::of_word(&kind) else { return Ok(None) };
        let generation = generation(key)?;
        let Some(Created { flags, .. }) = record::created(key) else { return Ok(None) };
        Ok(Some(Self {
            name,
            kind,
            rotated: Rotated { generation, at: record::moment(key, Meta::Rotated) },
            payload: payload(key)?,
            expires: key.expires(),
            flags,
            limit: if flags.idles { record::moment(key, Meta::Until) } else { key.expires() },
        }))
    }

    /// The session, as replies about credentials show it.
    pub fn view(self, token: Token<'_>) -> SessionView {
        SessionView {
            handle: String::from_utf8_lossy(token.as_bytes()).into_owned(),
            user_id: self.name,
            payload: self.payload,
        }
    }
}

/// How often an open session's sealed token was rotated. Fails if the field holds no number: with another number in its
/// place, an old token could become valid again.
fn generation<K: Key>(key: &K) -> Result<u32, Error> {
    let Some(text) = key.field(Meta::Gen) else { return Ok(0) };
    number::of_digits(text.as_ref())
        .ok_or_else(|| Status::GeneralError.because("the session's .gen is not one that SH.REFRESH would have stored"))
}

/// The payload of an open session. This checks it again, because anyone with access to the key could have written it.
pub fn payload<K: Key>(key: &K) -> Result<Payload, Error> {
    let damaged =
        |_| Status::GeneralError.because("the session's .payload is not one that SH.PAYLOAD would have stored");
    key.field(Meta::Payload)
        .map_or(Ok(Payload::default()), |text| Payload::parse(text.as_ref(), usize::MAX).map_err(damaged))
}

/// Replaces the payload of an open session.
pub fn set_payload<K: WritableKey>(key: &mut K, payload: &Payload) {
    key.set_field(Meta::Payload, payload.as_str().as_bytes());
}

/// The error for a credential without a session. On a replica the session may only not have arrived yet.
pub fn no_session<S: Store>(store: &S) -> Error {
    if store.is_replica() { Error::try_refresh_token() } else { Error::unauthorised() }
}

/// The grant of the session that a genuine credential names. Fails if there is no such session with credentials.
pub fn find<S: Store>(store: &mut S, token: Bytes<'_>) -> Result<Grant, Error> {
    find_with(store, token, |_, _| ()).map(|(grant, ())| grant)
}

/// As [`find`], and also reads what else the caller needs while the session is open.
pub fn find_with<S: Store, R>(
    store: &mut S,
    token: Bytes<'_>,
    read: impl FnOnce(&S::Key<'_>, Flags) -> R,
) -> Result<(Grant, R), Error> {
    let key = store.read(token);
    let grant = match key.key_type() {
        KeyType::Hash => Grant::of(&key)?,
        _ => None,
    };
    let found = grant.map(|grant| {
        let more = read(&key, grant.flags);
        (grant, more)
    });
    drop(key);
    found.ok_or_else(|| no_session(store))
}

/// Stores a rotation. Without its moment, the previous generation has no grace period.
pub fn store_rotation<S: Store>(store: &mut S, token: Bytes<'_>, rotated: Rotated) {
    let generation = (Meta::Gen, Decimal::from(u64::from(rotated.generation)));
    let at = rotated.at.map(|at| (Meta::Rotated, Decimal::from(at.0)));
    let fields: SmallVec<[_; 2]> = [generation].into_iter().chain(at).collect();
    let mut key = store.write(token);
    key.set_fields(fields.iter().map(|(meta, value)| (Field::Meta(*meta), value.as_ref().into())));
    if rotated.at.is_none() {
        key.remove_fields([Field::Meta(Meta::Rotated)]);
    }
}

/// Opens a sealed token of this session. Returns its kind and its generation if it is genuine and of one of `kinds`.
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
