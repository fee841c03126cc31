//! Refused commands change nothing.

use super::*;

#[test]
fn each_mistake_has_its_status_and_changes_nothing() {
    use Status::*;
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED"]);
    let before = store.entries.clone();
    for (line, status) in [
        (&["SH.NEW", "alice", "LIMIT", "0"][..], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LIMIT", "-1"], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LIMIT"], ValueMissing),
        (&["SH.NEW", "alice", r#"{"limit":0}"#], ValueTypeInvalid),
        (&["SH.NEW", "alice", r#"{"limit":"1"}"#], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LISTED", "SHARED"], CommandSyntax),
        (&["SH.NEW", "alice", "LIMIT", "1", "SHARED"], CommandSyntax),
        (&["SH.LIST", ""], ValueSize),
        (&["SH.LIST", "alice", "ALL"], CommandSyntax),
        (&["SH.LIST", "alice", "INFO", "INFO"], CommandSyntax),
        (&["SH.LIST", "alice", r#"{"info":true}"#], CommandSyntax),
        (&["SH.ENDALL", ""], ValueSize),
        (&["SH.ENDALL", "alice", "ALL"], CommandSyntax),
        (&["SH.ENDALL", "alice", "EXCEPT"], ValueMissing),
        (&["SH.ENDALL", "alice", "ONLY"], ValueMissing),
    ] {
        assert_eq!(call(&mut store, line), Err(status), "{line:?}");
    }
    assert_eq!(store.entries, before);
}

#[test]
fn an_index_key_of_the_wrong_type_is_an_error_and_loses_nothing() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    let string = Entry { value: Value::String(b"x".to_vec()), expires: None };
    store.entries.insert(index("alice").as_ref().to_vec(), string);
    let before = store.entries.clone();
    for line in [
        &["SH.NEW", "alice", "LISTED"][..],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.LIST", "alice"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "alice", "EXCEPT", &token],
        &["SH.ENDALL", "alice", "ONLY", &token],
    ] {
        assert_eq!(call(&mut store, line), Err(Status::WrongType), "{line:?}");
    }
    assert_eq!(store.entries, before);
    store.now = 15_000;
    assert_eq!(ok(&mut store, &["SH.TOUCH", &token]), json!(16_000), "the session itself goes on");
    assert_eq!(ok(&mut store, &["SH.END", &token]), json!(1));
    assert_eq!(store.entries.len(), 1, "what somebody wrote there stays");
}

#[test]
fn without_permission_for_a_key_of_the_list_nothing_changes() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    let other = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    store.now = 15_000;
    let (entries, effects) = (store.entries.clone(), store.effects.clone());
    let by_name: [&[&str]; 6] = [
        &["SH.NEW", "alice", "LISTED"],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.LIST", "alice"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "alice", "EXCEPT", &token],
        &["SH.ENDALL", "alice", "ONLY", &token],
    ];
    let by_token: [&[&str]; 3] = [&["SH.TOUCH", &token], &["SH.SET", &token, "a", "1"], &["SH.END", &token]];
    store.forbidden = [index("alice").as_ref().to_vec()].into();
    for line in by_name.iter().chain(&by_token) {
        assert_eq!(call(&mut store, line), Err(Status::NoPerm), "{line:?}");
    }
    store.forbidden = [token.clone().into_bytes(), other.into_bytes()].into();
    for line in &by_name[1..] {
        assert_eq!(call(&mut store, line), Err(Status::NoPerm), "{line:?}");
    }
    assert_eq!((store.entries, store.effects), (entries, effects));
}
