//! Transactions, scripts, WATCH and client tracking.

use redis::Value;
use testkit::*;

#[test]
fn a_transaction_creates_and_fills_sessions_atomically() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        client.ok(&["MULTI"]);
        client.ok(&["SH.NEW", "carts", "SHARED"]);
        client.ok(&["SH.OPEN", "carts"]);
        client.ok(&["SH.SET", &token, "a", "1"]);
        client.ok(&["SH.GET", &token, "a"]);
        client.ok(&["SH.END", &token]);
        let replies = items(&client.ok(&["EXEC"]));
        assert_eq!(member(&replies[0], "tkn"), member(&replies[1], "tkn"));
        assert_eq!((int(&replies[2]), list(&replies[3]), int(&replies[4])), (1, vec!["1".to_owned()], 1));
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn a_discarded_transaction_leaves_nothing() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["MULTI"]);
    client.ok(&["SH.NEW", "carts", "SHARED"]);
    client.ok(&["DISCARD"]);
    assert!(client.keys().is_empty());
}

#[test]
fn an_error_in_a_transaction_fails_that_command_only() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED"]);
    client.ok(&["MULTI"]);
    client.ok(&["SH.SET", &token, "a", "1"]);
    client.ok(&["SH.NEW", "carts", "SHARED"]);
    client.ok(&["SH.SET", &token, "b", "2"]);
    assert_eq!(client.status(&["EXEC"]), "SESSIONNEWFAIL");
    assert_eq!(client.list(&["SH.GET", &token, "a", "b"]), ["1", "2"]);
}

/// Whether a transaction that watches the key of a session goes through although `other` has run meanwhile.
fn goes_through(client: &mut Client, watched: &str, other: impl FnOnce()) -> bool {
    client.ok(&["WATCH", watched]);
    other();
    client.ok(&["MULTI"]);
    client.ok(&["PING"]);
    client.ok(&["EXEC"]) != Value::Nil
}

#[test]
fn watch_on_a_session_notices_changes_only() {
    let server = Server::start();
    let (mut client, mut other) = (server.client(), server.client());
    let token = client.new_session(&["carts", "SHARED", "IDLE", "600", "DATA", r#"{"a":"1"}"#]);
    let mut survives = |command: &[&str]| goes_through(&mut client, &token, || drop(other.ok(command)));
    assert!(survives(&["SH.GET", &token]));
    assert!(survives(&["SH.INFO", &token]));
    assert!(survives(&["SH.OPEN", "carts"]));
    assert!(survives(&["SH.TOUCH", &token]), "a touch that is spared changes nothing");
    assert!(!survives(&["SH.SET", &token, "a", "2"]));
    assert!(!survives(&["PEXPIRE", &token, "60000"]));
    assert!(!survives(&["SH.TOUCH", &token]));
    assert!(!survives(&["SH.END", &token]));
}

#[test]
fn watch_on_the_data_of_a_clearing_session_notices_changes() {
    let server = Server::start();
    let (mut client, mut other) = (server.client(), server.client());
    let token = client.new_session(&["alice", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let data = client.key("sh:d:*");
    let mut survives = |command: &[&str]| goes_through(&mut client, &data, || drop(other.ok(command)));
    assert!(survives(&["SH.GET", &token]));
    assert!(!survives(&["SH.SET", &token, "a", "2"]));
    assert!(!survives(&["SH.END", &token]));
}

#[test]
fn a_refused_write_does_not_fail_watch() {
    let server = Server::start();
    let (mut client, mut other) = (server.client(), server.client());
    let token = client.new_session(&["carts", "SHARED"]);
    for command in [&["SH.SET", &token, ".a", "1"][..], &["SH.END", &token, "x"], &["SH.NEW", "carts", "SHARED"]] {
        assert!(goes_through(&mut client, &token, || drop(other.call(command).expect_err("refused"))), "{command:?}");
    }
}

#[test]
fn client_tracking_announces_changes_of_a_session() {
    let server = Server::start();
    let (mut client, mut other) = (server.client3(), server.client());
    let token = other.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["CLIENT", "TRACKING", "ON"]);
    for change in [&["SH.SET", &token, "a", "2"][..], &["SH.END", &token]] {
        client.ok(&["SH.GET", &token, "a"]);
        other.ok(change);
        let Value::Push { data, .. } = client.receive() else { panic!("an invalidation") };
        assert_eq!(list(&data[0]), [token.as_str()]);
    }
}

#[test]
fn a_script_makes_fills_and_ends_sessions() {
    let server = Server::start();
    let script = "local new = redis.call('SH.NEW', KEYS[1], 'SHARED', 'IDLE', '600')
        local token = new[4]
        redis.call('SH.SET', token, 'a', '1')
        local got = redis.call('SH.GET', token, 'a', 'b')
        return {token, got[1], tostring(got[2]), redis.call('SH.TOUCH', token) > 0, redis.call('SH.END', token)}";
    for mut client in [server.client(), server.client3()] {
        let reply = client.list(&["EVAL", script, "1", "carts"]);
        assert_eq!(reply[1..], ["1", "false", "1", "1"]);
        assert!(client.keys().is_empty());
    }
}

#[test]
fn a_script_can_tell_what_went_wrong() {
    let server = Server::start();
    let mut client = server.client();
    let status = "local reply = redis.pcall(unpack(ARGV)) return string.match(reply.err, '^%u+')";
    for (command, expected) in [
        (&["SH.OPEN", "carts"][..], "SESSIONOPENFAIL"),
        (&["SH.GET", "x"], "SESSIONTOKENINVALID"),
        (&["SH.NEW", ""], "VALUESIZE"),
    ] {
        assert_eq!(client.text(&[&["EVAL", status, "0"], command].concat()), expected);
    }
}

#[test]
fn a_read_only_script_reads_and_does_not_write() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "DATA", r#"{"a":"1"}"#]);
    let run = "return redis.call(unpack(ARGV))";
    let before = client.contents();
    client.ok(&["EVAL_RO", run, "0", "SH.OPEN", "carts"]);
    assert_eq!(client.list(&["EVAL_RO", run, "0", "SH.GET", &token, "a"]), ["1"]);
    assert_eq!(client.status(&["EVAL_RO", run, "0", "SH.SET", &token, "a", "2"]), "ERR");
    assert_eq!(client.status(&["EVAL_RO", run, "0", "SH.NEW", "alice"]), "ERR");
    assert_eq!(client.contents(), before);
}

#[test]
fn an_expired_session_in_a_script_has_no_time_left() {
    let server = Server::start();
    let mut client = server.client();
    // The server's clock stands still in a script: a key that expires meanwhile stays visible until the script ends.
    let script = "local token = redis.call('SH.NEW', 'alice', 'EXPIRY', '600', 'DELETE')[4]
        redis.call('PEXPIRE', token, 1)
        for count = 1, 1e7 do end
        local info = redis.call('SH.INFO', token)
        return {redis.call('SH.TOUCH', token), info[12][4], redis.call('SH.SET', token, 'a', '1')}";
    let reply = client.list(&["EVAL", script, "0"]);
    assert_eq!(reply, ["0", "0", "1"]);
    await_that("it is gone afterwards", || client.keys().is_empty());
}
