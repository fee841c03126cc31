//! Commands, sensible for the most part, and what they answered.

use crate::fuzz::Arg;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use redis::Value;
use testkit::*;

/// Runs the command that follows.
pub const SCRIPT: [&[u8]; 3] = [b"EVAL", b"return redis.call(unpack(ARGV))", b"0"];
const BY_NAME: &[&[u8]] = &[b"SH.OPEN", b"SH.LIST"];
const BY_CREDENTIAL: &[&[u8]] = &[b"SH.REFRESH", b"SH.RESUME", b"SH.CHECK", b"SH.REGENERATE"];
pub const NAMES: &[&[u8]] =
    &[b"alice", b"bob", b"carts", b"{}", b"{tag}rest", b"}{", b"\0", b"\r\n", b"%n%s", b"\xFF\xFE", b"sh:s:x", b":"];
const WORDS: &[&[u8]] = &[
    b"SHARED", b"EXPIRY", b"DELETE", b"CLEAR", b"IDLE", b"DATA", b"PAYLOAD", b"TOKENS", b"COOKIE", b"BIND", b"LISTED",
    b"LIMIT", b"INFO", b"EXCEPT", b"ONLY", b"CSRF", b"GET", b"NOGRACE", b"shared", b"{}",
];
pub const NUMBERS: &[&str] = &[
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

pub struct Fuzz {
    pub random: StdRng,
    /// Whether other clients spoil keys, and call through other modules.
    pub hostile: bool,
    /// All commands of the module.
    commands: Vec<Arg>,
    /// Tokens of sessions, most of them alive.
    pub tokens: Vec<Arg>,
    /// Access, refresh and cookie tokens, each with the token of its session.
    pub credentials: Vec<[Arg; 2]>,
    /// Keys that do not belong to the module.
    decoys: Vec<Arg>,
    /// Keys of the module, as SCAN answers them.
    pub keys: Vec<Arg>,
    /// What DUMP told of keys.
    pub dumps: Vec<Arg>,
}

impl Fuzz {
    pub fn new(seed: u64, hostile: bool, commands: Vec<Arg>, decoys: Vec<Arg>) -> Self {
        let random = StdRng::seed_from_u64(seed);
        let (tokens, credentials, keys, dumps) = (vec![], vec![], vec![], vec![]);
        Self { random, hostile, commands, tokens, credentials, decoys, keys, dumps }
    }

    pub fn any<T: Clone>(&mut self, from: &[T]) -> T {
        from.choose(&mut self.random).expect("something to choose from").clone()
    }

    pub fn token(&mut self) -> Arg {
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
    pub fn new_session(&mut self) -> Vec<Arg> {
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

    /// A command of the module, as it might be meant.
    fn own_command(&mut self) -> Vec<Arg> {
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
        command
    }

    pub fn command(&mut self) -> Vec<Arg> {
        let command = self.own_command();
        match self.random.random_range(0..100) {
            0 => [SCRIPT.map(<[u8]>::to_vec).to_vec(), command].concat(),
            1 => self.interference(),
            2..10 if self.hostile => self.spoil(),
            10..16 if self.hostile => self.proxied(command),
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

    /// Remembers the tokens, credentials and keys that were answered.
    pub fn learn(&mut self, command: &[Arg], reply: &Value) {
        let told = |map: &Value, path: &[&str]| {
            path.iter().try_fold(map.clone(), |map, name| find(&map, name)).map(|token| bytes(&token))
        };
        // What passes a command on comes before its name.
        let name = command.iter().find(|arg| arg.starts_with(b"SH.")).unwrap_or(&command[0]);
        match (&name[..], reply) {
            (b"DUMP", Value::BulkString(dump)) => remember(&mut self.random, &mut self.dumps, dump.clone()),
            (b"RANDOMKEY", Value::BulkString(key)) if key.starts_with(b"sh:") && !key.starts_with(b"sh:decoy") => {
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
