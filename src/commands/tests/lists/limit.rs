//! LIMIT and `sh.max-sessions`.

use super::*;

#[test]
fn a_limit_ends_the_oldest_sessions_and_answers_their_tokens() {
    let mut store = Memory::default();
    let mut tokens = Vec::new();
    for now in 0..5 {
        store.now = now;
        tokens.push(new(&mut store, &["alice", "LISTED"]));
    }
    store.now = 5;
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "3"]);
    assert_eq!(made["ended"], json!(tokens[..3]));
    assert_eq!(
        list(&mut store, "alice"),
        [&tokens[3..], &[made["tkn"].as_str().expect("a token").to_owned()]].concat()
    );
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "4"]).get("ended"), None, "there was room");
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "1"])["ended"].as_array().map(Vec::len), Some(4));
}

#[test]
fn ended_sessions_do_not_count_for_a_limit() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let kept = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "2"]);
    assert_eq!(made.get("ended"), None);
    let mut held: Vec<_> = scores(&store, "alice").into_iter().map(|(token, _)| token).collect();
    held.retain(|token| *token != kept);
    assert_eq!(json!(held), json!([made["tkn"]]));
}

#[test]
fn without_a_limit_of_its_own_a_session_has_that_of_the_settings() {
    let mut store = Memory::default();
    store.settings.max_sessions = Some(1);
    let first = new(&mut store, &["alice", "LISTED"]);
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LISTED"])["ended"], json!([first]));
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "2"]).get("ended"), None);
    new(&mut store, &["alice"]);
    assert_eq!(list(&mut store, "alice").len(), 2, "what is not listed neither counts nor ends others");
}
