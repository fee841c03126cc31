//! The anti-CSRF token.

use super::*;

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
fn only_a_failed_anti_csrf_check_has_an_error_of_its_own() {
    let mut store = store();
    let jar = sign_in(&mut store, &["TOKENS"]);
    let forged = format!("{}{}", jar.tkn, "A".repeat(32));
    for (text, csrf) in [(&forged, jar.csrf.as_str()), (&forged, ""), (&jar.tkn, "")] {
        let refused = answer(&mut store, &["SH.REFRESH", &jar.tkn, text, "CSRF", csrf]).expect_err("refused");
        assert_eq!(refused.to_string(), "UNAUTHORISED sign in again", "the token is looked at first");
    }
}

#[test]
fn the_anti_csrf_token_of_the_previous_generation_is_accepted() {
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
