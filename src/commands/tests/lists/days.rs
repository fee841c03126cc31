//! Random days of two users, against a plain model.

use super::*;

/// What may happen in the days of two users.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    New { name: usize, delete_after: Option<u64>, idle: Option<u64>, limit: Option<usize> },
    End(usize),
    EndAll { name: usize, except: Option<usize> },
    EndOnly { name: usize, one: usize, other: usize },
    Touch(usize),
    NativeDel(usize),
    NativeExpireIn(usize, u64),
}

const NAMES: [&str; 2] = ["alice", "{alice}bob"];

fn step() -> impl Strategy<Value = Step> {
    let seconds = || prop::option::weighted(0.6, 1..100_u64);
    prop_oneof![
        6 => (0..30_000_u64).prop_map(Step::Wait),
        8 => (0..2_usize, seconds(), seconds(), prop::option::weighted(0.2, 1..5_usize))
            .prop_map(|(name, delete_after, idle, limit)| Step::New { name, delete_after, idle, limit }),
        3 => any::<usize>().prop_map(Step::End),
        1 => (0..2_usize, prop::option::of(any::<usize>())).prop_map(|(name, except)| Step::EndAll { name, except }),
        1 => (0..2_usize, any::<usize>(), any::<usize>())
            .prop_map(|(name, one, other)| Step::EndOnly { name, one, other }),
        4 => any::<usize>().prop_map(Step::Touch),
        2 => any::<usize>().prop_map(Step::NativeDel),
        2 => (any::<usize>(), 0..60_000_u64).prop_map(|(session, millis)| Step::NativeExpireIn(session, millis)),
    ]
}

/// A session as the test remembers it.
struct Made {
    token: String,
    name: usize,
    created: u64,
    idle: Option<u64>,
    limit: Option<u64>,
    ends: Option<u64>,
}

#[derive(Default)]
struct Days {
    store: Memory,
    made: Vec<Made>,
    /// Whether a session that would have lived for ever was deleted by hand. Its place on the list has no time of its
    /// own: it goes with the next SH.ENDALL or LIMIT.
    endless_deleted: bool,
}

impl Days {
    /// The tokens of a name's sessions that live, oldest first.
    fn alive(&self, name: usize) -> Vec<String> {
        let mut alive: Vec<_> =
            self.made.iter().filter(|session| session.name == name && self.lives(session)).collect();
        alive.sort_by_key(|session| (session.created, session.token.clone()));
        alive.into_iter().map(|session| session.token.clone()).collect()
    }

    fn lives(&self, session: &Made) -> bool {
        session.ends.is_none_or(|ends| self.store.now < ends)
    }

    /// One of the sessions ever made.
    fn pick(&self, number: usize) -> Option<usize> {
        (!self.made.is_empty()).then(|| number % self.made.len())
    }

    fn end(&mut self, tokens: &[String]) {
        for session in self.made.iter_mut().filter(|session| tokens.contains(&session.token)) {
            session.ends = Some(0);
        }
    }

    fn step(&mut self, step: &Step) {
        let now = self.store.now;
        match *step {
            Step::Wait(millis) => self.store.now += millis,
            Step::New { name, delete_after, idle, limit } => {
                let mut line = vec!["SH.NEW".to_owned(), NAMES[name].to_owned(), "LISTED".to_owned()];
                line.extend(delete_after.into_iter().flat_map(|n| ["EXPIRY".into(), n.to_string(), "DELETE".into()]));
                line.extend(idle.into_iter().flat_map(|n| ["IDLE".into(), n.to_string()]));
                line.extend(limit.into_iter().flat_map(|n| ["LIMIT".into(), n.to_string()]));
                let line: Vec<_> = line.iter().map(String::as_str).collect();
                let before = self.alive(name);
                let reply = ok(&mut self.store, &line);
                let over = limit.map_or(0, |limit| (before.len() + 1).saturating_sub(limit));
                let ended = before[..over].to_vec();
                assert_eq!(reply.get("ended").cloned(), (over > 0).then(|| json!(ended)));
                self.end(&ended);
                let token = reply["tkn"].as_str().expect("a token").to_owned();
                let limit = delete_after.map(|seconds| now + seconds * 1_000);
                let ends = idle.map(|seconds| now + seconds * 1_000).into_iter().chain(limit).min();
                self.made.push(Made { token, name, created: now, idle, limit, ends });
            }
            Step::End(number) => {
                let Some(session) = self.pick(number) else { return };
                let lives = self.lives(&self.made[session]);
                let token = self.made[session].token.clone();
                assert_eq!(ok(&mut self.store, &["SH.END", &token]), json!(u8::from(lives)));
                self.end(&[token]);
            }
            Step::EndAll { name, except } => {
                let alive = self.alive(name);
                let kept = except.filter(|_| !alive.is_empty()).map(|number| alive[number % alive.len()].clone());
                let mut expected: Vec<_> = alive.into_iter().filter(|token| Some(token) != kept.as_ref()).collect();
                let mut line = vec!["SH.ENDALL", NAMES[name]];
                line.extend(kept.iter().flat_map(|kept| ["EXCEPT", kept]));
                // In no particular order.
                let mut ended: Vec<String> = serde_json::from_value(ok(&mut self.store, &line)).expect("tokens");
                expected.sort();
                ended.sort();
                assert_eq!(ended, expected);
                self.end(&expected);
            }
            Step::EndOnly { name, one, other } => {
                let (Some(one), Some(other)) = (self.pick(one), self.pick(other)) else { return };
                let given = [one, other].map(|session| self.made[session].token.clone());
                let alive = self.alive(name);
                let mut expected: Vec<_> = given.iter().filter(|token| alive.contains(token)).cloned().collect();
                expected.dedup();
                let line = ["SH.ENDALL", NAMES[name], "ONLY", &given[0], &given[1]];
                assert_eq!(ok(&mut self.store, &line), json!(expected));
                self.end(&expected);
            }
            Step::Touch(number) => {
                let Some(session) = self.pick(number) else { return };
                let lives = self.lives(&self.made[session]);
                let answer = call(&mut self.store, &["SH.TOUCH", &self.made[session].token]);
                assert_eq!(answer.is_ok(), lives);
                let made = &mut self.made[session];
                if let Some(idle) = made.idle.filter(|_| lives) {
                    let target = (now + idle * 1_000).min(made.limit.unwrap_or(u64::MAX));
                    let spared = (idle * 1_000 / 16).min(60_000);
                    if made.ends.is_none_or(|ends| target > ends && target - ends >= spared) {
                        made.ends = Some(target);
                    }
                }
            }
            Step::NativeDel(number) => {
                let Some(session) = self.pick(number) else { return };
                let token = self.made[session].token.clone();
                self.endless_deleted |= self.made[session].ends.is_none();
                self.store.entries.remove(token.as_bytes());
                self.end(&[token]);
            }
            Step::NativeExpireIn(number, millis) => {
                let Some(session) = self.pick(number) else { return };
                // Only sooner: a session that was prolonged by hand must be touched before its list expires.
                let at = now + millis;
                let made = &mut self.made[session];
                if made.ends.is_none_or(|ends| at < ends) {
                    self.endless_deleted |= made.ends.is_none();
                    made.ends = Some(at);
                    self.store.entries.get_mut(made.token.as_bytes()).expect("it lives").expires = Some(Millis(at));
                }
            }
        }
    }

    /// Lets the server find what has expired, as it does by itself.
    fn sweep(&mut self) {
        let now = Millis(self.store.now);
        self.store.entries.retain(|_, entry| entry.expires.is_none_or(|expires| expires > now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_list_is_right_at_every_step_and_no_key_is_left_at_the_end(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut days = Days::default();
        for step in &steps {
            days.step(step);
            days.sweep();
            for (number, name) in NAMES.into_iter().enumerate() {
                prop_assert_eq!(list(&mut days.store, name), days.alive(number), "after {:?}", step);
            }
        }
        // Endless sessions are ended; all others expire.
        for session in days.made.iter().filter(|session| session.ends.is_none()) {
            ok(&mut days.store, &["SH.END", &session.token]);
        }
        days.store.now += 1_000_000;
        days.sweep();
        prop_assert!(days.store.entries.is_empty() || days.endless_deleted);
        for name in NAMES {
            ok(&mut days.store, &["SH.ENDALL", name]);
        }
        prop_assert!(days.store.entries.is_empty());
    }
}
