//! Which credentials a session is made with.

/// What a browser or an app holds of a session. Each kind has a sealed token of its own; none is ever accepted where the
/// other is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// An access token and a refresh token.
    Tokens,
    /// One cookie token.
    Cookie,
}

impl Credentials {
    pub const ALL: [Self; 2] = [Self::Tokens, Self::Cookie];

    /// The word for it: in a session's hash and in JSON, and in capitals as an option of SH.NEW.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Cookie => "cookie",
        }
    }

    /// The credentials that this is the word for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|credentials| credentials.word() == word)
    }
}
