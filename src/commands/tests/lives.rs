//! Random lives of one session, on the store in memory, against the model.

use super::call;
use crate::store::memory::{Entry, Memory, Value};
use proptest::prelude::*;
use serde_json::Value as Json;
use sessions_core::session::Millis;
use testkit::model::{Model, Step, options, step, told};

/// Does a step for real.
fn real(store: &mut Memory, token: &str, step: &Step) -> Option<Result<Json, &'static str>> {
    let Some(line) = step.command(token) else {
        match step {
            Step::Wait(millis) => store.now += millis,
            _ => native(store, token, step),
        }
        return None;
    };
    let line: Vec<_> = line.iter().map(String::as_str).collect();
    let answer = call(store, &line).map_err(sessions_core::status::Status::word);
    Some(if matches!(step, Step::Info) { answer.map(|info| told(&info)) } else { answer })
}

/// What a native command does to the session's key, if it is there.
fn native(store: &mut Memory, token: &str, step: &Step) {
    let now = store.now;
    let Some(entry) = store.entries.get_mut(token.as_bytes()) else { return };
    if entry.expires.is_some_and(|Millis(expires)| expires <= now) {
        return;
    }
    let Entry { value: Value::Hash(hash), expires } = entry else { return };
    match step {
        Step::NativeHset(field, value) => {
            hash.insert(format!("f{field}").into_bytes(), value.to_string().into_bytes());
        }
        Step::NativeHdel(field) => {
            hash.remove(format!("f{field}").as_bytes());
        }
        Step::NativeExpireIn(millis) => *expires = Some(Millis(now + millis)),
        Step::NativePersist => *expires = None,
        _ => {
            store.entries.remove(token.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn random_lives_of_a_session_match_the_model(
        options in options(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut store = Memory::default();
        let line = options.arguments();
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let token = call(&mut store, &line).expect("a session")["tkn"].as_str().expect("a token").to_owned();
        let mut model = Model::new(options, 0);
        for step in &steps {
            let expected = model.step(step);
            model.settle();
            prop_assert_eq!(real(&mut store, &token, step), expected, "at {:?}", step);
        }
        // Whatever happened, nothing is left once the session has ended and its data has run out.
        call(&mut store, &["SH.END", &token]).ok();
        store.now += 1_000_000;
        store.entries.retain(|_, entry| entry.expires.is_none_or(|Millis(expires)| expires > store.now));
        prop_assert!(store.entries.is_empty());
    }
}

/// `SH_MODEL_CASES` asks for more than the usual number of lives.
fn cases() -> u32 {
    std::env::var("SH_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000)
}
