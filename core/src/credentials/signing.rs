//! The keys that sign access tokens. The configuration alone chooses the algorithm (RFC 8725, section 3.1).

use crate::base64url::base64url;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{constant_time, digest, hmac};
use serde::Serialize;

/// The algorithm that signs access tokens: `sh.jwt-algorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): anybody with the public key can verify.
    EdDsa,
    /// HMAC-SHA256: faster, but only a server with the secret can verify.
    Hs256,
}

impl Algorithm {
    /// The name in JOSE (RFC 7518; RFC 8037).
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

enum SigningKey {
    EdDsa(Ed25519KeyPair),
    Hs256(Box<hmac::Key>),
}

/// The key that signs access tokens in one epoch.
pub struct Signer {
    pub epoch: u64,
    key: SigningKey,
    kid: String,
    /// The first part of every token that this key signs.
    pub(super) header: String,
}

/// A public key of a JSON Web Key Set (RFC 8037, section 2).
#[derive(Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
}

impl Signer {
    /// Makes the signing key of an epoch of its derived seed.
    pub fn new(algorithm: Algorithm, seed: &[u8; 32], epoch: u64) -> Self {
        let (key, identity) = match algorithm {
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed");
                let public = pair.public_key().as_ref().to_vec();
                (SigningKey::EdDsa(pair), digest::digest(&digest::SHA256, &public).as_ref().to_vec())
            }
            Algorithm::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
                let identity = hmac::sign(&key, b"kid").as_ref().to_vec();
                (SigningKey::Hs256(Box::new(key)), identity)
            }
        };
        let kid = base64url(&identity[..12]);
        let header = Self::header(algorithm, &kid);
        Self { epoch, key, kid, header }
    }

    pub(super) fn header(algorithm: Algorithm, kid: &str) -> String {
        base64url(format!(r#"{{"alg":"{}","typ":"at+jwt","kid":"{kid}"}}"#, algorithm.name()))
    }

    /// The key's ID (RFC 7515, section 4.1.4): 16 characters.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            SigningKey::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            SigningKey::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }

    /// Whether `signature` is this key's signature of `message`. Both algorithms are deterministic (RFC 8032, section 5.1.6), so
    /// this signs again and compares, in a quarter of the time that the public key takes to verify.
    ///
    /// The message must be one that was signed before: see [`Access::verify`](super::Access::verify).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.sign(message), signature).is_ok()
    }

    /// The public key, by which others verify; `None` for HS256.
    pub fn public_key(&self) -> Option<PublicKey> {
        let SigningKey::EdDsa(pair) = &self.key else { return None };
        Some(PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            alg: Algorithm::EdDsa.name(),
            usage: "sig",
            kid: self.kid.clone(),
            x: base64url(pair.public_key()),
        })
    }
}
