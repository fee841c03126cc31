//! Signing in: what SH.NEW answers, and what it stores.

use super::*;

#[test]
fn signing_in_answers_tokens_cookies_and_headers() {
    let mut store = store();
    let reply = call(&mut store, &["SH.NEW", "alice", "TOKENS", "PAYLOAD", r#"{"role":"admin"}"#]).expect("a session");
    let jar = Jar::of(&reply);
    assert_eq!(reply["session"], json!({"handle": jar.tkn, "userId": "alice", "userDataInJWT": {"role": "admin"}}));
    let ends = START + 8_640_000 * SECOND;
    let access = json!({
        "token": jar.access, "expiry": START + 3_600 * SECOND, "createdTime": START,
        "cookiePath": "/", "cookieSecure": true, "sameSite": "lax",
    });
    assert_eq!(reply["accessToken"], access);
    let refresh = json!({
        "token": jar.sealed, "expiry": ends, "createdTime": START,
        "cookiePath": "/session/refresh", "cookieSecure": true, "sameSite": "lax",
    });
    assert_eq!(reply["refreshToken"], refresh);
    assert_eq!(reply["idRefreshToken"], json!({"token": jar.id_refresh, "expiry": ends, "createdTime": START}));
    let cookies = json!([
        format!("sAccessToken={}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax", jar.access),
        format!("sRefreshToken={}; Max-Age=8640000; Path=/session/refresh; HttpOnly; Secure; SameSite=Lax", jar.sealed),
        format!("sIdRefreshToken={}; Max-Age=8640000; Path=/; HttpOnly; Secure; SameSite=Lax", jar.id_refresh),
    ]);
    assert_eq!(reply["setCookie"], cookies);
    let headers = json!({
        "anti-csrf": jar.csrf, "id-refresh-token": format!("{};{ends}", jar.id_refresh),
        "access-control-expose-headers": "anti-csrf, id-refresh-token", "cache-control": "no-store",
    });
    assert_eq!(reply["headers"], headers);
    let said = claims(&jar.access);
    let expected = json!({
        "sub": "alice", "sid": jar.tkn, "gen": 0, "iat": START / SECOND, "exp": START / SECOND + 3_600,
        "csrf": jar.csrf, "role": "admin", "jti": said["jti"],
    });
    assert_eq!(said, expected);
}

#[test]
fn a_cookie_lasts_as_long_as_its_session_can() {
    let max_age = |options: &[&str]| {
        let mut store = Memory::default();
        let reply = call(&mut store, &[&["SH.NEW", "alice", "COOKIE"], options].concat()).expect("a session");
        let cookie = reply["setCookie"][0].as_str().expect("a cookie").to_owned();
        cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age=")).expect("an age").to_owned()
    };
    assert_eq!(max_age(&["IDLE", "600"]), "34560000", "touching goes on for ever");
    assert_eq!(max_age(&["IDLE", "600", "EXPIRY", "3600", "DELETE"]), "3600");
    assert_eq!(max_age(&["EXPIRY", "3600", "DELETE"]), "3600");
}

#[test]
fn a_cookie_session_has_one_credential() {
    let mut store = store();
    let reply = call(&mut store, &["SH.NEW", "alice", "COOKIE", "IDLE", "600"]).expect("a session");
    let jar = Jar::of(&reply);
    let members: Vec<_> = reply.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(members, ["antiCsrfToken", "cookieToken", "headers", "name", "session", "setCookie", "st", "tkn"]);
    let cookie = format!("sCookieToken={}; Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=Lax", jar.sealed);
    assert_eq!(reply["setCookie"], json!([cookie]));
}

#[test]
fn no_credential_is_stored_anywhere() {
    let mut store = store();
    let bind = "a-device-key-that-nobody-else-has";
    for kind in ["TOKENS", "COOKIE"] {
        let reply = call(&mut store, &["SH.NEW", "alice", kind, "BIND", bind]).expect("a session");
        let first = Jar::of(&reply);
        let second = refresh(&mut store, &first, &["BIND", bind]).expect("the next");
        let stored = store.entries.values().map(|entry| format!("{:?}", entry.value)).collect::<String>();
        // As the debug output shows bytes.
        let bytes = |text: &str| format!("{:?}", text.as_bytes()).replace(['[', ']'], "");
        assert!(stored.contains(&bytes("alice")), "what is stored would be found");
        for jar in [&first, &second] {
            for secret in [&jar.sealed[28..], &jar.access, &jar.csrf, &jar.id_refresh, bind] {
                assert!(secret.is_empty() || !stored.contains(&bytes(secret)));
            }
        }
    }
}

#[test]
fn the_anti_csrf_token_can_be_switched_off() {
    let mut store = store();
    store.settings.policy.anti_csrf = false;
    let reply = call(&mut store, &["SH.NEW", "alice", "TOKENS"]).expect("a session");
    assert!(reply.get("antiCsrfToken").is_none() && reply["headers"].get("anti-csrf").is_none());
    assert_eq!(reply["headers"]["access-control-expose-headers"], "id-refresh-token");
    let jar = Jar::of(&reply);
    assert!(claims(&jar.access).get("csrf").is_none());
    assert_eq!(check(&mut store, &jar, &["CSRF", ""]), Err(TryRefreshToken), "who asks for it to be checked is obeyed");
}

#[test]
fn an_access_token_never_outlives_its_session() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS", "IDLE", "600", "EXPIRY", "1000", "DELETE"]);
    assert_eq!(claims(&jar.access)["exp"], START / SECOND + 600);
    store.now = START + 590 * SECOND + 1;
    let next = refresh(&mut store, &jar, &[]).expect("refreshed");
    assert_eq!(claims(&next.access)["exp"], START / SECOND + 1_000, "the absolute limit stands");
    store.now = START + 1_000 * SECOND - 1;
    assert_eq!(check(&mut store, &next, &[]), Ok(()));
    store.now += 1;
    assert_eq!(call(&mut store, &["SH.VERIFY", &next.access]), Err(TryRefreshToken));
    assert_eq!(check(&mut store, &next, &[]), Err(TryRefreshToken));
    assert_eq!(refresh(&mut store, &next, &[]), Err(Unauthorised));
}

#[test]
fn credentials_of_an_endless_session_last_as_long_as_browsers_keep_cookies() {
    let mut store = store();
    let reply = call(&mut store, &["SH.NEW", "alice", "TOKENS", "IDLE", "0"]).expect("a session");
    assert!(reply["refreshToken"].get("expiry").is_none());
    assert!(reply["setCookie"][1].as_str().expect("a cookie").contains("; Max-Age=34560000; "));
    assert!(reply["headers"]["id-refresh-token"].as_str().expect("a header").ends_with(";never"));
}

#[test]
fn a_sign_in_that_is_refused_writes_nothing() {
    let control = "al\u{7}ice";
    let reserved = r#"{"sub":"bob"}"#;
    let escaped = r#"{"\u0073ub":"bob"}"#;
    let long_payload = json!({ "p": "x".repeat(2_041) }).to_string();
    let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    let quotes = "\"".repeat(512);
    let big = json!({ "p": "x".repeat(2_040) }).to_string();
    let mistakes = [
        (&["alice", "TOKENS", "COOKIE"][..], CommandSyntax),
        (&["alice", "TOKENS", "SHARED"], CommandSyntax),
        (&["alice", "PAYLOAD", "{}"], CommandSyntax),
        (&["alice", "BIND", "x"], CommandSyntax),
        (&["alice", "TOKENS", "BIND"], ValueMissing),
        (&["alice", "TOKENS", "BIND", ""], ValueSize),
        (&["alice", r#"{"credentials":"tokens","bind":""}"#], ValueSize),
        (&["alice", r#"{"credentials":"tokens","bind":null}"#], ValueTypeInvalid),
        (&["alice", r#"{"credentials":"jwt"}"#], CommandSyntax),
        (&["alice", r#"{"credentials":1}"#], ValueTypeInvalid),
        (&[control, "TOKENS"], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", "{"], CommandSyntax),
        (&["alice", "TOKENS", "PAYLOAD", "[]"], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", reserved], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", escaped], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", r#"{"a":1,"a":2}"#], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", &deep], ValueTypeInvalid),
        (&["alice", "TOKENS", "PAYLOAD", &long_payload], ValueSize),
        (&["alice", r#"{"credentials":"tokens","jwtPayload":[]}"#], ValueTypeInvalid),
        (&[&quotes, "TOKENS", "PAYLOAD", &big], ValueSize),
    ];
    for secrets in [secrets(&["a"]), None] {
        for (options, expected) in mistakes {
            let mut store = Memory { now: START, ..Memory::default() };
            store.settings.secrets = secrets.clone();
            let line = [&["SH.NEW"], options].concat();
            let refused = status(call(&mut store, &line));
            assert_eq!(refused, Err(expected), "{:?}", &options[..options.len() - 1]);
            assert!(store.entries.is_empty() && store.effects.is_empty(), "not even a secret");
        }
    }
}

#[test]
fn keywords_and_json_sign_in_alike() {
    let keywords = ["SH.NEW", "alice", "TOKENS", "IDLE", "60", "PAYLOAD", r#"{"a":1}"#, "BIND", "device"];
    let spelled = r#"{"credentials":"tokens","idle":60,"jwtPayload":{"a":1},"bind":"device"}"#;
    let (mut one, mut other) = (store(), store());
    assert_eq!(call(&mut one, &keywords), call(&mut other, &["SH.NEW", "alice", spelled]));
    assert_eq!(one.entries, other.entries);
}
