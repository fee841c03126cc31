//! Which access tokens are valid.

use super::*;
use crate::credentials::Secret;
use crate::session::Seconds;
use aws_lc_rs::hmac;
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

/// A token that lives for an hour from `issued`.
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

/// A token of these parts with an ID, signed with the current key.
fn forged_by_the_key_holder(ring: &Ring, header: &str, body: &str) -> String {
    let claims = body.strip_suffix('}').unwrap_or(body);
    let body = format!("{claims}{BEFORE_ID}{}{AFTER_ID}", ring.token_id(claims.as_bytes()));
    signed_by_the_key_holder(ring, header, &body)
}

/// A token of these parts, signed with the current key.
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
    let published = serde_json::to_value(ring.signer(NOW).public_key()).expect("JSON");
    let public_key = from_base64url(published["x"].as_str().expect("a key").as_bytes()).expect("base64url");
    let good = signed(&ring, NOW);
    let (message, _) = good.rsplit_once('.').expect("three parts");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &public_key);
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
    // Only two bits of the last character of 64 bytes count. Of the characters with the same two bits, one is valid.
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
    for text in ["", ".", "..", "...", "a", "a.b.c", parts[0], &long, &with_padding, &five_parts, &no_body, "{}", "\0"]
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
fn the_last_key_verifies_while_its_tokens_live_and_the_next_one_already() {
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
fn signed_claims_of_another_shape_are_refused() {
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
fn a_token_that_browsers_would_drop_is_not_issued() {
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
    for other in [&b""[..], b"device", b"C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y=", b"C3NI+gOJcMSOwHzXO2JX857I"] {
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
