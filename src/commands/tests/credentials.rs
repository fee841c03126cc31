//! The rules of credentials, on the store in memory: what each command answers, what it writes, and what it does not.

use super::{answer, call};
use crate::protocol::Status::{self, *};
use crate::stats::Stat;
use crate::store::memory::{Entry, Memory, Value as Stored};
use proptest::prelude::*;
use serde_json::{Value, json};
use sessions_core::credentials::{Algorithm, Ring, Secret, sealed};
use sessions_core::session::{Credentials, Event, Millis, Seconds, Token};
use std::collections::BTreeMap;
use std::sync::Arc;

const SECOND: u64 = 1_000;
const START: u64 = 1_786_752_000_000;

/// A store with the file of secrets that production should have.
fn store() -> Memory {
    let mut store = Memory { now: START, ..Memory::default() };
    store.settings.secrets = secrets(&["a"]);
    store
}

fn secrets(lines: &[&str]) -> Option<Arc<Vec<Secret>>> {
    let secret = |line: &&str| Secret::new(line.repeat(32).as_bytes()).expect("a secret");
    Some(Arc::new(lines.iter().map(secret).collect()))
}

/// What a browser holds of one sign-in.
#[derive(Debug, Clone, PartialEq)]
struct Jar {
    tkn: String,
    /// The refresh token or the cookie token.
    sealed: String,
    /// Of a session with TOKENS.
    access: String,
    csrf: String,
}

impl Jar {
    fn of(reply: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let sealed = if reply["refreshToken"].is_null() { &reply["cookieToken"] } else { &reply["refreshToken"] };
        Self {
            tkn: text(&reply["session"]["handle"]),
            sealed: text(&sealed["token"]),
            access: text(&reply["accessToken"]["token"]),
            csrf: text(&reply["antiCsrfToken"]),
        }
    }
}

fn sign_in(store: &mut Memory, options: &[&str]) -> Jar {
    Jar::of(&call(store, &[&["SH.NEW", "alice"], options].concat()).expect("a session"))
}

fn refresh(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<Jar, Status> {
    call(store, &[&["SH.REFRESH", &jar.tkn, &jar.sealed], options].concat()).map(|reply| Jar::of(&reply))
}

fn status(reply: Result<Value, Status>) -> Result<(), Status> {
    reply.map(drop)
}

fn resume(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<Value, Status> {
    call(store, &[&["SH.RESUME", &jar.tkn, &jar.sealed], options].concat())
}

fn check(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<(), Status> {
    status(call(store, &[&["SH.CHECK", &jar.tkn, &jar.access], options].concat()))
}

fn lives(store: &mut Memory, jar: &Jar) -> bool {
    call(store, &["SH.EXISTS", &jar.tkn]) == Ok(json!([1]))
}

/// All that a command could have changed.
fn trace(store: &Memory) -> (BTreeMap<Vec<u8>, Entry>, Vec<String>) {
    (store.entries.clone(), store.effects.clone())
}

fn field(store: &Memory, jar: &Jar, field: &str) -> Option<String> {
    match &store.entries.get(jar.tkn.as_bytes())?.value {
        Stored::Hash(hash) => hash.get(field.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned()),
        _ => None,
    }
}

fn set_field(store: &mut Memory, jar: &Jar, field: &str, value: &str) {
    let Stored::Hash(hash) = &mut store.entries.get_mut(jar.tkn.as_bytes()).expect("the session").value else {
        panic!("no hash")
    };
    hash.insert(field.as_bytes().to_vec(), value.as_bytes().to_vec());
}

/// The refresh token that a session has at a generation.
fn sealed_at(store: &Memory, jar: &Jar, generation: u32) -> String {
    let secrets = store.settings.secrets.as_ref().expect("secrets");
    let ring = Ring::new(secrets, 0, Algorithm::EdDsa, Seconds(3_600), Seconds(3_600));
    let token = Token::parse(jar.tkn.as_bytes()).expect("a token");
    sealed::seal(&ring, Credentials::Tokens, token, generation, None)
}

/// The claims of an access token, as anyone can read them.
fn claims(access: &str) -> Value {
    use base64::Engine;
    let body = access.split('.').nth(1).expect("three parts");
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64url");
    serde_json::from_slice(&body).expect("JSON")
}

// Signing in.

#[test]
fn signing_in_answers_all_that_a_front_end_needs() {
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
    let id_refresh = reply["idRefreshToken"]["token"].as_str().expect("a token");
    assert_eq!(reply["idRefreshToken"], json!({"token": id_refresh, "expiry": ends, "createdTime": START}));
    let cookies = json!([
        format!("sAccessToken={}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax", jar.access),
        format!("sRefreshToken={}; Max-Age=8640000; Path=/session/refresh; HttpOnly; Secure; SameSite=Lax", jar.sealed),
        format!("sIdRefreshToken={id_refresh}; Max-Age=8640000; Path=/; HttpOnly; Secure; SameSite=Lax"),
    ]);
    assert_eq!(reply["setCookie"], cookies);
    let headers = json!({
        "anti-csrf": jar.csrf, "id-refresh-token": format!("{id_refresh};{ends}"),
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
fn the_cookie_of_a_session_that_is_resumed_does_not_go_before_the_session() {
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
        let id_refresh = reply["idRefreshToken"]["token"].as_str().unwrap_or("none").to_owned();
        for jar in [&first, &second] {
            for secret in [&jar.sealed[28..], &jar.access, &jar.csrf, &id_refresh, bind] {
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
fn a_session_that_never_expires_has_credentials_as_long_as_browsers_keep_them() {
    let mut store = store();
    let reply = call(&mut store, &["SH.NEW", "alice", "TOKENS", "IDLE", "0"]).expect("a session");
    assert!(reply["refreshToken"].get("expiry").is_none());
    assert!(reply["setCookie"][1].as_str().expect("a cookie").contains("; Max-Age=34560000; "));
    assert!(reply["headers"]["id-refresh-token"].as_str().expect("a header").ends_with(";never"));
}

#[test]
fn what_cannot_be_signed_in_makes_nothing() {
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
fn both_spellings_sign_in_alike() {
    let keywords = ["SH.NEW", "alice", "TOKENS", "IDLE", "60", "PAYLOAD", r#"{"a":1}"#, "BIND", "device"];
    let spelled = r#"{"credentials":"tokens","idle":60,"jwtPayload":{"a":1},"bind":"device"}"#;
    let (mut one, mut other) = (store(), store());
    assert_eq!(call(&mut one, &keywords), call(&mut other, &["SH.NEW", "alice", spelled]));
    assert_eq!(one.entries, other.entries);
}

// Refreshing.

#[test]
fn refreshing_gives_new_credentials_and_outdates_the_old_ones() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind, "IDLE", "1600", "PAYLOAD", r#"{"role":"admin"}"#]);
        store.now += 1_000 * SECOND;
        let second = refresh(&mut store, &first, &["CSRF", &first.csrf]).expect("refreshed");
        assert_eq!(second.tkn, first.tkn, "the session stays");
        assert!(second.sealed != first.sealed && second.csrf != first.csrf);
        assert_eq!(field(&store, &first, ".gen").as_deref(), Some("1"));
        assert_eq!(field(&store, &first, ".rotated"), Some(store.now.to_string()));
        let expires = store.entries[first.tkn.as_bytes()].expires;
        assert_eq!(expires, Some(Millis(store.now + 1_600 * SECOND)), "the idle time is renewed");
        let third = refresh(&mut store, &second, &["CSRF", &second.csrf]).expect("refreshed");
        assert_ne!(third.sealed, second.sealed);
        assert_eq!(store.events, [Event::New, Event::Refresh, Event::Refresh]);
        if kind == "TOKENS" {
            let said = claims(&third.access);
            assert_eq!((&said["gen"], &said["role"], &said["csrf"]), (&json!(2), &json!("admin"), &json!(third.csrf)));
        }
    }
}

#[test]
fn a_second_tab_gets_the_same_refresh_token_and_nothing_is_written() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind]);
        let second = refresh(&mut store, &first, &[]).expect("refreshed");
        let before = trace(&store);
        for wait in [0, 1, 30 * SECOND] {
            store.now = START + wait;
            let again = refresh(&mut store, &first, &["CSRF", &first.csrf]).expect("within the grace period");
            assert_eq!((&again.sealed, &again.csrf), (&second.sealed, &second.csrf));
            assert_eq!(trace(&store), before);
            if kind == "TOKENS" {
                let lived = claims(&again.access)["iat"].as_u64().expect("a time");
                assert_eq!(lived, store.now / SECOND, "the access token is fresh");
            }
        }
        assert_eq!(store.events, [Event::New, Event::Refresh, Event::Replay, Event::Replay, Event::Replay]);
        assert!(refresh(&mut store, &second, &[]).is_ok(), "and the chain goes on");
    }
}

#[test]
fn a_stolen_token_ends_the_session_and_tells_all_that_there_is_to_tell() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let reply = call(&mut store, &["SH.NEW", "al ice/\u{e9}%", kind]).expect("a session");
        let first = Jar::of(&reply);
        let second = refresh(&mut store, &first, &[]).expect("refreshed");
        store.now += 30 * SECOND + 1;
        let error = answer(&mut store, &["SH.REFRESH", &first.tkn, &first.sealed]).expect_err("theft");
        assert_eq!(error.to_string(), format!("TOKENTHEFT {} al%20ice%2F%C3%A9%25 0 1 30001", first.tkn));
        assert!(!lives(&mut store, &first));
        assert!(store.entries.is_empty(), "not in the index either: {:?}", store.entries);
        assert_eq!(refresh(&mut store, &second, &[]), Err(Unauthorised), "the successor is dead as well");
        assert_eq!(refresh(&mut store, &first, &[]), Err(Unauthorised), "and theft is told once");
        assert_eq!(store.events, [Event::New, Event::Refresh, Event::End, Event::Theft]);
        assert_eq!(store.counts.iter().filter(|&&stat| stat == Stat::Thefts).count(), 1);
    }
}

#[test]
fn two_generations_back_is_theft_at_once() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    refresh(&mut store, &second, &[]).expect("refreshed");
    assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft));
}

#[test]
fn without_grace_a_second_tab_is_theft_from_the_next_millisecond_on() {
    let mut store = store();
    store.settings.refresh_grace = Seconds(0);
    let first = sign_in(&mut store, &["TOKENS"]);
    refresh(&mut store, &first, &[]).expect("refreshed");
    store.now += 1;
    assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft));
}

#[test]
fn a_credential_planted_before_sign_in_is_worth_nothing_after() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        // The attacker opens a session and gives it to the victim, who signs in with it.
        let planted = sign_in(&mut store, &[kind]);
        let own = refresh(&mut store, &planted, &["NOGRACE"]).expect("signed in");
        if kind == "TOKENS" {
            assert_eq!(check(&mut store, &planted, &[]), Err(TryRefreshToken));
            assert_eq!(
                check(&mut store, &own, &["CSRF", &planted.csrf]),
                Err(TryRefreshToken),
                "nor its anti-CSRF token"
            );
            assert_eq!(check(&mut store, &own, &["CSRF", &own.csrf]), Ok(()));
        } else {
            assert_eq!(resume(&mut store, &planted, &[]), Err(TryRefreshToken));
            assert_eq!(status(resume(&mut store, &own, &[])), Ok(()));
        }
        // It cannot be made good again: in the very same millisecond it is reported.
        assert_eq!(refresh(&mut store, &planted, &[]), Err(TokenTheft));
    }
}

#[test]
fn nograce_also_outdates_what_a_second_tab_still_holds() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    let third = refresh(&mut store, &first, &["NOGRACE"]).expect("stepped up from the predecessor");
    assert_eq!(field(&store, &first, ".gen").as_deref(), Some("3"));
    assert_eq!(check(&mut store, &third, &[]), Ok(()));
    assert_eq!(check(&mut store, &second, &[]), Err(TryRefreshToken));
    assert_eq!(refresh(&mut store, &second, &[]), Err(TokenTheft));
}

#[test]
fn after_a_failover_that_lost_the_rotation_the_client_goes_on() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind]);
        let older = store.entries.clone();
        let second = refresh(&mut store, &first, &[]).expect("refreshed");
        let third = refresh(&mut store, &second, &[]).expect("refreshed");
        store.entries = older;
        if kind == "TOKENS" {
            assert_eq!(check(&mut store, &third, &["CSRF", &third.csrf]), Ok(()));
        } else {
            assert_eq!(status(resume(&mut store, &third, &["CSRF", &third.csrf])), Ok(()));
        }
        let fourth = refresh(&mut store, &third, &["CSRF", &third.csrf]).expect("refreshed");
        assert_eq!(field(&store, &first, ".gen").as_deref(), Some("3"));
        assert_ne!(fourth.sealed, third.sealed);
        assert!(store.events.contains(&Event::Forward) && !store.events.contains(&Event::Theft));
        assert_eq!(refresh(&mut store, &third, &[]), Ok(fourth.clone()), "the second tab");
        assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft), "and thieves are still found");
    }
}

/// What may happen to an honest client.
#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Refresh {
        answer_arrives: bool,
    },
    /// A request that began before the last refresh, and refreshes with what it began with.
    LateTab,
    /// What a failover would go back to.
    Replicated,
    Failover,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        (0..20 * SECOND).prop_map(Wait),
        any::<bool>().prop_map(|answer_arrives| Refresh { answer_arrives }),
        Just(LateTab),
        Just(Replicated),
        Just(Failover),
    ]
}

proptest! {
    #[test]
    fn no_honest_client_is_logged_out_or_reported_whatever_happens(
        cookie: bool, happenings in prop::collection::vec(happening(), 1..60),
    ) {
        let mut store = store();
        let mut held = sign_in(&mut store, &[if cookie { "COOKIE" } else { "TOKENS" }, "IDLE", "0"]);
        let mut replicated = store.entries.clone();
        // What a late tab began with, and when that was outdated.
        let mut before = None;
        for happening in happenings {
            match happening {
                Happening::Wait(millis) => store.now += millis,
                Happening::Refresh { answer_arrives } => {
                    let answered = refresh(&mut store, &held, &["CSRF", &held.csrf]);
                    prop_assert!(answered.is_ok(), "{:?}", answered);
                    if !answer_arrives {
                        let again = refresh(&mut store, &held, &["CSRF", &held.csrf]);
                        prop_assert_eq!(&again, &answered, "asked again, answered the same");
                    }
                    before = Some((held, store.now));
                    held = answered.expect("refreshed");
                }
                Happening::LateTab => {
                    if let Some((jar, at)) = &before && store.now - at <= 30 * SECOND {
                        let answered = refresh(&mut store, jar, &["CSRF", &jar.csrf]).map(|jar| jar.sealed);
                        prop_assert_eq!(answered.as_deref(), Ok(held.sealed.as_str()));
                    }
                }
                Happening::Replicated => replicated = store.entries.clone(),
                Happening::Failover => store.fail_over(replicated.clone()),
            }
            let good = if cookie { status(resume(&mut store, &held, &[])) } else { checked_if_fresh(&mut store, &held) };
            prop_assert_eq!(good, Ok(()));
        }
        prop_assert!(!store.events.contains(&Event::Theft));
    }
}

/// Whether an access token is good, as far as it has not expired.
fn checked_if_fresh(store: &mut Memory, jar: &Jar) -> Result<(), Status> {
    let expired = claims(&jar.access)["exp"].as_u64().expect("a time") * SECOND <= store.now;
    if expired { Ok(()) } else { check(store, jar, &[]) }
}

#[test]
fn resuming_after_a_failover_stores_what_was_lost() {
    let mut store = store();
    let first = sign_in(&mut store, &["COOKIE"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    store.fail_over(older);
    store.now += SECOND;
    assert!(resume(&mut store, &second, &[]).is_ok());
    assert_eq!(field(&store, &first, ".gen").as_deref(), Some("1"));
    assert_eq!(status(resume(&mut store, &first, &[])), Ok(()), "the other tab is within its grace");
    store.now += 29 * SECOND + 1;
    assert_eq!(resume(&mut store, &first, &[]), Err(TryRefreshToken), "the grace began with the failover");
}

#[test]
fn resuming_long_after_a_failover_begins_no_grace_period() {
    let mut store = store();
    let first = sign_in(&mut store, &["COOKIE"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    store.fail_over(older);
    store.now += 3_600 * SECOND;
    assert!(resume(&mut store, &second, &[]).is_ok());
    assert_eq!(resume(&mut store, &first, &[]), Err(TryRefreshToken));
    assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft), "no honest client still holds it");
}

#[test]
fn nograce_after_a_failover_leaves_no_grace_period_to_a_lost_successor() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    let third = refresh(&mut store, &second, &[]).expect("refreshed");
    store.fail_over(older);
    let stepped_up = refresh(&mut store, &second, &["NOGRACE"]).expect("newer than the server knows");
    assert_eq!(field(&store, &first, ".gen").as_deref(), Some("3"));
    assert_eq!(field(&store, &first, ".rotated"), None);
    assert_eq!(check(&mut store, &stepped_up, &[]), Ok(()));
    assert_eq!(refresh(&mut store, &third, &[]), Err(TokenTheft), "handed out before the failover");
}

#[test]
fn a_generation_that_no_rotation_leads_to_is_no_generation() {
    for damaged in ["4294967296", "-1", "", "x", "1.5", "99999999999999999999"] {
        for kind in ["TOKENS", "COOKIE"] {
            let mut store = store();
            let jar = sign_in(&mut store, &[kind]);
            set_field(&mut store, &jar, ".gen", damaged);
            let entries = store.entries.clone();
            assert_eq!(refresh(&mut store, &jar, &[]), Err(GeneralError), "{damaged}");
            if kind == "TOKENS" {
                assert_eq!(check(&mut store, &jar, &[]), Err(GeneralError), "{damaged}");
            } else {
                assert_eq!(status(resume(&mut store, &jar, &[])), Err(GeneralError), "{damaged}");
            }
            assert_eq!(store.entries, entries);
        }
    }
}

#[test]
fn after_the_last_generation_the_session_ends() {
    for (options, last) in [(&[][..], u32::MAX), (&["NOGRACE"], u32::MAX - 1)] {
        let mut store = store();
        let mut jar = sign_in(&mut store, &["TOKENS"]);
        jar.sealed = sealed_at(&store, &jar, last - 1);
        set_field(&mut store, &jar, ".gen", &(last - 1).to_string());
        let next = refresh(&mut store, &jar, &[]).expect("the last");
        assert_eq!(refresh(&mut store, &next, options), Err(Unauthorised));
        assert!(store.entries.is_empty());
        assert_eq!(store.events.last(), Some(&Event::End));
        jar.sealed = sealed_at(&store, &jar, u32::MAX);
        assert_eq!(refresh(&mut store, &jar, &[]), Err(Unauthorised));
    }
}

#[test]
fn who_forges_a_token_learns_nothing_and_ends_nothing() {
    let mut store = store();
    let (mine, theirs) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["TOKENS"]));
    let cookie = sign_in(&mut store, &["COOKIE"]);
    let mac_of_mine = format!("{}{}", theirs.tkn, &mine.sealed[28..]);
    let never_issued = format!("{}{}", theirs.tkn, "A".repeat(32));
    let gone = "sh:0123456789012345678901234";
    let forged = [
        (theirs.tkn.as_str(), ""),
        (&theirs.tkn, "garbage"),
        (&theirs.tkn, theirs.tkn.as_str()),
        (&theirs.tkn, &mine.sealed),
        (&theirs.tkn, &mac_of_mine),
        (&theirs.tkn, &never_issued),
        (&theirs.tkn, &theirs.access),
        (&theirs.tkn, &theirs.csrf),
        (&theirs.tkn, &cookie.sealed),
        (gone, &theirs.sealed),
        // What an application cuts off a cookie that is no token.
        ("garbage", "garbage"),
        ("", ""),
    ];
    let before = trace(&store);
    let mut reasons = Vec::new();
    for (tkn, text) in forged {
        for command in ["SH.REFRESH", "SH.RESUME"] {
            let error = answer(&mut store, &[command, tkn, text]).expect_err("forged");
            assert_eq!(error.status, Unauthorised, "{command} {tkn} {text}");
            reasons.push(error.to_string());
        }
        assert_eq!(
            call(&mut store, &["SH.CHECK", tkn, text]).err(),
            (text != theirs.access).then_some(TryRefreshToken)
        );
    }
    reasons.dedup();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(trace(&store), before);
}

#[test]
fn no_kind_of_credential_is_accepted_where_another_is_due() {
    let mut store = store();
    let (tokens, cookie) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["COOKIE"]));
    assert_eq!(resume(&mut store, &tokens, &[]), Err(Unauthorised), "a refresh token is no cookie token");
    assert_eq!(call(&mut store, &["SH.VERIFY", &cookie.sealed]), Err(TryRefreshToken));
    assert_eq!(call(&mut store, &["SH.VERIFY", &tokens.sealed]), Err(TryRefreshToken));
    assert_eq!(call(&mut store, &["SH.REGENERATE", &tokens.tkn, &tokens.sealed]), Err(TryRefreshToken));
    // Even if the hash says by now that the session is of the other kind.
    for (jar, other) in [(&tokens, "cookie"), (&cookie, "tokens")] {
        set_field(&mut store, jar, ".kind", other);
        assert_eq!(refresh(&mut store, jar, &[]), Err(Unauthorised));
    }
    assert_eq!(resume(&mut store, &cookie, &[]), Err(Unauthorised));
    assert_eq!(check(&mut store, &tokens, &[]), Err(Unauthorised));
    // Or of another user.
    set_field(&mut store, &tokens, ".kind", "tokens");
    assert_eq!(check(&mut store, &tokens, &[]), Ok(()));
    set_field(&mut store, &tokens, ".name", "bob");
    assert_eq!(check(&mut store, &tokens, &[]), Err(Unauthorised));
}

#[test]
fn a_bound_session_needs_what_it_is_bound_to_and_never_reports_theft_for_the_lack_of_it() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind, "BIND", "device"]);
        let second = refresh(&mut store, &first, &["BIND", "device"]).expect("refreshed");
        let before = trace(&store);
        for wrong in [&[][..], &["BIND", ""], &["BIND", "other"]] {
            // A rotated-out token too: whoever stole it has not got the device.
            store.now = START + 3_600 * SECOND;
            for jar in [&first, &second] {
                assert_eq!(refresh(&mut store, jar, wrong), Err(Unauthorised), "{wrong:?}");
                assert_eq!(resume(&mut store, jar, wrong), Err(Unauthorised), "{wrong:?}");
            }
        }
        assert_eq!(trace(&store), before);
        assert!(refresh(&mut store, &second, &["BIND", "device"]).is_ok());
    }
    let mut store = store();
    let unbound = sign_in(&mut store, &["TOKENS"]);
    assert_eq!(refresh(&mut store, &unbound, &["BIND", "device"]), Err(Unauthorised), "bound to nothing");
}

#[test]
fn access_tokens_of_a_session_bound_to_a_key_say_so() {
    let mut store = store();
    let thumbprint = "C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y";
    let jar = sign_in(&mut store, &["TOKENS", "BIND", thumbprint]);
    assert_eq!(claims(&jar.access)["cnf"], json!({ "jkt": thumbprint }));
    let next = refresh(&mut store, &jar, &["BIND", thumbprint]).expect("refreshed");
    assert_eq!(claims(&next.access)["cnf"], json!({ "jkt": thumbprint }));
    let again = call(&mut store, &["SH.REGENERATE", &next.tkn, &next.access]).map(|reply| Jar::of(&reply));
    assert_eq!(claims(&again.expect("regenerated").access)["cnf"], json!({ "jkt": thumbprint }));
    let other = sign_in(&mut store, &["TOKENS", "BIND", "device"]);
    assert!(claims(&other.access).get("cnf").is_none(), "only of what is a thumbprint");
}

// Anti-CSRF.

#[test]
fn a_failed_anti_csrf_check_keeps_the_cookies() {
    let mut store = store();
    let (jar, other) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["TOKENS"]));
    let cookie = sign_in(&mut store, &["COOKIE"]);
    let before = trace(&store);
    for wrong in ["", "null", &other.csrf, &jar.csrf[1..]] {
        let refused = answer(&mut store, &["SH.REFRESH", &jar.tkn, &jar.sealed, "CSRF", wrong]).expect_err("refused");
        assert!(refused.to_string().starts_with("UNAUTHORISED ANTICSRF "), "{refused}");
        assert_eq!(check(&mut store, &jar, &["CSRF", wrong]), Err(TryRefreshToken));
        assert_eq!(call(&mut store, &["SH.VERIFY", &jar.access, "CSRF", wrong]), Err(TryRefreshToken));
    }
    for json in [r#"{"antiCsrfToken":null}"#, r#"{"antiCsrfToken":""}"#] {
        let refused = answer(&mut store, &["SH.REFRESH", &jar.tkn, &jar.sealed, json]).expect_err("refused");
        assert!(refused.to_string().starts_with("UNAUTHORISED ANTICSRF "), "{refused}");
        assert_eq!(check(&mut store, &jar, &[json]), Err(TryRefreshToken));
    }
    assert_eq!(resume(&mut store, &cookie, &["CSRF", ""]), Err(TryRefreshToken));
    assert_eq!(resume(&mut store, &cookie, &[r#"{"antiCsrfToken":null}"#]), Err(TryRefreshToken));
    assert_eq!(trace(&store), before);
}

#[test]
fn only_a_failed_anti_csrf_check_is_told_apart() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    let forged = format!("{}{}", jar.tkn, "A".repeat(32));
    for (text, csrf) in [(&forged, jar.csrf.as_str()), (&forged, ""), (&jar.tkn, "")] {
        let refused = answer(&mut store, &["SH.REFRESH", &jar.tkn, text, "CSRF", csrf]).expect_err("refused");
        assert_eq!(refused.to_string(), "UNAUTHORISED sign in again", "the token is looked at first");
    }
}

#[test]
fn the_anti_csrf_token_of_the_generation_before_still_passes() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    let third = refresh(&mut store, &second, &["CSRF", &first.csrf]).expect("a page that had not heard of it yet");
    assert_eq!(check(&mut store, &third, &["CSRF", &third.csrf]), Ok(()));
    assert_eq!(check(&mut store, &third, &["CSRF", &second.csrf]), Ok(()));
    assert_eq!(check(&mut store, &third, &["CSRF", &first.csrf]), Err(TryRefreshToken));
}

#[test]
fn a_thief_without_the_anti_csrf_token_ends_nothing() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    store.now += 3_600 * SECOND;
    assert_eq!(refresh(&mut store, &first, &["CSRF", ""]), Err(Unauthorised));
    assert!(refresh(&mut store, &second, &[]).is_ok());
}

// Checking.

#[test]
fn an_ended_session_is_over_at_once_but_for_who_only_verifies() {
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
fn verifying_answers_what_the_token_says() {
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
fn an_access_token_of_the_generation_before_is_good_within_the_grace_period() {
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
fn another_sessions_access_token_is_not_this_ones() {
    let mut store = store();
    let (mine, theirs) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["TOKENS"]));
    assert_eq!(call(&mut store, &["SH.CHECK", &theirs.tkn, &mine.access]), Err(TryRefreshToken));
    assert_eq!(call(&mut store, &["SH.REGENERATE", &theirs.tkn, &mine.access]), Err(TryRefreshToken));
}

#[test]
fn resuming_answers_data_and_touches_the_session() {
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
fn metadata_is_not_to_be_had_by_resuming() {
    let mut store = store();
    let jar = sign_in(&mut store, &["COOKIE"]);
    assert_eq!(resume(&mut store, &jar, &["GET", ".gen"]), Err(ValueTypeInvalid));
    assert_eq!(resume(&mut store, &jar, &[r#"{"get":[".payload"]}"#]), Err(ValueTypeInvalid));
    assert_eq!(resume(&mut store, &jar, &["GET"]), Err(ValueMissing));
}

#[test]
fn a_replica_never_says_that_someone_is_logged_out() {
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
fn what_only_reads_writes_nothing() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    let before = trace(&store);
    check(&mut store, &jar, &["CSRF", &jar.csrf]).expect("checked");
    for line in [&["SH.VERIFY", &jar.access][..], &["SH.JWKS"], &["SH.CLEARCOOKIES"], &["SH.PAYLOAD", &jar.tkn]] {
        call(&mut store, line).expect("read");
    }
    assert_eq!(trace(&store), before);
}

// The payload.

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
fn a_session_that_could_be_made_can_be_refreshed_to_the_last_generation() {
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
fn a_payload_that_was_written_by_hand_never_gets_into_a_token() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    for damaged in [r#"{"sub":"root"}"#, r#"{"a":1},"sub":"root""#, "", "[]"] {
        set_field(&mut store, &jar, ".payload", damaged);
        assert_eq!(refresh(&mut store, &jar, &[]), Err(GeneralError), "{damaged}");
    }
}

// The secret.

#[test]
fn the_first_credential_makes_a_secret_and_keeps_it() {
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
fn a_key_that_holds_no_secret_is_never_used_as_one() {
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
fn in_a_cluster_a_node_without_the_file_says_so_and_logs_nobody_out() {
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
fn with_a_shared_key_all_is_the_same_but_for_the_key_set() {
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
fn the_key_that_signed_a_living_token_is_always_in_the_key_set() {
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

// Cookies.

#[test]
fn clearing_makes_a_browser_forget_every_cookie_under_the_name_and_path_it_was_set_with() {
    let mut store = store();
    store.settings.policy.cookies.prefix = sessions_core::credentials::cookies::Prefix::Host;
    let cookie = |value: &Value| {
        let text = value.as_str().expect("a cookie");
        let name = text.split('=').next().expect("a name").to_owned();
        let path = text.split("; ").find(|part| part.starts_with("Path=")).expect("a path").to_owned();
        (name, path)
    };
    let mut set = Vec::new();
    for kind in ["TOKENS", "COOKIE"] {
        let reply = call(&mut store, &["SH.NEW", "alice", kind]).expect("a session");
        set.extend(reply["setCookie"].as_array().expect("cookies").iter().map(cookie));
    }
    let reply = call(&mut store, &["SH.CLEARCOOKIES"]).expect("cookies");
    let cleared = reply["setCookie"].as_array().expect("cookies");
    assert_eq!(cleared.iter().map(cookie).collect::<Vec<_>>(), set);
    for text in cleared.iter().filter_map(Value::as_str) {
        assert!(text.contains("=; Max-Age=0; "), "{text}");
    }
    assert_eq!(reply["headers"]["id-refresh-token"], "remove");
}

#[test]
fn who_may_not_touch_the_index_can_neither_refresh_nor_end_by_theft() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS", "IDLE", "160"]);
    store.now += 100 * SECOND;
    store.forbidden = store.entries.keys().filter(|key| key.starts_with(b"sh:n:")).cloned().collect();
    let before = trace(&store);
    assert_eq!(refresh(&mut store, &first, &[]), Err(NoPerm));
    set_field(&mut store, &first, ".gen", "5");
    assert_eq!(refresh(&mut store, &first, &[]), Err(NoPerm));
    assert!(lives(&mut store, &first));
    assert_eq!(store.effects, before.1);
}
