//! What keeps a list right: its expiry, renewal, repair and clearing.

use super::*;

#[test]
fn the_list_lives_as_long_as_the_last_of_its_sessions() {
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    let longest = new(&mut store, &["alice", "LISTED", "EXPIRY", "600", "DELETE"]);
    new(&mut store, &["alice", "LISTED", "EXPIRY", "30", "DELETE"]);
    assert_eq!(index_expires(&store, "alice"), Some(600_000));
    ok(&mut store, &["SH.END", &longest]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    let forever = new(&mut store, &["alice", "LISTED"]);
    assert_eq!(index_expires(&store, "alice"), None);
    ok(&mut store, &["SH.END", &forever]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    ok(&mut store, &["SH.ENDALL", "alice"]);
    assert!(store.entries.is_empty());
}

#[test]
fn a_touch_or_write_renews_the_place_on_the_list() {
    for renew in [&["SH.TOUCH"][..], &["SH.SET", "a", "1"], &["SH.RMV", "a"]] {
        let mut store = Memory::default();
        let token = new(&mut store, &["alice", "LISTED", "IDLE", "60"]);
        store.now = 50_000;
        ok(&mut store, &[&[renew[0], &token], &renew[1..]].concat());
        assert_eq!(scores(&store, "alice"), [(token, 110_000.0)], "{renew:?}");
        assert_eq!(index_expires(&store, "alice"), Some(110_000), "{renew:?}");
    }
}

#[test]
fn resuming_and_refreshing_renew_the_place_on_the_list_too() {
    let mut store = Memory::default();
    let made = ok(&mut store, &["SH.NEW", "alice", "COOKIE", "IDLE", "60"]);
    let (token, cookie) = (made["tkn"].as_str().expect("a token"), made["cookieToken"]["token"].as_str());
    store.now = 50_000;
    ok(&mut store, &["SH.RESUME", token, cookie.expect("a cookie token")]);
    assert_eq!(scores(&store, "alice"), [(token.to_owned(), 110_000.0)]);
    store.now = 100_000;
    ok(&mut store, &["SH.REFRESH", token, cookie.expect("a cookie token")]);
    assert_eq!(scores(&store, "alice"), [(token.to_owned(), 160_000.0)]);
    store.now = 159_999;
    assert_eq!(list(&mut store, "alice"), [token]);
}

#[test]
fn a_touch_that_is_spared_leaves_the_list_alone() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "1600"]);
    store.effects.clear();
    store.now = 59_999;
    ok(&mut store, &["SH.TOUCH", &token]);
    assert!(store.effects.is_empty());
}

#[test]
fn a_lost_list_is_made_again_by_touching_its_sessions() {
    for lifetime in [&[][..], &["IDLE", "60"], &["EXPIRY", "60", "DELETE"]] {
        let mut store = Memory::default();
        let token = new(&mut store, &[&["alice", "LISTED"], lifetime].concat());
        let before = store.entries.clone();
        store.entries.remove(index("alice").as_ref());
        assert!(list(&mut store, "alice").is_empty());
        ok(&mut store, &["SH.TOUCH", &token]);
        assert_eq!(store.entries, before, "{lifetime:?}");
    }
}

#[test]
fn a_session_that_was_prolonged_by_hand_keeps_its_place_once_it_is_touched() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    store.entries.get_mut(token.as_bytes()).expect("the session").expires = Some(Millis(600_000));
    ok(&mut store, &["SH.TOUCH", &token]);
    store.now = 599_999;
    assert_eq!(list(&mut store, "alice"), [token]);
    store.now = 600_000;
    assert!(list(&mut store, "alice").is_empty());
}

#[test]
fn each_write_to_a_list_removes_up_to_16_expired_entries() {
    let mut store = Memory::default();
    for _ in 0..40 {
        new(&mut store, &["alice", "LISTED", "EXPIRY", "1", "DELETE"]);
    }
    store.now = 1;
    let lasting = new(&mut store, &["alice", "LISTED"]);
    store.now = 2_000;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let token = new(&mut store, &["alice", "LISTED"]);
        ok(&mut store, &["SH.END", &token]);
        sizes.push(scores(&store, "alice").len());
    }
    assert_eq!(sizes, [25, 9, 1], "16 each time, none of those that live");
    assert_eq!(list(&mut store, "alice"), [lasting]);
}
