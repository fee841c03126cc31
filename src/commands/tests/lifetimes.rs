//! Every combination of lifetimes, with a clock that the test sets: just before and just after each deadline.

use super::call;
use crate::protocol::Status;
use crate::store::memory::Memory;
use serde_json::json;
use sessions_core::session::Seconds;
use testkit::lifetime_table::{ACTS, CASES, Case, DONE_AFTER};

fn run(store: &mut Memory, line: &str) -> Result<serde_json::Value, Status> {
    call(store, &line.split_whitespace().collect::<Vec<_>>())
}

/// A session of this kind, half a minute old, with which `act` was done.
fn lived(case: &Case, act: &str) -> (Memory, String) {
    let mut store = Memory::default();
    store.settings.max_lifetime = u32::try_from(case.max).ok().filter(|max| *max > 0).map(Seconds);
    let made = run(&mut store, &format!("SH.NEW alice {} DATA {{\"a\":\"1\"}}", case.options)).expect("a session");
    let token = made["tkn"].as_str().expect("a token").to_owned();
    store.now = DONE_AFTER * 1_000;
    if !act.is_empty() {
        run(&mut store, &act.replace('*', &token)).expect("it lives");
    }
    (store, token)
}

fn check(case: &Case, act: &str, touched: bool) {
    let about = format!("{} with a maximum of {}, {act}", case.options, case.max);
    let (mut store, token) = lived(case, act);
    let data_ends = |store: &mut Memory| run(store, &format!("SH.GET {token} a")).map(|values| values[0].is_null());
    if let Some(goes) = case.data_goes {
        store.now = goes * 1_000 - 1;
        assert_eq!(data_ends(&mut store), Ok(false), "{about}");
        store.now += 1;
        assert_eq!(data_ends(&mut store), Ok(true), "{about}");
    }
    let Some(ends) = (if touched { case.touched_ends } else { case.ends }) else {
        store.now = u64::MAX / 2;
        assert_eq!(run(&mut store, &format!("SH.EXISTS {token}")), Ok(json!([1])), "{about}");
        return;
    };
    store.now = ends * 1_000 - 1;
    assert_eq!(run(&mut store, &format!("SH.EXISTS {token}")), Ok(json!([1])), "{about}");
    store.now += 1;
    assert_eq!(run(&mut store, &format!("SH.EXISTS {token}")), Ok(json!([0])), "{about}");
    for (command, _) in &ACTS[1..] {
        let refused = run(&mut store, &command.replace('*', &token));
        assert_eq!(refused, Err(Status::SessionNotExist), "{about}, then {command}");
    }
}

#[test]
fn each_session_ends_in_its_exact_millisecond_whatever_is_done_with_it() {
    for case in &CASES {
        check(case, "", false);
        for (act, touches) in ACTS {
            check(case, act, touches);
        }
    }
}

#[test]
fn data_that_was_cleared_by_hand_gets_its_whole_time_from_the_next_write() {
    for case in CASES.iter().filter(|case| case.data_goes.is_some()) {
        let (mut store, token) = lived(case, "SH.CLEAR *");
        let duration = case.data_goes.expect("filtered");
        // Half a minute after its creation the session gets new data; by then only the limit may end it before.
        run(&mut store, &format!("SH.SET {token} a 1")).expect("it lives");
        let goes = DONE_AFTER + duration;
        if case.touched_ends.is_some_and(|ends| ends <= goes) {
            continue;
        }
        store.now = goes * 1_000 - 1;
        assert_eq!(run(&mut store, &format!("SH.COUNT {token}")), Ok(json!(1)), "{}", case.options);
        store.now += 1;
        assert_eq!(run(&mut store, &format!("SH.COUNT {token}")), Ok(json!(0)), "{}", case.options);
    }
}
