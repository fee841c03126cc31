//! Refreshing: rotation, second tabs and theft.

use super::*;

#[test]
fn a_refresh_replaces_all_credentials() {
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
fn theft_ends_the_session_and_its_error_has_all_details() {
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
fn a_credential_planted_before_sign_in_is_refused_after_it() {
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
        // The planted token is never accepted again: theft is reported in the same millisecond.
        assert_eq!(refresh(&mut store, &planted, &[]), Err(TokenTheft));
    }
}

#[test]
fn nograce_also_replaces_the_credentials_of_a_second_tab() {
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
fn a_damaged_generation_is_an_error_and_changes_nothing() {
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
fn without_permission_for_the_index_a_refresh_changes_nothing() {
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
