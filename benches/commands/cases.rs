//! What a row of the tables in [`rows`](crate::rows) says.

/// Commands, and their arguments.
pub type Commands = &'static [&'static [&'static str]];

/// Keys that are there before anything is measured, one for each number.
pub struct Population {
    /// The commands that make one member; the first of them answers.
    pub make: Commands,
    /// Places that stand for something in the answer: its member, or a member of its member.
    pub keeps: &'static [(&'static str, &'static [&'static str])],
}

pub struct Case {
    pub name: &'static str,
    /// Measured together, once each.
    pub commands: Commands,
    pub kind: Kind,
    pub targets: &'static [Target],
    /// Commands that run before, this many times for each use, and are not measured.
    pub before: (usize, Commands),
    /// A slow case runs once where other cases run this many times.
    pub one_in: usize,
    pub algorithm: &'static str,
}

/// What most cases have in common.
pub const PLAIN: Case =
    Case { name: "", commands: &[], kind: Kind::Uses, targets: &[], before: (0, &[]), one_in: 1, algorithm: "eddsa" };

#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the cost of another case.
    Times(f64, &'static str),
    /// Beside another case, whatever comes out.
    Beside(&'static str),
    /// At most so many microseconds.
    Micros(f64),
}

impl Target {
    /// The case it compares with.
    pub fn other(self) -> Option<&'static str> {
        match self {
            Self::Times(_, name) | Self::Beside(name) => Some(name),
            Self::Micros(_) => None,
        }
    }

    pub fn limit(self) -> Option<f64> {
        match self {
            Self::Times(limit, _) | Self::Micros(limit) => Some(limit),
            Self::Beside(_) => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes keys: runs in a database of its own, which is emptied after each round.
    Creates,
    /// Reads or writes keys that are there.
    Uses,
    /// The same, but each command waits for the reply of the one before.
    UsesOneByOne,
    /// Is refused with an error.
    Refused,
    /// Uses up what the members keep in this place, and keeps what is answered instead: each member at most once a turn.
    Rotates(&'static str),
    /// No command at all: an RSA signature of what an access token signs, by this process.
    Signs,
}

/// One key's memory, over a million of them.
pub struct Memory {
    pub name: &'static str,
    pub commands: Commands,
    pub at_most: Option<Limit>,
}

impl Memory {
    /// The row it compares with.
    pub fn other(&self) -> Option<&'static str> {
        match self.at_most {
            Some(Limit::More(_, name)) => Some(name),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub enum Limit {
    Bytes(f64),
    /// So many bytes more than the row of this name.
    More(f64, &'static str),
}
