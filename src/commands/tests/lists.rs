//! The list of a name's sessions, on the store in memory: rules first, then random days against a plain model.

mod days;
mod endall;
mod limit;
mod moving_slot;
mod order;
mod refusal;
mod upkeep;

use super::call;
use crate::protocol::Status;
use crate::redis::KeyName;
use crate::store::keys;
use crate::store::memory::{Entry, Memory, Value};
use proptest::prelude::*;
use serde_json::json;
use sessions_core::session::Millis;

fn ok(store: &mut Memory, line: &[&str]) -> serde_json::Value {
    call(store, line).unwrap_or_else(|status| panic!("{line:?}: {status:?}"))
}

fn new(store: &mut Memory, options: &[&str]) -> String {
    ok(store, &[&["SH.NEW"], options].concat())["tkn"].as_str().expect("a token").to_owned()
}

fn list(store: &mut Memory, name: &str) -> Vec<String> {
    serde_json::from_value(ok(store, &["SH.LIST", name])).expect("tokens")
}

fn index(name: &str) -> KeyName {
    keys::index(name.as_bytes())
}

/// The members of a name's index and their scores.
fn scores(store: &Memory, name: &str) -> Vec<(String, f64)> {
    match store.entries.get(index(name).as_ref()) {
        Some(Entry { value: Value::Zset(members), .. }) => {
            members.iter().map(|(token, score)| (String::from_utf8_lossy(token).into_owned(), *score)).collect()
        }
        Some(Entry { value: Value::String(token), expires }) => {
            let score = expires.map_or(f64::INFINITY, |Millis(at)| at as f64);
            vec![(String::from_utf8_lossy(token).into_owned(), score)]
        }
        None => Vec::new(),
        other => panic!("no index: {other:?}"),
    }
}

fn index_expires(store: &Memory, name: &str) -> Option<u64> {
    store.entries[index(name).as_ref()].expires.map(|Millis(at)| at)
}
