//! The users of redis.conf.example that are programs around the server: replicas, Sentinel, what collects metrics. Each
//! does its whole job, and may do nothing else.

use crate::example::{self, log_in};
use std::fs;
use std::process::{Child, Command, Stdio};
use testkit::*;

/// A server of the example's users, which may become the replica of another one of them.
fn node(lines: &str) -> Server {
    let login = "masteruser replica\nmasterauth replica\nrepl-diskless-load swapdb\n";
    Server::configured(&format!("{}\n{login}{lines}", example::users()))
}

fn following(server: &Server, lines: &str) -> Server {
    node(&format!("replicaof 127.0.0.1 {}\n{lines}", server.port))
}

/// What the administrator is told; nothing if the connection breaks, as a failover makes clients' do.
fn ask(server: &Server, command: &[&str]) -> Option<redis::Value> {
    let mut admin = Client::connect(server.port, 2)?;
    admin.call(&["AUTH", "admin", "admin"]).ok()?;
    admin.call(command).ok()
}

/// A line of INFO; empty if there is none.
fn info(server: &Server, section: &str, line: &str) -> String {
    let info = ask(server, &["INFO", section]).as_ref().map(text).unwrap_or_default();
    let value = info.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(':'));
    value.unwrap_or_default().to_owned()
}

fn number(server: &Server, line: &str) -> u64 {
    info(server, "stats", line).parse().unwrap_or_else(|_| panic!("{line}"))
}

/// Waits until the replica has the session.
fn await_session(replica: &Server, token: &str) {
    let has = || ask(replica, &["SH.EXISTS", token]).is_some_and(|reply| list(&reply) == ["1"]);
    await_that("the session arrives", has);
}

/// What this user was refused, by name, as the server noted it.
fn refused(server: &Server, user: &str) -> Vec<String> {
    let log = items(&log_in(server, "admin").ok(&["ACL", "LOG"]));
    let of = |entry: &&redis::Value| text(&member(entry, "username")) == user;
    log.iter().filter(of).map(|entry| text(&member(entry, "object"))).collect()
}

fn assert_forbidden(server: &Server, user: &str, commands: &[&[&str]]) {
    let mut client = log_in(server, user);
    for command in commands {
        assert_eq!(client.status(command), "NOPERM", "{user}: {command:?}");
    }
    log_in(server, "admin").ok(&["ACL", "LOG", "RESET"]);
}

/// What none of these users may do.
const FORBIDDEN: &[&[&str]] = &[
    &["SH.NEW", "alice"],
    &["SH.LIST", "alice"],
    &["SH.GET", "sh:0000000000000000000000000"],
    &["SH.ENDALL", "alice"],
    &["HGETALL", "sh:0000000000000000000000000"],
    &["GET", "redis-sessions:secret"],
    &["SET", "x", "y"],
    &["DEL", "sh:0000000000000000000000000"],
    &["KEYS", "*"],
    &["SCAN", "0"],
    &["CONFIG", "GET", "*"],
    &["CONFIG", "SET", "sh.max-lifetime", "1"],
    &["ACL", "LIST"],
    &["SLOWLOG", "GET"],
    &["MONITOR"],
    &["EVAL", "return 1", "0"],
    &["FLUSHALL"],
    &["SHUTDOWN"],
    &["CLIENT", "LIST"],
    &["CLIENT", "TRACKING", "ON", "BCAST"],
    &["SUBSCRIBE", "__keyevent@0__:sh.new"],
];

#[test]
fn the_replicas_user_may_synchronise_and_do_nothing_else() {
    // Where a server can send the data set on a connection of its own, it needs no more rights for that.
    let mut two_channels = "repl-diskless-sync yes\n".to_owned();
    if valkey_version() >= (8, 0) {
        two_channels += "dual-channel-replication-enabled yes\n";
    } else if valkey_version() == (0, 0) && server_version() >= (8, 0) {
        two_channels += "repl-rdb-channel yes\n";
    }
    for lines in ["repl-diskless-sync no\n", &two_channels] {
        let primary = node(lines);
        let mut app = log_in(&primary, "app");
        let first = app.new_session(&["alice", "IDLE", "600"]);
        let replica = following(&primary, lines);
        await_session(&replica, &first);
        let in_full = number(&primary, "sync_full");
        assert!(in_full >= 1);
        await_that("the replica is online", || info(&primary, "replication", "slave0").contains("state=online"));

        // The link breaks, and the replica continues where it was.
        let in_part = number(&primary, "sync_partial_ok");
        log_in(&primary, "admin").ok(&["CLIENT", "KILL", "TYPE", "replica"]);
        let second = app.new_session(&["alice", "IDLE", "600"]);
        await_session(&replica, &second);
        await_that("it continues", || number(&primary, "sync_partial_ok") > in_part);
        assert_eq!(number(&primary, "sync_full"), in_full, "{lines}");

        assert_eq!(refused(&primary, "replica"), [""; 0]);
        assert_forbidden(&primary, "replica", FORBIDDEN);
        let more: &[&[&str]] = &[&["INFO"], &["REPLICAOF", "NO", "ONE"], &["PUBLISH", "x", "y"], &["ROLE"]];
        assert_forbidden(&primary, "replica", more);
    }
}

/// A Sentinel process; it ends with the value.
struct Sentinel {
    process: Child,
    port: u16,
    dir: std::path::PathBuf,
}

impl Sentinel {
    fn watching(primary: &Server) -> Self {
        let (dir, port) = (primary.dir().with_extension("sentinel"), free_port());
        fs::create_dir_all(&dir).expect("a directory");
        let file = dir.join("sentinel.conf");
        let lines = [
            format!("port {port}\nbind 127.0.0.1\ndir {}\nlogfile sentinel.log", dir.display()),
            format!("sentinel monitor sessions 127.0.0.1 {} 1", primary.port),
            "sentinel auth-user sessions sentinel\nsentinel auth-pass sessions sentinel".to_owned(),
            "sentinel down-after-milliseconds sessions 3000\nsentinel failover-timeout sessions 20000".to_owned(),
        ];
        fs::write(&file, lines.join("\n") + "\n").expect("a file");
        let process = Command::new(server_path())
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server is its own Sentinel");
        Self { process, port, dir }
    }

    /// What it says of the primary; empty as long as it does not answer.
    fn said(&self) -> Vec<String> {
        let said = self.call(&["SENTINEL", "MASTER", "sessions"]);
        said.as_ref().map(list).unwrap_or_default()
    }

    fn says(&self, name: &str) -> String {
        let said = self.said();
        said.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1].clone()).unwrap_or_default()
    }

    fn call(&self, command: &[&str]) -> Option<redis::Value> {
        Client::connect(self.port, 2)?.call(command).ok()
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn the_user_of_sentinel_may_fail_over_and_do_nothing_else() {
    let mut primary = node("");
    let first = log_in(&primary, "app").new_session(&["alice", "IDLE", "600"]);
    let mut replica = following(&primary, "");
    await_session(&replica, &first);
    let sentinel = Sentinel::watching(&primary);
    // It finds other Sentinels by what it publishes here.
    let mut listening = log_in(&primary, "admin");
    listening.ok(&["SUBSCRIBE", "__sentinel__:hello"]);
    assert!(list(&listening.receive())[2].contains("sessions"));

    // When asked to, with both alive: they change places.
    let asked = |command: &[&str], primary: &Server, replica: &Server| {
        await_that("it can fail over", || sentinel.call(command).is_some());
        await_that("the replica is the primary", || sentinel.says("port") == replica.port.to_string());
        await_that("the old primary follows", || {
            info(primary, "replication", "master_port") == replica.port.to_string()
                && info(primary, "replication", "master_link_status") == "up"
        });
    };
    asked(&["SENTINEL", "FAILOVER", "sessions"], &primary, &replica);
    let follows = format!("replicaof 127.0.0.1 {}", replica.port);
    let noted = || fs::read_to_string(primary.dir().join("redis.conf")).is_ok_and(|file| file.contains(&follows));
    await_that("it is in the server's file", noted);
    std::mem::swap(&mut primary, &mut replica);
    if valkey_version() >= (9, 0) {
        asked(&["SENTINEL", "FAILOVER", "sessions", "COORDINATED"], &primary, &replica);
        std::mem::swap(&mut primary, &mut replica);
    }
    let second = log_in(&primary, "app").new_session(&["bob", "IDLE", "600"]);
    await_session(&replica, &second);
    for server in [&primary, &replica] {
        assert_eq!(refused(server, "sentinel"), [""; 0]);
        assert_forbidden(server, "sentinel", FORBIDDEN);
        let more: &[&[&str]] = &[&["PSYNC", "?", "-1"], &["PUBLISH", "__keyevent@0__:sh.end", "x"]];
        assert_forbidden(server, "sentinel", more);
    }

    // And when the primary dies.
    await_that("it knows both", || sentinel.says("num-slaves") == "1" && sentinel.says("flags") == "master");
    drop(primary);
    await_that("the replica is the primary", || info(&replica, "replication", "role") == "master");
    let mut app = log_in(&replica, "app");
    assert_eq!(app.list(&["SH.EXISTS", &first, &second]), ["1", "1"]);
    app.new_session(&["carol"]);
    assert_eq!(refused(&replica, "sentinel"), [""; 0]);
}

#[test]
fn the_user_for_metrics_sees_numbers_and_nothing_else() {
    let server = node("slowlog-log-slower-than 0\n");
    let token = log_in(&server, "app").new_session(&["alice-by-name", "IDLE", "600", "DATA", r#"{"a":"a-value"}"#]);
    let mut monitor = log_in(&server, "monitor");
    // What redis_exporter 1.45 calls, and other collectors.
    let mut seen = String::new();
    for command in [
        &["CLIENT", "SETNAME", "redis_exporter"][..],
        &["PING"],
        &["SELECT", "0"],
        &["INFO"],
        &["INFO", "ALL"],
        &["INFO", "everything"],
        &["INFO", "sh"],
        &["SLOWLOG", "LEN"],
        &["LATENCY", "LATEST"],
        &["LATENCY", "HISTOGRAM"],
        &["DBSIZE"],
        &["ROLE"],
    ] {
        seen += &format!("{:?}", monitor.ok(command));
    }
    for told in ["sh_created:1", "cmdstat_SH.NEW", "keys=1"] {
        assert!(seen.to_ascii_lowercase().contains(&told.to_ascii_lowercase()), "{told}");
    }
    for untold in [&token, "alice-by-name", "a-value"] {
        assert!(!seen.contains(untold), "{untold}");
    }
    let clustered = monitor.call(&["CLUSTER", "INFO"]).expect_err("not in a cluster");
    assert!(clustered.contains("cluster support disabled"), "{clustered}");
    assert_forbidden(&server, "monitor", FORBIDDEN);
    let more: &[&[&str]] = &[
        &["SLOWLOG", "RESET"],
        &["LATENCY", "RESET"],
        &["PSYNC", "?", "-1"],
        &["REPLICAOF", "NO", "ONE"],
        &["CLIENT", "KILL", "TYPE", "normal"],
        &["MEMORY", "USAGE", &token],
        &["TYPE", &token],
    ];
    assert_forbidden(&server, "monitor", more);
}
