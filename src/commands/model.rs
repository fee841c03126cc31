//! Random lives of one session, against a model of it that is written down as plainly as the documentation says it.

use super::tests::call;
use crate::protocol::Status;
use crate::session::Millis;
use crate::store::memory::{Entry, Memory, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What may happen next. Fields and values are small numbers, so that they meet again.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Set(Vec<(u8, u8)>),
    Add(Vec<(u8, u8)>),
    Get(Vec<u8>),
    GetAll,
    Rmv(Vec<u8>),
    Count,
    Keys,
    Contains(Vec<u8>),
    Clear,
    ClearSet(Vec<(u8, u8)>),
    Touch,
    Info,
    End,
    /// By hand, behind the module's back, on the session's own key.
    NativeHset(u8, u8),
    NativeHdel(u8),
    NativeDel,
    NativeExpireIn(u64),
    NativePersist,
}

fn field() -> impl Strategy<Value = u8> {
    0..4_u8
}

fn pairs() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((field(), 0..3_u8), 1..4)
}

fn fields() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(field(), 1..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..40_000_u64).prop_map(Step::Wait),
        3 => pairs().prop_map(Step::Set),
        2 => pairs().prop_map(Step::Add),
        3 => fields().prop_map(Step::Get),
        2 => Just(Step::GetAll),
        2 => fields().prop_map(Step::Rmv),
        1 => Just(Step::Count),
        1 => Just(Step::Keys),
        1 => fields().prop_map(Step::Contains),
        1 => Just(Step::Clear),
        1 => pairs().prop_map(Step::ClearSet),
        2 => Just(Step::Touch),
        2 => Just(Step::Info),
        1 => (field(), 0..3_u8).prop_map(|(field, value)| Step::NativeHset(field, value)),
        1 => field().prop_map(Step::NativeHdel),
        1 => (0..60_000_u64).prop_map(Step::NativeExpireIn),
        1 => Just(Step::NativePersist),
        1 => prop_oneof![Just(Step::End), Just(Step::NativeDel)],
    ]
}

#[derive(Debug, Clone, Copy)]
struct Options {
    delete_after: Option<u64>,
    clear_after: Option<u64>,
    idle: Option<u64>,
}

fn options() -> impl Strategy<Value = Options> {
    let expiry = prop_oneof![
        Just((None, None)),
        (1..120_u64).prop_map(|seconds| (Some(seconds), None)),
        (1..120_u64).prop_map(|seconds| (None, Some(seconds))),
    ];
    (expiry, prop::option::of(1..60_u64)).prop_map(|((delete_after, clear_after), idle)| Options {
        delete_after,
        clear_after,
        idle,
    })
}

/// The session as the documentation has it.
struct Model {
    options: Options,
    now: u64,
    alive: bool,
    ends: Option<u64>,
    data: BTreeMap<u8, u8>,
    /// When the data of a session made with CLEAR goes.
    data_goes: Option<u64>,
}

impl Model {
    fn new(options: Options) -> Self {
        let ends = options.idle.into_iter().chain(options.delete_after).min().map(|seconds| seconds * 1_000);
        Self { options, now: 0, alive: true, ends, data: BTreeMap::new(), data_goes: None }
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis;
        self.alive &= self.ends.is_none_or(|ends| self.now < ends);
        if self.data_goes.is_some_and(|goes| self.now >= goes) {
            self.data.clear();
            self.data_goes = None;
        }
    }

    fn touch(&mut self) {
        let Some(idle) = self.options.idle else { return };
        let limit = self.options.delete_after.map_or(u64::MAX, |seconds| seconds * 1_000);
        let target = (self.now + idle * 1_000).min(limit);
        let spared = (idle * 1_000 / 16).min(60_000);
        let moves = self.ends.is_none_or(|ends| target > ends && target - ends >= spared);
        if moves {
            // Beyond the limit, where only PERSIST can have brought it, a touch is the end.
            self.ends = Some(target);
        }
    }

    /// After a write: the first into empty data says when it goes.
    fn written(&mut self) {
        if self.data.is_empty() {
            self.data_goes = None;
        } else if self.data_goes.is_none() {
            self.data_goes = self.options.clear_after.map(|seconds| self.now + seconds * 1_000);
        }
        self.touch();
    }

    /// What the command answers. `None`: nothing is asked.
    fn step(&mut self, step: &Step) -> Option<Result<Json, Status>> {
        match step {
            Step::Wait(millis) => {
                self.wait(*millis);
                return None;
            }
            _ if !self.alive => {
                let native = matches!(
                    step,
                    Step::NativeHset(..)
                        | Step::NativeHdel(_)
                        | Step::NativeDel
                        | Step::NativeExpireIn(_)
                        | Step::NativePersist
                );
                let answer = if matches!(step, Step::End) { Ok(json!(0)) } else { Err(Status::SessionNotExist) };
                return (!native).then_some(answer);
            }
            _ => {}
        }
        let value = |data: &BTreeMap<u8, u8>, field: &u8| data.get(field).map(u8::to_string);
        Some(Ok(match step {
            Step::Set(pairs) => {
                let new = pairs.iter().filter(|(field, value)| self.data.insert(*field, *value).is_none()).count();
                self.written();
                json!(new)
            }
            Step::Add(pairs) => {
                let mut added = Vec::new();
                for (field, value) in pairs {
                    let new = !self.data.contains_key(field);
                    self.data.entry(*field).or_insert(*value);
                    added.push(u8::from(new));
                }
                self.written();
                json!(added)
            }
            Step::Get(fields) => json!(fields.iter().map(|field| value(&self.data, field)).collect::<Vec<_>>()),
            Step::GetAll => {
                let all = self.data.iter().map(|(field, value)| (format!("f{field}"), value.to_string()));
                json!(all.collect::<BTreeMap<_, _>>())
            }
            Step::Rmv(fields) => {
                let removed = fields.iter().filter(|field| self.data.remove(field).is_some()).count();
                self.written();
                json!(removed)
            }
            Step::Count => json!(self.data.len()),
            Step::Keys => json!(self.data.keys().map(|field| format!("f{field}")).collect::<Vec<_>>()),
            Step::Contains(fields) => {
                json!(fields.iter().map(|field| u8::from(self.data.contains_key(field))).collect::<Vec<_>>())
            }
            Step::Clear => {
                let cleared = self.data.len();
                self.data.clear();
                self.written();
                json!(cleared)
            }
            Step::ClearSet(pairs) => {
                let cleared = self.data.len();
                self.data = pairs.iter().copied().collect();
                self.data_goes = None;
                self.written();
                json!(cleared)
            }
            Step::Touch => {
                self.touch();
                json!(self.ends.map_or(-1, |ends| i64::try_from(ends.saturating_sub(self.now)).expect("small")))
            }
            Step::Info => {
                let duration = self.options.delete_after.or(self.options.clear_after);
                let limited = self.options.idle.zip(self.options.delete_after).map(|(_, seconds)| seconds * 1_000);
                let deadline = if self.options.clear_after.is_some() { self.data_goes } else { limited.or(self.ends) };
                let remaining = deadline.map(|deadline| deadline.saturating_sub(self.now).div_ceil(1_000));
                json!([self.data.len(), duration, duration.and(remaining)])
            }
            Step::End => {
                self.alive = false;
                json!(1)
            }
            // In a session made with CLEAR, what is written into its own hash is not its data.
            Step::NativeHset(field, value) => {
                if self.options.clear_after.is_none() {
                    self.data.insert(*field, *value);
                }
                return None;
            }
            Step::NativeHdel(field) => {
                if self.options.clear_after.is_none() {
                    self.data.remove(field);
                }
                return None;
            }
            Step::NativeDel => {
                self.alive = false;
                return None;
            }
            Step::NativeExpireIn(millis) => {
                self.ends = Some(self.now + millis);
                self.wait(0);
                return None;
            }
            Step::NativePersist => {
                self.ends = None;
                return None;
            }
            Step::Wait(_) => return None,
        }))
    }
}

/// Does the same for real.
fn real(store: &mut Memory, token: &str, step: &Step) -> Option<Result<Json, Status>> {
    let pairs = |pairs: &[(u8, u8)]| -> Vec<String> {
        pairs.iter().flat_map(|(field, value)| [format!("f{field}"), value.to_string()]).collect()
    };
    let names = |fields: &[u8]| -> Vec<String> { fields.iter().map(|field| format!("f{field}")).collect() };
    let (command, rest) = match step {
        Step::Wait(millis) => {
            store.now += millis;
            return None;
        }
        Step::NativeHset(..)
        | Step::NativeHdel(_)
        | Step::NativeDel
        | Step::NativeExpireIn(_)
        | Step::NativePersist => {
            native(store, token, step);
            return None;
        }
        Step::Set(given) => ("SH.SET", pairs(given)),
        Step::Add(given) => ("SH.ADD", pairs(given)),
        Step::Get(given) => ("SH.GET", names(given)),
        Step::GetAll => ("SH.GET", vec![]),
        Step::Rmv(given) => ("SH.RMV", names(given)),
        Step::Count => ("SH.COUNT", vec![]),
        Step::Keys => ("SH.KEYS", vec![]),
        Step::Contains(given) => ("SH.CONTAINS", names(given)),
        Step::Clear => ("SH.CLEAR", vec![]),
        Step::ClearSet(given) => ("SH.CLEARSET", pairs(given)),
        Step::Touch => ("SH.TOUCH", vec![]),
        Step::Info => ("SH.INFO", vec![]),
        Step::End => ("SH.END", vec![]),
    };
    let mut line = vec![command, token];
    line.extend(rest.iter().map(String::as_str));
    let answer = call(store, &line);
    if !matches!(step, Step::Info) {
        return Some(answer);
    }
    Some(answer.map(|info| {
        let expiry = |member: &str| info.get("expiry").and_then(|expiry| expiry.get(member)).cloned();
        json!([info["keyCnt"], expiry("duration"), expiry("remaining")])
    }))
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
    fn every_life_of_a_session_is_as_the_model_says(
        options in options(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut store = Memory::default();
        let mut line = vec!["SH.NEW".to_owned(), "alice".to_owned()];
        for (keyword, seconds, action) in
            [("EXPIRY", options.delete_after, "DELETE"), ("EXPIRY", options.clear_after, "CLEAR"), ("IDLE", options.idle, "")]
        {
            line.extend(seconds.into_iter().flat_map(|seconds| [keyword.to_owned(), seconds.to_string()]));
            line.extend((seconds.is_some() && !action.is_empty()).then(|| action.to_owned()));
        }
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let token = call(&mut store, &line).expect("a session")["tkn"].as_str().expect("a token").to_owned();
        let mut model = Model::new(options);
        for step in &steps {
            let expected = model.step(step);
            model.wait(0);
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
