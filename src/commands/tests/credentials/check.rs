//! Checking and resuming.

use super::*;

#[test]
fn after_the_end_of_a_session_only_sh_verify_accepts_its_access_token() {
    let mut store = store();
    let (tokens, cookie) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["COOKIE"]));
    assert_eq!(call(&mut store, &["SH.END", &tokens.tkn, &cookie.tkn]), Ok(json!(2)));
    assert_eq!(refresh(&mut store, &tokens, &[]), Err(Unauthorised));
    assert_eq!(check(&mut store, &tokens, &[]), Err(Unauthorised));
    assert_eq!(call(&mut store, &["SH.REGENERATE", &tokens.tkn, &tokens.access]), Err(Unauthorised));
    assert_eq!(resume(&mut store, &cookie, &[]), Err(Unauthorised));
    assert_eq!(status(call(&mut store, &["SH.VERIFY", &tokens.access])), Ok(()), "until it expires");
    store.now += 3_600 * SECOND;
    assert_eq!(call(&mut store, &["SH.VERIFY", &tokens.access]), Err(TryRefreshToken));
}

#[test]
fn verifying_answers_the_claims_of_the_token() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS", "PAYLOAD", r#"{"role":"admin","n":[1,{"x":null}]}"#]);
    let expected = json!({
        "session": {
            "handle": jar.tkn, "userId": "alice", "userDataInJWT": {"role": "admin", "n": [1, {"x": null}]},
        },
        "expiry": START + 3_600 * SECOND,
    });
    assert_eq!(call(&mut store, &["SH.VERIFY", &jar.access, "CSRF", &jar.csrf]), Ok(expected.clone()));
    assert_eq!(call(&mut store, &["SH.CHECK", &jar.tkn, &jar.access, "CSRF", &jar.csrf]), Ok(expected));
}

#[test]
fn the_previous_access_token_is_accepted_within_the_grace_period() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    refresh(&mut store, &first, &[]).expect("refreshed");
    store.now += 30 * SECOND;
    assert_eq!(check(&mut store, &first, &[]), Ok(()));
    store.now += 1;
    assert_eq!(check(&mut store, &first, &[]), Err(TryRefreshToken));
    assert_eq!(status(call(&mut store, &["SH.VERIFY", &first.access])), Ok(()), "which SH.VERIFY cannot see");
}

#[test]
fn resuming_answers_data_and_renews_the_idle_time() {
    let mut store = store();
    let data = r#"{"cart":"3 apples","seen":"1"}"#;
    let jar = sign_in(&mut store, &["COOKIE", "IDLE", "160", "DATA", data, "PAYLOAD", r#"{"role":"admin"}"#]);
    store.now += 100 * SECOND;
    let expected = json!({
        "session": {"handle": jar.tkn, "userId": "alice", "userDataInJWT": {"role": "admin"}},
        "expiry": START + 260 * SECOND,
        "data": {"cart": "3 apples", "none": null},
    });
    assert_eq!(resume(&mut store, &jar, &["CSRF", &jar.csrf, "GET", "cart", "none"]), Ok(expected.clone()));
    let json = json!({"antiCsrfToken": jar.csrf, "get": ["cart", "none"]}).to_string();
    assert_eq!(resume(&mut store, &jar, &[&json]), Ok(expected));
    store.now += 160 * SECOND;
    assert_eq!(resume(&mut store, &jar, &[]), Err(Unauthorised));
}

#[test]
fn resuming_never_answers_metadata() {
    let mut store = store();
    let jar = sign_in(&mut store, &["COOKIE"]);
    assert_eq!(resume(&mut store, &jar, &["GET", ".gen"]), Err(ValueTypeInvalid));
    assert_eq!(resume(&mut store, &jar, &[r#"{"get":[".payload"]}"#]), Err(ValueTypeInvalid));
    assert_eq!(resume(&mut store, &jar, &["GET"]), Err(ValueMissing));
}

#[test]
fn a_replica_never_answers_unauthorised_for_a_missing_session() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    let mut replica = store.clone();
    replica.replica = true;
    assert_eq!(check(&mut replica, &jar, &[]), Ok(()));
    let next = refresh(&mut store, &jar, &[]).expect("refreshed on the primary");
    assert_eq!(check(&mut replica, &next, &[]), Ok(()), "it has not heard of it yet");
    replica.entries.clear();
    assert_eq!(check(&mut replica, &next, &[]), Err(TryRefreshToken), "the session may only not have arrived");
    replica.settings.secrets = None;
    assert_eq!(check(&mut replica, &next, &[]), Err(TryRefreshToken), "nor the secret");
    assert_eq!(refresh(&mut replica, &next, &[]), Err(TryRefreshToken), "on a replica that may be written to");
}

#[test]
fn commands_that_read_write_nothing() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    let before = trace(&store);
    check(&mut store, &jar, &["CSRF", &jar.csrf]).expect("checked");
    for line in [&["SH.VERIFY", &jar.access][..], &["SH.JWKS"], &["SH.CLEARCOOKIES"], &["SH.PAYLOAD", &jar.tkn]] {
        call(&mut store, line).expect("read");
    }
    assert_eq!(trace(&store), before);
}
