//! Every acknowledged session survives a crash, a restart and a move to another server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use testkit::*;

#[test]
fn no_acknowledged_session_is_lost_when_the_server_is_killed() {
    const ENOUGH: usize = 300;
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let acknowledged = AtomicUsize::new(0);
    // Creates sessions and notes each with its deadline, until there is no server any more.
    let create = |mut client: Client| {
        let mut noted = Vec::new();
        while let Ok(reply) = client.call(&["SH.NEW", "alice", "EXPIRY", "3600", "DELETE", "DATA", r#"{"a":"1"}"#]) {
            let token = text(&member(&reply, "tkn"));
            let Ok(expiry) = client.call(&["PEXPIRETIME", &token]) else { break };
            noted.push((token, int(&expiry)));
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        noted
    };
    let clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    let (server, noted) = thread::scope(|scope| {
        let creators: Vec<_> = clients.into_iter().map(|client| scope.spawn(|| create(client))).collect();
        await_that("sessions are created", || acknowledged.load(Ordering::Relaxed) >= ENOUGH);
        let server = server.crash_and_restart();
        let noted = creators.into_iter().flat_map(|creator| creator.join().expect("noted sessions"));
        (server, noted.collect::<Vec<_>>())
    });
    assert!(noted.len() >= ENOUGH);
    let mut client = server.client();
    for (token, expiry) in noted {
        assert_eq!(client.expiry(&token), expiry, "to the millisecond");
        assert_eq!(client.list(&["SH.GET", &token, "a"]), ["1"]);
    }
}

/// One session of each kind of keys.
fn some_sessions(client: &mut Client) {
    client.new_session(&["carts", "SHARED", "IDLE", "3600"]);
    client.new_session(&["alice", "EXPIRY", "3600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    client.new_session(&["bob", "EXPIRY", "3600", "DELETE", "DATA", r#"{"a":"\u0000\r\n"}"#]);
}

#[test]
fn sessions_survive_a_restart_from_an_rdb_file() {
    let server = Server::start();
    some_sessions(&mut server.client());
    let contents = server.client().contents();
    server.client().ok(&["SAVE"]);
    let server = server.crash_and_restart();
    assert_eq!(server.client().contents(), contents);
    server.client().ok(&["SH.OPEN", "carts"]);
}

#[test]
fn sessions_survive_a_rewrite_of_the_aof() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    some_sessions(&mut client);
    client.ok(&["BGREWRITEAOF"]);
    await_that("it is rewritten", || {
        client.info("persistence", "aof_rewrite_in_progress") == "0"
            && client.info("persistence", "aof_rewrite_scheduled") == "0"
    });
    client.new_session(&["after", "SHARED"]);
    let contents = client.contents();
    let server = server.crash_and_restart();
    assert_eq!(server.client().contents(), contents);
    server.client().ok(&["SH.OPEN", "after"]);
}

#[test]
fn sessions_that_ended_stay_ended_after_a_crash() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "EXPIRY", "3600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let expired = client.new_session(&["bob", "EXPIRY", "3600", "DELETE"]);
    client.ok(&["SH.END", &token]);
    client.ok(&["PEXPIRE", &expired, "1"]);
    let server = server.crash_and_restart();
    let mut client = server.client();
    assert_eq!(client.list(&["SH.EXISTS", &token, &expired]), ["0", "0"]);
    await_that("nothing is left", || client.keys().is_empty());
}

#[test]
fn a_session_is_moved_to_another_server_with_dump_and_restore() {
    let (from, to) = (Server::start(), Server::start());
    some_sessions(&mut from.client());
    let contents = from.client().contents();
    for (key, (_, expiry)) in &contents {
        let dump = bytes(&from.client().ok(&["DUMP", key]));
        let expiry = expiry.max(&0).to_string();
        to.client().ok(&[b"RESTORE", key.as_bytes(), expiry.as_bytes(), &dump, b"ABSTTL"]);
    }
    assert_eq!(to.client().contents(), contents);
    let token = text(&member(&to.client().ok(&["SH.OPEN", "carts"]), "tkn"));
    assert_eq!(to.client().int(&["SH.SET", &token, "a", "1"]), 1);
}
