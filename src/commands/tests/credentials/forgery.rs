//! Forged and misused credentials.

use super::*;

#[test]
fn a_forged_token_is_refused_without_a_reason_and_ends_nothing() {
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
        // What an application sends if it takes the first 28 characters of a cookie that is no token.
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
fn each_kind_of_credential_works_for_its_own_purpose_only() {
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
fn the_access_token_of_another_session_is_refused() {
    let mut store = store();
    let (mine, theirs) = (sign_in(&mut store, &["TOKENS"]), sign_in(&mut store, &["TOKENS"]));
    assert_eq!(call(&mut store, &["SH.CHECK", &theirs.tkn, &mine.access]), Err(TryRefreshToken));
    assert_eq!(call(&mut store, &["SH.REGENERATE", &theirs.tkn, &mine.access]), Err(TryRefreshToken));
}
