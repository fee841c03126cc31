//! A session is a plain hash: the server's own commands work on it, and confuse nothing.

use redis::Value;
use testkit::*;

#[test]
fn the_data_can_be_read_counted_up_and_dropped_by_native_commands() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"visits":"1"}"#]);
    assert_eq!(client.int(&["HINCRBY", &token, "visits", "2"]), 3);
    client.ok(&["HSET", &token, "theme", "dark"]);
    assert_eq!(client.list(&["SH.GET", &token, "visits", "theme"]), ["3", "dark"]);
    assert_eq!(client.int(&["SH.COUNT", &token]), 2);
    client.ok(&["HDEL", &token, "visits"]);
    assert_eq!(client.list(&["SH.KEYS", &token]), ["theme"]);
    let all = client.list(&["HGETALL", &token]);
    let pairs: Vec<_> = all.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    assert!(pairs.contains(&("theme", "dark")) && pairs.contains(&(".name", "alice")), "{pairs:?}");
}

#[test]
fn a_native_deadline_is_the_sessions_deadline() {
    let server = Server::start();
    let mut client = server.client();
    let before = client.now();
    let token = client.new_session(&["alice", "EXPIRY", "600", "DELETE"]);
    assert!((before + 600_000..=client.now() + 600_000).contains(&client.expiry(&token)));
    client.ok(&["EXPIRE", &token, "60"]);
    assert!((1..=60_000).contains(&client.int(&["SH.TOUCH", &token])));
    client.ok(&["PERSIST", &token]);
    assert_eq!(client.int(&["SH.TOUCH", &token]), -1);
    client.ok(&["PEXPIREAT", &token, "1"]);
    assert_eq!(client.status(&["SH.TOUCH", &token]), "SESSIONNOTEXIST");
}

#[test]
fn a_touch_gives_a_persisted_session_its_idle_time_back() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600"]);
    client.ok(&["PERSIST", &token]);
    assert_eq!(client.int(&["SH.TOUCH", &token]), 600_000);
    assert!(client.int(&["PTTL", &token]) > 0);
}

#[test]
fn a_session_that_is_dumped_and_restored_is_the_same_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "LISTED", "IDLE", "600", "DATA", r#"{"a":"1"}"#]);
    let (told, expiry) = (client.json(&["SH.INFO", &token, "{}"]), client.expiry(&token).to_string());
    let dump = bytes(&client.ok(&["DUMP", &token]));
    client.ok(&["DEL", &token]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), [""; 0]);
    client.ok(&[b"RESTORE", token.as_bytes(), expiry.as_bytes(), &dump, b"ABSTTL"]);
    assert_eq!(client.json(&["SH.INFO", &token, "{}"]), told);
    assert_eq!(client.list(&["SH.LIST", "alice"]), [token], "it is on the list as before");
}

#[test]
fn a_copy_under_a_key_that_is_no_token_is_no_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["COPY", &token, "backup"]);
    assert_eq!(client.status(&["SH.GET", "backup", "a"]), "SESSIONTOKENINVALID");
    client.ok(&["SH.END", &token]);
    assert_eq!(client.keys(), ["backup"]);
}

#[test]
fn ending_a_copy_of_a_shared_session_leaves_the_session_and_its_pointer() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED"]);
    let copy = "sh:0123456789012345678901234";
    client.ok(&["COPY", &token, copy]);
    assert_eq!(client.int(&["SH.END", copy]), 1);
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", "carts"]), "tkn")), token);
}

#[test]
fn damaged_metadata_never_breaks_a_command() {
    let server = Server::start();
    let mut client = server.client();
    for (field, value) in [(".idle", "soon"), (".until", "x"), (".duration", "-1"), (".name", ""), (".kind", "\u{1}")] {
        let token = client.new_session(&["alice", "IDLE", "600", "EXPIRY", "6000", "DELETE"]);
        client.ok(&["HSET", &token, field, value]);
        // Whatever it answers, it answers, and the session can be ended.
        client.call(&["SH.INFO", &token, "{}"]).ok();
        client.call(&["SH.TOUCH", &token]).ok();
        client.call(&["SH.SET", &token, "a", "1"]).ok();
        assert_eq!(client.int(&["SH.END", &token]), 1, "{field}");
    }
    assert!(client.keys().is_empty());
}

#[test]
fn a_session_without_any_field_has_ended() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    for pair in client.list(&["HGETALL", &token]).chunks(2) {
        client.ok(&["HDEL", &token, &pair[0]]);
    }
    assert_eq!(client.status(&["SH.GET", &token]), "SESSIONNOTEXIST");
}

#[test]
fn a_field_with_an_expiry_of_its_own_expires_alone() {
    skip_unless!(fields_can_expire(), "HPEXPIRE");
    let server = Server::start();
    let mut client = server.client();
    for options in [&["alice", "LISTED"][..], &["alice", "EXPIRY", "600", "CLEAR"]] {
        let token = client.new_session(options);
        client.ok(&["SH.SET", &token, "code", "1234", "theme", "dark"]);
        let hash = if options[1] == "LISTED" { token.clone() } else { client.key("sh:d:*") };
        assert_eq!(client.list(&["HPEXPIRE", &hash, "1", "FIELDS", "1", "code"]), ["1"]);
        await_that("the field goes", || client.ok(&["SH.GET", &token, "code"]) == Value::Array(vec![Value::Nil]));
        assert_eq!(client.list(&["SH.CONTAINS", &token, "code", "theme"]), ["0", "1"]);
        assert_eq!(client.list(&["SH.KEYS", &token]), ["theme"]);
        // The server may not have swept it up yet: a new one takes its place all the same.
        assert_eq!(client.list(&["SH.ADD", &token, "code", "5678"]), ["1"]);
        assert_eq!(client.list(&["SH.GET", &token, "code"]), ["5678"]);
        assert_eq!(client.list(&["HPTTL", &hash, "FIELDS", "1", "code"]), ["-1"]);
        await_that("the count is right", || client.int(&["SH.COUNT", &token]) == 2);
    }
}

#[test]
fn a_write_keeps_the_expiry_of_other_fields() {
    skip_unless!(fields_can_expire(), "HPEXPIRE");
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600", "DATA", r#"{"code":"1"}"#]);
    client.ok(&["HPEXPIRE", &token, "60000", "FIELDS", "1", "code"]);
    client.ok(&["SH.SET", &token, "theme", "dark"]);
    client.ok(&["SH.TOUCH", &token]);
    let left: i64 = client.list(&["HPTTL", &token, "FIELDS", "1", "code"])[0].parse().expect("a number");
    assert!((1..=60_000).contains(&left), "{left}");
}
