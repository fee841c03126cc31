//! Clients of a server.

use crate::await_that;
use crate::value::{bytes, int, items, list, member, text};
use redis::{Cmd, Connection, ConnectionLike, RedisResult, Value};
use std::collections::BTreeMap;

/// A connection. Arguments are bytes of any kind.
pub struct Client(Connection);

impl Client {
    /// A connection to a local server that speaks RESP2 or RESP3, if the server accepts one.
    pub fn connect(port: u16, protocol: u8) -> Option<Self> {
        let url = format!("redis://127.0.0.1:{port}/?protocol=resp{protocol}");
        redis::Client::open(url).ok()?.get_connection().ok().map(Self)
    }

    /// The reply, or the whole text of the error.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, String> {
        told(self.0.req_packed_command(&packed(args)))
    }

    /// When a session was created, in milliseconds since the epoch.
    pub fn created(&mut self, token: &str) -> i64 {
        let field = self.field(token, ".created").expect("a session");
        field.split(' ').next().and_then(|time| time.parse().ok()).expect("a time")
    }

    /// The reply of a command that succeeds.
    pub fn ok<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.call(args).unwrap_or_else(|error| panic!("{:?}: {error}", shown(args)))
    }

    /// What these commands answer, sent all at once: replies, or the whole texts of errors.
    pub fn pipeline<A: AsRef<[u8]>>(&mut self, commands: &[Vec<A>]) -> Vec<Result<Value, String>> {
        let packed: Vec<u8> = commands.iter().flat_map(|args| packed(args)).collect();
        self.0.send_packed_command(&packed).expect("a connection");
        commands.iter().map(|_| told(self.0.recv_response())).collect()
    }

    /// The first word of the error of a command that fails.
    pub fn status<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        let error = match self.call(args) {
            Ok(reply) => panic!("{:?} should have failed: {reply:?}", shown(args)),
            Err(error) => error,
        };
        assert!(error.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "not one line of ASCII: {error:?}");
        error.split(' ').next().unwrap_or_default().to_owned()
    }

    pub fn text<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        text(&self.ok(args))
    }

    pub fn int<A: AsRef<[u8]>>(&mut self, args: &[A]) -> i64 {
        int(&self.ok(args))
    }

    /// The texts of an array.
    pub fn list<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<String> {
        list(&self.ok(args))
    }

    /// The reply of a command that answers in JSON.
    pub fn json<A: AsRef<[u8]>>(&mut self, args: &[A]) -> serde_json::Value {
        serde_json::from_str(&self.text(args)).expect("JSON")
    }

    /// SH.NEW with these arguments: the token.
    pub fn new_session<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        let mut all: Vec<&[u8]> = vec![b"SH.NEW"];
        all.extend(args.iter().map(AsRef::as_ref));
        text(&member(&self.ok(&all), "tkn"))
    }

    /// When a key expires, in milliseconds since the epoch; -1 never, -2 if there is no such key.
    pub fn expiry(&mut self, key: &str) -> i64 {
        self.int(&["PEXPIRETIME", key])
    }

    /// Lets a key expire soon, as if its time had come, and waits until it has.
    pub fn expire_now(&mut self, key: &str) {
        self.ok(&["PEXPIRE", key, "1"]);
        await_that("the key expires", || self.int(&["EXISTS", key]) == 0);
    }

    /// The one key that matches a pattern.
    pub fn key(&mut self, pattern: &str) -> String {
        let keys = self.list(&["KEYS", pattern]);
        assert_eq!(keys.len(), 1, "{pattern}: {keys:?}");
        keys.into_iter().next().expect("one key")
    }

    /// One field of a session's hash, metadata too, as the server itself sees it.
    pub fn field(&mut self, key: &str, field: &str) -> Option<String> {
        match self.ok(&["HGET", key, field]) {
            Value::Nil => None,
            value => Some(text(&value)),
        }
    }

    /// All keys with what they hold, and when they expire; bytes that are no ASCII are escaped.
    pub fn contents(&mut self) -> Contents {
        let keys: Vec<_> = items(&self.ok(&["KEYS", "*"])).iter().map(bytes).collect();
        let types = self.of_each(&keys, |_| "TYPE");
        let values = self.of_each(&keys, |number| match text(&types[number]).as_str() {
            "hash" => "HGETALL",
            "string" => "GET",
            _ => "DUMP",
        });
        let expiries = self.of_each(&keys, |_| "PEXPIRETIME");
        let entries = keys.iter().zip(values.iter().zip(&expiries));
        entries.map(|(key, (value, expiry))| (key.escape_ascii().to_string(), (held(value), int(expiry)))).collect()
    }

    fn of_each(&mut self, keys: &[Vec<u8>], command: impl Fn(usize) -> &'static str) -> Vec<Value> {
        let of = |(number, key)| vec![command(number).as_bytes(), key];
        let commands: Vec<Vec<&[u8]>> = keys.iter().map(Vec::as_slice).enumerate().map(of).collect();
        self.pipeline(&commands).into_iter().map(|reply| reply.expect("a reply")).collect()
    }

    /// One line of INFO.
    pub fn info(&mut self, section: &str, line: &str) -> String {
        let info = self.text(&["INFO", section]);
        let prefix = format!("{line}:");
        info.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    }

    /// The module's settings and their values, in the order of their names: the server's own order may change.
    pub fn settings(&mut self) -> BTreeMap<String, String> {
        let pairs = self.list(&["CONFIG", "GET", "sh.*"]);
        pairs.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }

    /// All keys of the database, sorted.
    pub fn keys(&mut self) -> Vec<String> {
        let mut keys = self.list(&["KEYS", "*"]);
        keys.sort();
        keys
    }

    /// The time of the server, in milliseconds since the epoch.
    pub fn now(&mut self) -> i64 {
        let time: Vec<i64> = self.list(&["TIME"]).iter().map(|part| part.parse().expect("a number")).collect();
        time[0] * 1_000 + time[1] / 1_000
    }

    /// Waits until it is another millisecond than now.
    pub fn tick(&mut self) {
        let now = self.now();
        await_that("the next millisecond", || self.now() > now);
    }

    /// Sends a command and reads no reply.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        self.0.send_packed_command(&packed(args)).expect("a connection");
    }

    /// What the server sends next.
    pub fn receive(&mut self) -> Value {
        self.0.recv_response().expect("a message")
    }
}

/// What the keys of a database hold, and when they expire.
pub type Contents = BTreeMap<String, (Vec<String>, i64)>;

/// The fields of a hash, each as `field=value`, sorted; or the bytes of another value.
fn held(value: &Value) -> Vec<String> {
    let escaped = |value: &Value| bytes(value).escape_ascii().to_string();
    let pair = |field, value| format!("{}={}", escaped(field), escaped(value));
    let mut held: Vec<_> = match value {
        Value::Map(pairs) => pairs.iter().map(|(field, value)| pair(field, value)).collect(),
        Value::Array(flat) => flat.chunks(2).map(|flat| pair(&flat[0], &flat[1])).collect(),
        Value::Nil => vec![],
        other => vec![escaped(other)],
    };
    held.sort();
    held
}

fn packed<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut command = Cmd::new();
    for arg in args {
        command.arg(arg.as_ref());
    }
    command.get_packed_command()
}

/// The reply, or the whole text of the error.
fn told(reply: RedisResult<Value>) -> Result<Value, String> {
    reply.and_then(Value::extract_error).map_err(|error| {
        let code = error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned);
        format!("{code} {}", error.detail().unwrap_or_default())
    })
}

pub fn shown<A: AsRef<[u8]>>(args: &[A]) -> Vec<String> {
    args.iter().map(|arg| arg.as_ref()[..arg.as_ref().len().min(200)].escape_ascii().to_string()).collect()
}
