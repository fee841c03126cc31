//! The access token: a JWT (RFC 7519) of type `at+jwt` (RFC 9068, section 2.1), signed with one algorithm that only the
//! configuration chooses (RFC 8725, section 3.1).

use super::payload::Payload;
use super::ring::Ring;
use super::{base64url, from_base64url};
use crate::json::{self, Object};
use crate::session::{Millis, Token};
use crate::status::{Error, Status};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{constant_time, digest, hmac};
use serde::Serialize;
use serde_json::json;

/// The longest access token: with its name and attributes it must fit the 4,096 bytes that browsers keep of a cookie
/// (RFC 6265, section 6.1).
pub const MAX_LEN: usize = 4_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): others verify with public keys.
    EdDsa,
    /// HMAC-SHA256: faster, and only this server verifies.
    Hs256,
}

impl Algorithm {
    /// The name that JOSE has for it (RFC 7518).
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
    /// The first part of every token it signs.
    header: String,
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

    fn header(algorithm: Algorithm, kid: &str) -> String {
        base64url(format!(r#"{{"alg":"{}","typ":"at+jwt","kid":"{kid}"}}"#, algorithm.name()))
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            SigningKey::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            SigningKey::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }

    /// Whether this is our signature of a message of ours. Both algorithms are deterministic (RFC 8032, section 5.1.6): the
    /// same key makes the same signature again, in a quarter of the time in which a public key verifies it.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.sign(message), signature).is_ok()
    }

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

/// Whom access tokens are from and for, where that is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    pub issuer: Option<String>,
    pub audience: Option<String>,
}

impl Audience {
    /// How long an issuer or an audience can be. An access token has room for both beside its payload.
    pub const MAX_LEN: usize = 128;
}

/// What an access token says.
pub struct Claims<'a> {
    pub name: &'a str,
    pub token: Token<'a>,
    pub generation: u32,
    /// The anti-CSRF token that goes with it.
    pub csrf: Option<String>,
    /// The thumbprint of the key that its sender must prove to hold (RFC 9449, section 6).
    pub thumbprint: Option<&'a str>,
    pub payload: &'a Payload,
    pub issued: Millis,
    pub expires: Millis,
}

/// Signs an access token.
pub fn sign(ring: &Ring, audience: &Audience, claims: &Claims<'_>) -> Result<String, Error> {
    let body = body(audience, claims, |others| ring.token_id(others))?;
    let signer = ring.signer(claims.issued);
    let message = format!("{}.{}", signer.header, base64url(body));
    let token = format!("{message}.{}", base64url(signer.sign(message.as_bytes())));
    check_len(token.len())?;
    Ok(token)
}

/// Fails if an access token of this name and payload could be too long, all else being as long as it can be: also the
/// issuer and the audience, which may become longer while the session lives.
pub fn fits(name: &str, payload: &Payload) -> Result<(), Error> {
    let longest = Some("x".repeat(Audience::MAX_LEN));
    let longest = Audience { issuer: longest.clone(), audience: longest };
    const ANY: &[u8; Token::LEN] = b"sh:0000000000000000000000000";
    let claims = Claims {
        name,
        token: Token::parse(ANY).ok_or_else(Error::not_a_session)?,
        generation: u32::MAX,
        csrf: Some("x".repeat(32)),
        thumbprint: Some(&"x".repeat(43)),
        payload,
        // Beyond the year 2286 seconds have eleven digits.
        issued: Millis(10_000_000_000_000),
        expires: Millis(10_000_000_000_000),
    };
    let body = body(&longest, &claims, |_| "x".repeat(ID_LEN))?;
    let header = Signer::header(Algorithm::EdDsa, &"x".repeat(16));
    check_len(header.len() + 1 + base64url(body).len() + 1 + base64url([0; 64]).len())
}

fn check_len(length: usize) -> Result<(), Error> {
    if length > MAX_LEN {
        let reason = format!("the access token would have {length} characters; browsers keep {MAX_LEN}");
        return Err(Status::ValueSize.because(reason));
    }
    Ok(())
}

/// The claims as JSON: the standard's first, then the application's, of which none is among them, then the ID made of
/// all these.
fn body(audience: &Audience, claims: &Claims<'_>, id: impl FnOnce(&[u8]) -> String) -> Result<String, Error> {
    let mut body = String::from("{");
    let mut add = |name: &str, value: serde_json::Value| {
        if body.len() > 1 {
            body.push(',');
        }
        body += &format!("\"{name}\":{value}");
    };
    add("sub", json!(claims.name));
    add("sid", json!(String::from_utf8_lossy(claims.token.as_bytes())));
    add("gen", json!(claims.generation));
    add("iat", json!(claims.issued.0 / 1_000));
    add("exp", json!(claims.expires.0 / 1_000));
    for (name, value) in [("iss", &audience.issuer), ("aud", &audience.audience), ("csrf", &claims.csrf)] {
        if let Some(value) = value {
            add(name, json!(value));
        }
    }
    if let Some(thumbprint) = claims.thumbprint {
        add("cnf", json!({ "jkt": thumbprint }));
    }
    // It is an object written by us, in one piece: its members, without the braces.
    let own = &claims.payload.as_str()[1..claims.payload.as_str().len() - 1];
    if !own.is_empty() {
        body.push(',');
        body += own;
    }
    let id = id(body.as_bytes());
    body += &format!("{BEFORE_ID}{id}{AFTER_ID}");
    Ok(body)
}

/// What stands around the ID, the last of the claims.
const BEFORE_ID: &str = ",\"jti\":\"";
const AFTER_ID: &str = "\"}";
/// How many characters an ID has.
const ID_LEN: usize = 16;

/// The claims that an ID was made of, and the ID.
fn split_id(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (claims, id) = body.strip_suffix(AFTER_ID.as_bytes())?.split_last_chunk::<ID_LEN>()?;
    Some((claims.strip_suffix(BEFORE_ID.as_bytes())?, id))
}

/// An access token whose signature, time, issuer and audience are good.
pub struct Access {
    pub name: String,
    /// The session's token.
    pub handle: String,
    pub generation: u32,
    pub thumbprint: Option<String>,
    pub payload: Payload,
    pub expires: Millis,
}

impl Access {
    /// Verifies an access token; `None`, whatever is wrong with it.
    ///
    /// The header is compared with those that our keys would write, never read (RFC 8725, section 3.1; nothing in it can
    /// choose an algorithm or a key). The ID is checked next: the MAC costs a tenth of a signature, so that junk is cheap, and
    /// nothing is signed but what this server has signed before. The claims are read once the signature is known to be
    /// good.
    pub fn verify(text: &[u8], ring: &Ring, audience: &Audience, now: Millis) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let end_of_message = text.iter().rposition(|&byte| byte == b'.')?;
        let (message, signature) = (&text[..end_of_message], from_base64url(&text[end_of_message + 1..])?);
        let end_of_header = message.iter().position(|&byte| byte == b'.')?;
        let (header, body) = (&message[..end_of_header], &message[end_of_header + 1..]);
        let verifier = ring.verifiers(now).find(|verifier| verifier.signer.header.as_bytes() == header)?;
        let body = from_base64url(body)?;
        let (claims, id) = split_id(&body)?;
        if !verifier.is_token_id(id, claims) || !verifier.signer.verifies(message, &signature) {
            return None;
        }
        Self::read(&body, audience, now)
    }

    fn read(body: &[u8], audience: &Audience, now: Millis) -> Option<Self> {
        let claims = Object::parse_value(body).ok()?;
        let text = |name| json::string(claims.get(name)?, name).ok().map(|text| text.into_owned());
        let number = |name| claims.get(name)?.get().parse::<u64>().ok();
        let expires = Millis(number("exp")?.checked_mul(1_000)?);
        let as_configured = |name, configured: &Option<String>| configured.is_none() || text(name) == *configured;
        if expires <= now || !as_configured("iss", &audience.issuer) || !as_configured("aud", &audience.audience) {
            return None;
        }
        let thumbprint = claims.get("cnf").and_then(|cnf| {
            let cnf = json::object(cnf, "cnf").ok()?;
            json::string(cnf.get("jkt")?, "jkt").ok().map(|text| text.into_owned())
        });
        Some(Self {
            name: text("sub")?,
            handle: text("sid").filter(|handle| Token::parse(handle.as_bytes()).is_some())?,
            generation: number("gen")?.try_into().ok()?,
            thumbprint,
            payload: Payload::of_claims(&claims).ok()?,
            expires,
        })
    }

    /// The token of the session that this is an access token of.
    pub fn token(&self) -> Option<Token<'_>> {
        Token::parse(self.handle.as_bytes())
    }
}

/// The value of BIND, if it is the thumbprint of a key: the base64url text of a SHA-256 (RFC 7638, RFC 8705 section 3.1).
pub fn thumbprint(bind: &[u8]) -> Option<&str> {
    let is_thumbprint = from_base64url(bind).is_some_and(|hash| hash.len() == 32);
    std::str::from_utf8(bind).ok().filter(|_| is_thumbprint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use crate::session::Seconds;
    use proptest::prelude::*;

    const TOKEN: &[u8; 28] = b"sh:AAECAwQFBgcICQoLDA0ODw012";
    const HOUR: u64 = 3_600_000;
    const NOW: Millis = Millis(1_000 * HOUR);

    fn ring(secrets: &[&str], algorithm: Algorithm) -> Ring {
        let secret = |text: &&str| Secret::new(text.repeat(32).as_bytes()).expect("a secret");
        let secrets: Vec<_> = secrets.iter().map(secret).collect();
        Ring::new(&secrets, 0, algorithm, Seconds(3_600), Seconds(3_600))
    }

    fn audience(issuer: Option<&str>, audience: Option<&str>) -> Audience {
        Audience { issuer: issuer.map(str::to_owned), audience: audience.map(str::to_owned) }
    }

    /// A token of an hour, signed at a moment.
    fn signed(ring: &Ring, issued: Millis) -> String {
        signed_with(ring, &Audience::default(), issued, &Payload::default()).expect("a token")
    }

    fn signed_with(ring: &Ring, audience: &Audience, issued: Millis, payload: &Payload) -> Result<String, Status> {
        let claims = Claims {
            name: "alice",
            token: Token::parse(TOKEN).expect("a token"),
            generation: 3,
            csrf: None,
            thumbprint: None,
            payload,
            issued,
            expires: Millis(issued.0 + HOUR),
        };
        sign(ring, audience, &claims).map_err(|error| error.status)
    }

    fn verifies(text: &str, ring: &Ring, now: Millis) -> bool {
        Access::verify(text.as_bytes(), ring, &Audience::default(), now).is_some()
    }

    /// A token of these parts with an ID, signed by the key that signs now.
    fn forged_by_the_key_holder(ring: &Ring, header: &str, body: &str) -> String {
        let claims = body.strip_suffix('}').unwrap_or(body);
        let body = format!("{claims}{BEFORE_ID}{}{AFTER_ID}", ring.token_id(claims.as_bytes()));
        signed_by_the_key_holder(ring, header, &body)
    }

    /// A token of these parts, signed by the key that signs now.
    fn signed_by_the_key_holder(ring: &Ring, header: &str, body: &str) -> String {
        let message = format!("{}.{}", base64url(header), base64url(body));
        format!("{message}.{}", base64url(ring.signer(NOW).sign(message.as_bytes())))
    }

    #[test]
    fn no_other_header_is_accepted_whoever_signs_it() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let ring = ring(&["a"], algorithm);
            let good = signed(&ring, NOW);
            assert!(verifies(&good, &ring, NOW));
            let body = from_base64url(good.split('.').nth(1).expect("a body").as_bytes()).expect("base64url");
            let body = String::from_utf8(body).expect("text");
            let (alg, kid) = (algorithm.name(), ring.signer(NOW).kid().to_owned());
            let genuine = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#);
            assert!(verifies(&signed_by_the_key_holder(&ring, &genuine, &body), &ring, NOW));
            for header in [
                format!(r#"{{"alg":"none","typ":"at+jwt","kid":"{kid}"}}"#),
                r#"{"alg":"none"}"#.to_owned(),
                r#"{"alg":"None"}"#.to_owned(),
                format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{kid}"}}"#),
                format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{kid}"}}"#),
                format!(r#"{{"alg":"{alg}","typ":"at+jwt"}}"#),
                format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"x"}}"#),
                format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#),
                format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}","crit":["exp"]}}"#),
                format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}","jwk":{{}}}}"#),
                String::new(),
            ] {
                assert!(!verifies(&signed_by_the_key_holder(&ring, &header, &body), &ring, NOW), "{header}");
            }
        }
    }

    #[test]
    fn a_signature_does_not_count_without_the_id_of_the_claims() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let ring = ring(&["a"], algorithm);
            let signer = ring.signer(NOW);
            let header = String::from_utf8(from_base64url(signer.header.as_bytes()).expect("a header")).expect("text");
            let exp = NOW.0 / 1_000 + 60;
            let claims = format!(r#"{{"sub":"alice","sid":"sh:AAECAwQFBgcICQoLDA0ODw012","gen":3,"exp":{exp}"#);
            let id = ring.token_id(claims.as_bytes());
            let with = |end: &str| signed_by_the_key_holder(&ring, &header, &format!("{claims}{end}"));
            assert!(verifies(&with(&format!(r#","jti":"{id}"}}"#)), &ring, NOW));
            let other = ring.token_id(b"{");
            for end in [
                "}".to_owned(),
                r#","jti":""}"#.to_owned(),
                format!(r#","jti":"{other}"}}"#),
                format!(r#","jti":"{id}","a":1}}"#),
                format!(r#","jti": "{id}"}}"#),
                format!(r#","jti":"{id}"}} "#),
            ] {
                assert!(!verifies(&with(&end), &ring, NOW), "{end}");
            }
        }
    }

    #[test]
    fn a_public_key_does_not_sign_as_if_it_were_a_shared_one() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let SigningKey::EdDsa(pair) = &ring.signer(NOW).key else { panic!("not Ed25519") };
        let good = signed(&ring, NOW);
        let (message, _) = good.rsplit_once('.').expect("three parts");
        let key = hmac::Key::new(hmac::HMAC_SHA256, pair.public_key().as_ref());
        let forged = format!("{message}.{}", base64url(hmac::sign(&key, message.as_bytes())));
        assert!(!verifies(&forged, &ring, NOW));
    }

    #[test]
    fn a_token_without_a_signature_is_worthless() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let good = signed(&ring, NOW);
        let (message, _) = good.rsplit_once('.').expect("three parts");
        assert!(!verifies(&format!("{message}."), &ring, NOW));
        assert!(!verifies(message, &ring, NOW));
    }

    #[test]
    fn every_altered_character_makes_it_worthless() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let ring = ring(&["a"], algorithm);
            let good = signed(&ring, NOW);
            for position in 0..good.len() {
                for other in [b'A', b'B', b'.', b'=', b' ', 0, 0xFF] {
                    let mut altered = good.clone().into_bytes();
                    if altered[position] != other {
                        altered[position] = other;
                        let access = Access::verify(&altered, &ring, &Audience::default(), NOW);
                        assert!(access.is_none(), "{other} at {position}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_last_character_of_a_part_has_one_spelling() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let good = signed(&ring, NOW);
        // Of the last character of 64 bytes only two bits count: of those that decode alike, one is written.
        let last = good.len() - 1;
        let alike = (0..=127_u8).filter(|&byte| {
            let mut altered = good.clone().into_bytes();
            altered[last] = byte;
            Access::verify(&altered, &ring, &Audience::default(), NOW).is_some()
        });
        assert_eq!(alike.count(), 1);
    }

    #[test]
    fn what_is_no_token_at_all_is_worthless() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let good = signed(&ring, NOW);
        let long = format!("{good}{}", "A".repeat(MAX_LEN));
        let parts: Vec<_> = good.split('.').collect();
        let with_padding = format!("{}.{}=.{}", parts[0], parts[1], parts[2]);
        let five_parts = format!("{good}.{}.{}", parts[1], parts[2]);
        let no_body = format!("{}..{}", parts[0], parts[2]);
        for text in
            ["", ".", "..", "...", "a", "a.b.c", parts[0], &long, &with_padding, &five_parts, &no_body, "{}", "\0"]
        {
            assert!(!verifies(text, &ring, NOW), "{text:.40}");
        }
    }

    #[test]
    fn it_is_worthless_from_the_very_second_on_at_which_it_expires() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let text = signed(&ring, NOW);
        assert!(verifies(&text, &ring, Millis(NOW.0 + HOUR - 1)));
        assert!(!verifies(&text, &ring, Millis(NOW.0 + HOUR)));
    }

    #[test]
    fn a_key_of_the_past_verifies_while_its_tokens_live_and_that_of_the_next_period_already() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let ring = ring(&["a"], algorithm);
            let text = signed(&ring, Millis(NOW.0 - 1));
            assert!(verifies(&text, &ring, Millis(NOW.0 + HOUR - 2_000)), "signed in the last millisecond of its key");
            let ahead = signed(&ring, Millis(NOW.0 + HOUR));
            assert!(verifies(&ahead, &ring, NOW), "signed by a node whose clock is an hour ahead");
            let far_ahead = signed(&ring, Millis(NOW.0 + 2 * HOUR));
            assert!(!verifies(&far_ahead, &ring, NOW));
        }
    }

    #[test]
    fn each_line_of_the_file_verifies_and_no_other_secret_does() {
        let text = signed(&ring(&["a"], Algorithm::EdDsa), NOW);
        for secrets in [&["a"][..], &["a", "b"], &["b", "a"], &["b", "c", "a"]] {
            assert!(verifies(&text, &ring(secrets, Algorithm::EdDsa), NOW), "{secrets:?}");
        }
        assert!(!verifies(&text, &ring(&["b"], Algorithm::EdDsa), NOW));
        assert!(!verifies(&text, &ring(&["a"], Algorithm::Hs256), NOW), "the other algorithm");
        let other_database =
            Ring::new(&[Secret::new(&[b'a'; 32]).expect("a secret")], 1, Algorithm::EdDsa, Seconds(3_600), Seconds(60));
        assert!(!verifies(&text, &other_database, NOW));
    }

    #[test]
    fn issuer_and_audience_are_those_that_are_configured() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let us = audience(Some("https://us.example"), Some("web"));
        let text = signed_with(&ring, &us, NOW, &Payload::default()).expect("a token");
        let accepted = |audience: &Audience| Access::verify(text.as_bytes(), &ring, audience, NOW).is_some();
        assert!(accepted(&us));
        assert!(accepted(&Audience::default()), "where nothing is configured nothing is asked for");
        assert!(!accepted(&audience(Some("https://them.example"), Some("web"))));
        assert!(!accepted(&audience(Some("https://us.example"), Some("app"))));
        let plain = signed(&ring, NOW);
        assert!(Access::verify(plain.as_bytes(), &ring, &us, NOW).is_none(), "a token without them");
    }

    #[test]
    fn signed_claims_that_are_not_ours_are_refused() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let header =
            String::from_utf8(from_base64url(ring.signer(NOW).header.as_bytes()).expect("a header")).expect("text");
        let tkn = "sh:AAECAwQFBgcICQoLDA0ODw012";
        let exp = NOW.0 / 1_000 + 60;
        let good = format!(r#"{{"sub":"alice","sid":"{tkn}","gen":3,"exp":{exp}}}"#);
        assert!(verifies(&forged_by_the_key_holder(&ring, &header, &good), &ring, NOW));
        for body in [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":3}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","exp":{exp}}}"#),
            format!(r#"{{"sub":"alice","gen":3,"exp":{exp}}}"#),
            format!(r#"{{"sid":"{tkn}","gen":3,"exp":{exp}}}"#),
            format!(r#"{{"sub":"alice","sid":"sh:short","gen":3,"exp":{exp}}}"#),
            format!(r#"{{"sub":1,"sid":"{tkn}","gen":3,"exp":{exp}}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":-1,"exp":{exp}}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":4294967296,"exp":{exp}}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":3,"exp":"{exp}"}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":3,"exp":{exp}.5}}"#),
            format!(r#"{{"sub":"alice","sid":"{tkn}","gen":3,"exp":18446744073709551615}}"#),
            format!(r#"{{"sub":"alice","sub":"bob","sid":"{tkn}","gen":3,"exp":{exp}}}"#),
        ] {
            assert!(!verifies(&forged_by_the_key_holder(&ring, &header, &body), &ring, NOW), "{body}");
        }
    }

    #[test]
    fn a_token_that_browsers_would_drop_is_not_made() {
        let ring = ring(&["a"], Algorithm::EdDsa);
        let payload = |length: usize| {
            Payload::parse(format!(r#"{{"p":"{}"}}"#, "x".repeat(length)).as_bytes(), 8_000).expect("a payload")
        };
        let made = |length| signed_with(&ring, &Audience::default(), NOW, &payload(length));
        let longest = (0..4_000).rev().find(|&length| made(length).is_ok()).expect("some fit");
        assert!((MAX_LEN - 1..=MAX_LEN).contains(&made(longest).expect("it fits").len()));
        assert_eq!(made(longest + 1), Err(Status::ValueSize));
    }

    #[test]
    fn a_payload_that_fits_now_fits_for_ever() {
        let payload =
            |length: usize| Payload::parse(format!(r#"{{"p":"{}"}}"#, "x".repeat(length)).as_bytes(), 8_000).expect("");
        let longest_setting = "x".repeat(Audience::MAX_LEN);
        let us = audience(Some(&longest_setting), Some(&longest_setting));
        let longest = (0..4_000).rev().find(|&length| fits("alice", &payload(length)).is_ok()).expect("some fit");
        let thumbprint = "x".repeat(43);
        let claims = Claims {
            name: "alice",
            token: Token::parse(TOKEN).expect("a token"),
            generation: u32::MAX,
            csrf: Some("x".repeat(32)),
            thumbprint: Some(&thumbprint),
            payload: &payload(longest),
            issued: NOW,
            expires: Millis(NOW.0 + HOUR),
        };
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            assert!(sign(&ring(&["a"], algorithm), &us, &claims).is_ok());
        }
        assert!(longest > 2_048, "{longest}: the default of sh.max-payload fits");
    }

    #[test]
    fn only_the_hash_of_a_key_is_a_thumbprint() {
        assert!(thumbprint(b"C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y").is_some());
        for other in [&b""[..], b"device", b"C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y=", b"C3NI+gOJcMSOwHzXO2JX857I"]
        {
            assert!(thumbprint(other).is_none());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), body in "[ -~]{0,80}") {
            let ring = ring(&["a"], Algorithm::Hs256);
            prop_assert!(Access::verify(&bytes, &ring, &Audience::default(), NOW).is_none());
            let header = String::from_utf8(from_base64url(ring.signer(NOW).header.as_bytes()).expect("")).expect("");
            prop_assert!(!verifies(&forged_by_the_key_holder(&ring, &header, &body), &ring, NOW));
        }
    }
}
