//! What reaches replicas and the AOF: native commands, with every key in the slot of the argument that routed.

use redis::Value;
use testkit::*;

fn persistent() -> Server {
    Server::with(&["--appendonly", "yes", "--appendfsync", "always"])
}

/// The effects of one command, and that each is on a key in the slot of the command's first argument.
fn effects(server: &Server, command: &[&str]) -> Vec<Vec<String>> {
    let effects = server.effects(|| drop(server.client().ok(command)));
    for effect in &effects {
        assert_eq!(slot(effect[1].as_bytes()), slot(command[1].as_bytes()), "{command:?}: {effect:?}");
    }
    effects
}

/// A session made with these arguments of SH.NEW: its token, when it was created, and the effects.
fn created(server: &Server, options: &[&str]) -> (String, i64, Vec<Vec<String>>) {
    let made = effects(server, &[&["SH.NEW"], options].concat());
    let token = made[0][1].clone();
    let created = server.client().created(&token);
    (token, created, made)
}

#[test]
fn creating_writes_one_hash_and_one_deadline() {
    let server = persistent();
    let (token, created, effects) = created(&server, &["alice", "EXPIRY", "60", "DELETE", "DATA", r#"{"a":"1"}"#]);
    let (at, until) = (created.to_string(), (created + 60_000).to_string());
    let hash = ["HSET", &token, ".created", &at, ".name", "alice", ".duration", "60", "a", "1"];
    assert_eq!(effects, [&hash[..], &["PEXPIREAT", &token, &until]]);
}

#[test]
fn creating_a_shared_session_also_sets_its_pointer() {
    let server = persistent();
    let (token, created, effects) = created(&server, &["carts", "SHARED", "IDLE", "60"]);
    let (at, until) = (created.to_string(), (created + 60_000).to_string());
    let pointer = server.client().key("sh:s:carts:*");
    let hash = ["HSET", &token, ".created", &format!("{at} si"), ".name", "carts", ".idle", "60"];
    let expected = [&hash[..], &["PEXPIREAT", &token, &until], &["SET", &pointer, &token, "PXAT", &until]];
    assert_eq!(effects, expected);
}

#[test]
fn creating_a_clearing_session_puts_its_data_beside_it() {
    let server = persistent();
    let options = ["alice", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#];
    let (token, created, effects) = created(&server, &options);
    let (at, until) = (created.to_string(), (created + 60_000).to_string());
    let data = server.client().key("sh:d:*");
    let hash = ["HSET", &token, ".created", &format!("{at} c"), ".name", "alice", ".duration", "60"];
    assert_eq!(effects, [&hash[..], &["HSET", &data, "a", "1"], &["PEXPIREAT", &data, &until]]);
}

#[test]
fn setting_touching_and_ending_write_what_they_change() {
    let server = persistent();
    let (token, ..) = created(&server, &["carts", "SHARED", "IDLE", "60"]);
    let pointer = server.client().key("sh:s:*");
    assert_eq!(effects(&server, &["SH.SET", &token, "a", "1", "b", "2"]), [["HSET", &token, "a", "1", "b", "2"]]);
    server.client().ok(&["PEXPIRE", &token, "10000"]);
    let touched = effects(&server, &["SH.TOUCH", &token]);
    let until = server.client().expiry(&token).to_string();
    assert_eq!(touched, [["PEXPIREAT", &token, &until], ["PEXPIREAT", &pointer, &until]]);
    assert_eq!(effects(&server, &["SH.END", &token]), [["UNLINK", &token], ["UNLINK", &pointer]]);
}

#[test]
fn a_lost_pointer_is_replicated_when_it_is_made_again() {
    let server = persistent();
    let (token, ..) = created(&server, &["carts", "SHARED", "IDLE", "60"]);
    let pointer = server.client().key("sh:s:*");
    server.client().ok(&["DEL", &pointer]);
    server.client().ok(&["PEXPIRE", &token, "10000"]);
    let touched = effects(&server, &["SH.TOUCH", &token]);
    let until = server.client().expiry(&token).to_string();
    assert_eq!(touched, [&["PEXPIREAT", &token, &until][..], &["SET", &pointer, &token, "PXAT", &until]]);
}

#[test]
fn reads_spared_touches_and_refused_commands_write_nothing() {
    let server = persistent();
    let (token, ..) = created(&server, &["carts", "SHARED", "IDLE", "60", "DATA", r#"{"a":"1"}"#]);
    for read in [
        &["SH.OPEN", "carts"][..],
        &["SH.INFO", &token],
        &["SH.EXISTS", &token],
        &["SH.GET", &token],
        &["SH.TOUCH", &token],
        &["SH.END", "sh:0123456789012345678901234"],
    ] {
        assert_eq!(effects(&server, read), [[""; 0]; 0], "{read:?}");
    }
    let refused = server.effects(|| {
        let mut client = server.client();
        client.status(&["SH.NEW", "carts", "SHARED"]);
        client.status(&["SH.SET", &token, ".a", "1"]);
        client.status(&["SH.END", &token, "x"]);
    });
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn every_key_is_in_the_slot_of_the_name_whatever_its_bytes() {
    let server = Server::start();
    for name in ["carts", "a{b}c", "{}", "}{", "{", "sh:s:x", "{{x}}", "\u{1F36A}"] {
        let mut client = server.client();
        let options = [name, "SHARED", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#];
        client.new_session(&options);
        let keys = client.keys();
        assert_eq!(keys.len(), 3);
        assert!(keys.iter().all(|key| slot(key.as_bytes()) == slot(name.as_bytes())), "{name}: {keys:?}");
        client.ok(&["FLUSHALL"]);
    }
}

/// Sessions of every kind, written to, touched and ended.
fn live_through_everything(client: &mut Client) {
    let kinds: [&[&str]; 6] = [
        &[],
        &["SHARED"],
        &["EXPIRY", "600", "DELETE"],
        &["SHARED", "IDLE", "600"],
        &["EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1","b":"\u0000\r\n"}"#],
        &["SHARED", "IDLE", "600", "EXPIRY", "60", "CLEAR"],
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        for ended in [true, false] {
            let token = client.new_session(&[&[format!("name {number}").as_str()], kind].concat());
            client.ok(&["SH.SET", &token, "field", "value", "b", "%n"]);
            client.ok(&["SH.CLEARSET", &token, "c", "3"]);
            if client.expiry(&token) > 0 {
                client.ok(&["PEXPIRE", &token, "300000"]);
            }
            client.ok(&["SH.TOUCH", &token]);
            if ended {
                client.ok(&["SH.END", &token]);
            }
        }
    }
    let new = "return redis.call('SH.NEW', KEYS[1], 'SHARED', 'IDLE', '600')";
    client.ok(&["EVAL", new, "1", "by a script"]);
    client.ok(&["MULTI"]);
    client.ok(&["SH.NEW", "by a transaction", "SHARED", "EXPIRY", "600", "DELETE"]);
    client.ok(&["EXEC"]);
}

#[test]
fn replicas_hold_the_same_hashes_and_deadlines_even_one_that_has_no_module() {
    let primary = Server::start();
    let replicas = [primary.replica(&[]), primary.replica_without_module(&[])];
    live_through_everything(&mut primary.client());
    let contents = primary.client().contents();
    assert_eq!(contents.len(), 6 + 3 + 2 + 4, "sessions, pointers, data, and those made last");
    for replica in replicas {
        replica.is_in_sync(&primary);
        assert_eq!(replica.client().contents(), contents);
    }
}

#[test]
fn a_later_replica_gets_all_sessions() {
    let primary = Server::start();
    live_through_everything(&mut primary.client());
    let contents = primary.client().contents();
    for replica in [primary.replica(&[]), primary.replica_without_module(&[])] {
        assert_eq!(replica.client().contents(), contents);
    }
}

#[test]
fn a_replica_answers_reads_and_refuses_writes() {
    let primary = Server::start();
    let token = primary.client().new_session(&["carts", "SHARED", "IDLE", "600", "DATA", r#"{"a":"1"}"#]);
    let replica = primary.replica(&[]);
    let mut client = replica.client();
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", "carts"]), "tkn")), token);
    assert_eq!(text(&member(&client.ok(&["SH.INFO", &token]), "name")), "carts");
    assert_eq!(client.list(&["SH.EXISTS", &token]), ["1"]);
    assert_eq!(client.list(&["SH.GET", &token, "a"]), ["1"]);
    assert_eq!(client.status(&["SH.OPEN", "nobody"]), "SESSIONOPENFAIL");
    for write in [
        &["SH.NEW", "alice"][..],
        &["SH.SET", &token, "a", "2"],
        &["SH.TOUCH", &token],
        &["SH.END", &token],
        &["EVAL", "return redis.call('SH.NEW', 'alice')", "0"],
    ] {
        let error = client.call(write).expect_err("a replica");
        assert!(error.contains("READONLY") || error.contains("read only replica"), "{write:?}: {error}");
    }
    assert_eq!(client.contents(), primary.client().contents());
}

#[test]
fn a_replica_that_takes_over_goes_on_with_the_sessions() {
    let primary = Server::start();
    let token = primary.client().new_session(&["carts", "SHARED", "IDLE", "600"]);
    let replica = primary.replica(&[]);
    drop(primary);
    let mut client = replica.client();
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(client.int(&["SH.SET", &token, "a", "1"]), 1);
    assert_eq!(client.status(&["SH.NEW", "carts", "SHARED"]), "SESSIONNEWFAIL");
    assert_eq!(client.int(&["SH.END", &token]), 1);
    assert!(client.keys().is_empty());
}

#[test]
fn a_replica_without_its_primary_serves_no_expired_session() {
    let primary = Server::start();
    let mut client = primary.client();
    let token = client.new_session(&["carts", "SHARED", "EXPIRY", "600", "DELETE", "DATA", r#"{"a":"1"}"#]);
    let replica = primary.replica(&[]);
    client.ok(&["PEXPIRE", &token, "2000"]);
    client.ok(&["WAIT", "1", "0"]);
    // A replica leaves it to its primary to delete expired keys, and this one has none any more.
    drop(primary);
    let mut client = replica.client();
    await_that("its time comes", || client.list(&["SH.EXISTS", &token]) == ["0"]);
    assert_eq!(client.status(&["SH.GET", &token, "a"]), "SESSIONNOTEXIST");
    assert_eq!(client.status(&["SH.INFO", &token]), "SESSIONNOTEXIST");
    assert_eq!(client.status(&["SH.OPEN", "carts"]), "SESSIONOPENFAIL", "although the pointer is still there");
    assert_eq!(client.int(&["DBSIZE"]), 2, "nothing was deleted by reading");
}

#[test]
fn while_writes_are_paused_reads_go_on_and_writes_wait() {
    let server = Server::start();
    let (mut client, mut waiting) = (server.client(), server.client());
    let token = client.new_session(&["carts", "SHARED", "EXPIRY", "600", "CLEAR"]);
    let pointer = client.key("sh:s:*");
    client.ok(&["SET", &pointer, "stale"]);
    client.ok(&["CLIENT", "PAUSE", "600000", "WRITE"]);
    // A stale pointer, absent data: whatever there is to heal, reading does not.
    assert_eq!(client.status(&["SH.OPEN", "carts"]), "SESSIONOPENFAIL");
    client.ok(&["SH.INFO", &token]);
    assert_eq!(client.ok(&["SH.GET", &token, "a"]), Value::Array(vec![Value::Nil]));
    waiting.send(&["SH.SET", &token, "a", "1"]);
    await_that("the write waits", || client.info("clients", "blocked_clients") == "1");
    assert_eq!(client.ok(&["SH.GET", &token, "a"]), Value::Array(vec![Value::Nil]));
    client.ok(&["CLIENT", "UNPAUSE"]);
    assert_eq!(waiting.receive(), Value::Int(1));
    assert_eq!(client.list(&["SH.GET", &token, "a"]), ["1"]);
}
