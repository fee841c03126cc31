//! The token: a session's key and address.
//!
//! A token has 28 characters: `sh:`, 22 random base64url characters and 3 that steer the key into the slot of the session's
//! name. The random characters hold 132 bits; the OWASP Session Management Cheat Sheet ("Session ID Entropy") and ASVS 5
//! 7.2.3 ask for 128. The token says nothing about the name ("Session ID Content").

use crate::slot;
use std::fmt;

const PREFIX: &[u8; 3] = b"sh:";
const RANDOM_LEN: usize = 22;
const LEN: usize = PREFIX.len() + RANDOM_LEN + slot::SUFFIX_LEN;

/// A well-formed token. Its session need not exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a>(&'a [u8; LEN]);

impl<'a> Token<'a> {
    /// 28 characters.
    pub const LEN: usize = LEN;

    /// Reads a token; `None` if the bytes are not one.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let token: &[u8; LEN] = bytes.try_into().ok()?;
        let own = token.strip_prefix(PREFIX)?;
        // No early return: for 25 characters the loop without branches is faster.
        let wrong = own.iter().fold(false, |wrong, &byte| wrong | !slot::is_base64url(byte));
        (!wrong).then_some(Self(token))
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The 25 characters after `sh:`. The names of the session's other keys hold them.
    pub fn own(self) -> &'a [u8] {
        &self.0[PREFIX.len()..]
    }
}

/// Does not show the token: a reader of the log could use the session (OWASP Session Management Cheat Sheet,
/// "Logging Sessions Life Cycle").
impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The token of a new session.
pub struct NewToken([u8; Token::LEN]);

impl AsRef<[u8]> for NewToken {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl NewToken {
    /// The number of random bytes that a token takes. Six bits of each are used.
    pub const RANDOMNESS: usize = RANDOM_LEN;

    /// Makes a token of random bytes, in this slot.
    pub fn new(random: [u8; Self::RANDOMNESS], slot: u16) -> Self {
        let mut token = [0; Token::LEN];
        let (prefix, rest) = token.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for (character, byte) in rest.iter_mut().zip(random) {
            *character = slot::BASE64URL[usize::from(byte & 63)];
        }
        let steered = Token::LEN - slot::SUFFIX_LEN;
        let suffix = slot::steer(&token[..steered], slot);
        token[steered..].copy_from_slice(&suffix);
        Self(token)
    }

    pub fn token(&self) -> Token<'_> {
        Token(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_new_token_is_well_formed_and_in_its_slot(random: [u8; 22], slot in 0..slot::SLOTS as u16) {
            let new = NewToken::new(random, slot);
            let token = Token::parse(new.token().as_bytes());
            prop_assert_eq!(token, Some(new.token()));
            prop_assert_eq!(slot::of(new.token().as_bytes()), slot);
        }

        #[test]
        fn any_other_bytes_are_no_token(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            // The chance that 28 random bytes are a token is negligible.
            prop_assert_eq!(Token::parse(&bytes), None);
        }
    }

    #[test]
    fn each_random_bit_matters() {
        let zero = NewToken::new([0; 22], 0);
        for byte in 0..22 {
            for bit in 0..6 {
                let mut random = [0; 22];
                random[byte] = 1 << bit;
                assert!(NewToken::new(random, 0).token() != zero.token());
            }
        }
    }

    #[test]
    fn a_token_with_one_wrong_byte_is_none() {
        let new = NewToken::new([7; 22], 42);
        for position in 0..Token::LEN {
            for wrong in [0, b'\r', b' ', b':', b'{', b'+', b'/', b'=', 0xFF] {
                let mut bytes = new.0;
                if bytes[position] != wrong {
                    bytes[position] = wrong;
                    assert_eq!(Token::parse(&bytes), None);
                }
            }
        }
        assert_eq!(Token::parse(&new.0[..27]), None);
    }

    #[test]
    fn debug_output_does_not_show_the_token() {
        let new = NewToken::new([7; 22], 42);
        assert_eq!(format!("{:?}", new.token()), "Token(..)");
    }
}
