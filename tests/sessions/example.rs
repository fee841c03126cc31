//! redis.conf.example, used as it stands.

use testkit::jar::Jar;
use testkit::*;

const FILE: &str = include_str!("../../redis.conf.example");

/// The `user` lines of the example, each with its own name as password; nobody can log in as the last one, the default.
pub fn users() -> String {
    let users: Vec<_> = FILE.lines().filter_map(in_force).collect();
    let named: Vec<_> = users.iter().filter_map(|user| user.split(' ').nth(1)).collect();
    assert_eq!(named, ["app", "operator", "admin", "replica", "sentinel", "monitor", "default"]);
    users.join("\n")
}

/// A line that defines a user, as its comments say to complete it.
fn in_force(line: &str) -> Option<String> {
    let (name, rules) = line.strip_prefix("# user ")?.split_once(' ').expect("rules");
    Some(match name {
        "default" => format!("user default {rules}"),
        name => format!("user {name} >{name} {rules}"),
    })
}

/// The whole example, with its users.
pub fn file() -> String {
    FILE.lines().map(|line| in_force(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

pub fn log_in(server: &Server, user: &str) -> Client {
    server.client_as(user, user)
}

/// Makes sessions by commands of several effects, which the server wraps in MULTI and EXEC.
fn sessions_of_several_effects(client: &mut Client) {
    for device in ["phone", "laptop", "tablet"] {
        client.new_session(&["alice", "LISTED", "IDLE", "3600", "DATA", &format!(r#"{{"device":"{device}"}}"#)]);
    }
    client.new_session(&["carts", "SHARED", "IDLE", "3600"]);
    let clearing = client.new_session(&["bob", "EXPIRY", "3600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["SH.SET", &clearing, "b", "2", "c", "3"]);
    let mut jar = Jar::tokens(client);
    for _ in 0..3 {
        jar = jar.refresh(client);
    }
}

#[test]
fn a_server_with_the_example_file_loses_nothing_in_a_crash() {
    let server = Server::configured(&file());
    let mut admin = log_in(&server, "admin");
    sessions_of_several_effects(&mut log_in(&server, "app"));
    // The same in a transaction of the client's own.
    admin.ok(&["MULTI"]);
    admin.ok(&["SH.NEW", "carol", "TOKENS"]);
    admin.ok(&["SH.NEW", "carol", "LISTED", "IDLE", "3600"]);
    admin.ok(&["EXEC"]);
    let contents = admin.contents();
    // Three of alice, one with its pointer, one with its data, the jar, two of carol, two indexes, the secret.
    assert_eq!(contents.len(), 13, "{contents:?}");
    // Writes that wait for a busy disk would be lost with the process.
    await_that("all is in the file", || admin.info("persistence", "aof_buffer_length") == "0");

    let server = server.crash_and_restart();
    let mut admin = log_in(&server, "admin");
    await_that("the file is loaded", || admin.info("persistence", "loading") == "0");
    assert_eq!(admin.contents(), contents);
    assert_eq!(server.client().status(&["SH.LIST", "alice"]), "NOAUTH");
    assert_eq!(server.client().status(&["AUTH", "default", ""]), "WRONGPASS");
    assert_eq!(log_in(&server, "app").list(&["SH.LIST", "alice"]).len(), 4);
}

#[test]
fn servers_that_know_how_to_hide_arguments_in_a_crash_report_are_those_the_example_names() {
    assert!(FILE.contains("\n# hide-user-data-from-log yes\n"));
    let known = Server::bare(&[]).client().list(&["CONFIG", "GET", "hide-user-data-from-log"]);
    let expected: &[&str] = match (server_version(), valkey_version()) {
        (_, valkey) if valkey >= (8, 0) => &["hide-user-data-from-log", "yes"],
        (redis, _) if redis >= (7, 4) => &["hide-user-data-from-log", "no"],
        _ => &[],
    };
    assert_eq!(known, expected);
}
