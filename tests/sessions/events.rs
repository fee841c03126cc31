//! Keyspace notifications: what is done to keys is announced as the server's own commands would announce it.

use testkit::*;

/// Generic, string, hash and expired events, by `__keyevent`.
const NATIVE: &str = "Eg$hx";

/// The events while `work` runs, each as `event key`, with the token of the session as `session`, and `data` and
/// `pointer` for the keys beside it.
fn events(server: &Server, classes: &str, work: impl FnOnce(&mut Client)) -> Vec<String> {
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "notify-keyspace-events", classes]);
    let mut listener = server.client();
    listener.ok(&["PSUBSCRIBE", "__keyevent@0__:*"]);
    work(&mut client);
    client.ok(&["PUBLISH", "__keyevent@0__:done", "done"]);
    let mut events = Vec::new();
    loop {
        let message = list(&listener.receive());
        let event = message[2].trim_start_matches("__keyevent@0__:");
        let key = match message[3].as_str() {
            "done" => return events,
            key if key.starts_with("sh:d:") => "data",
            key if key.starts_with("sh:s:") => "pointer",
            _ => "session",
        };
        events.push(format!("{event} {key}"));
    }
}

#[test]
fn creating_is_announced_as_hset_expire_and_set() {
    let server = Server::start();
    let all = events(&server, NATIVE, |client| drop(client.new_session(&["carts", "SHARED", "IDLE", "600"])));
    assert_eq!(all, ["hset session", "expire session", "set pointer", "expire pointer"]);
    let plain = events(&server, NATIVE, |client| drop(client.new_session(&["alice"])));
    assert_eq!(plain, ["hset session"]);
    let options = ["alice", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#];
    let clearing = events(&server, NATIVE, |client| drop(client.new_session(&options)));
    assert_eq!(clearing, ["hset session", "hset data", "expire data"]);
}

#[test]
fn writing_touching_and_ending_are_announced_on_the_keys_that_change() {
    let server = Server::start();
    let mut client = server.client();
    let options = ["carts", "SHARED", "IDLE", "600", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#];
    let token = client.new_session(&options);
    let of = |command: &[&str]| events(&server, NATIVE, |client| drop(client.ok(command)));
    assert_eq!(of(&["SH.SET", &token, "a", "2", "b", "3"]), ["hset data"]);
    client.ok(&["PEXPIRE", &token, "60000"]);
    // In the very millisecond the pointer would have the right expiry still.
    client.tick();
    assert_eq!(of(&["SH.TOUCH", &token]), ["expire session", "expire pointer"]);
    assert_eq!(of(&["SH.TOUCH", &token]), [""; 0], "spared");
    assert_eq!(of(&["SH.GET", &token]), [""; 0]);
    assert_eq!(of(&["SH.END", &token]), ["del session", "del data", "del pointer"]);
}

#[test]
fn the_modules_own_events_announce_new_and_ended_sessions() {
    let server = Server::start();
    let all = events(&server, "Ed", |client| {
        let token = client.new_session(&["carts", "SHARED"]);
        client.ok(&["SH.SET", &token, "a", "1"]);
        client.ok(&["SH.END", &token, &token]);
    });
    assert_eq!(all, ["sh.new session", "sh.end session"]);
}

#[test]
fn data_that_is_replaced_is_announced_in_the_order_of_the_servers_own_commands() {
    let server = Server::start();
    let token = server.client().new_session(&["alice", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let of = |command: &[&str]| events(&server, NATIVE, |client| drop(client.ok(command)));
    assert_eq!(of(&["SH.CLEARSET", &token, "b", "2"]), ["hdel data", "del data", "hset data", "expire data"]);
    assert_eq!(of(&["SH.CLEAR", &token]), ["hdel data", "del data"]);
}

#[test]
fn a_session_that_ends_by_itself_is_announced_by_the_server() {
    let server = Server::start();
    let all = events(&server, "Ex", |client| {
        let token = client.new_session(&["alice", "EXPIRY", "600", "DELETE"]);
        client.expire_now(&token);
    });
    assert_eq!(all, ["expired session"]);
}

#[test]
fn a_refused_command_announces_nothing() {
    let server = Server::start();
    let token = server.client().new_session(&["carts", "SHARED"]);
    let all = events(&server, NATIVE, |client| {
        client.status(&["SH.NEW", "carts", "SHARED"]);
        client.status(&["SH.NEW", "carts", "IDLE", "x"]);
        client.status(&["SH.SET", &token, ".a", "1"]);
        client.status(&["SH.END", &token, "x"]);
    });
    assert_eq!(all, [""; 0]);
}
