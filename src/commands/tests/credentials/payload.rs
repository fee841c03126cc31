//! The payload of access tokens.

use super::*;

#[test]
fn a_new_payload_is_in_the_next_access_token() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    assert_eq!(call(&mut store, &["SH.PAYLOAD", &jar.tkn]), Ok(json!({})));
    assert_eq!(call(&mut store, &["SH.PAYLOAD", &jar.tkn, r#"{ "role": "admin" }"#]), Ok(json!({"role": "admin"})));
    assert_eq!(field(&store, &jar, ".payload").as_deref(), Some(r#"{"role":"admin"}"#));
    assert!(claims(&jar.access).get("role").is_none());
    let next = refresh(&mut store, &jar, &[]).expect("refreshed");
    assert_eq!(claims(&next.access)["role"], "admin");
}

#[test]
fn regenerating_changes_the_payload_and_nothing_else() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    store.now += 1_000 * SECOND;
    let reply =
        call(&mut store, &["SH.REGENERATE", &jar.tkn, &jar.access, r#"{"role":"admin"}"#]).expect("regenerated");
    let members: Vec<_> = reply.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(members, ["accessToken", "antiCsrfToken", "headers", "session", "setCookie"]);
    let (old, mut new) = (claims(&jar.access), claims(&Jar::of(&reply).access));
    assert_eq!((&new["role"], &new["iat"]), (&json!("admin"), &json!(START / SECOND + 1_000)));
    assert_ne!(new["jti"], old["jti"]);
    assert_eq!(reply["accessToken"]["expiry"], START + 3_600 * SECOND, "only a refresh prolongs access");
    let said = new.as_object_mut().expect("an object");
    said.remove("role");
    for same in ["iat", "jti"] {
        said.insert(same.to_owned(), old[same].clone());
    }
    assert_eq!(new, old);
    assert_eq!(field(&store, &jar, ".payload").as_deref(), Some(r#"{"role":"admin"}"#));
    let again = call(&mut store, &["SH.REGENERATE", &jar.tkn, &jar.access]).expect("with the stored payload");
    assert_eq!(again["session"]["userDataInJWT"], json!({"role": "admin"}));
}

#[test]
fn a_payload_that_is_refused_changes_nothing() {
    let mut store = store();
    let quotes = "\"".repeat(512);
    let reply = call(&mut store, &["SH.NEW", &quotes, "TOKENS", "PAYLOAD", r#"{"a":1}"#]).expect("a session");
    let jar = Jar::of(&reply);
    let before = trace(&store);
    let long = json!({ "p": "x".repeat(2_041) }).to_string();
    let too_long_for_a_cookie = json!({ "p": "x".repeat(2_000) }).to_string();
    let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    let refused = [
        ("", CommandSyntax),
        ("{", CommandSyntax),
        ("[]", ValueTypeInvalid),
        ("null", ValueTypeInvalid),
        (r#"{"exp":1}"#, ValueTypeInvalid),
        (r#"{"\u0065xp":1}"#, ValueTypeInvalid),
        (r#"{"a":1,"a":1}"#, ValueTypeInvalid),
        (&deep, ValueTypeInvalid),
        (&long, ValueSize),
        (&too_long_for_a_cookie, ValueSize),
    ];
    for (payload, expected) in refused {
        assert_eq!(call(&mut store, &["SH.PAYLOAD", &jar.tkn, payload]), Err(expected), "{payload:.40}");
        let regenerate = ["SH.REGENERATE", &jar.tkn, &jar.access, payload];
        assert_eq!(call(&mut store, &regenerate), Err(expected), "{payload:.40}");
    }
    assert_eq!(trace(&store), before);
    assert!(refresh(&mut store, &jar, &[]).is_ok(), "it can still be refreshed");
}

#[test]
fn the_longest_payload_fits_up_to_the_last_generation() {
    let mut store = store();
    store.settings.max_payload = 3_000;
    let payload = |length: usize| json!({ "p": "x".repeat(length) }).to_string();
    let made = |store: &mut Memory, length| call(store, &["SH.NEW", "alice", "TOKENS", "PAYLOAD", &payload(length)]);
    let longest = (2_000..3_000).rev().find(|&length| made(&mut store, length).is_ok()).expect("some fit");
    assert_eq!(status(made(&mut store, longest + 1)), Err(ValueSize));
    let mut jar = Jar::of(&made(&mut store, longest).expect("the longest"));
    jar.sealed = sealed_at(&store, &jar, u32::MAX - 1);
    assert_eq!(refresh(&mut store, &jar, &[]).map(drop), Ok(()));
    let plain = sign_in(&mut store, &["TOKENS"]);
    assert_eq!(status(call(&mut store, &["SH.PAYLOAD", &plain.tkn, &payload(longest)])), Ok(()));
    assert_eq!(status(call(&mut store, &["SH.PAYLOAD", &plain.tkn, &payload(longest + 1)])), Err(ValueSize));
    let regenerate = ["SH.REGENERATE", &plain.tkn, &plain.access, &payload(longest + 1)];
    assert_eq!(status(call(&mut store, &regenerate)), Err(ValueSize));
}

#[test]
fn a_payload_damaged_by_hand_is_never_signed() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    for damaged in [r#"{"sub":"root"}"#, r#"{"a":1},"sub":"root""#, "", "[]"] {
        set_field(&mut store, &jar, ".payload", damaged);
        assert_eq!(refresh(&mut store, &jar, &[]), Err(GeneralError), "{damaged}");
    }
}
