//! The users of redis.conf.example: they can do what their comments say, and nothing else.

use crate::example::{self, log_in};
use testkit::*;

/// A server with the users of the example, each with its own name as password.
fn server() -> Server {
    Server::configured(&example::users())
}

#[test]
fn nobody_gets_in_without_a_name_and_a_password() {
    let server = server();
    assert_eq!(server.client().status(&["SH.NEW", "alice"]), "NOAUTH");
    assert_eq!(server.client().status(&["PING"]), "NOAUTH");
    assert_eq!(server.client().status(&["AUTH", "app", "wrong"]), "WRONGPASS");
    assert_eq!(log_in(&server, "app").text(&["PING"]), "PONG");
}

#[test]
fn the_application_can_call_every_command_of_the_module() {
    let server = server();
    let commands = log_in(&server, "admin").list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]);
    assert!(commands.len() >= 25, "{commands:?}");
    let mut app = log_in(&server, "app");
    for command in &commands {
        // Without arguments it fails, but not for want of permission.
        let told = app.call(&[command]);
        assert!(!told.as_ref().is_err_and(|error| error.starts_with("NOPERM")), "{command}: {told:?}");
    }
}

#[test]
fn the_application_lives_through_whole_sessions() {
    let server = server();
    let mut app = log_in(&server, "app");
    let shared = app.new_session(&["carts", "SHARED", "IDLE", "600"]);
    assert_eq!(text(&member(&app.ok(&["SH.OPEN", "carts"]), "tkn")), shared);
    let clearing = app.new_session(&["alice", "LISTED", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let limited = app.new_session(&["alice", "LIMIT", "2"]);
    app.ok(&["SH.SET", &clearing, "b", "2"]);
    assert_eq!(app.list(&["SH.GET", &clearing, "a", "b"]), ["1", "2"]);
    app.ok(&["SH.CLEAR", &clearing]);
    assert_eq!(app.list(&["SH.LIST", "alice"]).len(), 2);
    let made = app.json(&["SH.NEW", "bob", r#"{"credentials":"tokens"}"#]);
    let (token, refresh) =
        (made["tkn"].as_str().expect("tkn"), made["refreshToken"]["token"].as_str().expect("a token"));
    app.ok(&["SH.VERIFY", made["accessToken"]["token"].as_str().expect("a token")]);
    app.ok(&["SH.REFRESH", token, refresh]);
    assert_eq!(app.list(&["SH.ENDALL", "alice", "EXCEPT", &limited]), [clearing]);
    assert_eq!(app.int(&["SH.END", &shared, &limited, token]), 3);
}

#[test]
fn the_application_can_connect_as_client_libraries_do() {
    let server = server();
    let mut app = log_in(&server, "app");
    for greeting in [
        &["HELLO", "3"][..],
        &["CLIENT", "SETNAME", "web"],
        &["CLIENT", "ID"],
        &["SELECT", "0"],
        &["COMMAND"],
        &["COMMAND", "DOCS", "SH.NEW"],
    ] {
        app.ok(greeting);
    }
    for cluster in ["SLOTS", "SHARDS", "NODES"] {
        let told = app.call(&["CLUSTER", cluster]).expect_err("not in a cluster");
        assert!(told.contains("cluster support disabled"), "{told}");
    }
}

#[test]
fn the_application_can_touch_neither_metadata_nor_other_keys_nor_the_server() {
    let server = server();
    let mut app = log_in(&server, "app");
    let token = app.new_session(&["alice", "IDLE", "600"]);
    let contents = log_in(&server, "admin").contents();
    for forbidden in [
        &["HSET", &token, ".name", "bob"][..],
        &["HGETALL", &token],
        &["PERSIST", &token],
        &["DEL", &token],
        &["KEYS", "*"],
        &["SCAN", "0"],
        &["GET", "redis-sessions:secret"],
        &["SET", "x", "y"],
        &["EVAL", "return 1", "0"],
        &["CONFIG", "GET", "*"],
        &["CONFIG", "SET", "sh.max-lifetime", "0"],
        &["ACL", "LIST"],
        &["FLUSHALL"],
        &["MONITOR"],
        &["CLIENT", "KILL", "TYPE", "normal"],
        &["SUBSCRIBE", "__keyevent@0__:sh.new"],
    ] {
        assert_eq!(app.status(forbidden), "NOPERM", "{forbidden:?}");
    }
    assert_eq!(log_in(&server, "admin").contents(), contents);
}

#[test]
fn an_operator_watches_and_ends_sessions_and_sees_no_data() {
    let server = server();
    let token = log_in(&server, "app").new_session(&["alice", "LISTED", "IDLE", "600", "DATA", r#"{"a":"1"}"#]);
    let listed = log_in(&server, "app").new_session(&["bob", "LISTED"]);
    let mut operator = log_in(&server, "operator");
    for watching in [
        &["SH.INFO", &token][..],
        &["SH.EXISTS", &token],
        &["SH.LIST", "alice", "INFO"],
        &["SCAN", "0", "MATCH", "sh:*"],
        &["DBSIZE"],
        &["TYPE", &token],
        &["TTL", &token],
        &["PTTL", &token],
        &["MEMORY", "USAGE", &token],
        &["OBJECT", "ENCODING", &token],
        &["INFO", "sh"],
        &["ROLE"],
        &["CONFIG", "GET", "sh.*"],
        &["SLOWLOG", "GET"],
        &["LATENCY", "LATEST"],
        &["CLIENT", "LIST"],
        &["ACL", "LOG"],
        &["LASTSAVE"],
    ] {
        operator.ok(watching);
    }
    for forbidden in [
        &["SH.GET", &token][..],
        &["SH.SET", &token, "a", "2"],
        &["SH.NEW", "carol"],
        &["SH.PAYLOAD", &token],
        &["HGETALL", &token],
        &["DUMP", &token],
        &["GET", "redis-sessions:secret"],
        &["CONFIG", "SET", "sh.max-lifetime", "1"],
        &["ACL", "LIST"],
        &["ACL", "SETUSER", "operator", "+@all"],
        &["MONITOR"],
        &["EVAL", "return 1", "0"],
        &["FLUSHALL"],
        &["SUBSCRIBE", "elsewhere"],
    ] {
        assert_eq!(operator.status(forbidden), "NOPERM", "{forbidden:?}");
    }
    assert_eq!(operator.int(&["SH.END", &token]), 1);
    assert_eq!(operator.list(&["SH.ENDALL", "bob"]), [listed]);
}

#[test]
fn an_operator_hears_of_sessions_that_are_made_and_ended() {
    let server = server();
    log_in(&server, "admin").ok(&["CONFIG", "SET", "notify-keyspace-events", "KEd"]);
    let mut operator = log_in(&server, "operator");
    operator.ok(&["PSUBSCRIBE", "__key*"]);
    let token = log_in(&server, "app").new_session(&["alice"]);
    log_in(&server, "app").ok(&["SH.END", &token]);
    let mut heard = |count| -> Vec<_> { (0..count).map(|_| list(&operator.receive())[2..].join(" ")).collect() };
    let key = format!("__keyspace@0__:{token}");
    let told = heard(4);
    assert_eq!(told[0], format!("{key} sh.new"));
    assert_eq!(told[1], format!("__keyevent@0__:sh.new {token}"));
    assert_eq!(told[2], format!("{key} sh.end"));
    assert_eq!(told[3], format!("__keyevent@0__:sh.end {token}"));
}

#[test]
fn a_replica_logs_in_and_follows() {
    let server = server();
    let token = log_in(&server, "app").new_session(&["alice", "IDLE", "600"]);
    let (port, module) = (server.port.to_string(), module().to_str().expect("a UTF-8 path"));
    let login = ["--masteruser", "replica", "--masterauth", "replica"];
    let options = [&["--loadmodule", module, "--replicaof", "127.0.0.1", &port][..], &login].concat();
    let replica = Server::bare(&options);
    let mut client = replica.client();
    await_that("the session arrives", || client.call(&["SH.EXISTS", &token]).is_ok_and(|reply| list(&reply) == ["1"]));
    assert_eq!(log_in(&server, "replica").status(&["SH.LIST", "alice"]), "NOPERM");
}

#[test]
fn where_the_server_has_categories_session_stands_for_all_commands_of_the_module() {
    let server = server();
    let mut admin = log_in(&server, "admin");
    if !admin.list(&["ACL", "CAT"]).contains(&"session".to_owned()) {
        assert!(server_version() < (7, 4) && valkey_version() < (8, 0));
        return;
    }
    admin.ok(&["ACL", "SETUSER", "by-category", "on", ">by-category", "~sh:*", "+@session"]);
    let mut user = log_in(&server, "by-category");
    for command in admin.list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]) {
        let told = user.call(&[&command]);
        assert!(!told.as_ref().is_err_and(|error| error.starts_with("NOPERM")), "{command}: {told:?}");
    }
    assert_eq!(user.status(&["HGETALL", "sh:x"]), "NOPERM");
}
