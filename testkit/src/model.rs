//! A model of one session, written down as plainly as the documentation says it, and what may happen to it.
//!
//! It knows nothing of the code: the store in memory and real servers are both compared with it.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What may happen next. Fields and values are small numbers, so that they meet again.
#[derive(Debug, Clone)]
pub enum Step {
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

pub fn step() -> impl Strategy<Value = Step> {
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
pub struct Options {
    pub delete_after: Option<u64>,
    pub clear_after: Option<u64>,
    pub idle: Option<u64>,
}

pub fn options() -> impl Strategy<Value = Options> {
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

impl Options {
    /// The arguments of SH.NEW.
    pub fn arguments(self) -> Vec<String> {
        let mut line = "SH.NEW alice".to_owned();
        for (seconds, before, after) in
            [(self.delete_after, "EXPIRY", " DELETE"), (self.clear_after, "EXPIRY", " CLEAR"), (self.idle, "IDLE", "")]
        {
            line.extend(seconds.map(|seconds| format!(" {before} {seconds}{after}")));
        }
        line.split(' ').map(str::to_owned).collect()
    }
}

/// The session as the documentation has it. Moments are in milliseconds.
#[derive(Debug, Clone)]
pub struct Model {
    options: Options,
    pub now: u64,
    pub alive: bool,
    pub ends: Option<u64>,
    /// The moment that touching never goes beyond.
    limit: Option<u64>,
    pub data: BTreeMap<u8, u8>,
    /// When the data of a session made with CLEAR goes.
    pub data_goes: Option<u64>,
}

impl Model {
    pub fn new(options: Options, now: u64) -> Self {
        let limit = options.delete_after.map(|seconds| now + seconds * 1_000);
        let ends = options.idle.map(|seconds| now + seconds * 1_000).into_iter().chain(limit).min();
        Self { options, now, alive: true, ends, limit, data: BTreeMap::new(), data_goes: None }
    }

    /// Ends what has expired by now.
    pub fn settle(&mut self) {
        self.alive &= self.ends.is_none_or(|ends| self.now < ends);
        if self.data_goes.is_some_and(|goes| self.now >= goes) {
            self.data.clear();
            self.data_goes = None;
        }
    }

    /// Lets time pass for the session alone: everything that lies ahead of it comes so much nearer.
    pub fn age(&mut self, millis: u64) {
        for moment in [&mut self.ends, &mut self.limit, &mut self.data_goes].into_iter().flatten() {
            *moment -= millis;
        }
        self.settle();
    }

    fn touch(&mut self) {
        let Some(idle) = self.options.idle else { return };
        let target = (self.now + idle * 1_000).min(self.limit.unwrap_or(u64::MAX));
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

    /// What the command answers: a reply, or the status. `None`: nothing is asked.
    #[allow(clippy::too_many_lines, reason = "one arm for each step")]
    pub fn step(&mut self, step: &Step) -> Option<Result<Json, &'static str>> {
        match step {
            Step::Wait(millis) => {
                self.now += millis;
                self.settle();
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
                let answer = if matches!(step, Step::End) { Ok(json!(0)) } else { Err("SESSIONNOTEXIST") };
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
                let limited = self.options.idle.and(self.limit);
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
                self.settle();
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

impl Step {
    /// The command, as typed. `None`: it is no command of the module.
    pub fn command(&self, token: &str) -> Option<Vec<String>> {
        let pairs = |pairs: &[(u8, u8)]| -> Vec<String> {
            pairs.iter().flat_map(|(field, value)| [format!("f{field}"), value.to_string()]).collect()
        };
        let names = |fields: &[u8]| -> Vec<String> { fields.iter().map(|field| format!("f{field}")).collect() };
        let (command, rest) = match self {
            Self::Wait(_)
            | Self::NativeHset(..)
            | Self::NativeHdel(_)
            | Self::NativeDel
            | Self::NativeExpireIn(_)
            | Self::NativePersist => return None,
            Self::Set(given) => ("SH.SET", pairs(given)),
            Self::Add(given) => ("SH.ADD", pairs(given)),
            Self::Get(given) => ("SH.GET", names(given)),
            Self::GetAll => ("SH.GET", vec![]),
            Self::Rmv(given) => ("SH.RMV", names(given)),
            Self::Count => ("SH.COUNT", vec![]),
            Self::Keys => ("SH.KEYS", vec![]),
            Self::Contains(given) => ("SH.CONTAINS", names(given)),
            Self::Clear => ("SH.CLEAR", vec![]),
            Self::ClearSet(given) => ("SH.CLEARSET", pairs(given)),
            Self::Touch => ("SH.TOUCH", vec![]),
            Self::Info => ("SH.INFO", vec!["{}".to_owned()]),
            Self::End => ("SH.END", vec![]),
        };
        Some([command.to_owned(), token.to_owned()].into_iter().chain(rest).collect())
    }
}

/// What the model tells of SH.INFO's answer.
pub fn told(info: &Json) -> Json {
    let expiry = |member: &str| info.get("expiry").and_then(|expiry| expiry.get(member)).cloned();
    json!([info["keyCnt"], expiry("duration"), expiry("remaining")])
}
