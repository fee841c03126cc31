//! A day of many users on one server: they log in, come back, log out, are thrown out, and most just stay away.
//!
//! `SH_SIMULATION=names,sessions` asks for another size than the usual one, which takes a few seconds.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use testkit::*;

/// How many commands are sent at once.
const BATCH: usize = 500;

/// A session as its client knows it, from the server's answers alone.
struct Session {
    token: String,
    idle: bool,
    /// The moments, in milliseconds since the epoch, before which it certainly lives and after which it is certainly gone.
    alive_before: u64,
    gone_after: u64,
}

/// What a client does next.
enum Act {
    Login {
        name: usize,
        seconds: u64,
        idle: bool,
    },
    Logout {
        name: usize,
        token: String,
    },
    LogoutEverywhere {
        name: usize,
    },
    LogoutOthers {
        name: usize,
        token: String,
    },
    ComeBack {
        name: usize,
        token: String,
    },
    /// An operator deletes a session by hand, or lets it expire soon.
    Delete {
        name: usize,
        token: String,
    },
    Shorten {
        name: usize,
        token: String,
        millis: u64,
    },
}

struct Simulation {
    client: Client,
    names: Vec<Vec<Session>>,
    random: u64,
    /// The longest time to live, in seconds.
    longest: u64,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    u64::try_from(since.as_millis()).expect("milliseconds")
}

fn called(name: usize) -> String {
    format!("user:{name}")
}

impl Simulation {
    /// The next number below `end` (xorshift64: the same days every time).
    fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % end as u64).expect("small")
    }

    fn act(&mut self) -> Act {
        let name = self.below(self.names.len());
        let what = self.below(100);
        let count = self.names[name].len();
        if what < 50 || count == 0 {
            let seconds = 1 + self.below(self.longest as usize) as u64;
            return Act::Login { name, seconds, idle: what.is_multiple_of(2) };
        }
        let chosen = self.below(count);
        let token = self.names[name][chosen].token.clone();
        match what {
            50..65 => Act::Logout { name, token },
            65..68 => Act::LogoutEverywhere { name },
            68..70 => Act::LogoutOthers { name, token },
            70..85 => Act::ComeBack { name, token },
            85..93 => Act::Delete { name, token },
            _ => Act::Shorten { name, token, millis: 1 + self.below(500) as u64 },
        }
    }

    /// A batch of acts. Answers how many logged in.
    fn live(&mut self) -> usize {
        let acts: Vec<Act> = (0..BATCH).map(|_| self.act()).collect();
        let commands: Vec<Vec<String>> = acts.iter().map(command).collect();
        let sent = now();
        let replies = self.client.pipeline(&commands);
        let answered = now();
        let logins = acts.iter().filter(|act| matches!(act, Act::Login { .. })).count();
        for ((act, reply), command) in acts.into_iter().zip(replies).zip(commands) {
            let named = &mut self.names;
            // Somebody may have been thrown out a moment ago, in the same batch or by the clock.
            let gone = |error: &String| error.starts_with("SESSIONNOTEXIST ");
            match (act, reply) {
                (Act::Login { name, seconds, idle }, Ok(reply)) => {
                    let ended = find(&reply, "ended").map(|ended| list(&ended)).unwrap_or_default();
                    let life = seconds * 1_000;
                    let token = text(&member(&reply, "tkn"));
                    named[name].retain(|session| sent <= session.gone_after && !ended.contains(&session.token));
                    named[name].push(Session { token, idle, alive_before: sent + life, gone_after: answered + life });
                }
                (Act::LogoutEverywhere { name } | Act::LogoutOthers { name, .. }, Ok(ended)) => {
                    let ended = list(&ended);
                    named[name].retain(|session| !ended.contains(&session.token));
                }
                (Act::Logout { name, token } | Act::Delete { name, token }, Ok(_)) => {
                    named[name].retain(|session| session.token != token);
                }
                (Act::ComeBack { name, token }, Ok(left)) => {
                    let left = u64::try_from(int(&left)).expect("every session has an end");
                    if let Some(session) = named[name].iter_mut().find(|session| session.token == token) {
                        session.alive_before = sent + left;
                        session.gone_after = answered + left;
                    }
                }
                (Act::Shorten { name, token, millis }, Ok(set)) => {
                    if let Some(session) =
                        named[name].iter_mut().find(|session| session.token == token && int(&set) == 1)
                    {
                        session.alive_before = 0;
                        session.gone_after = answered + millis;
                    }
                }
                (Act::ComeBack { .. } | Act::LogoutOthers { .. }, Err(error)) if gone(&error) => {}
                (_, Err(error)) => panic!("{command:?}: {error}"),
            }
        }
        logins
    }

    /// Compares every list with the truth: with the keys themselves, seen at the same moment, and with what is certain.
    fn check(&mut self) {
        for start in (0..self.names.len()).step_by(BATCH) {
            let end = (start + BATCH).min(self.names.len());
            let mut commands: Vec<Vec<String>> = Vec::new();
            for name in start..end {
                let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
                commands.push(words(&["MULTI"]));
                commands.push(words(&["SH.LIST", &called(name)]));
                commands.extend(self.names[name].iter().map(|session| words(&["EXISTS", &session.token])));
                commands.push(words(&["EXEC"]));
            }
            let sent = now();
            let mut replies = self.client.pipeline(&commands).into_iter();
            let answered = now();
            for name in start..end {
                let sessions = &mut self.names[name];
                let told = items(&replies.nth(sessions.len() + 2).expect("EXEC").expect("its replies"));
                let mut listed = list(&told[0]);
                let lives: Vec<bool> = told[1..].iter().map(|exists| int(exists) == 1).collect();
                for (session, lives) in sessions.iter().zip(&lives) {
                    assert!(*lives || answered >= session.alive_before, "{} ended before its time", session.token);
                    assert!(!lives || sent <= session.gone_after, "{} outlived its time", session.token);
                }
                let mut lives = lives.into_iter();
                sessions.retain(|_| lives.next().expect("a reply each"));
                let mut alive: Vec<&String> = sessions.iter().map(|session| &session.token).collect();
                alive.sort();
                listed.sort();
                assert!(listed.iter().eq(alive), "the list of {} is {listed:?}", called(name));
            }
        }
    }
}

fn command(act: &Act) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match act {
        Act::Login { name, seconds, idle } => {
            let lifetime = if *idle { format!("IDLE {seconds}") } else { format!("EXPIRY {seconds} DELETE") };
            let limit = if name.is_multiple_of(3) { "LIMIT 3" } else { "LISTED" };
            format!("SH.NEW {} {lifetime} {limit}", called(*name)).split(' ').map(str::to_owned).collect()
        }
        Act::Logout { token, .. } => words(&["SH.END", token]),
        Act::LogoutEverywhere { name } => words(&["SH.ENDALL", &called(*name)]),
        Act::LogoutOthers { name, token } => words(&["SH.ENDALL", &called(*name), "EXCEPT", token]),
        Act::ComeBack { token, .. } => words(&["SH.TOUCH", token]),
        Act::Delete { token, .. } => words(&["DEL", token]),
        Act::Shorten { token, millis, .. } => words(&["PEXPIRE", token, &millis.to_string(), "LT"]),
    }
}

/// How many names and sessions.
fn size() -> (usize, usize) {
    let given = std::env::var("SH_SIMULATION").unwrap_or_else(|_| "2000,20000".to_owned());
    let (names, sessions) = given.split_once(',').expect("SH_SIMULATION=names,sessions");
    (names.parse().expect("a number of names"), sessions.parse().expect("a number of sessions"))
}

#[test]
fn after_a_day_of_many_users_every_list_is_right_and_no_key_is_left() {
    const CHECKS: usize = 4;
    let (names, sessions) = size();
    let server = Server::start();
    let mut simulation = Simulation {
        client: server.client(),
        names: (0..names).map(|_| Vec::new()).collect(),
        random: 0x9E37_79B9_7F4A_7C15,
        longest: (sessions / 300_000).clamp(1, 30) as u64,
    };
    let (begin, mut logins, mut most) = (Instant::now(), 0, 0);
    for check in 1..=CHECKS {
        while logins < sessions * check / CHECKS {
            logins += simulation.live();
        }
        most = most.max(simulation.client.int(&["DBSIZE"]));
        let idle = simulation.names.iter().flatten().filter(|session| session.idle).count();
        assert!(idle > 0, "somebody is there to be checked");
        simulation.check();
    }
    // From here on no command names a session.
    let mut client = server.client();
    let mut left = i64::MAX;
    while left > 0 {
        let before = left;
        await_that("the server finds more of what has expired", || {
            left = client.int(&["DBSIZE"]);
            left < before
        });
    }
    eprintln!(
        "{logins} sessions of {names} names in {:?}; at most {most} keys at a check; peak memory {}",
        begin.elapsed(),
        client.info("memory", "used_memory_peak_human")
    );
    for counter in ["created", "ended", "touches_written", "touches_spared"] {
        eprintln!("{counter} {}", client.info("sh", &format!("sh_{counter}")));
    }
}
