//! Random lives of one session on a real server, native commands included, against the model that the rules are tested
//! with in memory.
//!
//! The test does not wait: it ages the session by bringing all its deadlines nearer. `SH_SERVER_LIVES` sets the number
//! of lives.

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use redis::Value;
use serde_json::{Value as Json, json};
use testkit::model::{Model, Options, Step, options, step, told};
use testkit::*;

/// Brings everything that lies ahead of the session at KEYS[1], and of its data, nearer by ARGV[1] milliseconds.
const AGE: &str = "for _, key in ipairs(KEYS) do
        local limit = redis.call('HGET', key, '.until')
        if limit then redis.call('HSET', key, '.until', string.format('%.0f', limit - ARGV[1])) end
        local at = redis.call('PEXPIRETIME', key)
        if at > 0 then redis.call('PEXPIREAT', key, string.format('%.0f', at - ARGV[1])) end
    end";

struct Life {
    client: Client,
    token: String,
    model: Model,
}

impl Life {
    fn begin(server: &Server, options: Options) -> Self {
        let mut client = server.client();
        client.ok(&["FLUSHALL"]);
        let token = text(&member(&client.ok(&options.arguments()), "tkn"));
        // From when on it counts, only the server knows: its deadline tells.
        let now = millis(client.now());
        let mut model = Model::new(options, now);
        if let Some(ends) = model.ends {
            let created = millis(client.expiry(&token)) - (ends - now);
            model = Model::new(options, created);
        }
        Self { client, token, model }
    }

    /// The key of the session's data, if it was made with CLEAR and there is any.
    fn data(&mut self) -> Option<String> {
        let keys = self.client.list(&["KEYS", "sh:d:*"]);
        assert!(keys.len() < 2, "{keys:?}");
        keys.into_iter().next()
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        // A server keeps a key through the millisecond of its deadline.
        let before = millis(self.client.now()) - 1;
        let answer = self.real(step);
        let after = millis(self.client.now());
        // The server did it at some moment from `before` to `after`: what the model says of both has to bracket it.
        let [(early, first), (late, last)] = [before, after].map(|now| {
            let mut model = self.model.clone();
            model.now = now;
            model.settle();
            let answer = match step {
                Step::Wait(millis) => {
                    model.age(*millis);
                    None
                }
                step => model.step(step),
            };
            (model, answer)
        });
        let matches_last = answer == last;
        prop_assert!(
            matches_last || answer == first || lies_between(&first, &last, &answer),
            "{:?}: {:?}, but the model says {:?} or {:?}",
            step,
            answer,
            first,
            last
        );
        // The deadlines are what they should be, to the millisecond that only the server knows.
        let (expiry, data) = (self.client.expiry(&self.token), self.data());
        // Where the answer does not say whether it was in time, the session itself does.
        let in_time = if answer.is_none() { expiry != -2 } else { !matches_last };
        self.model = if in_time { early.clone() } else { late.clone() };
        let goes = data.map_or(-2, |data| self.client.expiry(&data));
        self.model.now = millis(self.client.now()) - 1;
        self.model.ends = deadline(step, expiry, early.ends, late.ends, self.model.alive)?.or(self.model.ends);
        if expiry == -1 {
            self.model.ends = None;
        }
        if goes != -2 {
            self.model.data_goes = deadline(step, goes, early.data_goes, late.data_goes, true)?;
        }
        self.model.settle();
        prop_assert!(expiry != -2 || !self.model.alive, "{:?}: the session is gone too early", step);
        prop_assert!(expiry == -2 || self.model.ends.is_none_or(|ends| millis(expiry) == ends), "{:?}", step);
        Ok(())
    }

    /// Does the step on the server. Answers what the model is asked for.
    fn real(&mut self, step: &Step) -> Option<Result<Json, &'static str>> {
        let token = self.token.clone();
        let Some(line) = step.command(&token) else {
            match step {
                Step::Wait(millis) => {
                    let keys: Vec<_> = [Some(token), self.data()].into_iter().flatten().collect();
                    let count = keys.len().to_string();
                    let line: Vec<_> = ["EVAL", AGE, &count].into_iter().map(str::to_owned).collect();
                    self.client.ok(&[line, keys, vec![millis.to_string()]].concat());
                }
                // A native write would create a missing key, so there is none after the session has ended.
                Step::NativeHset(field, value) => {
                    let script =
                        "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], unpack(ARGV)) end";
                    self.client.ok(&["EVAL", script, "1", &token, &format!("f{field}"), &value.to_string()]);
                }
                Step::NativeHdel(field) => drop(self.client.ok(&["HDEL", &token, &format!("f{field}")])),
                Step::NativeExpireIn(millis) => drop(self.client.ok(&["PEXPIRE", &token, &millis.to_string()])),
                Step::NativePersist => drop(self.client.ok(&["PERSIST", &token])),
                _ => drop(self.client.ok(&["DEL", &token])),
            }
            return None;
        };
        Some(match self.client.call(&line) {
            Err(error) if error.starts_with("SESSIONNOTEXIST ") => Err("SESSIONNOTEXIST"),
            Err(error) => panic!("{line:?}: {error}"),
            Ok(reply) => Ok(match step {
                Step::Info => told(&serde_json::from_str(&text(&reply)).expect("JSON")),
                Step::GetAll => {
                    let pairs = members(&reply).into_iter().map(|field| (field.clone(), text(&member(&reply, &field))));
                    json!(pairs.collect::<std::collections::BTreeMap<_, _>>())
                }
                Step::Keys => {
                    let mut fields = list(&reply);
                    fields.sort();
                    json!(fields)
                }
                _ => json_of(&reply),
            }),
        })
    }
}

fn millis(number: i64) -> u64 {
    u64::try_from(number).expect("a moment")
}

fn json_of(reply: &Value) -> Json {
    match reply {
        Value::Nil => Json::Null,
        Value::Int(number) => json!(number),
        Value::Array(elements) => elements.iter().map(json_of).collect(),
        other => json!(text(other)),
    }
}

/// Whether an answer lies between two others: numbers between numbers, all else as in one of them.
fn lies_between(
    one: &Option<Result<Json, &'static str>>,
    other: &Option<Result<Json, &'static str>>,
    answer: &Option<Result<Json, &'static str>>,
) -> bool {
    fn within(one: &Json, other: &Json, answer: &Json) -> bool {
        match (one.as_i64(), other.as_i64(), answer.as_i64()) {
            (Some(one), Some(other), Some(answer)) => (one.min(other)..=one.max(other)).contains(&answer),
            _ => answer == one || answer == other,
        }
    }
    match (one, other, answer) {
        (Some(Ok(Json::Array(one))), Some(Ok(Json::Array(other))), Some(Ok(Json::Array(answer)))) => {
            one.len() == answer.len()
                && other.len() == answer.len()
                && one.iter().zip(other).zip(answer).all(|((one, other), answer)| within(one, other, answer))
        }
        (Some(Ok(one)), Some(Ok(other)), Some(Ok(answer))) => within(one, other, answer),
        _ => false,
    }
}

/// The deadline that the server has, which lies between the two that the model has. `None`: there is none.
fn deadline(
    step: &Step,
    real: i64,
    early: Option<u64>,
    late: Option<u64>,
    alive: bool,
) -> Result<Option<u64>, TestCaseError> {
    if !alive || real == -2 {
        return Ok(None);
    }
    let (early, late) = (early.map_or(-1, u64::cast_signed), late.map_or(-1, u64::cast_signed));
    prop_assert!(
        (early.min(late)..=early.max(late)).contains(&real),
        "{:?}: {} not in {}..={}",
        step,
        real,
        early,
        late
    );
    Ok(u64::try_from(real).ok())
}

#[test]
fn random_lives_of_a_session_on_a_real_server_match_the_model() {
    let lives = std::env::var("SH_SERVER_LIVES").ok().and_then(|lives| lives.parse().ok()).unwrap_or(200);
    let server = Server::start();
    // The data of one step may be gone by the next in both, or in neither: what the server sweeps up changes nothing.
    let config = ProptestConfig { cases: lives, failure_persistence: None, ..ProptestConfig::default() };
    let random_lives = (options(), prop::collection::vec(step(), 1..40));
    let outcome = TestRunner::new(config).run(&random_lives, |(options, steps)| {
        let mut life = Life::begin(&server, options);
        steps.iter().try_for_each(|step| life.step(step))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
