//! SH.ENDALL.

use super::*;

#[test]
fn ending_all_leaves_no_trace_even_of_sessions_that_were_deleted_by_hand() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let ended = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([ended]));
    assert!(store.entries.is_empty());
    let deleted = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([]));
    assert!(store.entries.is_empty());
}

#[test]
fn endall_ends_all_but_one_or_only_the_given_sessions() {
    let mut store = Memory::default();
    let mut tokens = Vec::new();
    for now in 0..4 {
        store.now = now;
        tokens.push(new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":1}"#]));
    }
    let bobs = new(&mut store, &["bob", "LISTED"]);
    let [one, two, three, four] = &tokens[..] else { unreachable!() };
    let only = ["SH.ENDALL", "alice", "ONLY", two, &bobs, two, "sh:nonsense-nonsense-nonsens"];
    assert_eq!(ok(&mut store, &only), json!([two]), "not another's, not twice");
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice", "EXCEPT", three]), json!([one, four]));
    assert_eq!(list(&mut store, "alice"), [three.as_str()]);
    assert_eq!(list(&mut store, "bob"), [bobs.as_str()]);
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([three]));
    ok(&mut store, &["SH.END", &bobs]);
    assert!(store.entries.is_empty(), "no data is left either");
}

#[test]
fn an_except_token_of_another_name_ends_nothing() {
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED"]);
    let bobs = new(&mut store, &["bob", "LISTED"]);
    // Of another name in the same slot.
    let neighbours = new(&mut store, &["{alice}", "LISTED"]);
    let ended = new(&mut store, &["alice", "LISTED"]);
    ok(&mut store, &["SH.END", &ended]);
    let before = store.entries.clone();
    for (kept, status) in [
        (bobs.as_str(), Status::SessionTokenInvalid),
        (&neighbours, Status::SessionTokenInvalid),
        ("alice", Status::SessionTokenInvalid),
        (&ended, Status::SessionNotExist),
    ] {
        assert_eq!(call(&mut store, &["SH.ENDALL", "alice", "EXCEPT", kept]), Err(status), "{kept}");
    }
    assert_eq!(store.entries, before);
}
