//! The secrets and the keys that are derived from them.

use super::*;

#[test]
fn the_first_credential_makes_a_secret_that_stays() {
    let mut store = Memory { now: START, ..Memory::default() };
    assert_eq!(call(&mut store, &["SH.JWKS"]), Ok(json!({ "keys": [] })));
    assert_eq!(call(&mut store, &["SH.VERIFY", "x"]), Err(TryRefreshToken));
    assert!(store.entries.is_empty(), "what reads makes none");
    let jar = sign_in(&mut store, &["TOKENS"]);
    let secret = store.entries[&b"redis-sessions:secret"[..]].clone();
    assert_eq!(secret.expires, None);
    sign_in(&mut store, &["TOKENS"]);
    assert_eq!(store.entries[&b"redis-sessions:secret"[..]], secret);
    assert_eq!(check(&mut store, &jar, &[]), Ok(()));
    store.entries.remove(&b"redis-sessions:secret"[..]);
    assert_eq!(refresh(&mut store, &jar, &[]), Err(Unauthorised), "who deletes it logs everybody out");
}

#[test]
fn a_key_of_the_secret_with_other_content_is_an_error() {
    let mut store = Memory { now: START, ..Memory::default() };
    for held in [Stored::String(b"short".to_vec()), Stored::Hash(BTreeMap::new())] {
        let entry = Entry { value: held, expires: None };
        store.entries.insert(b"redis-sessions:secret".to_vec(), entry);
        let before = trace(&store);
        assert_eq!(call(&mut store, &["SH.NEW", "alice", "TOKENS"]), Err(GeneralError));
        assert_eq!(call(&mut store, &["SH.VERIFY", "x"]), Err(GeneralError));
        assert_eq!(trace(&store), before);
    }
}

#[test]
fn in_a_cluster_a_node_without_a_secret_file_answers_an_error_and_logs_nobody_out() {
    let mut store = store();
    let (tokens, cookie) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["COOKIE"]));
    store.cluster = true;
    assert_eq!(check(&mut store, &tokens, &[]), Ok(()));
    store.settings.secrets = None;
    let before = trace(&store);
    for line in [
        &["SH.NEW", "bob", "TOKENS"][..],
        &["SH.REFRESH", &tokens.tkn, &tokens.sealed],
        &["SH.RESUME", &cookie.tkn, &cookie.sealed],
        &["SH.CHECK", &tokens.tkn, &tokens.access],
        &["SH.VERIFY", &tokens.access],
        &["SH.REGENERATE", &tokens.tkn, &tokens.access],
        &["SH.JWKS"],
    ] {
        let error = answer(&mut store, line).expect_err("no file");
        assert!(error.to_string().starts_with("GENERALERROR in a cluster credentials need sh.secret-file"), "{error}");
    }
    assert_eq!(trace(&store), before);
    assert!(call(&mut store, &["SH.NEW", "bob"]).is_ok(), "a session without credentials needs none");
}

#[test]
fn secrets_change_with_nobody_logged_out() {
    let mut store = store();
    let (tokens, cookie) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["COOKIE"]));
    for lines in [&["a", "b"][..], &["b", "a"]] {
        store.settings.secrets = secrets(lines);
        assert_eq!(check(&mut store, &tokens, &["CSRF", &tokens.csrf]), Ok(()), "{lines:?}");
        assert_eq!(status(resume(&mut store, &cookie, &["CSRF", &cookie.csrf])), Ok(()), "{lines:?}");
    }
    let tokens = refresh(&mut store, &tokens, &["CSRF", &tokens.csrf]).expect("refreshed");
    store.settings.secrets = secrets(&["b"]);
    assert_eq!(check(&mut store, &tokens, &["CSRF", &tokens.csrf]), Ok(()), "refreshed since");
    assert_eq!(resume(&mut store, &cookie, &[]), Err(Unauthorised), "not refreshed since");
}

#[test]
fn with_hs256_all_credentials_work_and_the_key_set_is_empty() {
    let mut store = store();
    store.settings.algorithm = Algorithm::Hs256;
    let jar = sign_in(&mut store, &["TOKENS"]);
    assert_eq!(check(&mut store, &jar, &[]), Ok(()));
    assert!(refresh(&mut store, &jar, &[]).is_ok());
    assert_eq!(call(&mut store, &["SH.JWKS"]), Ok(json!({ "keys": [] })));
    store.settings.algorithm = Algorithm::EdDsa;
    assert_eq!(call(&mut store, &["SH.VERIFY", &jar.access]), Err(TryRefreshToken), "of the other algorithm");
}

#[test]
fn the_key_set_holds_the_key_of_every_unexpired_token() {
    let mut store = store();
    store.settings.key_rotation = Seconds(3_600);
    for _ in 0..50 {
        store.now += 1_111 * SECOND;
        let jar = sign_in(&mut store, &["TOKENS"]);
        let (header, _) = jar.access.split_once('.').expect("three parts");
        let kid = claims(&format!("..{header}").replacen('.', "", 1))["kid"].clone();
        for wait in [0, 1_000, 3_599] {
            let mut later = store.clone();
            later.now += wait * SECOND;
            let keys = call(&mut later, &["SH.JWKS"]).expect("a key set")["keys"].clone();
            assert!(keys.as_array().expect("an array").iter().any(|key| key["kid"] == kid));
        }
    }
}
