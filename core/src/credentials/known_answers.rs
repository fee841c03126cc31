//! Known answers: every value that is derived from a secret, byte for byte. `tests/interop/vectors.py` computed them without
//! any code of this crate: with Python's own `hmac` and `hashlib`, and with HKDF and Ed25519 of the package `cryptography`.
//!
//! A change that breaks one of these tests logs all users out.

use super::access::{self, Access, Audience, Claims};
use super::secret::Purpose;
use super::{Algorithm, Payload, Ring, Sealed, Secret, sealed};
use crate::session::{Credentials, Millis, Seconds, Token};

const DATABASE: u32 = 3;
const GENERATION: u32 = 7;
const NOW: Millis = Millis(1_786_752_000_123);
const EPOCH: u64 = 2_954;
const THUMBPRINT: &str = "C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y";
const ANTI_CSRF: &str = "awNkYI0MlnIVF_3y-gTQk6_A2bz2YTWT";

fn secret() -> Secret {
    Secret::new(b"known-answer-secret-of-redis-sessions-0123456789").expect("a secret")
}

fn token() -> Token<'static> {
    Token::parse(b"sh:AAECAwQFBgcICQoLDA0ODw012").expect("a token")
}

fn ring(algorithm: Algorithm) -> Ring {
    Ring::new(&[secret()], DATABASE, algorithm, Seconds(604_800), Seconds(3_600))
}

#[test]
fn the_keys() {
    let hex = |purpose, algorithm, epoch| {
        let key = secret().derive(purpose, algorithm, DATABASE, epoch);
        key.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let known = [
        (Purpose::RefreshToken, "8e0b9a4c1ea11a914601c2abc333e517b794b470f29bb20c78462397fd053b83"),
        (Purpose::CookieToken, "ca8f1afd038d36309d504cb8fd54ce60f5e9d3b6c67eae47e696933ebd5a0436"),
        (Purpose::AntiCsrf, "681e9691318960c4e58fee67a84843de83c27469cc34289824f70de4a4d7548e"),
        (Purpose::IdRefresh, "9c20fe7e21a29304227e04798d70e28d0de05e6b5796e207202ce848a164c7c8"),
        (Purpose::TokenId, "8f84af85a4305d47c8dc33be1f3a44369f4e36128cb21da199587b8270a26fa5"),
    ];
    for (purpose, key) in known {
        assert_eq!(hex(purpose, "HMAC-SHA256", 0), key, "{purpose:?}");
    }
    let signing = [
        ("EdDSA", "67a8e70c29e55411215bfbaed63aa7d3e123cc91759417d8f14b8053d7f21ef3"),
        ("HS256", "d20fbd2c905ae3d598cb61127980c9b13312be993f9f27065d80c90edafb485b"),
    ];
    for (algorithm, key) in signing {
        assert_eq!(hex(Purpose::AccessToken, algorithm, EPOCH), key, "{algorithm}");
    }
    assert_eq!(secret().fingerprint(), "61dd688042db");
}

#[test]
fn the_sealed_tokens() {
    let known = [
        (Credentials::Tokens, None, "sh:AAECAwQFBgcICQoLDA0ODw012AAAABz14grAZAy2W3HWoX0D-hlcmX5Ru"),
        (Credentials::Cookie, None, "sh:AAECAwQFBgcICQoLDA0ODw012AAAAB6cgAWtSxvcvVJqPGOy5Mw7d9_jf"),
        (Credentials::Tokens, Some(THUMBPRINT), "sh:AAECAwQFBgcICQoLDA0ODw012AAAAB6AE-O3630EGnypkygp3rR6KP-0Y"),
    ];
    let ring = ring(Algorithm::EdDsa);
    for (kind, bind, text) in known {
        let bind = bind.map(str::as_bytes);
        assert_eq!(sealed::seal(&ring, kind, token(), GENERATION, bind), text);
        let parsed = Sealed::parse(text.as_bytes()).expect("a sealed token");
        assert_eq!(parsed.open(&ring, kind, token(), bind), Some(GENERATION));
    }
}

#[test]
fn the_anti_csrf_and_id_refresh_tokens() {
    let ring = ring(Algorithm::EdDsa);
    assert_eq!(ring.anti_csrf(token(), GENERATION), ANTI_CSRF);
    assert_eq!(ring.id_refresh(token(), GENERATION), "vzk9GpmZQ0YPultVSAQJCZcJ6ySqSMSl");
}

#[test]
fn the_public_key() {
    let keys = serde_json::to_value(ring(Algorithm::EdDsa).key_set(NOW)).expect("JSON");
    let key = serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
        "kid": "SnV8fvcXeDpyeHde",
        "x": "3R8NRT_Oqw71zajm600GCY5FR0SDWvMXZWvzEIaWuhU",
    });
    assert_eq!(keys["keys"][0], key);
}

#[test]
fn the_whole_access_token() {
    let audience = Audience { issuer: Some("https://issuer.example".to_owned()), audience: Some("web".to_owned()) };
    let payload = Payload::parse(br#"{ "role": "admin", "n": 1.50 }"#, 2_048).expect("a payload");
    let claims = Claims {
        name: "alice",
        token: token(),
        generation: GENERATION,
        csrf: Some(ANTI_CSRF.to_owned()),
        thumbprint: Some(THUMBPRINT),
        payload: &payload,
        issued: NOW,
        expires: Millis(NOW.0 + 3_600_000),
    };
    let ed_dsa = (
        Algorithm::EdDsa,
        "SnV8fvcXeDpyeHde",
        concat!(
            "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCIsImtpZCI6IlNuVjhmdmNYZURweWVIZGUifQ",
            ".",
            "eyJzdWIiOiJhbGljZSIsInNpZCI6InNoOkFBRUNBd1FGQmdjSUNRb0xEQTBPRHcwMTIiLCJnZW4iOjcsImlhdCI6MTc4Njc1",
            "MjAwMCwiZXhwIjoxNzg2NzU1NjAwLCJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoid2ViIiwiY3NyZiI6",
            "ImF3TmtZSTBNbG5JVkZfM3ktZ1RRazZfQTJiejJZVFdUIiwiY25mIjp7ImprdCI6IkMzTkktZ09KY01TT3dIelhPMkpYODU3",
            "SUVQWVBGdTV6dGk0OGJpWVFxOFkifSwicm9sZSI6ImFkbWluIiwibiI6MS41MCwianRpIjoiZUZxZUFIRHU5MldZdU1RUCJ9",
            ".",
            "pARZWqb1NVipKgveV5GVlsowZP7cNrjLXTzV7dj5lfG4TGfNk9fRV8b8u0L3Ezb9y4Y8qki7VeonqA4oApd2DQ",
        ),
    );
    let hs256 = (
        Algorithm::Hs256,
        "kHI4m6FiBR5OBwcX",
        concat!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImtISTRtNkZpQlI1T0J3Y1gifQ",
            ".",
            "eyJzdWIiOiJhbGljZSIsInNpZCI6InNoOkFBRUNBd1FGQmdjSUNRb0xEQTBPRHcwMTIiLCJnZW4iOjcsImlhdCI6MTc4Njc1",
            "MjAwMCwiZXhwIjoxNzg2NzU1NjAwLCJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoid2ViIiwiY3NyZiI6",
            "ImF3TmtZSTBNbG5JVkZfM3ktZ1RRazZfQTJiejJZVFdUIiwiY25mIjp7ImprdCI6IkMzTkktZ09KY01TT3dIelhPMkpYODU3",
            "SUVQWVBGdTV6dGk0OGJpWVFxOFkifSwicm9sZSI6ImFkbWluIiwibiI6MS41MCwianRpIjoiZUZxZUFIRHU5MldZdU1RUCJ9",
            ".",
            "eQTyIvZx8X4_Z335yqKXvw5zgAWvi6WiV7lAmdJkNAs",
        ),
    );
    for (algorithm, kid, text) in [ed_dsa, hs256] {
        let ring = ring(algorithm);
        assert_eq!(ring.signer(NOW).kid(), kid);
        assert_eq!(access::sign(&ring, &audience, &claims).as_deref(), Ok(text));
        let access = Access::verify(text.as_bytes(), &ring, &audience, NOW).expect("a good token");
        assert_eq!((access.name.as_str(), access.handle.as_bytes()), ("alice", token().as_bytes()));
        assert_eq!((access.generation, access.thumbprint.as_deref()), (GENERATION, Some(THUMBPRINT)));
        assert_eq!((access.payload, access.expires), (payload.clone(), Millis(1_786_755_600_000)));
    }
}
