//! What other clients do to the module's keys with native commands.

use crate::fuzz::Arg;
use crate::fuzz::generator::{Fuzz, NAMES, NUMBERS, SCRIPT};
use rand::RngExt;
use rand::seq::IndexedRandom;

/// All fields that a session has, and two that it has not.
const FIELDS: &[&[u8]] = &[
    b".created",
    b".name",
    b".duration",
    b".idle",
    b".kind",
    b".gen",
    b".rotated",
    b".payload",
    b".until",
    b".",
    b".unknown",
];
/// Values that mean something to one field or another.
const SPOILED: &[&[u8]] = &[
    b"",
    b"x",
    b"\0",
    b"\xFF",
    b"0 s",
    b"1700000000000",
    b"1700000000000 sicl",
    b"1795216291391 il",
    b"18446744073709551615 i",
    b"18446744073709551616 c",
    b"9223372036854775807",
    b"18446744073709551615",
    b"tokens",
    b"cookie",
    b"{}",
    b"{",
    b"[1]",
    b"null",
    b"{\"a\":1}",
    b"{\"a\":\"\\ud83c\"}",
];
/// Users beside the default one, and the permissions that they may get.
pub const USERS: [&str; 3] = ["whole", "split", "narrow"];
pub const RULES: [&[&str]; 6] = [
    &["(~sh:* +@all)", "(~app:* +@all)"],
    &["~app:*", "+@all", "(~sh:* +sh.get)"],
    &["~sh:?????????????????????????", "+@all", "(%R~sh:s:* +sh.open)"],
    &["~sh:*", "+@all"],
    &["%W~sh:*", "+@all"],
    &["~sh:*", "+@all", "-sh.new", "(~x +sh.new)", "(~*) +sh.end)"],
];

impl Fuzz {
    /// A native command on a key of the module.
    pub fn interference(&mut self) -> Vec<Arg> {
        let Some(key) = self.keys.choose(&mut self.random).cloned() else { return vec![b"PING".to_vec()] };
        let command: Vec<&[u8]> = match self.random.random_range(0..5) {
            0 => vec![b"DEL", &key],
            1 => vec![b"PEXPIRE", &key, b"20"],
            2 => vec![b"PEXPIRE", &key, b"90000"],
            3 => vec![b"HDEL", &key, b"a"],
            _ => vec![b"HDEL", &key, self.any(&[&b".idle"[..], b".duration", b".until", b".payload"])],
        };
        // A command for hashes may meet a pointer, which is a string: WRONGTYPE is fine.
        command.into_iter().map(<[u8]>::to_vec).collect()
    }

    /// Changes the content of a key of the module, or the permissions of a user.
    pub fn spoil(&mut self) -> Vec<Arg> {
        let key = match self.random.random_range(0..4) {
            0 => self.keys.choose(&mut self.random).cloned(),
            1 => self.credentials.choose(&mut self.random).map(|[token, _]| token.clone()),
            _ => self.tokens.choose(&mut self.random).cloned(),
        };
        let Some(key) = key else { return vec![b"PING".to_vec()] };
        let field = self.any(FIELDS).to_vec();
        let command: Vec<Arg> = match self.random.random_range(0..40) {
            0..18 => vec![b"HSET".to_vec(), key, field, self.spoiled()],
            18..24 => vec![b"HDEL".to_vec(), key, field],
            24..28 => vec![b"DUMP".to_vec(), key],
            28..33 => {
                let Some(dump) = self.dumps.choose(&mut self.random).cloned() else { return vec![b"PING".to_vec()] };
                let ttl = self.any(&[&b"0"[..], b"20", b"90000", b"600000"]).to_vec();
                vec![b"RESTORE".to_vec(), self.place(), ttl, dump, b"REPLACE".to_vec()]
            }
            33..35 => vec![b"COPY".to_vec(), key, self.place(), b"REPLACE".to_vec()],
            35 => vec![b"PERSIST".to_vec(), key],
            36 => vec![b"SET".to_vec(), key, self.spoiled()],
            37 => vec![b"ZADD".to_vec(), key, self.any(&[&b"inf"[..], b"-inf", b"0", b"1.5"]).to_vec(), self.token()],
            38 => vec![b"MODULE".to_vec(), b"UNLOAD".to_vec(), b"sh".to_vec()],
            _ => {
                let (user, rules) = (self.any(&USERS), self.any(&RULES));
                let words = ["ACL", "SETUSER", user, "resetkeys", "clearselectors", "-@all", "+acl"];
                words.iter().chain(rules).map(|word| word.as_bytes().to_vec()).collect()
            }
        };
        command
    }

    fn spoiled(&mut self) -> Arg {
        match self.random.random_range(0..4) {
            0 => self.any(NAMES).into(),
            1 => self.any(NUMBERS).into(),
            2 if self.random.random_bool(0.1) => vec![b'9'; 5_000],
            _ => self.any(SPOILED).into(),
        }
    }

    /// The name that a dumped key is restored under: an existing key, or a token that was never issued.
    fn place(&mut self) -> Arg {
        match self.random.random_range(0..3) {
            0 => self.keys.choose(&mut self.random).cloned().unwrap_or_default(),
            1 => self.tokens.choose(&mut self.random).cloned().unwrap_or_default(),
            _ => format!("sh:{:025}", self.random.random_range(0..50)).into_bytes(),
        }
    }

    /// A command through another module, and through a script before or behind it.
    pub fn proxied(&mut self, command: Vec<Arg>) -> Vec<Arg> {
        let way = vec![self.any(&[&b"PROXY.PLAIN"[..], b"PROXY.AS", b"PROXY.OWN"]).to_vec()];
        let script = SCRIPT.map(<[u8]>::to_vec).to_vec();
        match self.random.random_range(0..3) {
            0 => [way, command].concat(),
            1 => [script, way, command].concat(),
            _ => [way, script, command].concat(),
        }
    }
}
