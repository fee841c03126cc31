//! Malformed and hostile input, and keys of other types in the place of the module's.

use redis::Value;
use testkit::*;

/// Bytes that have broken servers, parsers and logs.
const HOSTILE: [&[u8]; 12] = [
    b"\0",
    b"\r\n",
    b"a\r\n$3\r\nfoo\r\n",
    b"%n%s%n%s%x",
    b"\xFF\xFE\x80",
    b"{}",
    b"{a}{b}",
    b"}{",
    b"sh:s::",
    b"*",
    b" ",
    "\u{1F36A}".as_bytes(),
];
const MIB_64: usize = 64 << 20;

#[test]
fn names_fields_and_values_of_any_bytes_come_back_unchanged() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        for hostile in HOSTILE {
            let made = client.ok(&[b"SH.NEW", hostile, b"SHARED"]);
            assert_eq!(bytes(&member(&made, "name")), hostile);
            let opened = client.ok(&[b"SH.OPEN", hostile]);
            assert_eq!(member(&opened, "tkn"), member(&made, "tkn"));
            let token = bytes(&member(&made, "tkn"));
            assert_eq!(client.int(&[b"SH.SET", &token[..], hostile, hostile, b"", b""]), 2);
            let values = items(&client.ok(&[b"SH.GET", &token[..], hostile, b""]));
            assert_eq!([bytes(&values[0]), bytes(&values[1])], [hostile, b""]);
            client.json(&[b"SH.INFO", &token[..], b"{}"]);
            assert_eq!(client.int(&[&b"SH.END"[..], &token]), 1);
        }
        assert!(client.keys().is_empty());
    }
}

#[test]
fn hostile_bytes_in_the_wrong_place_are_quoted_in_one_line_of_ascii() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    let before = client.contents();
    for hostile in HOSTILE {
        // `status` asserts the one line.
        assert_eq!(client.status(&[&b"SH.INFO"[..], hostile]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&[&b"SH.NEW"[..], b"alice", b"EXPIRY", hostile, b"DELETE"]), "VALUETYPEINVALID");
        assert_eq!(client.status(&[&b"SH.NEW"[..], b"alice", b"DATA", &[b"{", hostile].concat()]), "COMMANDSYNTAX");
        assert_eq!(client.status(&[&b"SH.NEW"[..], b"alice", &[b"{\"", hostile, b"\":1}"].concat()]), "COMMANDSYNTAX");
        assert_eq!(client.status(&[&b"SH.TOUCH"[..], token.as_bytes(), hostile]), "COMMANDSYNTAX");
        let reserved = [b".", hostile].concat();
        assert_eq!(client.status(&[&b"SH.SET"[..], token.as_bytes(), &reserved, b"1"]), "VALUETYPEINVALID");
    }
    assert_eq!(client.contents(), before);
}

#[test]
fn the_log_never_shows_a_token_or_a_value() {
    let server = Server::with(&["--loglevel", "debug"]);
    let mut client = server.client();
    let token = client.new_session(&["very secret name", "DATA", r#"{"a":"very secret value"}"#]);
    assert_eq!(client.status(&["SH.NEW", "alice", "very secret option"]), "COMMANDSYNTAX");
    client.ok(&["SH.END", &token]);
    let log = server.log();
    assert!(!log.is_empty() && !log.contains("very secret") && !log.contains(&token), "{log}");
}

#[test]
fn a_value_of_64_mb_is_stored_and_read() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    let huge = vec![b'%'; MIB_64];
    assert_eq!(client.int(&[b"SH.SET", token.as_bytes(), b"a", &huge]), 1);
    assert!(client.ok(&["SH.GET", &token, "a"]) == Value::Array(vec![Value::BulkString(huge)]));
    assert_eq!(client.int(&["SH.END", &token]), 1);
}

#[test]
fn a_field_of_64_mb_in_json_is_stored_and_read() {
    let server = Server::start();
    let mut client = server.client();
    let field = "f".repeat(MIB_64);
    let token = client.new_session(&["alice", "DATA", &format!(r#"{{"{field}":1}}"#)]);
    assert_eq!(client.list(&["SH.GET", &token, &field]), ["1"]);
}

#[test]
fn an_argument_of_64_mb_is_refused_where_a_short_one_is_expected() {
    let server = Server::start();
    let mut client = server.client();
    let huge = vec![b'9'; MIB_64];
    for (command, status) in [
        (&[b"SH.NEW", &huge[..]][..], "VALUESIZE"),
        (&[b"SH.OPEN", &huge], "VALUESIZE"),
        (&[b"SH.GET", &huge], "SESSIONTOKENINVALID"),
        (&[b"SH.NEW", b"alice", &huge], "COMMANDSYNTAX"),
        (&[b"SH.NEW", b"alice", b"IDLE", &huge], "VALUETYPEINVALID"),
        (&[b"SH.NEW", b"alice", &[b"{\"idle\":", &huge[..], b"}"].concat()], "VALUETYPEINVALID"),
        (&[b"SH.NEW", b"alice", &[b"{\"", &huge[..], b"\":1}"].concat()], "COMMANDSYNTAX"),
    ] {
        let error = client.call(command).expect_err("too long");
        assert!(error.starts_with(status) && error.len() < 300, "{status}: {}", &error[..error.len().min(300)]);
    }
    assert!(client.keys().is_empty());
}

#[test]
fn json_may_be_a_million_levels_deep() {
    let server = Server::start();
    let mut client = server.client();
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let token = client.new_session(&["alice", "DATA", &format!(r#"{{"a":{deep}}}"#)]);
    assert_eq!(client.list(&["SH.GET", &token, "a"]), [deep.as_str()]);
    for (json, status) in [
        (format!(r#"{{"a":{}"#, "[".repeat(1_000_000)), "COMMANDSYNTAX"),
        (r#"{"a":"#.repeat(1_000_000), "COMMANDSYNTAX"),
        (format!(r#"{{"unknown":{deep}}}"#), "COMMANDSYNTAX"),
        (format!(r#"{{"shared":{deep}}}"#), "VALUETYPEINVALID"),
        (format!(r#"{{"expiry":{deep}}}"#), "VALUETYPEINVALID"),
        (format!(r#"{{"expiry":{{"duration":{deep}}}}}"#), "VALUETYPEINVALID"),
    ] {
        assert_eq!(client.status(&["SH.NEW", "alice", &json]), status);
    }
}

#[test]
fn ten_thousand_tokens_go_into_one_command() {
    let server = Server::start();
    let mut client = server.client();
    let made = client.pipeline(&vec![vec!["SH.NEW", "alice"]; 10_000]);
    let tokens = made.iter().map(|reply| text(&member(reply.as_ref().expect("a session"), "tkn")));
    let end: Vec<_> = ["SH.END".to_owned()].into_iter().chain(tokens).collect();
    let exists: Vec<_> = ["SH.EXISTS".to_owned()].into_iter().chain(end[1..].iter().cloned()).collect();
    assert!(client.list(&exists).iter().all(|lives| lives == "1"));
    assert_eq!(client.int(&end), 10_000);
    assert!(client.keys().is_empty());
}

#[test]
fn a_key_that_is_no_session_is_not_used_as_one() {
    let server = Server::start();
    let mut client = server.client();
    let key = "sh:0123456789012345678901234";
    for make in [
        &["SET", key, "x"][..],
        &["RPUSH", key, "x"],
        &["SADD", key, "x"],
        &["ZADD", key, "1", "x"],
        &["XADD", key, "*", "a", "1"],
        &["HSET", key, "name", "alice"],
    ] {
        client.ok(make);
        let before = client.text(&["DUMP", key]);
        for command in [
            &["SH.INFO", key][..],
            &["SH.EXISTS", key],
            &["SH.GET", key],
            &["SH.GET", key, "name"],
            &["SH.SET", key, "a", "1"],
            &["SH.TOUCH", key],
            &["SH.END", key],
        ] {
            assert_eq!(client.status(command), "SESSIONTOKENINVALID", "{make:?} {command:?}");
        }
        assert_eq!(client.text(&["DUMP", key]), before, "{make:?}");
        client.ok(&["DEL", key]);
    }
}

#[test]
fn a_key_of_another_type_in_the_place_of_the_pointer_is_an_error_and_stays() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "IDLE", "600"]);
    let pointer = client.key("sh:s:*");
    client.ok(&["DEL", &pointer]);
    client.ok(&["HSET", &pointer, ".name", "carts"]);
    assert_eq!(client.status(&["SH.OPEN", "carts"]), "WRONGTYPE");
    assert_eq!(client.status(&["SH.NEW", "carts", "SHARED"]), "WRONGTYPE");
    client.ok(&["PEXPIRE", &token, "60000"]);
    assert_eq!(client.int(&["SH.TOUCH", &token]), 600_000, "the session itself goes on");
    assert_eq!(client.int(&["SH.END", &token]), 1);
    assert_eq!(client.keys(), [pointer]);
}

#[test]
fn a_key_of_another_type_in_the_place_of_the_data_is_an_error() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let data = client.key("sh:d:*");
    client.ok(&["SET", &data, "x"]);
    assert_eq!(client.status(&["SH.GET", &token]), "WRONGTYPE");
    assert_eq!(client.status(&["SH.SET", &token, "a", "1"]), "WRONGTYPE");
    assert_eq!(client.status(&["SH.INFO", &token]), "WRONGTYPE");
    assert_eq!(client.text(&["GET", &data]), "x");
    assert_eq!(client.int(&["SH.END", &token]), 1);
}

#[test]
fn spoiled_metadata_never_breaks_the_server() {
    let server = Server::start();
    let mut client = server.client();
    let junk = ["", "-1", "x", "\0", "0", "4294967296", "18446744073709551615", "18446744073709551616", "1e9"];
    for field in [".name", ".duration", ".idle", ".until"] {
        for value in junk {
            let token =
                client.new_session(&["carts", "IDLE", "600", "EXPIRY", "6000", "DELETE", "DATA", r#"{"a":"1"}"#]);
            client.ok(&["HSET", &token, field, value]);
            client.ok(&["PEXPIRE", &token, "60000"]);
            client.json(&["SH.INFO", &token, "{}"]);
            client.ok(&["SH.GET", &token]);
            // Its time may have come by the spoiled metadata; nothing else is an error.
            for command in [&["SH.SET", &token, "b", "2"][..], &["SH.TOUCH", &token], &["SH.END", &token]] {
                if let Err(error) = client.call(command) {
                    assert!(error.starts_with("SESSIONNOTEXIST "), "{field} {value:?}: {error}");
                }
            }
            client.ok(&["FLUSHALL"]);
        }
    }
    assert!(!server.log().contains("please report this"), "{}", server.log());
}

#[test]
fn a_hash_with_a_spoiled_creation_time_is_no_session_and_stays() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    for spoiled in ["", "x", "-1", " s"] {
        client.ok(&["HSET", &token, ".created", spoiled]);
        let before = client.contents();
        for command in ["SH.INFO", "SH.GET", "SH.TOUCH", "SH.END", "SH.CLEAR", "SH.PAYLOAD"] {
            assert_eq!(client.status(&[command, &token]), "SESSIONTOKENINVALID", "{command} {spoiled:?}");
        }
        assert_eq!(client.contents(), before);
    }
}

#[test]
fn fields_that_expire_on_their_own_are_missing_afterwards() {
    skip_unless!(fields_can_expire(), "HPEXPIRE");
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1","b":"2","c":"3"}"#]);
    let expire =
        |time: &'static str, field: &'static str| ["HPEXPIRE", &token, time, "FIELDS", "1", field].map(str::to_owned);
    client.ok(&expire("600000", "a"));
    client.ok(&expire("1", "b"));
    await_that("the field expires", || client.int(&["HEXISTS", &token, "b"]) == 0);
    assert_eq!(client.ok(&["SH.GET", &token, "b"]), Value::Array(vec![Value::Nil]));
    let mut left = members(&client.ok(&["SH.GET", &token]));
    left.sort();
    assert_eq!(left, ["a", "c"]);
    assert_eq!(client.int(&["SH.SET", &token, "b", "4"]), 1, "it is new again");
    assert_eq!(client.int(&["SH.SET", &token, "a", "5"]), 0);
    assert_eq!(client.list(&["HPTTL", &token, "FIELDS", "1", "a"]), ["-1"], "like HSET, a write makes it stay");
}
