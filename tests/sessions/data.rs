//! SH.ADD, SH.RMV, SH.COUNT, SH.KEYS, SH.CONTAINS, SH.CLEAR and SH.CLEARSET.

use redis::Value;
use testkit::*;

/// One session with its data in its own hash, and one with it in the hash beside it.
const KINDS: [&[&str]; 2] = [&["alice"], &["alice", "EXPIRY", "600", "CLEAR"]];

/// Runs `test` with a session of each kind, in both protocols.
fn with_each(test: impl Fn(&mut Client, &str)) {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        for kind in KINDS {
            let token = client.new_session(kind);
            test(&mut client, &token);
        }
    }
}

#[test]
fn add_sets_new_fields_and_overwrites_none() {
    with_each(|client, token| {
        assert_eq!(client.list(&["SH.ADD", token, "a", "1", "b", "2"]), ["1", "1"]);
        assert_eq!(client.list(&["SH.ADD", token, "a", "9", "c", "3", "c", "9"]), ["0", "1", "0"]);
        assert_eq!(client.list(&["SH.GET", token, "a", "b", "c"]), ["1", "2", "3"]);
    });
}

#[test]
fn removed_fields_are_counted_once_each() {
    with_each(|client, token| {
        client.ok(&["SH.SET", token, "a", "1", "b", "2", "c", "3"]);
        assert_eq!(client.int(&["SH.RMV", token, "a", "a", "b", "x"]), 2);
        assert_eq!(client.list(&["SH.KEYS", token]), ["c"]);
        assert_eq!(client.int(&["SH.RMV", token, "c"]), 1);
        assert_eq!(client.int(&["SH.COUNT", token]), 0);
        assert_eq!(client.list(&["SH.EXISTS", token]), ["1"], "a session without data is a session");
    });
}

#[test]
fn fields_are_counted_named_and_looked_for_without_the_metadata() {
    with_each(|client, token| {
        assert_eq!(client.int(&["SH.COUNT", token]), 0);
        assert_eq!(client.list(&["SH.KEYS", token]), [""; 0]);
        client.ok(&["SH.SET", token, "a", "1", "", "empty", "a.b", "dot"]);
        assert_eq!(client.int(&["SH.COUNT", token]), 3);
        let mut fields = client.list(&["SH.KEYS", token]);
        fields.sort();
        assert_eq!(fields, ["", "a", "a.b"]);
        assert_eq!(client.list(&["SH.CONTAINS", token, "a", "x", "", "a"]), ["1", "0", "1", "1"]);
    });
}

#[test]
fn all_data_is_cleared_or_replaced_and_counted() {
    with_each(|client, token| {
        client.ok(&["SH.SET", token, "a", "1", "b", "2"]);
        assert_eq!(client.int(&["SH.CLEARSET", token, "b", "3", "c", "4", "c", "5"]), 2);
        let mut fields = client.list(&["SH.KEYS", token]);
        fields.sort();
        assert_eq!(fields, ["b", "c"]);
        assert_eq!(client.list(&["SH.GET", token, "b", "c"]), ["3", "5"]);
        assert_eq!(client.int(&["SH.CLEAR", token]), 2);
        assert_eq!(client.int(&["SH.CLEAR", token]), 0);
        assert_eq!(client.list(&["SH.EXISTS", token]), ["1"]);
    });
}

#[test]
fn fields_and_values_are_any_bytes() {
    with_each(|client, token| {
        for hostile in [&b"\0"[..], b"\r\n$1\r\n", b"\xFF\xFE", b"%n%s", b"", b"{}"] {
            assert_eq!(list(&client.ok(&[b"SH.ADD", token.as_bytes(), hostile, hostile])), ["1"]);
            assert_eq!(items(&client.ok(&[b"SH.GET", token.as_bytes(), hostile])), [Value::BulkString(hostile.into())]);
            assert_eq!(items(&client.ok(&["SH.KEYS", token])), [Value::BulkString(hostile.into())]);
            assert_eq!(list(&client.ok(&[b"SH.CONTAINS", token.as_bytes(), hostile])), ["1"]);
            assert_eq!(client.int(&[b"SH.CLEARSET", token.as_bytes(), hostile, b"x"]), 1);
            assert_eq!(client.int(&[b"SH.RMV", token.as_bytes(), hostile]), 1);
        }
    });
}

/// Each command with arguments that are right; `*` stands for the token.
const RIGHT: [&[&str]; 9] = [
    &["SH.SET", "*", "a", "1"],
    &["SH.ADD", "*", "a", "1"],
    &["SH.GET", "*", "a"],
    &["SH.RMV", "*", "a"],
    &["SH.COUNT", "*"],
    &["SH.KEYS", "*"],
    &["SH.CONTAINS", "*", "a"],
    &["SH.CLEAR", "*"],
    &["SH.CLEARSET", "*", "a", "1"],
];

fn about<'a>(token: &'a str, command: &[&'a str]) -> Vec<&'a str> {
    command.iter().map(|&word| if word == "*" { token } else { word }).collect()
}

#[test]
fn an_ended_session_and_a_malformed_token_have_different_errors() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["SET", "sh:0123456789012345678901234", "a string"]);
    let foreign = client.new_session(&["alice"]);
    client.ok(&["HDEL", &foreign, ".created"]);
    let ended = client.new_session(&["alice"]);
    client.ok(&["SH.END", &ended]);
    let before = client.contents();
    for command in RIGHT {
        for (token, status) in [
            (ended.as_str(), "SESSIONNOTEXIST"),
            ("alice", "SESSIONTOKENINVALID"),
            ("sh:0123456789012345678901234", "SESSIONTOKENINVALID"),
            (&foreign, "SESSIONTOKENINVALID"),
        ] {
            assert_eq!(client.status(&about(token, command)), status, "{command:?}");
        }
    }
    assert_eq!(client.contents(), before);
}

#[test]
fn each_mistake_is_reported_and_changes_nothing() {
    with_each(|client, token| {
        client.ok(&["SH.SET", token, "a", "1"]);
        let before = client.contents();
        for (command, status) in [
            (&["SH.ADD", "*"][..], "VALUEMISSING"),
            (&["SH.ADD", "*", "a"], "VALUEMISSING"),
            (&["SH.ADD", "*", "b", "1", "c"], "VALUEMISSING"),
            (&["SH.ADD", "*", "b", "1", ".c", "1"], "VALUETYPEINVALID"),
            (&["SH.SET", "*", "b", "1", ".name", "1"], "VALUETYPEINVALID"),
            (&["SH.CLEARSET", "*"], "VALUEMISSING"),
            (&["SH.CLEARSET", "*", "b"], "VALUEMISSING"),
            (&["SH.CLEARSET", "*", ".", "1"], "VALUETYPEINVALID"),
            (&["SH.RMV", "*"], "VALUEMISSING"),
            (&["SH.RMV", "*", "a", ".name"], "VALUETYPEINVALID"),
            (&["SH.CONTAINS", "*"], "VALUEMISSING"),
            (&["SH.CONTAINS", "*", ".name"], "VALUETYPEINVALID"),
            (&["SH.GET", "*", ".name"], "VALUETYPEINVALID"),
            (&["SH.COUNT", "*", "a"], "COMMANDSYNTAX"),
            (&["SH.KEYS", "*", "a"], "COMMANDSYNTAX"),
            (&["SH.CLEAR", "*", "a"], "COMMANDSYNTAX"),
            (&["SH.CLEAR"], "ERR"),
        ] {
            assert_eq!(client.status(&about(token, command)), status, "{command:?}");
        }
        assert_eq!(client.contents(), before);
    });
}

#[test]
fn each_write_touches_the_session_and_no_read_does() {
    let server = Server::start();
    let mut client = server.client();
    for kind in KINDS {
        let token = client.new_session(&[kind, &["IDLE", "600"]].concat());
        for command in RIGHT {
            client.ok(&["PEXPIRE", &token, "60000"]);
            client.ok(&about(&token, command));
            let writes = !matches!(command[0], "SH.GET" | "SH.COUNT" | "SH.KEYS" | "SH.CONTAINS");
            assert_eq!(client.int(&["PTTL", &token]) > 60_000, writes, "{command:?}");
        }
    }
}

#[test]
fn changes_reach_replicas_as_native_commands() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    let clearing = client.new_session(&["alice", "EXPIRY", "600", "CLEAR"]);
    let mut effects = |command: &[&str]| server.effects(|| drop(client.ok(command)));
    let nothing: [[&str; 0]; 0] = [];
    assert_eq!(effects(&["SH.ADD", &token, "a", "9", "b", "2"]), [["HSET", &token, "b", "2"]]);
    assert_eq!(effects(&["SH.ADD", &token, "a", "9"]), nothing);
    assert_eq!(effects(&["SH.RMV", &token, "x", "b", "b"]), [["HDEL", &token, "b"]]);
    assert_eq!(effects(&["SH.RMV", &token, "x"]), nothing);
    let replaced = [&["HDEL", &token, "a"][..], &["HSET", &token, "c", "3"]];
    assert_eq!(effects(&["SH.CLEARSET", &token, "c", "3"]), replaced);
    assert_eq!(effects(&["SH.CLEAR", &token]), [["HDEL", &token, "c"]]);
    assert_eq!(effects(&["SH.CLEAR", &token]), nothing);
    for read in [&["SH.COUNT", &token][..], &["SH.KEYS", &token], &["SH.CONTAINS", &token, "a"]] {
        assert_eq!(effects(read), nothing);
    }
    let first = effects(&["SH.ADD", &clearing, "a", "1"]);
    let data = server.client().key("sh:d:*");
    let goes = server.client().expiry(&data).to_string();
    assert_eq!(first, [&["HSET", &data, "a", "1"][..], &["PEXPIREAT", &data, &goes]]);
    assert_eq!(
        effects(&["SH.CLEARSET", &clearing, "a", "2"]).first(),
        Some(&vec!["HDEL".to_owned(), data, "a".into()])
    );
}

#[test]
fn a_transaction_and_a_script_do_what_the_commands_do() {
    with_each(|client, token| {
        client.ok(&["MULTI"]);
        for command in RIGHT {
            client.ok(&about(token, command));
        }
        let replies = items(&client.ok(&["EXEC"]));
        assert_eq!(int(&replies[0]), 1);
        assert_eq!(list(&replies[1]), ["0"]);
        assert_eq!(int(&replies[3]), 1);
        let script = "redis.call('SH.ADD', KEYS[1], 'a', '7', 'b', '8')
            redis.call('SH.RMV', KEYS[1], 'b')
            return {redis.call('SH.COUNT', KEYS[1]), redis.call('SH.KEYS', KEYS[1])[1]}";
        assert_eq!(client.list(&["EVAL", script, "1", token]), ["1", "a"]);
        assert_eq!(client.list(&["SH.GET", token, "a"]), ["1"], "of SH.CLEARSET");
    });
}

#[test]
fn a_full_server_still_clears_removes_and_ends() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1","b":"2"}"#]);
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    for grows in [&["SH.SET", &token, "a", "1"][..], &["SH.ADD", &token, "c", "1"], &["SH.CLEARSET", &token, "a", "1"]]
    {
        assert_eq!(client.status(grows), "OOM");
    }
    assert_eq!(client.int(&["SH.RMV", &token, "a"]), 1);
    assert_eq!(client.int(&["SH.CLEAR", &token]), 1);
    assert_eq!(client.int(&["SH.END", &token]), 1);
}
