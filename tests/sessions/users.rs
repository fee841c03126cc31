//! The users of redis.conf.example: each can do what its comment says, and nothing else.

use crate::example::{self, log_in};
use testkit::*;

/// A server with the users of the example, each with its own name as password.
fn server() -> Server {
    Server::configured(&example::users())
}

#[test]
fn no_user_logs_in_without_name_and_password() {
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
    assert_eq!(commands.len(), 25, "{commands:?}");
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
    assert_eq!(app.int(&["WAIT", "0", "1"]), 0);
    for cluster in ["INFO", "SLOTS", "SHARDS", "NODES"] {
        let told = app.call(&["CLUSTER", cluster]).expect_err("not in a cluster");
        assert!(told.contains("cluster support disabled"), "{told}");
    }
}

#[test]
fn the_application_can_send_transactions() {
    let server = server();
    let mut app = log_in(&server, "app");
    let token = app.new_session(&["alice"]);
    app.ok(&["MULTI"]);
    app.ok(&["SH.SET", &token, "a", "1"]);
    app.ok(&["SH.COUNT", &token]);
    assert_eq!(app.list(&["EXEC"]), ["1", "1"]);
    app.ok(&["MULTI"]);
    app.ok(&["SH.CLEAR", &token]);
    app.ok(&["DISCARD"]);
    assert_eq!(app.int(&["SH.COUNT", &token]), 1);
}

/// The keys that an invalidation message names.
fn invalidated(listening: &mut Client) -> Vec<String> {
    let message = listening.receive();
    let message = items(&message);
    assert_eq!([text(&message[0]), text(&message[1])], ["message", "__redis__:invalidate"]);
    list(&message[2])
}

/// A connection that invalidations can be sent to, and its ID.
fn listener(server: &Server, user: &str) -> (Client, String) {
    let mut listening = log_in(server, user);
    let id = listening.int(&["CLIENT", "ID"]).to_string();
    listening.ok(&["SUBSCRIBE", "__redis__:invalidate"]);
    (listening, id)
}

#[test]
fn the_application_can_cache_and_is_told_by_another_connection() {
    let server = server();
    let token = log_in(&server, "app").new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    let (mut listening, id) = listener(&server, "app");
    let mut caching = log_in(&server, "app");
    caching.ok(&["CLIENT", "TRACKING", "ON", "REDIRECT", &id]);
    assert_eq!(caching.list(&["SH.GET", &token, "a"]), ["1"]);
    log_in(&server, "app").ok(&["SH.SET", &token, "a", "2"]);
    assert_eq!(invalidated(&mut listening), [token]);
    listening.ok(&["UNSUBSCRIBE", "__redis__:invalidate"]);
    assert_eq!(listening.text(&["PING"]), "PONG");
}

#[test]
fn tracking_with_bcast_shows_all_tokens_and_can_be_taken_away() {
    let server = server();
    let (mut listening, id) = listener(&server, "app");
    let mut anybody = log_in(&server, "app");
    anybody.ok(&["CLIENT", "TRACKING", "ON", "BCAST", "REDIRECT", &id]);
    // Another user's keys, in another database, and outside of ~sh:*.
    let mut admin = log_in(&server, "admin");
    admin.ok(&["SELECT", "1"]);
    let token = admin.new_session(&["alice"]);
    assert_eq!(invalidated(&mut listening), [token]);
    admin.ok(&["SET", "elsewhere", "x"]);
    assert_eq!(invalidated(&mut listening), ["elsewhere"]);

    admin.ok(&["ACL", "SETUSER", "app", "-client|tracking"]);
    assert_eq!(log_in(&server, "app").status(&["CLIENT", "TRACKING", "ON"]), "NOPERM");
}

#[test]
fn databases_do_not_keep_applications_apart() {
    let server = server();
    let token = log_in(&server, "app").new_session(&["alice", "LISTED", "DATA", r#"{"a":"1"}"#]);
    let mut admin = log_in(&server, "admin");
    admin.ok(&["ACL", "SETUSER", "other", "on", ">other", "~sh:*", "+sh.list", "+sh.get", "+select"]);
    let mut other = log_in(&server, "other");
    other.ok(&["SELECT", "1"]);
    assert_eq!(other.list(&["SH.LIST", "alice"]), [""; 0]);
    other.ok(&["SELECT", "0"]);
    assert_eq!(other.list(&["SH.GET", &token, "a"]), ["1"]);
    assert_eq!(other.list(&["SH.LIST", "alice"]), [token]);

    let confined = admin.call(&["ACL", "SETUSER", "other", "db=1"]);
    assert_eq!(confined.is_ok(), valkey_version() >= (9, 1), "{confined:?}");
    if confined.is_ok() {
        assert_eq!(other.status(&["SH.LIST", "alice"]), "NOPERM");
        assert_eq!(other.status(&["SELECT", "0"]), "NOPERM");
        other.ok(&["SELECT", "1"]);
        assert_eq!(other.list(&["SH.LIST", "alice"]), [""; 0]);
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
        &["PSUBSCRIBE", "*"],
        &["PUBLISH", "__redis__:invalidate", "x"],
        &["WATCH", "elsewhere"],
        &["INFO"],
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
        &["MODULE", "LIST"],
        &["ACL", "WHOAMI"],
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
        &["CONFIG", "GET", "sh.*"],
        &["CONFIG", "GET", "masterauth"],
        &["PSYNC", "?", "-1"],
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
fn the_category_session_holds_all_commands_of_the_module() {
    skip_unless!(modules_have_categories(), "categories that modules make");
    let server = server();
    let mut admin = log_in(&server, "admin");
    admin.ok(&["ACL", "SETUSER", "by-category", "on", ">by-category", "~sh:*", "+@session"]);
    let mut user = log_in(&server, "by-category");
    for command in admin.list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]) {
        let told = user.call(&[&command]);
        assert!(!told.as_ref().is_err_and(|error| error.starts_with("NOPERM")), "{command}: {told:?}");
    }
    assert_eq!(user.status(&["HGETALL", "sh:x"]), "NOPERM");
}
