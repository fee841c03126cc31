//! The statuses: the first word of every error reply, which clients match on.

use std::borrow::Cow;
use std::fmt;

/// The member `st` of a successful reply.
pub const OK: u8 = 1;

/// How a command failed: the first word of the error reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Status {
    /// An option is unknown, repeated or contradicts another; malformed JSON; an unknown JSON member.
    CommandSyntax,
    /// A required value is missing.
    ValueMissing,
    /// A value has the wrong type, or a field name is reserved.
    ValueTypeInvalid,
    /// A value is empty or too long.
    ValueSize,
    /// The token is well formed, but its session never existed or has ended.
    SessionNotExist,
    /// The argument is not a token, or its key is not a session.
    SessionTokenInvalid,
    /// No shared session has this name.
    SessionOpenFail,
    /// A shared session already has this name.
    SessionNewFail,
    /// The credential is forged or expired, or its session has ended: the user signs in again, without the old cookies.
    Unauthorised,
    /// The access token is not valid, or this server cannot tell: the client refreshes and keeps its cookies.
    TryRefreshToken,
    /// A refresh or cookie token was used again after it was replaced. The session has ended.
    TokenTheft,
    /// An internal failure.
    GeneralError,
    /// The slot is being migrated: a missing key may be on the other node.
    TryAgain,
    /// Redis's own word: a key of the module holds a value of another type.
    WrongType,
    /// Redis's own word: the user's ACL denies a key.
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

    /// The word on the wire: capitals alone.
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

    /// An error of this status. The reason says what was wrong and what was expected, in one line of ASCII. It never repeats
    /// what the client sent: that could be a credential in a wrong place, and applications log errors.
    pub fn because(self, reason: impl Into<Cow<'static, str>>) -> Error {
        Error { status: self, reason: reason.into() }
    }
}

/// An error. `Display` is the error reply: the status, a blank and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub status: Status,
    reason: Cow<'static, str>,
}

impl Error {
    /// Whether the error has this status, whatever its reason.
    pub fn is(&self, status: Status) -> bool {
        self.status == status
    }

    /// The error for a token without a session.
    pub fn no_session() -> Self {
        Status::SessionNotExist.because("no such session, or it has ended")
    }

    /// The error for a credential that is not valid. It does not say why, so that a forger learns nothing.
    pub fn unauthorised() -> Self {
        Status::Unauthorised.because("sign in again")
    }

    /// The error for an access token that is not valid.
    pub fn try_refresh_token() -> Self {
        Status::TryRefreshToken.because("refresh the session")
    }

    /// The error for a key that is not a session.
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
    fn an_error_begins_with_its_status() {
        let error = Status::ValueSize.because("the name is empty");
        assert_eq!(error.to_string(), "VALUESIZE the name is empty");
        assert!(error.is(Status::ValueSize) && !error.is(Status::ValueMissing));
    }
}
