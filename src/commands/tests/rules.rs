//! What every session promises.

use super::call;
use crate::protocol::Status;
use crate::stats::Stat;
use crate::store::memory::Memory;
use serde_json::json;
use sessions_core::session::{Event, Seconds};

fn new(store: &mut Memory, options: &[&str]) -> String {
    let reply = call(store, &[&["SH.NEW"], options].concat()).expect("a session");
    reply["tkn"].as_str().expect("a token").to_owned()
}

#[test]
fn a_session_without_options_lives_for_ever() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice"]);
    store.now = u64::MAX / 2;
    assert_eq!(call(&mut store, &["SH.EXISTS", &token]), Ok(json!([1])));
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(-1)));
}

#[test]
fn a_session_with_delete_ends_in_its_exact_millisecond() {
    let mut store = Memory { now: 1_000, ..Memory::default() };
    let token = new(&mut store, &["alice", "EXPIRY", "60", "DELETE"]);
    store.now = 60_999;
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(1)));
    store.now = 61_000;
    for command in ["SH.INFO", "SH.TOUCH", "SH.GET"] {
        assert_eq!(call(&mut store, &[command, &token]), Err(Status::SessionNotExist), "{command}");
    }
    assert_eq!(call(&mut store, &["SH.SET", &token, "a", "1"]), Err(Status::SessionNotExist));
    assert_eq!(call(&mut store, &["SH.END", &token]), Ok(json!(0)));
    assert!(store.entries.is_empty());
}

#[test]
fn with_clear_the_data_expires_again_and_again_and_the_session_stays() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    for start in [0, 100_000] {
        store.now = start + 59_999;
        assert_eq!(call(&mut store, &["SH.SET", &token, "b", "2"]), Ok(json!(1)), "a write does not put it off");
        assert_eq!(
            call(&mut store, &["SH.INFO", &token]).map(|info| info["expiry"]["remaining"].clone()),
            Ok(json!(1))
        );
        store.now = start + 60_000;
        assert_eq!(call(&mut store, &["SH.GET", &token, "a", "b"]), Ok(json!([null, null])));
        store.now = start + 100_000;
        assert_eq!(call(&mut store, &["SH.SET", &token, "a", "1"]), Ok(json!(1)));
    }
    assert_eq!(call(&mut store, &["SH.END", &token]), Ok(json!(1)));
    assert!(store.entries.is_empty());
}

#[test]
fn touching_renews_the_idle_time_up_to_the_limit() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "IDLE", "16", "EXPIRY", "30", "DELETE"]);
    store.now = 15_999;
    assert_eq!(call(&mut store, &["SH.SET", &token, "a", "1"]), Ok(json!(1)));
    store.now = 29_999;
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(1)), "the limit stands");
    store.now = 30_000;
    assert_eq!(call(&mut store, &["SH.EXISTS", &token]), Ok(json!([0])));
}

#[test]
fn a_touch_that_is_spared_writes_nothing() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "IDLE", "1600", "SHARED"]);
    store.effects.clear();
    store.now = 59_999;
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(1_540_001)));
    assert!(store.effects.is_empty());
    store.now = 60_000;
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(1_600_000)));
    assert_eq!(store.effects, ["PEXPIREAT", "PEXPIREAT"], "the session and its pointer");
}

#[test]
fn a_shared_name_is_free_again_when_its_session_has_ended() {
    let mut store = Memory::default();
    let first = new(&mut store, &["carts", "SHARED"]);
    assert_eq!(call(&mut store, &["SH.NEW", "carts", "SHARED"]), Err(Status::SessionNewFail));
    // Deleted behind the module's back: the pointer is stale.
    store.entries.remove(first.as_bytes());
    assert_eq!(call(&mut store, &["SH.OPEN", "carts"]), Err(Status::SessionOpenFail));
    let second = new(&mut store, &["carts", "SHARED"]);
    assert_eq!(call(&mut store, &["SH.OPEN", "carts"]).map(|open| open["tkn"].clone()), Ok(json!(second)));
}

#[test]
fn a_lost_pointer_is_made_again_by_a_touch_that_writes() {
    let mut store = Memory::default();
    let token = new(&mut store, &["carts", "SHARED", "IDLE", "16"]);
    store.entries.retain(|key, _| key == token.as_bytes());
    assert_eq!(call(&mut store, &["SH.OPEN", "carts"]), Err(Status::SessionOpenFail));
    store.now = 10_000;
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(16_000)));
    assert_eq!(call(&mut store, &["SH.OPEN", "carts"]).map(|open| open["tkn"].clone()), Ok(json!(token)));
}

#[test]
fn a_lost_pointer_is_made_again_by_sh_touch_also_where_there_is_no_idle_time() {
    let mut store = Memory::default();
    let token = new(&mut store, &["carts", "SHARED", "EXPIRY", "60", "DELETE"]);
    store.entries.retain(|key, _| key == token.as_bytes());
    store.effects.clear();
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(60_000)));
    assert_eq!(call(&mut store, &["SH.TOUCH", &token]), Ok(json!(60_000)));
    assert_eq!(store.effects, ["SET"], "once, and not again");
    assert_eq!(call(&mut store, &["SH.OPEN", "carts"]).map(|open| open["tkn"].clone()), Ok(json!(token)));
    store.now = 60_000;
    assert!(call(&mut store, &["SH.NEW", "carts", "SHARED"]).is_ok());
}

#[test]
fn a_user_without_permission_changes_nothing() {
    let mut store = Memory::default();
    let token = new(&mut store, &["carts", "SHARED", "IDLE", "16", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":1}"#]);
    store.forbidden = store.entries.keys().filter(|key| **key != token.as_bytes()).cloned().collect();
    store.now = 15_000;
    let before = (store.entries.clone(), store.effects.clone());
    let refused = [
        call(&mut store, &["SH.NEW", "carts", "SHARED"]),
        call(&mut store, &["SH.OPEN", "carts"]),
        call(&mut store, &["SH.SET", &token, "a", "2"]),
        call(&mut store, &["SH.GET", &token, "a"]),
        call(&mut store, &["SH.INFO", &token]),
        call(&mut store, &["SH.TOUCH", &token]),
        call(&mut store, &["SH.END", &token]),
    ];
    assert_eq!(refused, [const { Err(Status::NoPerm) }; 7]);
    assert_eq!((store.entries, store.effects), before);
}

#[test]
fn while_a_slot_moves_what_is_missing_may_be_elsewhere() {
    let mut store = Memory::default();
    let plain = new(&mut store, &["alice", "IDLE", "16"]);
    let clear = new(&mut store, &["alice", "EXPIRY", "60", "CLEAR"]);
    let shared = new(&mut store, &["orders", "SHARED"]);
    store.entries.remove(shared.as_bytes());
    store.moving = true;
    for unsure in [
        &["SH.OPEN", "orders"][..],
        &["SH.NEW", "orders", "SHARED"],
        &["SH.NEW", "carts", "SHARED"],
        &["SH.OPEN", "carts"],
        &["SH.GET", &clear, "a"],
        &["SH.SET", &clear, "a", "1"],
    ] {
        assert_eq!(call(&mut store, unsure), Err(Status::TryAgain), "{unsure:?}");
    }
    assert_eq!(call(&mut store, &["SH.SET", &plain, "a", "1"]), Ok(json!(1)));
    assert_eq!(call(&mut store, &["SH.END", &plain, &clear]), Ok(json!(2)));
}

#[test]
fn a_key_that_is_no_session_is_never_used_as_one() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice"]);
    let entry = store.entries.get_mut(token.as_bytes()).expect("the session");
    entry.value = crate::store::memory::Value::String(b"sh".to_vec());
    let before = store.entries.clone();
    for command in ["SH.INFO", "SH.EXISTS", "SH.END", "SH.TOUCH", "SH.GET"] {
        assert_eq!(call(&mut store, &[command, &token]), Err(Status::SessionTokenInvalid), "{command}");
        assert_eq!(call(&mut store, &[command, "sh:short"]), Err(Status::SessionTokenInvalid), "{command}");
    }
    assert_eq!(store.entries, before);
}

#[test]
fn several_sessions_end_together_or_not_at_all() {
    let mut store = Memory::default();
    let (one, two) = (new(&mut store, &["alice"]), new(&mut store, &["alice"]));
    assert_eq!(call(&mut store, &["SH.END", &one, &two, "nonsense"]), Err(Status::SessionTokenInvalid));
    assert_eq!(call(&mut store, &["SH.EXISTS", &one, &two]), Ok(json!([1, 1])));
    assert_eq!(call(&mut store, &["SH.END", &one, &one, &two]), Ok(json!(2)), "given twice, ended once");
}

#[test]
fn keywords_and_json_say_the_same() {
    let spellings = [
        (&["SHARED"][..], r#"{"shared":true}"#),
        (&["EXPIRY", "60", "DELETE"], r#"{"expiry":{"duration":60,"deleteSession":true}}"#),
        (
            &["expiry", "60", "clear", "Data", r#"{"a":"1"}"#],
            r#"{"name":"alice","sessionData":{"a":"1"},"expiry":{"deleteSession":false,"duration":60}}"#,
        ),
        (&["IDLE", "5", "EXPIRY", "0", "DELETE"], r#"{"idle":5,"expiry":{"duration":0,"deleteSession":true}}"#),
    ];
    for (keywords, json) in spellings {
        let (mut one, mut other) = (Memory::default(), Memory::default());
        call(&mut one, &[&["SH.NEW", "alice"], keywords].concat()).expect("keywords");
        call(&mut other, &["SH.NEW", "alice", json]).expect("JSON");
        assert_eq!(one.entries, other.entries, "{json}");
    }
}

#[test]
fn each_mistake_of_sh_new_has_its_status_and_makes_nothing() {
    use Status::*;
    let mistakes = [
        (&[][..], ValueMissing),
        (&[""], ValueSize),
        (&["alice", "EXPIRY"], ValueMissing),
        (&["alice", "EXPIRY", "60"], ValueMissing),
        (&["alice", "EXPIRY", "60", "IDLE", "5"], CommandSyntax),
        (&["alice", "EXPIRY", "x", "DELETE"], ValueTypeInvalid),
        (&["alice", "EXPIRY", "-1", "DELETE"], ValueTypeInvalid),
        (&["alice", "IDLE"], ValueMissing),
        (&["alice", "IDLE", "4294967296"], ValueTypeInvalid),
        (&["alice", "SHARED", "shared"], CommandSyntax),
        (&["alice", "IDLE", "1", "IDLE", "1"], CommandSyntax),
        (&["alice", "DATA"], ValueMissing),
        (&["alice", "DATA", "[]"], ValueTypeInvalid),
        (&["alice", "DATA", r#"{".name":"x"}"#], ValueTypeInvalid),
        (&["alice", "SOMETHING"], CommandSyntax),
        (&["alice", ""], CommandSyntax),
        (&["alice", "{"], CommandSyntax),
        (&["alice", "{}", "SHARED"], CommandSyntax),
        (&["alice", r#"{"x":1}"#], CommandSyntax),
        (&["alice", r#"{"shared":true,"shared":true}"#], CommandSyntax),
        (&["alice", r#"{"name":"bob"}"#], CommandSyntax),
        (&["alice", r#"{"name":1}"#], ValueTypeInvalid),
        (&["alice", r#"{"shared":"true"}"#], ValueTypeInvalid),
        (&["alice", r#"{"shared":null}"#], ValueTypeInvalid),
        (&["alice", r#"{"expiry":60}"#], ValueTypeInvalid),
        (&["alice", r#"{"expiry":{"duration":60}}"#], ValueMissing),
        (&["alice", r#"{"expiry":{"deleteSession":true}}"#], ValueMissing),
        (&["alice", r#"{"idle":"5"}"#], ValueTypeInvalid),
        (&["alice", r#"{"sessionData":[]}"#], ValueTypeInvalid),
        (&["alice", r#"{"sessionData":{".x":1}}"#], ValueTypeInvalid),
    ];
    for (options, status) in mistakes {
        let mut store = Memory::default();
        assert_eq!(call(&mut store, &[&["SH.NEW"], options].concat()), Err(status), "{options:?}");
        assert!(store.entries.is_empty() && store.effects.is_empty());
    }
}

#[test]
fn no_session_outlives_the_maximum_lifetime() {
    let mut store = Memory::default();
    store.settings.max_lifetime = Some(Seconds(10));
    let forever = new(&mut store, &["alice"]);
    let touched = new(&mut store, &["alice", "IDLE", "8", "EXPIRY", "100", "DELETE"]);
    store.now = 5_000;
    assert_eq!(call(&mut store, &["SH.TOUCH", &touched]), Ok(json!(5_000)));
    store.now = 10_000;
    assert_eq!(call(&mut store, &["SH.EXISTS", &forever, &touched]), Ok(json!([0, 0])));
}

#[test]
fn each_command_is_announced_and_counted() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "IDLE", "16"]);
    call(&mut store, &["SH.TOUCH", &token]).expect("spared");
    store.now = 1_000;
    call(&mut store, &["SH.SET", &token, "a", "1"]).expect("written");
    call(&mut store, &["SH.END", &token]).expect("ended");
    assert_eq!(store.events, [Event::New, Event::End]);
    assert_eq!(store.counts, [Stat::Created, Stat::TouchesSpared, Stat::TouchesWritten, Stat::Ended]);
}
