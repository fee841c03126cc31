//! The metadata of a session: hash fields whose names begin with a dot. All other fields are the session's data.

use super::lifetime::{Expiry, Lifetime};
use super::time::{Millis, Seconds};
use smallvec::SmallVec;

/// One metadata field. A field that does not apply to a session is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Meta {
    /// The session's name. Every session has one: a hash without it is no session.
    Name,
    /// When it was created, in milliseconds since the epoch.
    Created,
    /// `1` if it can be opened by name.
    Shared,
    /// The n of EXPIRY, in seconds.
    Duration,
    /// `1` if only the data goes when the duration has passed; the data then has a key of its own.
    Clear,
    /// The idle time, in seconds.
    Idle,
    /// `1` if it is in its name's index.
    Listed,
    /// The kind of its credentials: `tokens` or `cookie`.
    Kind,
    /// How often its sealed token was rotated. Not there: never.
    Gen,
    /// When it was last rotated, in milliseconds since the epoch.
    Rotated,
    /// The payload of its access tokens, compact JSON. Not there: empty.
    Payload,
    /// The moment that touching never goes beyond, in milliseconds since the epoch; only beside an idle time.
    Until,
}

impl Meta {
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Created,
        Self::Shared,
        Self::Duration,
        Self::Clear,
        Self::Idle,
        Self::Listed,
        Self::Kind,
        Self::Gen,
        Self::Rotated,
        Self::Payload,
        Self::Until,
    ];

    /// The name of the hash field.
    pub const fn field(self) -> &'static [u8] {
        match self {
            Self::Name => b".name",
            Self::Created => b".created",
            Self::Shared => b".shared",
            Self::Duration => b".duration",
            Self::Clear => b".clear",
            Self::Idle => b".idle",
            Self::Listed => b".listed",
            Self::Kind => b".kind",
            Self::Gen => b".gen",
            Self::Rotated => b".rotated",
            Self::Payload => b".payload",
            Self::Until => b".until",
        }
    }
}

/// A number as the decimal digits that a hash field holds.
#[derive(Clone, Copy)]
pub struct Decimal {
    digits: [u8; Self::MAX_LEN],
    length: usize,
}

impl Decimal {
    const MAX_LEN: usize = 20;
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(number).as_bytes();
        let mut digits = [0; Self::MAX_LEN];
        digits[..text.len()].copy_from_slice(text);
        Self { digits, length: text.len() }
    }
}

impl AsRef<[u8]> for Decimal {
    fn as_ref(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

/// The metadata that a new session is written with, beside its name.
pub fn of_new(created: Millis, shared: bool, listed: bool, lifetime: Lifetime) -> SmallVec<[(Meta, Decimal); 7]> {
    let seconds = |seconds: Seconds| Decimal::from(u64::from(seconds.0));
    let flag = || Decimal::from(1);
    let (duration, clear) = match lifetime.expiry {
        None => (None, false),
        Some(Expiry::Delete(duration)) => (Some(duration), false),
        Some(Expiry::Clear(duration)) => (Some(duration), true),
    };
    // Without an idle time the key's own expiry is the limit, and nothing moves it.
    let until = lifetime.idle.and_then(|_| lifetime.limit(created));
    [
        Some((Meta::Created, created.0.into())),
        shared.then(|| (Meta::Shared, flag())),
        duration.map(|duration| (Meta::Duration, seconds(duration))),
        clear.then(|| (Meta::Clear, flag())),
        lifetime.idle.map(|idle| (Meta::Idle, seconds(idle))),
        listed.then(|| (Meta::Listed, flag())),
        until.map(|until| (Meta::Until, until.0.into())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a hash field is reserved for metadata.
pub fn is_reserved(field: &[u8]) -> bool {
    field.first() == Some(&b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_metadata_is_listed_in_order_and_reserved() {
        for (position, meta) in Meta::ALL.into_iter().enumerate() {
            assert_eq!(meta as usize, position);
            assert!(is_reserved(meta.field()));
        }
        assert!(!is_reserved(b""));
        assert!(!is_reserved(b"a.b"));
    }

    #[test]
    fn only_what_applies_is_written() {
        let written = |shared, expiry, idle| {
            let fields = of_new(Millis(1_000), shared, false, Lifetime { expiry, idle, max: None });
            let text = |(meta, value): (Meta, Decimal)| {
                format!("{}={}", meta.field().escape_ascii(), value.as_ref().escape_ascii())
            };
            fields.into_iter().map(text).collect::<Vec<_>>().join(" ")
        };
        let (delete, clear) = (Some(Expiry::Delete(Seconds(60))), Some(Expiry::Clear(Seconds(60))));
        assert_eq!(written(false, None, None), ".created=1000");
        assert_eq!(written(true, delete, None), ".created=1000 .shared=1 .duration=60");
        assert_eq!(written(false, clear, None), ".created=1000 .duration=60 .clear=1");
        assert_eq!(written(false, None, Some(Seconds(5))), ".created=1000 .idle=5");
        assert_eq!(written(false, clear, Some(Seconds(5))), ".created=1000 .duration=60 .clear=1 .idle=5");
        assert_eq!(written(false, delete, Some(Seconds(5))), ".created=1000 .duration=60 .idle=5 .until=61000");
    }
}
