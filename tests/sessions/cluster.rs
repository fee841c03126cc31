//! A real cluster: where sessions live, redirections, and slots that move.

use redis::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::*;

#[test]
fn all_keys_of_a_session_live_where_its_name_routes() {
    let cluster = Cluster::start(3);
    let mut client = cluster.client();
    for number in 0..30 {
        let name = format!("{{name}}{} {number}", ["", "{", "}", "{}", "\0"][number % 5]);
        let name = if number % 2 == 0 { name } else { format!("name {number}") };
        let token = client.new_session(&[&name, "SHARED", "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
        assert_eq!(slot(token.as_bytes()), slot(name.as_bytes()));
        assert_eq!(text(&member(&client.ok(&["SH.OPEN", &name]), "tkn")), token);
        assert_eq!(list(&client.ok(&["SH.GET", &token, "a"])), ["1"]);
        client.ok(&["SH.SET", &token, "b", "2"]);
    }
    let mut keys = 0;
    for (number, node) in cluster.nodes.iter().enumerate() {
        let mut node = node.client();
        for key in node.keys() {
            assert_eq!(node.int(&["CLUSTER", "KEYSLOT", &key]), i64::from(slot(key.as_bytes())));
            assert_eq!(cluster.owner(&key), number, "{key}");
            let listed = node.list(&["CLUSTER", "GETKEYSINSLOT", &slot(key.as_bytes()).to_string(), "1000"]);
            assert!(listed.contains(&key), "it is in the dictionary of its slot: {key}");
            keys += 1;
        }
    }
    assert_eq!(keys, 90);
}

#[test]
fn a_node_redirects_commands_for_other_slots_and_mixes_none() {
    let cluster = Cluster::start(2);
    let (here, there) = ("alice", "bob");
    assert_ne!(cluster.owner(here), cluster.owner(there));
    let mut node = cluster.nodes[cluster.owner(here)].client();
    let token = node.new_session(&[here]);
    let elsewhere = cluster.client().new_session(&[there]);
    let address = format!("{} 127.0.0.1:{}", slot(there.as_bytes()), cluster.nodes[cluster.owner(there)].port);
    for command in [
        &["SH.NEW", there][..],
        &["SH.NEW", there, "{}"],
        &["SH.OPEN", there],
        &["SH.GET", &elsewhere],
        &["SH.SET", &elsewhere, "a", "1"],
        &["SH.TOUCH", &elsewhere],
        &["SH.END", &elsewhere],
    ] {
        assert_eq!(node.call(command), Err(format!("MOVED {address}")), "{command:?}");
    }
    assert_eq!(node.status(&["SH.END", &token, &elsewhere]), "CROSSSLOT");
    assert_eq!(node.status(&["SH.NEW"]), "VALUEMISSING");
    let same = node.new_session(&[here]);
    assert_eq!(node.int(&["SH.END", &token, &same]), 2, "sessions of one name go into one command");
}

#[test]
fn while_a_slot_moves_a_missing_helper_key_proves_nothing() {
    let cluster = Cluster::start(2);
    let name = "carts";
    let (from, to) = (cluster.owner(name), 1 - cluster.owner(name));
    let mut source = cluster.nodes[from].client();
    let shared = source.new_session(&[name, "SHARED", "IDLE", "600"]);
    let pointer = source.key("sh:s:*");
    let clearing = source.new_session(&[name, "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let data = source.key("sh:d:*");
    let moving = cluster.begin_move(slot(name.as_bytes()), from, to);
    let mut client = cluster.client();

    // Nothing has moved yet.
    assert_eq!(list(&client.ok(&["SH.GET", &clearing, "a"])), ["1"]);
    assert_eq!(client.status(&["SH.OPEN", name]), "TRYAGAIN");
    assert_eq!(client.status(&["SH.NEW", name, "SHARED"]), "TRYAGAIN");
    let new = client.new_session(&[name]);
    assert_eq!(cluster.nodes[to].client().keys(), [new.as_str()], "a new session is made where the slot goes");

    // The session is there, its data still here.
    moving.migrate(&clearing);
    for command in [&["SH.GET", &clearing][..], &["SH.INFO", &clearing], &["SH.SET", &clearing, "a", "2"]] {
        assert_eq!(client.status(command), "TRYAGAIN", "{command:?}");
    }
    assert_eq!(list(&client.ok(&["SH.EXISTS", &clearing])), ["1"]);
    moving.migrate(&data);
    assert_eq!(list(&client.ok(&["SH.GET", &clearing, "a"])), ["1"]);

    // The pointer is there, its session still here.
    moving.migrate(&pointer);
    assert_eq!(client.status(&["SH.OPEN", name]), "TRYAGAIN");
    assert_eq!(client.status(&["SH.NEW", name, "SHARED"]), "TRYAGAIN");
    source.ok(&["PEXPIRE", &shared, "60000"]);
    assert_eq!(int(&client.ok(&["SH.TOUCH", &shared])), 600_000);
    assert_eq!(source.keys(), [shared.as_str()], "no second pointer, which would block the migration");
    assert_eq!(client.status(&["SH.END", &shared, &new]), "TRYAGAIN");

    moving.finish();
    assert!(source.keys().is_empty());
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", name]), "tkn")), shared);
    assert_eq!(int(&client.ok(&["SH.END", &shared, &new, &clearing])), 3);
    assert!(cluster.nodes[to].client().keys().is_empty());
}

#[test]
fn the_list_of_a_name_lives_where_the_name_routes() {
    let cluster = Cluster::start(2);
    let mut client = cluster.client();
    for number in 0..10 {
        let name = format!("user {number}");
        let mut tokens = [client.new_session(&[&name, "LISTED"]), client.new_session(&[&name, "LIMIT", "5"])];
        tokens.sort();
        let mut listed = list(&client.ok(&["SH.LIST", &name]));
        listed.sort();
        assert_eq!(listed, tokens);
        let mut node = cluster.nodes[cluster.owner(&name)].client();
        let home = slot(name.as_bytes()).to_string();
        let keys = node.list(&["CLUSTER", "GETKEYSINSLOT", &home, "10"]);
        assert_eq!(keys.len(), 3, "{keys:?}");
        let mut other = cluster.nodes[1 - cluster.owner(&name)].client();
        for command in ["SH.LIST", "SH.ENDALL"] {
            assert_eq!(other.status(&[command, &name]), "MOVED");
        }
        assert_eq!(list(&client.ok(&["SH.ENDALL", &name, "EXCEPT", &tokens[0]])), [tokens[1].as_str()]);
        assert_eq!(list(&client.ok(&["SH.ENDALL", &name])), [tokens[0].as_str()]);
    }
    assert!(cluster.nodes.iter().all(|node| node.client().keys().is_empty()));
}

#[test]
fn while_a_slot_moves_a_list_is_answered_whole_or_not_at_all() {
    let cluster = Cluster::start(2);
    let name = "alice";
    let (from, to) = (cluster.owner(name), 1 - cluster.owner(name));
    let mut source = cluster.nodes[from].client();
    let mut tokens: Vec<String> = (0..3).map(|_| source.new_session(&[name, "LISTED", "IDLE", "600"])).collect();
    tokens.sort();
    let index = source.key("sh:n:*");
    let moving = cluster.begin_move(slot(name.as_bytes()), from, to);
    let mut client = cluster.client();
    let unsure: [&[&str]; 6] = [
        &["SH.LIST", name],
        &["SH.LIST", name, "INFO"],
        &["SH.NEW", name, "LIMIT", "2"],
        &["SH.ENDALL", name],
        &["SH.ENDALL", name, "EXCEPT", &tokens[0]],
        &["SH.ENDALL", name, "ONLY", &tokens[1]],
    ];
    // First the list is here and not there, then it is there and not all sessions are.
    for moved in [None, Some(&index), Some(&tokens[0])] {
        moved.iter().for_each(|key| moving.migrate(key));
        for command in unsure {
            assert_eq!(client.status(command), "TRYAGAIN", "{command:?} with {moved:?}");
        }
    }
    // A session that is still here is touched and ended without its list, which it may have left behind.
    source.ok(&["PEXPIRE", &tokens[1], "60000"]);
    assert_eq!(int(&client.ok(&["SH.TOUCH", &tokens[1]])), 600_000);
    assert_eq!(int(&client.ok(&["SH.END", &tokens[2]])), 1);
    assert_eq!(source.keys(), [tokens[1].as_str()], "no second list, which would block the migration");
    moving.finish();
    assert!(source.keys().is_empty());
    let mut listed = list(&client.ok(&["SH.LIST", name]));
    listed.sort();
    assert_eq!(listed, tokens[..2]);
    client.ok(&["SH.ENDALL", name]);
    assert!(cluster.nodes[to].client().keys().is_empty());
}

#[test]
fn a_session_that_ends_while_its_slot_moves_frees_its_name_afterwards() {
    let cluster = Cluster::start(2);
    let name = "carts";
    let (from, to) = (cluster.owner(name), 1 - cluster.owner(name));
    let mut source = cluster.nodes[from].client();
    let token = source.new_session(&[name, "SHARED"]);
    let pointer = source.key("sh:s:*");
    let moving = cluster.begin_move(slot(name.as_bytes()), from, to);
    moving.migrate(&pointer);
    let mut client = cluster.client();
    assert_eq!(int(&client.ok(&["SH.END", &token])), 1);
    moving.finish();
    assert_eq!(client.status(&["SH.OPEN", name]), "SESSIONOPENFAIL");
    let again = client.new_session(&[name, "SHARED"]);
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", name]), "tkn")), again);
}

#[test]
fn users_notice_nothing_while_slots_move_to_and_fro() {
    let cluster = Cluster::start(2);
    let name = "carts";
    let (from, to) = (cluster.owner(name), 1 - cluster.owner(name));
    let shared = cluster.client().new_session(&[name, "SHARED", "IDLE", "600"]);
    let clearing = cluster.client().new_session(&[name, "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let (done, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    // Each answer is what it would be if nothing moved; a write that was answered is there.
    let mut client = cluster.client();
    let use_sessions = || {
        let mut round = 0;
        while !done.load(Ordering::Relaxed) {
            round += 1;
            let value = round.to_string();
            assert_eq!(text(&member(&client.ok(&["SH.OPEN", name]), "tkn")), shared);
            assert_eq!(
                client.status(&["SH.OPEN", "{carts}nobody"]).replace("TRYAGAIN", "SESSIONOPENFAIL"),
                "SESSIONOPENFAIL"
            );
            for token in [&shared, &clearing] {
                client.ok(&["SH.SET", token, "round", &value]);
                assert_eq!(list(&client.ok(&["SH.GET", token, "round"])), [value.as_str()]);
            }
            assert!(client.call(&["SH.NEW", name, "SHARED"]).is_err_and(|error| error.starts_with("SESSIONNEWFAIL ")));
            let own = client.new_session(&[name, "DATA", r#"{"a":"1"}"#]);
            assert_eq!(int(&client.ok(&["SH.END", &own])), 1);
            rounds.store(round, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        let user = scope.spawn(use_sessions);
        for (from, to) in [(from, to), (to, from), (from, to)] {
            let moving = cluster.begin_move(slot(name.as_bytes()), from, to);
            moving.finish_at_leisure(Duration::from_millis(5));
            let before = rounds.load(Ordering::Relaxed);
            await_that("the user goes on", || user.is_finished() || rounds.load(Ordering::Relaxed) > before + 3);
        }
        done.store(true, Ordering::Relaxed);
        user.join().expect("a user who noticed nothing");
    });
    assert!(cluster.nodes[from].client().keys().is_empty());
    assert_eq!(cluster.nodes[to].client().keys().len(), 4, "two sessions, a pointer, data");
}

#[test]
fn valkey_9_moves_the_slot_of_a_session_at_once() {
    skip_unless!(valkey_version() >= (9, 0), "CLUSTER MIGRATESLOTS");
    let cluster = Cluster::start(2);
    let name = "carts";
    let (from, to) = (cluster.owner(name), 1 - cluster.owner(name));
    let mut source = cluster.nodes[from].client();
    source.new_session(&[name, "SHARED", "IDLE", "600"]);
    source.new_session(&[name, "EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#]);
    let contents = source.contents();
    let (slot, id) = (slot(name.as_bytes()).to_string(), cluster.nodes[to].client().text(&["CLUSTER", "MYID"]));
    source.ok(&["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", &slot, &slot, "NODE", &id]);
    let mut target = cluster.nodes[to].client();
    await_that("the slot has moved", || target.call(&["SH.OPEN", name]).is_ok());
    assert_eq!(target.contents(), contents);
    await_that("the source has let go", || source.keys().is_empty());
}

#[test]
fn a_replica_in_a_cluster_serves_reads_by_name_and_token() {
    let cluster = Cluster::start(1);
    let mut primary = cluster.nodes[0].client();
    let token = primary.new_session(&["carts", "SHARED", "EXPIRY", "600", "CLEAR"]);
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", &bus];
    let replica = Server::with(&options);
    let mut client = replica.client();
    let primary_bus = primary.list(&["CONFIG", "GET", "cluster-port"]).remove(1);
    client.ok(&["CLUSTER", "MEET", "127.0.0.1", &cluster.nodes[0].port.to_string(), &primary_bus]);
    let id = primary.text(&["CLUSTER", "MYID"]);
    await_that("they have met", || client.call(&["CLUSTER", "REPLICATE", &id]).is_ok());
    replica.is_in_sync(&cluster.nodes[0]);
    await_that("it knows the slots", || client.status(&["SH.OPEN", "carts"]) == "MOVED");
    client.ok(&["READONLY"]);
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", "carts"]), "tkn")), token);
    assert_eq!(client.ok(&["SH.GET", &token, "a"]), Value::Array(vec![Value::Nil]));
    assert_eq!(client.status(&["SH.OPEN", "nobody"]), "SESSIONOPENFAIL");
    assert_eq!(client.status(&["SH.SET", &token, "a", "1"]), "MOVED");
}
