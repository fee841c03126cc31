//! SH.ENDALL.

use testkit::*;

/// The arguments of SH.NEW for a session that has every kind of key.
const LISTED: [&str; 6] = ["LISTED", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#];

fn new(client: &mut Client, name: &str) -> String {
    client.new_session(&[&[name][..], &LISTED].concat())
}

fn sorted(mut tokens: Vec<String>) -> Vec<String> {
    tokens.sort();
    tokens
}

#[test]
fn logging_out_everywhere_ends_the_sessions_of_one_name_only() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let tokens: Vec<String> = (0..3).map(|_| new(&mut client, "alice")).collect();
        let unlisted = client.new_session(&["alice"]);
        let bobs = client.new_session(&["bob", "LISTED"]);
        assert_eq!(sorted(client.list(&["SH.ENDALL", "alice"])), sorted(tokens));
        assert_eq!(client.list(&["SH.EXISTS", &unlisted, &bobs]), ["1", "1"]);
        assert_eq!(client.list(&["SH.ENDALL", "alice"]), [""; 0]);
        assert_eq!(client.list(&["SH.ENDALL", "nobody"]), [""; 0]);
        client.ok(&["SH.END", &unlisted, &bobs]);
        assert!(client.keys().is_empty(), "neither data nor lists are left");
    }
}

#[test]
fn all_but_this_device_are_logged_out() {
    let server = Server::start();
    let mut client = server.client();
    let (this, other) = (new(&mut client, "alice"), new(&mut client, "alice"));
    assert_eq!(client.list(&["SH.ENDALL", "alice", "except", &this]), [other]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), [this]);
}

#[test]
fn only_never_ends_a_session_of_another_name() {
    let server = Server::start();
    let mut client = server.client();
    let (own, kept) = (new(&mut client, "alice"), new(&mut client, "alice"));
    let neighbours = new(&mut client, "{alice}");
    let bobs = new(&mut client, "bob");
    let only = ["SH.ENDALL", "alice", "ONLY", &neighbours, &own, &bobs, &own, "sh:0123456789012345678901234"];
    assert_eq!(client.list(&only), [own]);
    assert_eq!(client.list(&["SH.EXISTS", &kept, &neighbours, &bobs]), ["1", "1", "1"]);
}

#[test]
fn except_with_a_token_of_another_name_ends_nothing() {
    let server = Server::start();
    let mut client = server.client();
    let ended = new(&mut client, "alice");
    client.ok(&["SH.END", &ended]);
    new(&mut client, "alice");
    let (neighbours, bobs) = (new(&mut client, "{alice}"), new(&mut client, "bob"));
    let before = client.contents();
    assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT", &neighbours]), "SESSIONTOKENINVALID");
    assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT", &bobs]), "SESSIONTOKENINVALID");
    assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT", "alice"]), "SESSIONTOKENINVALID");
    assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT", &ended]), "SESSIONNOTEXIST");
    assert_eq!(client.contents(), before);
}

#[test]
fn each_mistake_is_reported_and_ends_nothing() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = new(&mut client, "alice");
        let before = client.contents();
        assert_eq!(client.status(&["SH.ENDALL"]), "ERR");
        assert_eq!(client.status(&["SH.ENDALL", ""]), "VALUESIZE");
        assert_eq!(client.status(&["SH.ENDALL", "alice", "ALL"]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT"]), "VALUEMISSING");
        assert_eq!(client.status(&["SH.ENDALL", "alice", "ONLY"]), "VALUEMISSING");
        assert_eq!(client.status(&["SH.ENDALL", "alice", "EXCEPT", &token, &token]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.ENDALL", "alice", "ONLY", &token, "x"]), "SESSIONTOKENINVALID");
        assert_eq!(client.contents(), before);
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn without_permission_for_every_session_none_ends() {
    let server = Server::start();
    let mut admin = server.client();
    let (plain, data) = (admin.new_session(&["alice", "LISTED"]), new(&mut admin, "alice"));
    let before = admin.contents();
    let index = admin.key("sh:n:*");
    let [list, plain, data] = [index, plain, data].map(|key| format!("~{key}"));
    // Without the list, without one of the sessions, and without the data beside it.
    for patterns in [&[plain.as_str(), &data][..], &[&list, &plain], &[&list], &[&list, &plain, &data]] {
        admin.ok(&[&["ACL", "SETUSER", "app", "reset", "on", ">pw", "+@all"], patterns].concat());
        let mut app = server.client_as("app", "pw");
        assert_eq!(app.status(&["SH.ENDALL", "alice"]), "NOPERM", "{patterns:?}");
        assert_eq!(app.status(&["SH.NEW", "alice", "LIMIT", "1"]), "NOPERM", "{patterns:?}");
        assert_eq!(admin.contents(), before);
    }
}

#[test]
fn endall_reaches_replicas_as_one_transaction_of_native_commands() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let tokens = sorted((0..2).map(|_| client.new_session(&["alice", "LISTED", "IDLE", "60"])).collect());
    let index = client.key("sh:n:*");
    let mut effects = server.effects(|| drop(client.ok(&["SH.ENDALL", "alice"])));
    assert_eq!(effects.pop().expect("the list's"), ["UNLINK", &index]);
    // All sessions in one command.
    assert_eq!(effects.len(), 1);
    assert_eq!(sorted(effects.concat()), sorted([&["UNLINK".to_owned()][..], &tokens].concat()));
    let tokens = sorted((0..3).map(|_| client.new_session(&["alice", "LISTED", "IDLE", "60"])).collect());
    let mut effects = server.effects(|| drop(client.ok(&["SH.ENDALL", "alice", "EXCEPT", &tokens[2]])));
    effects.retain(|effect| effect[0] != "PEXPIREAT");
    let removed = sorted(effects.pop().expect("the list's"));
    assert_eq!(removed, sorted([&["ZREM".to_owned(), index][..], &tokens[..2]].concat()));
    assert_eq!(effects.len(), 1);
    assert_eq!(sorted(effects.concat()), sorted([&["UNLINK".to_owned()][..], &tokens[..2]].concat()));
}

#[test]
fn listing_and_limiting_reach_replicas_as_native_commands() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let mut made = Vec::new();
    let created = server.effects(|| made.push(client.new_session(&["alice", "LISTED", "IDLE", "60"])));
    let index = client.key("sh:n:*");
    let until = client.expiry(&made[0]).to_string();
    let sent =
        |effects: &[Vec<String>], effect: &[&str]| assert!(effects.iter().any(|sent| sent == effect), "{effects:?}");
    sent(&created, &["SET", &index, &made[0], "PXAT", &until]);
    // One in the place of one.
    let limited = server.effects(|| made.push(client.new_session(&["alice", "LIMIT", "1"])));
    sent(&limited, &["SET", &index, &made[1]]);
    sent(&limited, &["UNLINK", &made[0]]);
    assert_eq!(limited.len(), 3, "{limited:?}");
    // The second makes the list a sorted set. It is younger.
    client.tick();
    let second = server.effects(|| made.push(client.new_session(&["alice", "LISTED", "IDLE", "60"])));
    let until = client.expiry(&made[2]).to_string();
    sent(&second, &["UNLINK", &index]);
    sent(&second, &["ZADD", &index, "inf", &made[1], &until, &made[2]]);
    let third = server.effects(|| made.push(client.new_session(&["alice", "LISTED", "IDLE", "60"])));
    let until = client.expiry(&made[3]).to_string();
    sent(&third, &["ZADD", &index, &until, &made[3]]);
    let limited = server.effects(|| made.push(client.new_session(&["alice", "LIMIT", "3", "IDLE", "90"])));
    let until = client.expiry(&made[4]).to_string();
    sent(&limited, &["ZADD", &index, &until, &made[4]]);
    sent(&limited, &["UNLINK", &made[1]]);
    sent(&limited, &["ZREM", &index, &made[1]]);
    sent(&limited, &["PEXPIREAT", &index, &until]);
    let replica = server.replica_without_module(&[]);
    assert_eq!(replica.client().contents(), client.contents());
    drop(client);
    let contents = server.client().contents();
    assert_eq!(server.crash_and_restart().client().contents(), contents);
}

#[test]
fn each_ended_session_is_announced() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "notify-keyspace-events", "Ed"]);
    let tokens = sorted((0..2).map(|_| client.new_session(&["alice", "LISTED"])).collect());
    let mut listener = server.client();
    listener.ok(&["SUBSCRIBE", "__keyevent@0__:sh.end"]);
    client.ok(&["SH.ENDALL", "alice"]);
    let told = (0..2).map(|_| list(&listener.receive())[2].clone()).collect();
    assert_eq!(sorted(told), tokens);
}
