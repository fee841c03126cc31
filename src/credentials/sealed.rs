//! Sealed tokens: refresh tokens and cookie tokens, opaque and self-proving. Nothing of them is stored.
//!
//! 60 characters: the session's token, then 32 base64url characters of the generation (4 bytes, big endian) and 20 bytes of
//! HMAC-SHA256 over the token, the generation and, if the session is bound to something, the SHA-256 of that.

use super::ring::Ring;
use super::{base64url, from_base64url};
use crate::session::Token;
use aws_lc_rs::{constant_time, digest, hmac};

/// A kind of sealed token. None is ever accepted where the other is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Refresh,
    Cookie,
}

const GENERATION_LEN: usize = 4;
const MAC_LEN: usize = 20;

/// The length of a sealed token.
pub const LEN: usize = Token::LEN + (GENERATION_LEN + MAC_LEN) / 3 * 4;

/// A well-formed sealed token. It proves nothing until it is opened.
pub struct Sealed<'a> {
    token: Token<'a>,
    generation: u32,
    mac: [u8; MAC_LEN],
}

impl<'a> Sealed<'a> {
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

    /// The generation of a genuine token of this session and kind; `None`, whatever is wrong with it.
    pub fn open(&self, ring: &Ring, kind: Kind, token: Token<'_>, bind: Option<&[u8]>) -> Option<u32> {
        let genuine = |key| {
            let expected = mac(key, token, self.generation, bind);
            constant_time::verify_slices_are_equal(&self.mac, &expected.as_ref()[..MAC_LEN]).is_ok()
        };
        (self.token == token && ring.unsealing(kind).any(genuine)).then_some(self.generation)
    }
}

/// The sealed token of a session's generation.
pub fn seal(ring: &Ring, kind: Kind, token: Token<'_>, generation: u32, bind: Option<&[u8]>) -> String {
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
