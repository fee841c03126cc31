//! Sessions whose name was changed by hand to one of another slot than the token's: no command makes keys of that name.

use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use testkit::cluster::Cluster;
use testkit::jar::Jar;
use testkit::*;

/// Where the sessions are, and the name that they are given by hand.
const HOME: &str = "alice";
const STRAY: &str = "bob";

/// Makes a session a listed, shared and idling one of another slot's name, about to be touched.
fn lead_astray(client: &mut Client, token: &str) {
    let created = format!("{} sil", client.created(token));
    client.ok(&["HSET", token, ".name", STRAY, ".created", &created, ".idle", "600"]);
    client.ok(&["PEXPIRE", token, "60000"]);
}

/// Each key is there once, where its own name belongs, and none was made of the stray name.
fn assert_in_order(client: &mut Client, after: &[&str]) {
    let keys = client.keys();
    let distinct: BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "KEYS shows a key twice after {after:?}: {keys:?}");
    assert_eq!(client.int(&["DBSIZE"]), keys.len() as i64, "after {after:?}");
    for key in &keys {
        assert_eq!(slot(key.as_bytes()), slot(HOME.as_bytes()), "after {after:?}: {key}");
    }
    let home = slot(HOME.as_bytes()).to_string();
    assert_eq!(client.int(&["CLUSTER", "COUNTKEYSINSLOT", &home]), keys.len() as i64, "after {after:?}");
}

/// A node of a cluster with all slots, that makes credentials.
fn node() -> (Cluster, Client) {
    let cluster = Cluster::start(1);
    let file = cluster.nodes[0].dir().join("secret");
    fs::write(&file, "s".repeat(32)).expect("a file");
    let mut client = cluster.nodes[0].client();
    client.ok(&["CONFIG", "SET", "sh.secret-file", file.to_str().expect("UTF-8")]);
    (cluster, client)
}

#[test]
fn a_session_with_a_name_of_another_slot_is_never_listed_or_shared() {
    let (_cluster, mut client) = node();
    assert_ne!(slot(HOME.as_bytes()), slot(STRAY.as_bytes()));
    let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    let clearing = client.new_session(&[HOME, "EXPIRY", "600", "CLEAR"]);
    client.ok(&["HSET", &clearing, ".name", STRAY, ".created", "1 scil", ".idle", "600"]);
    for token in [&tokens.tkn, &cookie.tkn, &clearing] {
        for command in [
            &["SH.TOUCH", token][..],
            &["SH.SET", token, "a", "1"],
            &["SH.ADD", token, "b", "1"],
            &["SH.CLEARSET", token, "c", "1"],
            &["SH.RMV", token, "c"],
            &["SH.CLEAR", token],
            &["SH.GET", token],
            &["SH.COUNT", token],
            &["SH.KEYS", token],
            &["SH.CONTAINS", token, "a"],
            &["SH.INFO", token],
            &["SH.EXISTS", token],
            &["SH.PAYLOAD", token, "{}"],
        ] {
            if token != &clearing {
                lead_astray(&mut client, token);
            }
            client.ok(command);
            assert_in_order(&mut client, command);
        }
        assert_eq!(client.json(&["SH.INFO", token, "{}"])["shared"], json!(false));
    }
    for command in [
        &["SH.RESUME", &cookie.tkn, &cookie.sealed][..],
        &["SH.REFRESH", &cookie.tkn, &cookie.sealed],
        &["SH.REFRESH", &tokens.tkn, &tokens.sealed],
    ] {
        lead_astray(&mut client, command[1]);
        client.ok(command);
        assert_in_order(&mut client, command);
    }
    // Under the stray name there is nothing to find, nor to end.
    assert_eq!(client.status(&["SH.OPEN", STRAY]), "SESSIONOPENFAIL");
    for command in [&["SH.LIST", STRAY][..], &["SH.ENDALL", STRAY], &["SH.ENDALL", STRAY, "ONLY", &tokens.tkn]] {
        assert!(client.list(command).is_empty(), "{command:?}");
        assert_in_order(&mut client, command);
    }
    assert_eq!(client.status(&["SH.ENDALL", STRAY, "EXCEPT", &tokens.tkn]), "SESSIONTOKENINVALID");
    assert!(client.list(&["SH.LIST", HOME]).is_empty(), "nor on the list of a name that is theirs no more");
    // Theft, END, and the list of the slot's own name.
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    lead_astray(&mut client, &tokens.tkn);
    assert_eq!(tokens.refresh_refused(&mut client), "TOKENTHEFT");
    assert_in_order(&mut client, &["theft"]);
    for token in [&cookie.tkn, &clearing] {
        assert_eq!(client.int(&["SH.END", token]), 1);
        assert_in_order(&mut client, &["SH.END", token]);
    }
    client.ok(&["SH.ENDALL", HOME]);
    assert!(client.keys().is_empty());
}

#[test]
fn a_dump_with_stray_sessions_loads_on_its_node_and_on_replicas() {
    let (mut cluster, mut client) = node();
    let dump = client.new_session(&[HOME, "LISTED", "IDLE", "600"]);
    lead_astray(&mut client, &dump);
    // The one way by HSET, the other by RESTORE.
    let restored = client.new_session(&[STRAY, "LISTED", "IDLE", "600"]);
    let value = bytes(&client.ok(&["DUMP", &restored]));
    let elsewhere = client.new_session(&[HOME]);
    client.ok(&["DEL", &elsewhere]);
    client.ok(&["DEL", &restored]);
    client.ok(&[&b"RESTORE"[..], elsewhere.as_bytes(), b"60000", &value]);
    client.ok(&["SH.ENDALL", STRAY]);
    for token in [&dump, &elsewhere] {
        client.ok(&["SH.TOUCH", token]);
        client.ok(&["SH.SET", token, "a", "1"]);
    }
    client.ok(&["SAVE"]);
    let contents = client.contents();
    let server = cluster.nodes.remove(0).crash_and_restart();
    let mut client = server.client();
    let is_up = |client: &mut Client| client.text(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
    await_that("the node is up again", || is_up(&mut client));
    assert_eq!(client.contents(), contents);
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", &bus];
    let replica = Server::with(&options);
    let mut its = replica.client();
    let primary_bus = client.list(&["CONFIG", "GET", "cluster-port"]).remove(1);
    its.ok(&["CLUSTER", "MEET", "127.0.0.1", &server.port.to_string(), &primary_bus]);
    let id = client.text(&["CLUSTER", "MYID"]);
    await_that("they have met", || its.call(&["CLUSTER", "REPLICATE", &id]).is_ok());
    replica.is_in_sync(&server);
    await_that("the replica knows the slots", || is_up(&mut its));
    its.ok(&["READONLY"]);
    assert_eq!(its.contents(), contents);
}

#[test]
fn a_single_server_compares_no_slots() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&[HOME]);
    lead_astray(&mut client, &token);
    client.ok(&["SH.TOUCH", &token]);
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", STRAY]), "tkn")), token);
    assert_eq!(client.list(&["SH.LIST", STRAY]), [token.as_str()]);
    assert_eq!(client.list(&["SH.ENDALL", STRAY]), [token.as_str()]);
    assert!(client.keys().is_empty());
}
