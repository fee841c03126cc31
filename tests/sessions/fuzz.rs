//! Random and mutated commands: whatever is sent, the server lives, answers with a reply or a defined status, and holds
//! no key that it should not.
//!
//! `SH_FUZZ=1000000` sets the number of commands, `SH_FUZZ_SEED` repeats a run (but for the server's own randomness).

use crate::support::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use redis::Value;

type Arg = Vec<u8>;

/// Beside Redis's own WRONGTYPE and "wrong number of arguments".
const STATUSES: &[&str] = &[
    "COMMANDSYNTAX",
    "VALUEMISSING",
    "VALUETYPEINVALID",
    "VALUESIZE",
    "SESSIONNOTEXIST",
    "SESSIONTOKENINVALID",
    "SESSIONOPENFAIL",
    "SESSIONNEWFAIL",
    "UNAUTHORISED",
    "TRYREFRESHTOKEN",
    "TOKENTHEFT",
    "WRONGTYPE",
];
const BY_NAME: &[&[u8]] = &[b"SH.OPEN", b"SH.LIST"];
const BY_CREDENTIAL: &[&[u8]] = &[b"SH.REFRESH", b"SH.RESUME", b"SH.CHECK", b"SH.REGENERATE"];
const NAMES: &[&[u8]] =
    &[b"alice", b"bob", b"carts", b"{}", b"{tag}rest", b"}{", b"\0", b"\r\n", b"%n%s", b"\xFF\xFE", b"sh:s:x", b":"];
const WORDS: &[&[u8]] = &[
    b"SHARED", b"EXPIRY", b"DELETE", b"CLEAR", b"IDLE", b"DATA", b"PAYLOAD", b"TOKENS", b"COOKIE", b"BIND", b"LISTED",
    b"LIMIT", b"INFO", b"EXCEPT", b"ONLY", b"CSRF", b"GET", b"NOGRACE", b"shared", b"{}",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "60",
    "600",
    "3600",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-1",
    "1.5",
    "1e3",
    "",
    " 1",
    "x",
];
const JSON: &[&str] = &[
    "{}",
    "{\"shared\":true}",
    "{\"shared\":false,\"idle\":60}",
    "{\"expiry\":{\"duration\":60,\"deleteSession\":true}}",
    "{\"expiry\":{\"duration\":600,\"deleteSession\":false},\"sessionData\":{\"a\":\"1\",\"b\":[1,{}],\"\u{1F36A}\":null}}",
    "{\"name\":\"alice\"}",
    "{\"sessionData\":{\".a\":1}}",
    "{\"idle\":4294967295,\"shared\":true}",
    "{\"a\":1}",
    "[]",
    "null",
    "{\"a\":\"\\u0000\\ud83c\\udf6a\"}",
    "{\"a\":\"\\ud83c\"}",
    "{\"\":{\"\":{\"\":[[[[[[[[]]]]]]]]}}}",
    "{\"expiry\":60}",
];
const VALUES: &[&[u8]] =
    &[b"", b"a", b"b", b"c", b"value", b".name", b".", b"\0", b"\r\n$1\r\n", b"%n", b"\xFF", b"{\"a\":1}"];
/// Bytes that have a meaning somewhere.
const SHARP: &[u8] = b"\0\r\n%{}[]\":,.\\ sh\xFF0e-";

struct Fuzz {
    random: StdRng,
    /// All commands of the module.
    commands: Vec<Arg>,
    /// Tokens of sessions, most of them alive.
    tokens: Vec<Arg>,
    /// Access, refresh and cookie tokens, each with the token of its session.
    credentials: Vec<[Arg; 2]>,
    /// Keys that somebody made who knows nothing of sessions.
    decoys: Vec<Arg>,
    /// Keys of the module, as the server tells them.
    keys: Vec<Arg>,
}

impl Fuzz {
    fn any<T: Clone>(&mut self, from: &[T]) -> T {
        from.choose(&mut self.random).expect("something to choose from").clone()
    }

    fn token(&mut self) -> Arg {
        let from = if self.random.random_bool(0.03) { &self.decoys } else { &self.tokens };
        from.choose(&mut self.random).cloned().unwrap_or_else(|| b"sh:".to_vec())
    }

    fn number(&mut self) -> Arg {
        self.any(NUMBERS).into()
    }

    fn value(&mut self) -> Arg {
        match self.random.random_range(0..2_000) {
            0 => vec![self.any(SHARP); 1 << 20],
            1..200 if !self.credentials.is_empty() => self.any(&self.credentials.clone())[1].clone(),
            200..400 => (0..self.random.random_range(0..200)).map(|_| self.random.random()).collect(),
            _ => self.any(VALUES).into(),
        }
    }

    fn anything(&mut self) -> Arg {
        match self.random.random_range(0..6) {
            0 => self.token(),
            1 => self.any(NAMES).into(),
            2 => self.any(WORDS).into(),
            3 => self.number(),
            4 => self.any(JSON).into(),
            _ => self.value(),
        }
    }

    /// SH.NEW as it should be, for the most part.
    fn new_session(&mut self) -> Vec<Arg> {
        let mut command = vec![b"SH.NEW".to_vec(), self.any(NAMES).into()];
        if self.random.random_bool(0.4) {
            command.push(self.any(JSON).into());
            return command;
        }
        let mut say = |words: &[&[u8]]| command.extend(words.iter().map(|word| word.to_vec()));
        if self.random.random_bool(0.3) {
            say(&[b"SHARED"]);
        }
        if self.random.random_bool(0.4) {
            let action: &[u8] = [&b"DELETE"[..], b"CLEAR"].choose(&mut self.random).expect("an action");
            say(&[b"EXPIRY", self.any(&NUMBERS[..6]).as_bytes(), action]);
        }
        if self.random.random_bool(0.4) {
            say(&[b"IDLE", self.any(&NUMBERS[..6]).as_bytes()]);
        }
        if self.random.random_bool(0.4) {
            say(&[b"DATA", self.any(JSON).as_bytes()]);
        }
        match self.random.random_range(0..10) {
            0 => say(&[b"TOKENS"]),
            1 => say(&[b"COOKIE"]),
            2 => say(&[b"LISTED", b"LIMIT", self.any(&NUMBERS[..4]).as_bytes()]),
            _ => {}
        }
        command
    }

    fn command(&mut self) -> Vec<Arg> {
        let mut command = match self.random.random_range(0..10) {
            0..2 => self.new_session(),
            // Seldom, or there would be few sessions to do anything with.
            2 if self.random.random_bool(0.02) => vec![b"SH.ENDALL".to_vec(), self.any(NAMES).into()],
            2 => vec![self.any(BY_NAME).into(), self.any(NAMES).into()],
            3 if !self.credentials.is_empty() => {
                let [token, credential] = self.any(&self.credentials.clone());
                vec![self.any(BY_CREDENTIAL).into(), token, credential]
            }
            // Any command with a token and what may follow one, fields and values for the most part.
            _ => {
                let more = self.any(&[0, 0, 0, 1, 2, 2, 4]);
                let mut command = vec![self.any(&self.commands.clone()), self.token()];
                command.extend((0..more).map(|_| self.value()));
                command
            }
        };
        while self.random.random_bool(0.25) {
            self.mutate(&mut command);
        }
        match self.random.random_range(0..100) {
            0 => [&b"EVAL"[..], b"return redis.call(unpack(ARGV))", b"0"]
                .map(<[u8]>::to_vec)
                .into_iter()
                .chain(command)
                .collect(),
            1 => self.interference(),
            _ => command,
        }
    }

    /// Changes a command a little. Its name stays that of a command of the module.
    fn mutate(&mut self, command: &mut Vec<Arg>) {
        let place = self.random.random_range(1..=command.len());
        let what = self.anything();
        match self.random.random_range(0..6) {
            0 => command.insert(place, what),
            _ if place == command.len() => drop(command.split_off(self.random.random_range(1..=place))),
            1 => command[place] = what,
            2 => drop(command.remove(place)),
            3 => {
                let other = self.random.random_range(1..command.len());
                command.swap(place, other);
            }
            4 => command[place].make_ascii_lowercase(),
            _ => {
                let sharp = self.any(SHARP);
                let argument = &mut command[place];
                let at = self.random.random_range(0..=argument.len());
                match self.random.random_range(0..3) {
                    0 => argument.insert(at, sharp),
                    1 => argument.truncate(at),
                    _ if at < argument.len() => argument[at] = sharp,
                    _ => argument.push(sharp),
                }
            }
        }
    }

    /// What others do to keys behind the module's back.
    fn interference(&mut self) -> Vec<Arg> {
        let Some(key) = self.keys.choose(&mut self.random).cloned() else { return vec![b"PING".to_vec()] };
        let command: Vec<&[u8]> = match self.random.random_range(0..5) {
            0 => vec![b"DEL", &key],
            1 => vec![b"PEXPIRE", &key, b"20"],
            2 => vec![b"PEXPIRE", &key, b"90000"],
            3 => vec![b"HDEL", &key, b"a"],
            _ => vec![b"HDEL", &key, self.any(&[&b".idle"[..], b".shared", b".clear", b".until"])],
        };
        // What is made for hashes may meet a pointer: WRONGTYPE, which is an answer.
        command.into_iter().map(<[u8]>::to_vec).collect()
    }

    /// Remembers the tokens, credentials and keys that were answered.
    fn learn(&mut self, command: &[Arg], reply: &Value) {
        let told = |map: &Value, path: &[&str]| {
            path.iter().try_fold(map.clone(), |map, name| find(&map, name)).map(|token| bytes(&token))
        };
        match (&command[0][..], reply) {
            (b"RANDOMKEY", Value::BulkString(key)) if !key.starts_with(b"sh:decoy") => {
                remember(&mut self.random, &mut self.keys, key.clone());
            }
            (b"SH.NEW" | b"SH.REFRESH", map @ (Value::Array(_) | Value::Map(_))) => {
                let Some(token) = told(map, &["tkn"]).or_else(|| told(map, &["session", "handle"])) else { return };
                for kind in ["accessToken", "refreshToken", "cookieToken"] {
                    if let Some(credential) = told(map, &[kind, "token"]) {
                        remember(&mut self.random, &mut self.credentials, [token.clone(), credential]);
                    }
                }
                remember(&mut self.random, &mut self.tokens, token);
            }
            _ => {}
        }
    }
}

/// Keeps an item among the last few hundred.
fn remember<T>(random: &mut StdRng, list: &mut Vec<T>, item: T) {
    if list.len() < 300 {
        list.push(item);
    } else {
        let place = random.random_range(0..list.len());
        list[place] = item;
    }
}

fn is_defined(error: &str) -> bool {
    let word = error.split(' ').next().unwrap_or_default();
    let arity = word == "ERR" && error.to_ascii_lowercase().contains("wrong number of arg");
    error.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && (arity || STATUSES.contains(&word))
}

/// What is wrong with a key of the module, if anything.
fn fault(key: &[u8], contents: &(Vec<String>, i64)) -> Option<&'static str> {
    let (held, expiry) = contents;
    let field = |name: &str| held.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let own = key.strip_prefix(b"sh:")?;
    let token_slot = |own: &[u8]| slot(&[b"sh:", own].concat());
    if own.len() == 25 && own.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
        return (field(".name").is_none() || field(".created").is_none()).then_some("a session without its metadata");
    }
    let (kind, rest) = own.split_at_checked(2)?;
    let (of, steering) = rest.split_at_checked(rest.len().checked_sub(4)?)?;
    match kind {
        _ if steering[0] != b':' => Some("a key that is not steered"),
        b"d:" if *expiry < 0 => Some("data that never goes"),
        b"d:" if held.iter().any(|pair| pair.starts_with('.')) => Some("data with metadata"),
        b"d:" => (token_slot(of) != slot(key)).then_some("data in another slot than its session"),
        b"s:" if held.len() != 1 || held[0].len() != 28 => Some("a pointer to no token"),
        b"s:" => {
            (slot(of) != slot(key) || slot(held[0].as_bytes()) != slot(key)).then_some("a pointer in another slot")
        }
        b"n:" => (slot(of) != slot(key)).then_some("an index in another slot"),
        _ => Some("no key of the module"),
    }
}

#[test]
fn no_command_brings_the_server_down_or_leaves_what_should_not_be_there() {
    const BATCH: usize = 250;
    let number = |name| std::env::var(name).ok().map(|number| number.parse().expect("a number"));
    let commands: usize = number("SH_FUZZ").unwrap_or(50_000) as usize;
    let seed: u64 = number("SH_FUZZ_SEED").unwrap_or_else(|| rand::rng().random());
    println!("SH_FUZZ_SEED={seed}");

    let server = Server::start();
    let replica = server.replica_without_module(&[]);
    let mut clients = [server.client(), server.client3()];
    let decoys: [&[&str]; 5] = [
        &["SET", "sh:decoydecoydecoydecoydecoy", "x"],
        &["RPUSH", "sh:decoydecoydecoydecoydecoz", "x"],
        &["HSET", "sh:decoydecoydecoydecoydecox", "name", "alice"],
        &["ZADD", "sh:decoydecoydecoydecoydecow", "1", "x"],
        &["SADD", "sh:decoydecoydecoydecoydecov", "x"],
    ];
    decoys.iter().for_each(|decoy| drop(clients[0].ok(decoy)));
    let planted = clients[0].contents();
    let all = clients[0].list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]);
    let mut fuzz = Fuzz {
        random: StdRng::seed_from_u64(seed),
        commands: all.into_iter().map(String::into_bytes).collect(),
        tokens: vec![],
        credentials: vec![],
        decoys: decoys.iter().map(|decoy| decoy[1].into()).collect(),
        keys: vec![],
    };

    let mut succeeded = 0;
    for batch in 0..commands.div_ceil(BATCH) {
        let mut sent: Vec<_> = (0..BATCH).map(|_| fuzz.command()).collect();
        sent.push(vec![b"RANDOMKEY".to_vec()]);
        let replies = clients[batch % 2].pipeline(&sent);
        for (command, reply) in sent.iter().zip(&replies) {
            match reply {
                Ok(reply) => fuzz.learn(command, reply),
                Err(error) => assert!(is_defined(error), "{:?} answered {error:?}\n{}", shown(command), server.log()),
            }
        }
        succeeded += replies.iter().filter(|reply| reply.is_ok()).count();
    }
    assert!(succeeded > commands / 4, "most of it should make sense: {succeeded} of {commands}");
    assert!(!server.log().contains("please report this"), "{}", server.log());

    // What is about to expire may be gone before both were looked at.
    let stays = clients[0].now() + 60_000;
    let lasting = |client: &mut Client| {
        let mut contents = client.contents();
        contents.retain(|_, (_, expiry)| *expiry == -1 || *expiry > stays);
        contents
    };
    let contents = lasting(&mut clients[0]);
    replica.is_in_sync(&server);
    assert_eq!(lasting(&mut replica.client()), contents, "a replica that has no module holds the same");
    assert!(planted.iter().all(|(key, held)| contents.get(key) == Some(held)), "what others made is as it was");
    let keys: Vec<_> = items(&clients[0].ok(&["KEYS", "*"])).iter().map(bytes).collect();
    for key in keys.iter().filter(|key| !key.starts_with(b"sh:decoy") && *key != b"redis-sessions:secret") {
        let shown = key.escape_ascii().to_string();
        let Some(held) = contents.get(&shown) else { continue };
        assert!(key.starts_with(b"sh:"), "{shown}");
        assert_eq!(fault(key, held), None, "{shown}: {held:?}");
    }
}
