//! The metadata of a session: the fields of its hash whose names begin with a dot. All other fields are the session's data.

use super::lifetime::{Expiry, Lifetime};
use super::time::{Millis, Seconds};
use smallvec::SmallVec;

/// A metadata field. A session has only the fields that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Meta {
    /// The moment of the creation and the flags: [`Created`]. Every session has this field, as its first; a hash without it is
    /// not a session.
    Created,
    /// The session's name.
    Name,
    /// The duration of EXPIRY, in seconds.
    Duration,
    /// The idle time, in seconds.
    Idle,
    /// The kind of the session's credentials: [`Credentials::word`](super::Credentials::word).
    Kind,
    /// The generation: how often the session's sealed token was rotated. Missing: 0.
    Gen,
    /// The moment of the last rotation, in milliseconds since the epoch.
    Rotated,
    /// The payload of the session's access tokens, compact JSON. Missing: empty.
    Payload,
    /// The latest expiry that a touch sets, in milliseconds since the epoch. Only a session with an idle time has it.
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

/// A number as decimal digits, the form in which a hash field holds it.
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

/// The properties of a session that most commands need. They are fixed at its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// SH.OPEN finds the session by its name.
    pub shared: bool,
    /// EXPIRY CLEAR: the data has its own key, which expires alone.
    pub clears: bool,
    /// The session has an idle time.
    pub idles: bool,
    /// The session is in the index of its name.
    pub listed: bool,
}

impl Flags {
    /// Reads the letters of the flags. An unknown letter is ignored.
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

/// The value of the field `.created`: milliseconds since the epoch and, if the session has flags, a blank and their letters.
///
/// The flags are letters in the first field, not optional fields: the server finds the first field at once, but compares the
/// names of all fields, data included, before it knows that one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    pub at: Millis,
    pub flags: Flags,
}

impl Created {
    /// Reads the value of the field; `None` if it is malformed.
    pub fn parse(text: &[u8]) -> Option<Self> {
        /// Every number of at most 19 digits fits into 64 bits.
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

/// The fields of a new session that hold a number.
pub fn numbers_of_new(created: Millis, lifetime: Lifetime) -> SmallVec<[(Meta, Decimal); 3]> {
    let seconds = |seconds: Seconds| Decimal::from(u64::from(seconds.0));
    let duration = lifetime.expiry.map(|expiry| match expiry {
        Expiry::Delete(duration) | Expiry::Clear(duration) => duration,
    });
    // Without an idle time the key expires at the limit, and no touch moves the expiry.
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

/// Whether a field's name is reserved for metadata: whether it begins with a dot.
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
    fn a_new_session_has_only_the_fields_that_apply_to_it() {
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
    fn parse_reads_what_text_wrote() {
        for bits in 0..16_u8 {
            let [shared, clears, idles, listed] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let created = Created { at: Millis(i64::MAX as u64), flags: Flags { shared, clears, idles, listed } };
            assert_eq!(Created::parse(&created.text()), Some(created));
        }
    }

    #[test]
    fn a_malformed_moment_makes_no_session() {
        for wrong in ["", " ", " s", "x", "-1", "1.5", "99999999999999999999", "1x"] {
            assert_eq!(Created::parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
