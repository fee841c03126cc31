//! The rules of credentials, on the store in memory: what each command answers, what it writes, and what it does not.

mod anti_csrf;
mod binding;
mod check;
mod cookies;
mod failover;
mod forgery;
mod payload;
mod refresh;
mod secret;
mod sign_in;

use super::{answer, call};
use crate::protocol::Status::{self, *};
use crate::stats::Stat;
use crate::store::memory::{Entry, Memory, Value as Stored};
use proptest::prelude::*;
use serde_json::{Value, json};
use sessions_core::credentials::{Algorithm, Ring, Secret, sealed};
use sessions_core::session::{Credentials, Event, Millis, Seconds, Token};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::jar::{Jar, claims};

const SECOND: u64 = 1_000;
const START: u64 = 1_786_752_000_000;

/// A store with the file of secrets that production should have.
fn store() -> Memory {
    let mut store = Memory { now: START, ..Memory::default() };
    store.settings.secrets = secrets(&["a"]);
    store
}

fn secrets(lines: &[&str]) -> Option<Arc<Vec<Secret>>> {
    let secret = |line: &&str| Secret::new(line.repeat(32).as_bytes()).expect("a secret");
    Some(Arc::new(lines.iter().map(secret).collect()))
}

fn sign_in(store: &mut Memory, options: &[&str]) -> Jar {
    Jar::of(&call(store, &[&["SH.NEW", "alice"], options].concat()).expect("a session"))
}

fn refresh(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<Jar, Status> {
    call(store, &[&["SH.REFRESH", &jar.tkn, &jar.sealed], options].concat()).map(|reply| Jar::of(&reply))
}

fn status(reply: Result<Value, Status>) -> Result<(), Status> {
    reply.map(drop)
}

fn resume(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<Value, Status> {
    call(store, &[&["SH.RESUME", &jar.tkn, &jar.sealed], options].concat())
}

fn check(store: &mut Memory, jar: &Jar, options: &[&str]) -> Result<(), Status> {
    status(call(store, &[&["SH.CHECK", &jar.tkn, &jar.access], options].concat()))
}

fn lives(store: &mut Memory, jar: &Jar) -> bool {
    call(store, &["SH.EXISTS", &jar.tkn]) == Ok(json!([1]))
}

/// All that a command could have changed.
fn trace(store: &Memory) -> (BTreeMap<Vec<u8>, Entry>, Vec<String>) {
    (store.entries.clone(), store.effects.clone())
}

fn field(store: &Memory, jar: &Jar, field: &str) -> Option<String> {
    match &store.entries.get(jar.tkn.as_bytes())?.value {
        Stored::Hash(hash) => hash.get(field.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned()),
        _ => None,
    }
}

fn set_field(store: &mut Memory, jar: &Jar, field: &str, value: &str) {
    let Stored::Hash(hash) = &mut store.entries.get_mut(jar.tkn.as_bytes()).expect("the session").value else {
        panic!("no hash")
    };
    hash.insert(field.as_bytes().to_vec(), value.as_bytes().to_vec());
}

/// The refresh token that a session has at a generation.
fn sealed_at(store: &Memory, jar: &Jar, generation: u32) -> String {
    let secrets = store.settings.secrets.as_ref().expect("secrets");
    let ring = Ring::new(secrets, 0, Algorithm::EdDsa, Seconds(3_600), Seconds(3_600));
    let token = Token::parse(jar.tkn.as_bytes()).expect("a token");
    sealed::seal(&ring, Credentials::Tokens, token, generation, None)
}
