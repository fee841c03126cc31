//! The keys of one database. They are derived from its secrets, so they are the same on every node and none is stored.

use super::secret::{Purpose, Secret};
use super::signing::{Algorithm, PublicKey, Signer};
use crate::base64url::{base64url, from_base64url};
use crate::session::{Credentials, Millis, Seconds, Token};
use aws_lc_rs::{constant_time, hmac};
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;

/// All keys of one database. Keys of the first secret sign and seal; keys of all secrets verify.
pub struct Ring {
    secrets: Vec<Keys>,
    database: u32,
    algorithm: Algorithm,
    /// The length of an epoch: how long one signing key signs.
    rotation: Seconds,
    /// How long an access token is valid.
    validity: Seconds,
}

/// The keys of one secret.
struct Keys {
    secret: Secret,
    refresh: hmac::Key,
    cookie: hmac::Key,
    anti_csrf: hmac::Key,
    id_refresh: hmac::Key,
    token_id: hmac::Key,
    /// The signing keys that were derived last, in the order of their first use.
    signers: RefCell<Vec<Rc<Signer>>>,
}

/// The keys of one secret and one epoch, which verify access tokens.
pub struct Verifier<'r> {
    pub signer: Rc<Signer>,
    token_id: &'r hmac::Key,
}

impl Verifier<'_> {
    /// Whether `presented` is the ID that [`Ring::token_id`] computes of these claims.
    pub fn is_token_id(&self, presented: &[u8], claims: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(presented, token_id(self.token_id, claims).as_bytes()).is_ok()
    }
}

/// A JSON Web Key Set (RFC 7517, section 5).
#[derive(Serialize)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

impl Keys {
    fn new(secret: &Secret, database: u32) -> Self {
        let key = |purpose| {
            let derived = secret.derive(purpose, "HMAC-SHA256", database, 0);
            hmac::Key::new(hmac::HMAC_SHA256, &derived)
        };
        Self {
            secret: secret.clone(),
            refresh: key(Purpose::RefreshToken),
            cookie: key(Purpose::CookieToken),
            anti_csrf: key(Purpose::AntiCsrf),
            id_refresh: key(Purpose::IdRefresh),
            token_id: key(Purpose::TokenId),
            signers: RefCell::default(),
        }
    }

    fn sealing(&self, kind: Credentials) -> &hmac::Key {
        match kind {
            Credentials::Tokens => &self.refresh,
            Credentials::Cookie => &self.cookie,
        }
    }
}

impl Ring {
    /// The keys of these secrets, of which there must be at least one.
    pub fn new(secrets: &[Secret], database: u32, algorithm: Algorithm, rotation: Seconds, validity: Seconds) -> Self {
        let secrets = secrets.iter().map(|secret| Keys::new(secret, database)).collect();
        Self { secrets, database, algorithm, rotation, validity }
    }

    /// The keys of the secret that signs.
    fn current(&self) -> &Keys {
        &self.secrets[0]
    }

    /// The key that seals the tokens of these credentials.
    pub fn sealing(&self, kind: Credentials) -> &hmac::Key {
        self.current().sealing(kind)
    }

    /// The keys that may have sealed a token of these credentials.
    pub fn unsealing(&self, kind: Credentials) -> impl Iterator<Item = &hmac::Key> {
        self.secrets.iter().map(move |keys| keys.sealing(kind))
    }

    /// The anti-CSRF token of a session's generation.
    pub fn anti_csrf(&self, token: Token<'_>, generation: u32) -> String {
        base64url(&proof(&self.current().anti_csrf, token, generation).as_ref()[..PROOF_LEN])
    }

    /// Whether `presented` is the anti-CSRF token of a session's generation or of the previous one.
    pub fn is_anti_csrf(&self, presented: &[u8], token: Token<'_>, generation: u32) -> bool {
        let Some(presented) = from_base64url(presented) else { return false };
        let generations = [Some(generation), generation.checked_sub(1)];
        self.secrets.iter().any(|keys| {
            generations.into_iter().flatten().any(|generation| {
                let expected = proof(&keys.anti_csrf, token, generation);
                constant_time::verify_slices_are_equal(&presented, &expected.as_ref()[..PROOF_LEN]).is_ok()
            })
        })
    }

    /// The idRefresh token of a session's generation. A front end sees by its change that the session was refreshed.
    pub fn id_refresh(&self, token: Token<'_>, generation: u32) -> String {
        base64url(&proof(&self.current().id_refresh, token, generation).as_ref()[..PROOF_LEN])
    }

    /// The ID of an access token: a MAC over its other claims, 16 characters.
    pub fn token_id(&self, claims: &[u8]) -> String {
        token_id(&self.current().token_id, claims)
    }

    /// The key that signs access tokens now.
    pub fn signer(&self, now: Millis) -> Rc<Signer> {
        self.signer_of(self.current(), self.epoch(now))
    }

    /// The keys that verify access tokens `now`: those of all unexpired tokens, and those of the next epoch, as another node's
    /// clock may be ahead.
    pub fn verifiers(&self, now: Millis) -> impl Iterator<Item = Verifier<'_>> {
        let verifier = |keys, epoch| Verifier { signer: self.signer_of(keys, epoch), token_id: &keys.token_id };
        self.secrets.iter().flat_map(move |keys| self.epochs(now).map(move |epoch| verifier(keys, epoch)))
    }

    /// The public keys that verify access tokens `now`. HS256 has none.
    pub fn key_set(&self, now: Millis) -> KeySet {
        KeySet { keys: self.verifiers(now).filter_map(|verifier| verifier.signer.public_key()).collect() }
    }

    /// The fingerprint of the secret that signs.
    pub fn fingerprint(&self) -> String {
        self.current().secret.fingerprint()
    }

    fn epoch(&self, now: Millis) -> u64 {
        now.0 / self.rotation.as_millis()
    }

    /// The epochs of the keys that verify: the current one first, which most tokens are of, then the older ones, then the next.
    fn epochs(&self, now: Millis) -> impl Iterator<Item = u64> + use<> {
        let current = self.epoch(now);
        let oldest = self.epoch(Millis(now.0.saturating_sub(self.validity.as_millis())));
        (oldest..=current).rev().chain([current + 1])
    }

    fn signer_of(&self, keys: &Keys, epoch: u64) -> Rc<Signer> {
        /// The previous, the current and the next epoch, and one more.
        const KEPT: usize = 4;
        let mut signers = keys.signers.borrow_mut();
        if let Some(signer) = signers.iter().find(|signer| signer.epoch == epoch) {
            return signer.clone();
        }
        let seed = keys.secret.derive(Purpose::AccessToken, self.algorithm.name(), self.database, epoch);
        let signer = Rc::new(Signer::new(self.algorithm, &seed, epoch));
        if signers.len() == KEPT {
            signers.remove(0);
        }
        signers.push(signer.clone());
        signer
    }
}

fn token_id(key: &hmac::Key, claims: &[u8]) -> String {
    base64url(&hmac::sign(key, claims).as_ref()[..12])
}

/// The bytes of a MAC that an anti-CSRF or idRefresh token holds, in 32 characters.
const PROOF_LEN: usize = 24;

/// The MAC over a session's token and generation. A page can choose neither (OWASP CSRF Prevention Cheat Sheet, "Signed
/// Double-Submit Cookie").
fn proof(key: &hmac::Key, token: Token<'_>, generation: u32) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(token.as_bytes());
    context.update(&generation.to_be_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::NewToken;
    use serde_json::Value;

    const ROTATION: Seconds = Seconds(3_600);
    const HOUR: u64 = 3_600_000;

    fn ring(secrets: &[&str], algorithm: Algorithm, validity: Seconds) -> Ring {
        let secret = |text: &&str| Secret::new(text.repeat(32).as_bytes()).expect("a secret");
        let secrets: Vec<_> = secrets.iter().map(secret).collect();
        Ring::new(&secrets, 0, algorithm, ROTATION, validity)
    }

    fn listed(ring: &Ring, now: u64) -> Vec<String> {
        let keys = serde_json::to_value(ring.key_set(Millis(now))).expect("JSON");
        let kid = |key: &Value| key["kid"].as_str().expect("a kid").to_owned();
        keys["keys"].as_array().expect("an array").iter().map(kid).collect()
    }

    #[test]
    fn a_key_is_listed_before_it_signs_and_as_long_as_a_token_of_it_can_live() {
        for validity in [1, 60, 1_800, 3_600] {
            let ring = ring(&["a"], Algorithm::EdDsa, Seconds(validity));
            let kid = ring.signer(Millis(10 * HOUR)).kid().to_owned();
            assert_eq!(ring.signer(Millis(11 * HOUR - 1)).kid(), kid, "it signs for an hour");
            assert_ne!(ring.signer(Millis(11 * HOUR)).kid(), kid);
            // The key signs its last token in the last millisecond of the hour.
            let last = 11 * HOUR - 1 + u64::from(validity) * 1_000;
            for now in [9 * HOUR, 10 * HOUR, 11 * HOUR - 1, 11 * HOUR, last] {
                assert!(listed(&ring, now).contains(&kid), "{validity} s, {now}");
            }
            assert!(!listed(&ring, 9 * HOUR - 1).contains(&kid));
            assert!(!listed(&ring, last + 1).contains(&kid));
        }
    }

    #[test]
    fn the_key_that_signs_is_listed_first() {
        let ring = ring(&["a", "b"], Algorithm::EdDsa, Seconds(60));
        for now in [0, 1, HOUR - 1, HOUR, 100 * HOUR + 5] {
            assert_eq!(listed(&ring, now)[0], ring.signer(Millis(now)).kid());
        }
    }

    #[test]
    fn every_secret_has_its_keys_listed_each_once() {
        let one = listed(&ring(&["a"], Algorithm::EdDsa, Seconds(3_600)), 10 * HOUR);
        let both = listed(&ring(&["a", "b"], Algorithm::EdDsa, Seconds(3_600)), 10 * HOUR);
        assert_eq!((one.len(), both.len()), (3, 6));
        assert_eq!(one[..], both[..3]);
        let distinct: std::collections::HashSet<_> = both.iter().collect();
        assert_eq!(distinct.len(), 6);
    }

    #[test]
    fn a_shared_key_is_never_listed() {
        let ring = ring(&["a"], Algorithm::Hs256, Seconds(60));
        assert_eq!(serde_json::to_value(ring.key_set(Millis(HOUR))).expect("JSON"), serde_json::json!({ "keys": [] }));
    }

    #[test]
    fn a_public_key_tells_nothing_more_than_it_must() {
        let keys =
            serde_json::to_value(ring(&["a"], Algorithm::EdDsa, Seconds(60)).key_set(Millis(HOUR))).expect("JSON");
        let members: Vec<_> = keys["keys"][0].as_object().expect("an object").keys().cloned().collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"], "above all no d, the private key");
    }

    #[test]
    fn the_anti_csrf_token_of_a_generation_and_of_the_one_before_are_accepted() {
        let (ring, new) = (ring(&["a"], Algorithm::EdDsa, Seconds(60)), NewToken::new([7; 22], 42));
        let accepted = |of: u32, at: u32| {
            let token = ring.anti_csrf(new.token(), of);
            ring.is_anti_csrf(token.as_bytes(), new.token(), at)
        };
        assert!(accepted(5, 5) && accepted(4, 5) && accepted(0, 0) && accepted(u32::MAX, u32::MAX));
        assert!(!accepted(6, 5) && !accepted(3, 5) && !accepted(u32::MAX, 0));
    }

    #[test]
    fn nothing_else_passes_for_an_anti_csrf_token() {
        let (ring, new) = (ring(&["a"], Algorithm::EdDsa, Seconds(60)), NewToken::new([7; 22], 42));
        let (good, other) = (ring.anti_csrf(new.token(), 5), NewToken::new([8; 22], 42));
        let shorter = &good[..good.len() - 4];
        let of_another_session = ring.anti_csrf(other.token(), 5);
        for wrong in ["", "null", "undefined", shorter, &of_another_session, &ring.id_refresh(new.token(), 5)] {
            assert!(!ring.is_anti_csrf(wrong.as_bytes(), new.token(), 5), "{wrong:?}");
        }
        for position in 0..good.len() {
            let mut altered = good.clone().into_bytes();
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            assert!(!ring.is_anti_csrf(&altered, new.token(), 5), "{position}");
        }
    }

    #[test]
    fn an_anti_csrf_token_of_an_older_secret_still_passes() {
        let new = NewToken::new([7; 22], 42);
        let token = ring(&["a"], Algorithm::EdDsa, Seconds(60)).anti_csrf(new.token(), 5);
        let accepts =
            |secrets| ring(secrets, Algorithm::EdDsa, Seconds(60)).is_anti_csrf(token.as_bytes(), new.token(), 5);
        assert!(accepts(&["b", "a"]));
        assert!(!accepts(&["b"]));
    }
}
