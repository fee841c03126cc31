//! Lists while their slot moves to another node of a cluster.

use super::*;

#[test]
fn while_a_slot_moves_a_list_is_answered_whole_or_not_at_all() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let (here, elsewhere) = (new(&mut store, &["alice", "LISTED"]), new(&mut store, &["alice", "LISTED"]));
    store.entries.remove(elsewhere.as_bytes());
    store.moving = true;
    let before = store.entries.clone();
    for line in [
        &["SH.LIST", "alice"][..],
        &["SH.LIST", "bob"],
        &["SH.NEW", "bob", "LISTED"],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "bob"],
        &["SH.ENDALL", "alice", "EXCEPT", &here],
        &["SH.ENDALL", "alice", "EXCEPT", &elsewhere],
        &["SH.ENDALL", "alice", "ONLY", &here, &elsewhere],
    ] {
        assert_eq!(call(&mut store, line), Err(Status::TryAgain), "{line:?}");
    }
    assert_eq!(store.entries, before);
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice", "ONLY", &here]), json!([here]));
}

#[test]
fn while_a_slot_moves_a_limit_works_on_sessions_that_are_here() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let old = new(&mut store, &["alice", "LISTED"]);
    store.moving = true;
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "1"]);
    assert_eq!(made["ended"], json!([old]));
    assert_eq!(json!(list(&mut store, "alice")), json!([made["tkn"]]));
}

#[test]
fn while_a_slot_moves_a_session_is_touched_and_ended_without_its_list() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    store.entries.retain(|key, _| key == token.as_bytes());
    store.moving = true;
    store.now = 15_000;
    assert_eq!(ok(&mut store, &["SH.TOUCH", &token]), json!(16_000));
    assert_eq!(store.entries.len(), 1, "a new index would block the migration");
    assert_eq!(ok(&mut store, &["SH.END", &token]), json!(1));
}
