//! What docs/operations.md and docs/statuses.md tell operators, and applications that meet an error of the server.

use std::fs;
use std::process::Command;
use testkit::cluster::Cluster;
use testkit::jar::*;
use testkit::*;

/// Commands that read alice's sessions, and commands that write to them.
fn commands<'a>(tokens: &'a Jar, cookie: &'a Jar) -> [Vec<Vec<&'a str>>; 2] {
    let reads = vec![
        vec!["SH.CHECK", &tokens.tkn, &tokens.access],
        vec!["SH.VERIFY", &tokens.access],
        vec!["SH.JWKS"],
        vec!["SH.CLEARCOOKIES"],
        vec!["SH.GET", &tokens.tkn],
        vec!["SH.LIST", "alice"],
    ];
    let writes = vec![
        vec!["SH.RESUME", &cookie.tkn, &cookie.sealed],
        vec!["SH.REFRESH", &tokens.tkn, &tokens.sealed],
        vec!["SH.NEW", "alice"],
        vec!["SH.SET", &tokens.tkn, "field", "value"],
        vec!["SH.TOUCH", &cookie.tkn],
        vec!["SH.END", &tokens.tkn],
    ];
    [reads, writes]
}

#[test]
fn a_server_that_takes_no_writes_goes_on_reading_and_signs_nobody_out() {
    let server = Server::with(&["--save", "3600 1000000"]);
    let mut client = server.client();
    let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    let [reads, writes] = commands(&tokens, &cookie);
    let refuses_writes = |status: &str| {
        let contents = server.client().contents();
        let mut client = server.client();
        reads.iter().for_each(|read| drop(client.ok(read)));
        writes.iter().for_each(|write| assert_eq!(client.status(write), status, "{write:?}"));
        assert_eq!(client.contents(), contents);
    };
    client.ok(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    refuses_writes("NOREPLICAS");
    client.ok(&["CONFIG", "SET", "min-replicas-to-write", "0"]);

    // A snapshot fails, for its directory is gone.
    fs::remove_dir_all(server.dir()).expect("the directory");
    client.ok(&["BGSAVE"]);
    await_that("the snapshot has failed", || client.info("persistence", "rdb_last_bgsave_status") == "err");
    refuses_writes("MISCONF");
    fs::create_dir_all(server.dir()).expect("a directory");
    client.ok(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    assert_eq!(tokens.check(&mut client), Ok(()));
    assert_eq!(cookie.resume(&mut client), Ok(()));
}

#[test]
fn a_replica_without_its_primary_answers_masterdown_where_it_must_not_serve_stale_data() {
    let server = Server::start();
    let mut primary = server.client();
    let (tokens, cookie) = (Jar::tokens(&mut primary), Jar::cookie(&mut primary));
    let replica = server.replica(&["--replica-serve-stale-data", "no"]);
    let mut client = replica.client();
    client.ok(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let [reads, writes] = commands(&tokens, &cookie);
    reads.iter().for_each(|read| assert_eq!(client.status(read), "MASTERDOWN", "{read:?}"));
    writes.iter().for_each(|write| assert_eq!(client.status(write), "READONLY", "{write:?}"));
}

#[test]
fn swapdb_makes_all_credentials_void_until_it_is_undone() {
    let server = Server::start();
    let secret = server.dir().join("secret");
    fs::write(&secret, "s".repeat(32)).expect("a file");
    for file in ["", secret.to_str().expect("UTF-8")] {
        let mut client = server.client();
        client.ok(&["CONFIG", "SET", "sh.secret-file", file]);
        let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
        client.ok(&["SWAPDB", "0", "1"]);
        client.ok(&["SELECT", "1"]);
        assert!(client.list(&["SH.LIST", "alice"]).contains(&cookie.tkn), "the sessions came along");
        assert_eq!(tokens.check(&mut client), Err("TRYREFRESHTOKEN".into()));
        assert_eq!(tokens.refresh_refused(&mut client), "UNAUTHORISED");
        assert_eq!(cookie.resume(&mut client), Err("UNAUTHORISED".into()));
        client.ok(&["SELECT", "0"]);
        client.ok(&["SWAPDB", "0", "1"]);
        assert_eq!(tokens.check(&mut client), Ok(()));
        assert_eq!(cookie.resume(&mut client), Ok(()));
    }
}

#[test]
fn settings_of_the_module_stop_a_server_without_it() {
    let refused = std::panic::catch_unwind(|| Server::bare(&["--sh.max-lifetime", "60"])).err().expect("no start");
    let log = refused.downcast_ref::<String>().expect("the log");
    assert!(log.contains("Module Configuration detected without loadmodule directive"), "{log}");
}

#[test]
fn a_plain_append_only_file_keeps_sessions_and_credentials() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    client.new_session(&["carts", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["CONFIG", "SET", "aof-use-rdb-preamble", "no"]);
    client.ok(&["BGREWRITEAOF"]);
    let directory = server.dir().join("appendonlydir");
    let names = || -> Vec<String> {
        let files = fs::read_dir(&directory).expect("the files");
        files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect()
    };
    await_that("the file is rewritten", || !names().iter().any(|name| name.ends_with(".rdb")));
    let contents = client.contents();
    let server = server.crash_and_restart();
    let mut client = server.client();
    assert_eq!(client.contents(), contents);
    assert_eq!(tokens.check(&mut client), Ok(()));
    assert_eq!(cookie.resume(&mut client), Ok(()));
}

#[test]
fn a_half_moved_slot_refuses_sign_ins_only() {
    let cluster = Cluster::start(3);
    let secret = cluster.nodes[0].dir().join("secret");
    fs::write(&secret, "s".repeat(32)).expect("a file");
    for node in &cluster.nodes {
        node.client().ok(&["CONFIG", "SET", "sh.secret-file", secret.to_str().expect("UTF-8")]);
    }
    let name = "alice";
    let from = cluster.owner(name);
    let to = (from + 1) % 3;
    let mut source = cluster.nodes[from].client();
    let (mut tokens, cookie) = (Jar::tokens(&mut source), Jar::cookie(&mut source));
    let index = source.key("sh:n:*");
    let moving = cluster.begin_move(slot(name.as_bytes()), from, to);
    let mut client = cluster.client();
    let mut json = |command: &[&str]| client.call_once(command).map(|reply| text(&reply));
    // Nothing has moved, then one session, then both: signed-in users notice nothing.
    for moved in [None, Some(&tokens.tkn.clone()), Some(&cookie.tkn)] {
        moved.iter().for_each(|token| moving.migrate(token));
        json(&["SH.CHECK", &tokens.tkn, &tokens.access, "{}"]).expect("signed in");
        json(&["SH.RESUME", &cookie.tkn, &cookie.sealed, "{}"]).expect("signed in");
        let refreshed = json(&["SH.REFRESH", &tokens.tkn, &tokens.sealed, "{}"]).expect("signed in");
        tokens = Jar::of(&serde_json::from_str(&refreshed).expect("JSON"));
        for login in [&["SH.NEW", name, "COOKIE"][..], &["SH.NEW", "{alice}", "TOKENS"], &["SH.LIST", name]] {
            let error = json(login).expect_err("a half-moved slot");
            assert!(error.starts_with("TRYAGAIN "), "{login:?}: {error}");
        }
    }
    // With the list on the new node alice can sign in; a name without keys there still cannot.
    moving.migrate(&index);
    json(&["SH.NEW", name, r#"{"credentials":"cookie"}"#]).expect("alice");
    assert!(json(&["SH.NEW", "{alice}", "TOKENS"]).is_err_and(|error| error.starts_with("TRYAGAIN ")));

    // How a node's own line of CLUSTER NODES shows an open slot.
    let open = |node: usize| {
        let nodes = cluster.nodes[node].client().text(&["CLUSTER", "NODES"]);
        let own = nodes.lines().find(|line| line.contains("myself")).expect("its own line");
        own.split_once(" [").map(|(_, open)| open.to_owned())
    };
    let [here, there] = [from, to].map(|node| cluster.nodes[node].client().text(&["CLUSTER", "MYID"]));
    let slot = slot(name.as_bytes());
    assert_eq!(open(from), Some(format!("{slot}->-{there}]")));
    assert_eq!(open(to), Some(format!("{slot}-<-{here}]")));
    let port = cluster.nodes[from].port;
    let fix = Command::new("redis-cli").args(["--cluster", "fix", &format!("127.0.0.1:{port}")]).output();
    let Ok(fix) = fix else { return eprintln!("SKIPPED: redis-cli is not on this machine") };
    assert!(fix.status.success(), "{}", String::from_utf8_lossy(&fix.stdout));
    assert_eq!((open(from), open(to)), (None, None));
    json(&["SH.NEW", "{alice}", r#"{"credentials":"cookie"}"#]).expect("a new name");
    json(&["SH.CHECK", &tokens.tkn, &tokens.access, "{}"]).expect("signed in");
    json(&["SH.RESUME", &cookie.tkn, &cookie.sealed, "{}"]).expect("signed in");
}
