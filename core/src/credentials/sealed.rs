//! Sealed tokens: refresh tokens and cookie tokens. A MAC proves them, so none is stored.
//!
//! A sealed token has 60 characters: the 28 of the session's token, then 32 base64url characters of 24 bytes. These are the
//! generation (4 bytes, big endian) and the first 20 bytes of an HMAC-SHA256 over the token, the generation and, for a bound
//! session, the SHA-256 of the value of BIND.

use super::ring::Ring;
use crate::base64url::{base64url, from_base64url};
use crate::session::{Credentials, Token};
use aws_lc_rs::{constant_time, digest, hmac};

const GENERATION_LEN: usize = 4;
const MAC_LEN: usize = 20;

/// The length of a sealed token, in characters.
pub const LEN: usize = Token::LEN + (GENERATION_LEN + MAC_LEN) / 3 * 4;

/// A well-formed sealed token. Only [`Sealed::open`] shows whether it is genuine.
pub struct Sealed<'a> {
    token: Token<'a>,
    generation: u32,
    mac: [u8; MAC_LEN],
}

impl<'a> Sealed<'a> {
    /// Reads a sealed token; `None` if the text is not one.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        if text.len() != LEN {
            return None;
        }
        let (token, proof) = text.split_at(Token::LEN);
        let proof = from_base64url(proof)?;
        let (generation, mac) = proof.split_at_checked(GENERATION_LEN)?;
        Some(Self {
            token: Token::parse(token)?,
            generation: u32::from_be_bytes(generation.try_into().ok()?),
            mac: mac.try_into().ok()?,
        })
    }

    /// The generation of a genuine token of this session and kind; `None` if anything is wrong with the token.
    pub fn open(&self, ring: &Ring, kind: Credentials, token: Token<'_>, bind: Option<&[u8]>) -> Option<u32> {
        let genuine = |key| {
            let expected = mac(key, token, self.generation, bind);
            constant_time::verify_slices_are_equal(&self.mac, &expected.as_ref()[..MAC_LEN]).is_ok()
        };
        (self.token == token && ring.unsealing(kind).any(genuine)).then_some(self.generation)
    }
}

/// The sealed token of a session's generation.
pub fn seal(ring: &Ring, kind: Credentials, token: Token<'_>, generation: u32, bind: Option<&[u8]>) -> String {
    let mac = mac(ring.sealing(kind), token, generation, bind);
    let mut proof = [0; GENERATION_LEN + MAC_LEN];
    proof[..GENERATION_LEN].copy_from_slice(&generation.to_be_bytes());
    proof[GENERATION_LEN..].copy_from_slice(&mac.as_ref()[..MAC_LEN]);
    // A token is ASCII.
    String::from_utf8_lossy(token.as_bytes()).into_owned() + &base64url(proof)
}

fn mac(key: &hmac::Key, token: Token<'_>, generation: u32, bind: Option<&[u8]>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(token.as_bytes());
    context.update(&generation.to_be_bytes());
    if let Some(bind) = bind {
        context.update(digest::digest(&digest::SHA256, bind).as_ref());
    }
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{Algorithm, Secret};
    use crate::session::{NewToken, Seconds};
    use proptest::prelude::*;

    fn ring(secrets: &[&str], database: u32) -> Ring {
        let secret = |text: &&str| Secret::new(text.repeat(32).as_bytes()).expect("a secret");
        let secrets: Vec<_> = secrets.iter().map(secret).collect();
        Ring::new(&secrets, database, Algorithm::EdDsa, Seconds(604_800), Seconds(3_600))
    }

    fn open(ring: &Ring, text: &str, kind: Credentials, token: Token<'_>, bind: Option<&str>) -> Option<u32> {
        Sealed::parse(text.as_bytes())?.open(ring, kind, token, bind.map(str::as_bytes))
    }

    #[test]
    fn a_sealed_token_opens_again_and_is_fit_for_a_cookie() {
        let (ring, new) = (ring(&["a"], 0), NewToken::new([7; 22], 42));
        for generation in [0, 1, u32::MAX] {
            for bind in [None, Some("device")] {
                let text = seal(&ring, Credentials::Tokens, new.token(), generation, bind.map(str::as_bytes));
                assert_eq!((text.len(), &text.as_bytes()[..Token::LEN]), (60, new.as_ref()));
                assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_".contains(&byte)));
                assert_eq!(open(&ring, &text, Credentials::Tokens, new.token(), bind), Some(generation));
            }
        }
    }

    #[test]
    fn no_kind_opens_as_the_other() {
        let (ring, new) = (ring(&["a"], 0), NewToken::new([7; 22], 42));
        for (kind, other) in [(Credentials::Tokens, Credentials::Cookie), (Credentials::Cookie, Credentials::Tokens)] {
            let text = seal(&ring, kind, new.token(), 3, None);
            assert_eq!(open(&ring, &text, other, new.token(), None), None);
        }
    }

    #[test]
    fn a_bound_token_needs_its_value_and_an_unbound_one_takes_none() {
        let (ring, new) = (ring(&["a"], 0), NewToken::new([7; 22], 42));
        let bound = seal(&ring, Credentials::Tokens, new.token(), 3, Some(b"device"));
        for wrong in [None, Some(""), Some("Device"), Some("device ")] {
            assert_eq!(open(&ring, &bound, Credentials::Tokens, new.token(), wrong), None, "{wrong:?}");
        }
        let unbound = seal(&ring, Credentials::Tokens, new.token(), 3, None);
        for unexpected in ["", "device"] {
            assert_eq!(open(&ring, &unbound, Credentials::Tokens, new.token(), Some(unexpected)), None);
        }
    }

    #[test]
    fn it_is_worth_nothing_for_another_session_another_database_or_with_another_secret() {
        let (new, other) = (NewToken::new([7; 22], 42), NewToken::new([8; 22], 42));
        let text = seal(&ring(&["a"], 0), Credentials::Tokens, new.token(), 3, None);
        assert_eq!(open(&ring(&["a"], 0), &text, Credentials::Tokens, other.token(), None), None);
        // The same MAC after the other session's token.
        let moved = String::from_utf8_lossy(other.as_ref()).into_owned() + &text[Token::LEN..];
        assert_eq!(open(&ring(&["a"], 0), &moved, Credentials::Tokens, other.token(), None), None);
        assert_eq!(open(&ring(&["a"], 1), &text, Credentials::Tokens, new.token(), None), None);
        assert_eq!(open(&ring(&["b"], 0), &text, Credentials::Tokens, new.token(), None), None);
    }

    #[test]
    fn secrets_change_with_nobody_logged_out() {
        let new = NewToken::new([7; 22], 42);
        let old = seal(&ring(&["a"], 0), Credentials::Tokens, new.token(), 3, None);
        let fresh = seal(&ring(&["b", "a"], 0), Credentials::Tokens, new.token(), 4, None);
        let steps = [&["a", "b"][..], &["b", "a"]];
        for secrets in steps {
            assert_eq!(open(&ring(secrets, 0), &old, Credentials::Tokens, new.token(), None), Some(3), "{secrets:?}");
            assert_eq!(open(&ring(secrets, 0), &fresh, Credentials::Tokens, new.token(), None), Some(4), "{secrets:?}");
        }
        assert_eq!(open(&ring(&["b"], 0), &old, Credentials::Tokens, new.token(), None), None);
        assert_eq!(open(&ring(&["b"], 0), &fresh, Credentials::Tokens, new.token(), None), Some(4));
    }

    #[test]
    fn every_altered_byte_makes_it_worthless() {
        let (ring, new) = (ring(&["a"], 0), NewToken::new([7; 22], 42));
        let text = seal(&ring, Credentials::Tokens, new.token(), 3, None).into_bytes();
        let opens = |text: &[u8]| {
            Sealed::parse(text).and_then(|sealed| sealed.open(&ring, Credentials::Tokens, new.token(), None)).is_some()
        };
        assert!(opens(&text));
        for position in 0..text.len() {
            for byte in (0..=u8::MAX).filter(|&byte| byte != text[position]) {
                let mut altered = text.clone();
                altered[position] = byte;
                assert!(!opens(&altered), "{byte} at {position}");
            }
        }
        for length in 0..text.len() {
            assert!(!opens(&text[..length]));
        }
        assert!(!opens(&[&text[..], b"A"].concat()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), generation: u32) {
            let (ring, new) = (ring(&["a"], 0), NewToken::new([7; 22], 42));
            prop_assert!(Sealed::parse(&bytes).is_none());
            let text = seal(&ring, Credentials::Cookie, new.token(), generation, None);
            let forged = [new.as_ref(), &text.as_bytes()[..32]].concat();
            prop_assert!(Sealed::parse(&forged).and_then(|it| it.open(&ring, Credentials::Cookie, new.token(), None)).is_none());
        }
    }
}
