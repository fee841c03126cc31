//! The statuses: how a command failed, in a word that clients match on.

use std::borrow::Cow;
use std::fmt;

/// `st` of a reply that says it.
pub const OK: u8 = 1;

/// The first word of an error reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Status {
    /// Unknown, repeated or contradicting option; malformed JSON; unknown JSON member.
    CommandSyntax,
    /// A required value is not there.
    ValueMissing,
    /// A value of the wrong type, or a reserved field name.
    ValueTypeInvalid,
    /// A value that is empty or too long.
    ValueSize,
    /// The token is well formed, and there is no such session (any more).
    SessionNotExist,
    /// Not a token, or a key that is no session.
    SessionTokenInvalid,
    /// There is no shared session of that name.
    SessionOpenFail,
    /// There is a shared session of that name already.
    SessionNewFail,
    /// The credential is forged, expired or its session is gone: log in again, clear the cookies.
    Unauthorised,
    /// The access token is not good, or this node cannot tell: refresh, keep the cookies.
    TryRefreshToken,
    /// A rotated-out refresh or cookie token was presented; the session has been ended.
    TokenTheft,
    /// An internal failure.
    GeneralError,
    /// The slot is being migrated: what is missing may be on the other node.
    TryAgain,
    /// Redis's own: a key of ours holds another type of value.
    WrongType,
    /// Redis's own: the user's access control list forbids a key.
    NoPerm,
}

impl Status {
    pub const ALL: [Self; 15] = [
        Self::CommandSyntax,
        Self::ValueMissing,
        Self::ValueTypeInvalid,
        Self::ValueSize,
        Self::SessionNotExist,
        Self::SessionTokenInvalid,
        Self::SessionOpenFail,
        Self::SessionNewFail,
        Self::Unauthorised,
        Self::TryRefreshToken,
        Self::TokenTheft,
        Self::GeneralError,
        Self::TryAgain,
        Self::WrongType,
        Self::NoPerm,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::CommandSyntax => "COMMANDSYNTAX",
            Self::ValueMissing => "VALUEMISSING",
            Self::ValueTypeInvalid => "VALUETYPEINVALID",
            Self::ValueSize => "VALUESIZE",
            Self::SessionNotExist => "SESSIONNOTEXIST",
            Self::SessionTokenInvalid => "SESSIONTOKENINVALID",
            Self::SessionOpenFail => "SESSIONOPENFAIL",
            Self::SessionNewFail => "SESSIONNEWFAIL",
            Self::Unauthorised => "UNAUTHORISED",
            Self::TryRefreshToken => "TRYREFRESHTOKEN",
            Self::TokenTheft => "TOKENTHEFT",
            Self::GeneralError => "GENERALERROR",
            Self::TryAgain => "TRYAGAIN",
            Self::WrongType => "WRONGTYPE",
            Self::NoPerm => "NOPERM",
        }
    }

    /// This status, with what was wrong and what was expected: ASCII, one line. It never repeats what the client sent: that
    /// could be a credential in a wrong place, and applications log errors.
    pub fn because(self, reason: impl Into<Cow<'static, str>>) -> Error {
        Error { status: self, reason: reason.into() }
    }
}

/// A failure; displayed as the error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub status: Status,
    reason: Cow<'static, str>,
}

impl Error {
    /// There is no such session (any more).
    pub fn no_session() -> Self {
        Status::SessionNotExist.because("no such session, or it has ended")
    }

    /// A credential that is not good. It never says why: who forges one learns nothing.
    pub fn unauthorised() -> Self {
        Status::Unauthorised.because("sign in again")
    }

    /// An access token that is not good.
    pub fn try_refresh_token() -> Self {
        Status::TryRefreshToken.because("refresh the session")
    }

    /// A key that is no session.
    pub fn not_a_session() -> Self {
        Status::SessionTokenInvalid.because("the key of that name is no session")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.word(), self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_status_first() {
        let error = Status::ValueSize.because("the name is empty");
        assert_eq!(error.to_string(), "VALUESIZE the name is empty");
    }
}
