//! What is on a list, and in which order.

use super::*;

#[test]
fn listed_sessions_alone_are_listed_oldest_first() {
    let mut store = Memory::default();
    let mut listed = Vec::new();
    for now in [1, 2, 3] {
        store.now = now;
        listed.push(new(&mut store, &["alice", "LISTED"]));
        new(&mut store, &["alice"]);
        new(&mut store, &["bob", "LISTED"]);
    }
    assert_eq!(list(&mut store, "alice"), listed);
    assert!(list(&mut store, "carol").is_empty());
}

#[test]
fn a_session_leaves_the_list_when_it_ends_however_it_ends() {
    let mut store = Memory::default();
    let ended = new(&mut store, &["alice", "LISTED"]);
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let expired = new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    let replaced = new(&mut store, &["alice", "LISTED"]);
    let kept = new(&mut store, &["alice", "LISTED"]);
    ok(&mut store, &["SH.END", &ended]);
    store.entries.remove(deleted.as_bytes());
    let string = Entry { value: Value::String(b"x".to_vec()), expires: None };
    store.entries.insert(replaced.into_bytes(), string);
    store.now = 59_999;
    assert_eq!(list(&mut store, "alice"), [expired.as_str(), &kept].map(str::to_owned).as_slice().sorted());
    store.now = 60_000;
    assert_eq!(list(&mut store, "alice"), [kept]);
}

/// Sessions of one moment are listed by their tokens.
trait Sorted {
    fn sorted(&self) -> Vec<String>;
}

impl Sorted for [String] {
    fn sorted(&self) -> Vec<String> {
        let mut sorted = self.to_vec();
        sorted.sort();
        sorted
    }
}

#[test]
fn listing_writes_nothing_even_with_stale_entries() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED", "IDLE", "60"]);
    new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    store.now = 61_000;
    let before = (store.entries.clone(), store.effects.clone());
    list(&mut store, "alice");
    ok(&mut store, &["SH.LIST", "alice", "INFO"]);
    assert_eq!((store.entries, store.effects), before);
}
