//! What is measured: a new case is one row here.
//!
//! In an argument `{new}` stands for a number that was never used before, `{any}` for the number of a member of the
//! populations, drawn at random, `{session}` and the like for what the member of that number keeps, and `{script}` for
//! the digest of [`SCRIPT`]; `{junk}` for `{access}` with a change in its claims. All numbers have nine digits, and all native keys are as long as those of the module that
//! they stand beside.

use crate::cases::{Case, Kind, Limit, Memory, PLAIN, Population, Target};

/// What signs elsewhere.
const RSA: &str = "RSA-2048 signature";

const DATA: &str = r#"{"cart":"3 apples","theme":"dark"}"#;

/// What a session of two data fields would be as JSON in a string, as web frameworks keep it: 150 bytes.
const JSON: &str = concat!(
    r#"{"cookie":{"originalMaxAge":3600000,"expires":"2030-01-01T00:00:00.000Z","secure":true,"httpOnly":true,"#,
    r#""path":"/"},"cart":"3 apples","theme":"purple"}"#,
);

/// What SH.NEW does, as one would write it without the module; the client brings the randomness, Lua has none.
pub const SCRIPT: &str = "\
    local tkn = 'sh:' .. string.sub(redis.sha1hex(ARGV[2]), 1, 25)
    local time = redis.call('TIME')
    redis.call('HSET', tkn, '.name', ARGV[1], '.created', time[1] .. string.format('%03d', time[2] / 1000), '.duration', ARGV[3])
    redis.call('PEXPIRE', tkn, ARGV[3] * 1000)
    return {'name', ARGV[1], 'tkn', tkn, 'st', 1}";

pub const POPULATIONS: &[Population] = &[
    Population {
        make: &[&["SH.NEW", "user-{any}", "EXPIRY", "86400", "DELETE", "DATA", DATA]],
        keeps: &[("{session}", &["tkn"])],
    },
    Population {
        make: &[
            &[
                "HSET",
                "a-native-session-of{any}",
                ".name",
                "user-{any}",
                ".created",
                "1900000000000",
                ".duration",
                "86400",
                "cart",
                "3 apples",
                "theme",
                "dark",
            ],
            &["EXPIRE", "a-native-session-of{any}", "86400"],
        ],
        keeps: &[],
    },
    Population { make: &[&["SH.NEW", "cart-{any}", "SHARED", "EXPIRY", "86400", "DELETE"]], keeps: &[] },
    Population {
        make: &[&["SH.NEW", "user-{any}", "COOKIE", "DATA", DATA]],
        keeps: &[("{cookie session}", &["tkn"]), ("{cookie}", &["cookieToken", "token"])],
    },
    Population {
        make: &[&["SH.NEW", "app--{any}", "TOKENS"]],
        keeps: &[
            ("{refresh session}", &["tkn"]),
            ("{refresh}", &["refreshToken", "token"]),
            ("{access}", &["accessToken", "token"]),
        ],
    },
    Population { make: &[&["SET", "a-string-session-of{any}", JSON, "EX", "86400"]], keeps: &[] },
    // As long as the key and the value of the pointer to a shared session.
    Population { make: &[&["SET", "gets:cart-{any}:xyz", "sh:0123456789012345678901234", "EX", "86400"]], keeps: &[] },
];

pub const CASES: &[Case] = &[
    Case { name: "PING", commands: &[&["PING"]], ..PLAIN },
    Case {
        name: "SET of a new key, EX",
        commands: &[&["SET", "a-native-session-of{new}", "sh:0123456789012345678901234", "EX", "3600"]],
        kind: Kind::Creates,
        ..PLAIN
    },
    Case {
        name: "HSET of three fields + PEXPIREAT",
        commands: &[
            &[
                "HSET",
                "a-native-session-of{new}",
                ".name",
                "user-{new}",
                ".created",
                "1900000000000",
                ".duration",
                "3600",
            ],
            &["PEXPIREAT", "a-native-session-of{new}", "1900003600000"],
        ],
        kind: Kind::Creates,
        ..PLAIN
    },
    Case {
        name: "SH.NEW",
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE"]],
        kind: Kind::Creates,
        targets: &[
            Target::Times(1.25, "HSET of three fields + PEXPIREAT"),
            Target::Times(0.5, "Lua script of the same"),
        ],
        ..PLAIN
    },
    Case {
        name: "Lua script of the same",
        commands: &[&["EVALSHA", "{script}", "0", "user-{new}", "0.3141592653589793{new}", "3600"]],
        kind: Kind::Creates,
        ..PLAIN
    },
    Case {
        name: "SH.NEW LISTED",
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]],
        kind: Kind::Creates,
        targets: &[Target::Times(1.6, "SH.NEW")],
        ..PLAIN
    },
    Case {
        name: "SH.NEW LISTED, five are there",
        before: (5, &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]]),
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]],
        kind: Kind::Creates,
        targets: &[Target::Beside("SH.NEW")],
        ..PLAIN
    },
    Case {
        name: "SH.ENDALL of 1,000 sessions",
        before: (1_000, &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]]),
        commands: &[&["SH.ENDALL", "user-{new}"]],
        kind: Kind::Creates,
        one_in: 200,
        ..PLAIN
    },
    Case {
        name: "SH.ENDALL of 10,000 sessions",
        before: (10_000, &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]]),
        commands: &[&["SH.ENDALL", "user-{new}"]],
        kind: Kind::Creates,
        targets: &[Target::Micros(50_000.0), Target::Times(10.0, "SH.ENDALL of 1,000 sessions")],
        one_in: 2_000,
        ..PLAIN
    },
    Case { name: RSA, kind: Kind::Signs, one_in: 400, ..PLAIN },
    Case {
        name: "SH.NEW TOKENS",
        commands: &[&["SH.NEW", "user-{new}", "TOKENS"]],
        kind: Kind::Creates,
        targets: &[Target::Micros(40.0), Target::Beside(RSA)],
        ..PLAIN
    },
    Case {
        name: "SH.NEW TOKENS, hs256",
        commands: &[&["SH.NEW", "user-{new}", "TOKENS"]],
        kind: Kind::Creates,
        targets: &[Target::Micros(20.0), Target::Beside(RSA)],
        algorithm: "hs256",
        ..PLAIN
    },
    Case {
        name: "SH.REFRESH",
        commands: &[&["SH.REFRESH", "{refresh session}", "{refresh}"]],
        kind: Kind::Rotates("{refresh}"),
        targets: &[Target::Micros(40.0), Target::Beside(RSA)],
        ..PLAIN
    },
    Case {
        name: "SH.REFRESH, hs256",
        commands: &[&["SH.REFRESH", "{refresh session}", "{refresh}"]],
        kind: Kind::Rotates("{refresh}"),
        targets: &[Target::Micros(20.0), Target::Beside(RSA)],
        algorithm: "hs256",
        ..PLAIN
    },
    Case { name: "SH.VERIFY", commands: &[&["SH.VERIFY", "{access}"]], ..PLAIN },
    Case {
        name: "SH.VERIFY of junk",
        commands: &[&["SH.VERIFY", "{junk}"]],
        kind: Kind::Refused,
        targets: &[Target::Beside("SH.VERIFY")],
        ..PLAIN
    },
    Case { name: "GET", commands: &[&["GET", "gets:cart-{any}:xyz"]], ..PLAIN },
    Case { name: "SH.OPEN", commands: &[&["SH.OPEN", "cart-{any}"]], targets: &[Target::Times(1.6, "GET")], ..PLAIN },
    Case { name: "HMGET of two fields", commands: &[&["HMGET", "a-native-session-of{any}", "cart", "theme"]], ..PLAIN },
    Case {
        name: "SH.GET of two fields",
        commands: &[&["SH.GET", "{session}", "cart", "theme"]],
        targets: &[Target::Times(1.3, "HMGET of two fields")],
        ..PLAIN
    },
    Case {
        name: "HSET of two fields",
        commands: &[&["HSET", "a-native-session-of{any}", "cart", "4 apples", "theme", "blue"]],
        ..PLAIN
    },
    Case {
        name: "SH.SET of two fields",
        commands: &[&["SH.SET", "{session}", "cart", "4 apples", "theme", "blue"]],
        targets: &[Target::Times(1.3, "HSET of two fields")],
        ..PLAIN
    },
    Case {
        name: "SH.RESUME of two fields",
        commands: &[&["SH.RESUME", "{cookie session}", "{cookie}", "GET", "cart", "theme"]],
        targets: &[Target::Times(2.5, "HMGET of two fields"), Target::Micros(5.0)],
        ..PLAIN
    },
    Case {
        name: "GET, EXPIRE, one by one",
        commands: &[&["GET", "a-string-session-of{any}"], &["EXPIRE", "a-string-session-of{any}", "86400"]],
        kind: Kind::UsesOneByOne,
        one_in: 4,
        ..PLAIN
    },
    Case {
        name: "SH.RESUME, one by one",
        commands: &[&["SH.RESUME", "{cookie session}", "{cookie}", "GET", "cart", "theme"]],
        kind: Kind::UsesOneByOne,
        targets: &[Target::Times(0.7, "GET, EXPIRE, one by one")],
        one_in: 4,
        ..PLAIN
    },
];

pub const MEMORY: &[Memory] = &[
    Memory {
        name: "SH.NEW",
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE"]],
        at_most: Some(Limit::Bytes(260.0)),
    },
    Memory {
        name: "SH.NEW with two short fields",
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "DATA", DATA]],
        at_most: Some(Limit::Bytes(300.0)),
    },
    Memory {
        name: "SH.NEW LISTED, a name each",
        commands: &[&["SH.NEW", "user-{new}", "EXPIRY", "3600", "DELETE", "LISTED"]],
        at_most: Some(Limit::More(200.0, "SH.NEW")),
    },
    Memory {
        name: "SET of 150 bytes of JSON, EX",
        commands: &[&["SET", "a-native-session-of{new}", JSON, "EX", "3600"]],
        at_most: None,
    },
];
