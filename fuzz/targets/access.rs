//! Access tokens: as anyone can send them, and with claims that only the holder of the key can sign.

#![no_main]

use aws_lc_rs::hmac;
use libfuzzer_sys::fuzz_target;
use sessions_core::credentials::access::{self, Audience, Claims};
use sessions_core::credentials::secret::Purpose;
use sessions_core::credentials::{Access, Algorithm, Payload, Ring, Secret, base64url};
use sessions_core::session::{Millis, Seconds, Token};
use std::sync::Once;

const NOW: Millis = Millis(1_786_752_000_000);
const DATABASE: u32 = 0;

fn secret() -> Secret {
    Secret::new(&[b'a'; Secret::MIN_LEN]).expect("long enough")
}

/// A token with these claims, signed by the key that signs now.
fn signed_by_the_key_holder(ring: &Ring, claims: &[u8]) -> Vec<u8> {
    let signer = ring.signer(NOW);
    let seed = secret().derive(Purpose::AccessToken, Algorithm::Hs256.name(), DATABASE, signer.epoch);
    let header = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#, signer.kid());
    let body = [claims, b",\"jti\":\"", ring.token_id(claims).as_bytes(), b"\"}"].concat();
    let message = format!("{}.{}", base64url(header), base64url(body));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &seed), message.as_bytes());
    format!("{message}.{}", base64url(signature)).into_bytes()
}

/// What is signed here is what the module signs: else the claims would be refused before they are read.
fn check_the_signing(ring: &Ring) {
    let claims = Claims {
        name: "alice",
        token: Token::parse(b"sh:AAECAwQFBgcICQoLDA0ODw012").expect("a token"),
        generation: 3,
        csrf: None,
        thumbprint: None,
        payload: &Payload::default(),
        issued: NOW,
        expires: Millis(NOW.0 + 3_600_000),
    };
    let ours = access::sign(ring, &Audience::default(), &claims).expect("a token");
    let signed = br#"{"sub":"alice","sid":"sh:AAECAwQFBgcICQoLDA0ODw012","gen":3,"iat":1786752000,"exp":1786755600"#;
    assert_eq!(String::from_utf8_lossy(&signed_by_the_key_holder(ring, signed)), ours);
}

fn check(access: &Access) {
    assert!(access.token().is_some() && access.expires > NOW);
    let payload = access.payload.as_str().as_bytes();
    assert_eq!(Payload::parse(payload, usize::MAX).as_ref(), Ok(&access.payload));
}

fuzz_target!(|input: &[u8]| {
    static CHECKED: Once = Once::new();
    let ring = Ring::new(&[secret()], DATABASE, Algorithm::Hs256, Seconds(3_600), Seconds(3_600));
    CHECKED.call_once(|| check_the_signing(&ring));
    for text in [input.to_vec(), signed_by_the_key_holder(&ring, input)] {
        if let Some(access) = Access::verify(&text, &ring, &Audience::default(), NOW) {
            check(&access);
        }
    }
});
