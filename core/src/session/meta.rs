//! The metadata of a session: hash fields whose names begin with a dot. All other fields are the session's data.

use super::lifetime::{Expiry, Lifetime};
use super::time::{Millis, Seconds};
use smallvec::SmallVec;

/// One metadata field. A field that does not apply to a session is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Meta {
    /// When it was created and as what: [`Created`]. Every session has it, and first: a hash without it is no session.
    Created,
    /// The session's name.
    Name,
    /// The n of EXPIRY, in seconds.
    Duration,
    /// The idle time, in seconds.
    Idle,
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
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Name,
        Self::Duration,
        Self::Idle,
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
            Self::Duration => b".duration",
            Self::Idle => b".idle",
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

/// What a session was made with that most commands need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// It can be opened by name.
    pub shared: bool,
    /// Only its data goes when the duration has passed; the data has a key of its own.
    pub clears: bool,
    /// It has an idle time.
    pub idles: bool,
    /// It is in its name's index.
    pub listed: bool,
}

impl Flags {
    /// The flags in a field's value. A letter that is not known says nothing.
    pub fn parse(letters: &[u8]) -> Self {
        let mut flags = Self::default();
        for letter in letters {
            match letter {
                b's' => flags.shared = true,
                b'c' => flags.clears = true,
                b'i' => flags.idles = true,
                b'l' => flags.listed = true,
                _ => {}
            }
        }
        flags
    }

    fn letters(self) -> impl Iterator<Item = u8> {
        let letters = [(self.shared, b's'), (self.clears, b'c'), (self.idles, b'i'), (self.listed, b'l')];
        letters.into_iter().filter(|(set, _)| *set).map(|(_, letter)| letter)
    }
}

/// When a session was created, and as what: milliseconds since the epoch and, if there are any, a blank and the letters of
/// its flags. They are in one field, the first, so that one short look tells what the session is: to find that an optional
/// field is missing takes a look at all of them, data included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    pub at: Millis,
    pub flags: Flags,
}

impl Created {
    pub fn parse(text: &[u8]) -> Option<Self> {
        /// Numbers of so many digits fit into 64 bits.
        const DIGITS: std::ops::RangeInclusive<usize> = 1..=19;
        let digits = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (number, letters) = text.split_at(digits);
        if !DIGITS.contains(&digits) || !matches!(letters.first(), None | Some(b' ')) {
            return None;
        }
        let at = number.iter().fold(0, |at, digit| at * 10 + u64::from(digit - b'0'));
        Some(Self { at: Millis(at), flags: Flags::parse(letters) })
    }

    /// The value of the field.
    pub fn text(self) -> SmallVec<[u8; 24]> {
        let mut text = SmallVec::from_slice(Decimal::from(self.at.0).as_ref());
        for (position, letter) in self.flags.letters().enumerate() {
            if position == 0 {
                text.push(b' ');
            }
            text.push(letter);
        }
        text
    }
}

/// The flags of a new session.
pub fn flags_of_new(shared: bool, listed: bool, lifetime: Lifetime) -> Flags {
    let clears = matches!(lifetime.expiry, Some(Expiry::Clear(_)));
    Flags { shared, clears, idles: lifetime.idle.is_some(), listed }
}

/// The numbers that a new session is written with, beside its moment and its name.
pub fn numbers_of_new(created: Millis, lifetime: Lifetime) -> SmallVec<[(Meta, Decimal); 3]> {
    let seconds = |seconds: Seconds| Decimal::from(u64::from(seconds.0));
    let duration = lifetime.expiry.map(|expiry| match expiry {
        Expiry::Delete(duration) | Expiry::Clear(duration) => duration,
    });
    // Without an idle time the key's own expiry is the limit, and nothing moves it.
    let until = lifetime.idle.and_then(|_| lifetime.limit(created));
    [
        duration.map(|duration| (Meta::Duration, seconds(duration))),
        lifetime.idle.map(|idle| (Meta::Idle, seconds(idle))),
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
        let written = |expiry, idle| {
            let lifetime = Lifetime { expiry, idle, max: None };
            let created = Created { at: Millis(1_000), flags: flags_of_new(false, false, lifetime) };
            let numbers = numbers_of_new(Millis(1_000), lifetime);
            let number = |(meta, value): (Meta, Decimal)| {
                format!(" {}={}", meta.field().escape_ascii(), value.as_ref().escape_ascii())
            };
            created.text().escape_ascii().to_string() + &numbers.into_iter().map(number).collect::<String>()
        };
        let (delete, clear) = (Some(Expiry::Delete(Seconds(60))), Some(Expiry::Clear(Seconds(60))));
        assert_eq!(written(None, None), "1000");
        assert_eq!(written(delete, None), "1000 .duration=60");
        assert_eq!(written(clear, None), "1000 c .duration=60");
        assert_eq!(written(None, Some(Seconds(5))), "1000 i .idle=5");
        assert_eq!(written(clear, Some(Seconds(5))), "1000 ci .duration=60 .idle=5");
        assert_eq!(written(delete, Some(Seconds(5))), "1000 i .duration=60 .idle=5 .until=61000");
    }

    #[test]
    fn what_was_written_is_read_again() {
        for bits in 0..16_u8 {
            let [shared, clears, idles, listed] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let created = Created { at: Millis(i64::MAX as u64), flags: Flags { shared, clears, idles, listed } };
            assert_eq!(Created::parse(&created.text()), Some(created));
        }
    }

    #[test]
    fn what_is_no_moment_makes_no_session() {
        for wrong in ["", " ", " s", "x", "-1", "1.5", "99999999999999999999", "1x"] {
            assert_eq!(Created::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
