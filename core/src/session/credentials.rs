//! The kinds of credentials of a session.

/// The kind of credentials that a session is made with. Each kind has its own sealed token: a refresh token never passes for
/// a cookie token, nor the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// An access token and a refresh token.
    Tokens,
    /// One cookie token.
    Cookie,
}

impl Credentials {
    pub const ALL: [Self; 2] = [Self::Tokens, Self::Cookie];

    /// The word of the kind, in a session's hash and in JSON. In capitals it is the option of SH.NEW.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Cookie => "cookie",
        }
    }

    /// The kind of this word; `None` if no kind has it.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|credentials| credentials.word() == word)
    }
}
