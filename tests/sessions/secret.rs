//! The secret: where it comes from, how it is changed, and that it never shows.

use std::fs;
use std::path::PathBuf;
use testkit::jar::*;
use testkit::*;

fn secret(letter: &str) -> String {
    letter.repeat(32)
}

fn write(server: &Server, lines: &[&str]) -> PathBuf {
    let file = server.dir().join("secrets");
    let lines: Vec<_> = lines.iter().map(|line| secret(line)).collect();
    fs::write(&file, lines.join("\n")).expect("a file");
    file
}

/// A server whose file holds these secrets.
fn server_with(lines: &[&str]) -> Server {
    let server = Server::start();
    let file = write(&server, lines);
    server.client().ok(&["CONFIG", "SET", "sh.secret-file", file.to_str().expect("UTF-8")]);
    server
}

fn reload(server: &Server, lines: &[&str]) {
    write(server, lines);
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "sh.secret-reload", "yes"]);
    assert_eq!(client.list(&["CONFIG", "GET", "sh.secret-reload"]), ["sh.secret-reload", "no"], "it is an order");
}

#[test]
fn a_secret_is_changed_with_nobody_logged_out() {
    // Two nodes that each session may be presented to at any time.
    let nodes = [server_with(&["a"]), server_with(&["a"])];
    let mut client = nodes[0].client();
    let (mut tokens, mut cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    let fingerprint = client.info("sh", "sh_secret_fingerprint");
    // Added last, then moved first: on one node after the other.
    for lines in [&["a", "b"][..], &["b", "a"]] {
        for node in &nodes {
            reload(node, lines);
            for node in &nodes {
                assert_eq!(tokens.verify(&mut node.client()), Ok(()), "{lines:?}");
            }
            assert_eq!(tokens.check(&mut client), Ok(()));
            assert_eq!(cookie.resume(&mut client), Ok(()));
            (tokens, cookie) = (tokens.refresh(&mut client), cookie.refresh(&mut client));
            for node in &nodes {
                assert_eq!(tokens.verify(&mut node.client()), Ok(()), "{lines:?}");
            }
        }
    }
    assert_ne!(client.info("sh", "sh_secret_fingerprint"), fingerprint);
    // The old one removed, after everybody was there once.
    reload(&nodes[0], &["b"]);
    assert_eq!(tokens.check(&mut client), Ok(()));
    assert_eq!(cookie.resume(&mut client), Ok(()));
}

#[test]
fn after_a_change_of_the_secret_unrefreshed_sessions_sign_in_again() {
    let primary = server_with(&["a"]);
    let replica = primary.replica(&["--sh.secret-file", write(&primary, &["a"]).to_str().expect("UTF-8")]);
    let of_replica = write(&replica, &["a"]);
    let (mut client, mut reader) = (primary.client(), replica.client());
    reader.ok(&["CONFIG", "SET", "sh.secret-file", of_replica.to_str().expect("UTF-8")]);
    let (mut tokens, kept_alive) = (Jar::tokens(&mut client), Jar::tokens(&mut client));
    let (mut cookie, resumed) = (Jar::cookie(&mut client), Jar::cookie(&mut client));
    for lines in [&["a", "b"][..], &["b", "a"]] {
        for node in [&primary, &replica] {
            reload(node, lines);
            (tokens, cookie) = (tokens.refresh(&mut client), cookie.refresh(&mut client));
            replica.is_in_sync(&primary);
            assert_eq!(tokens.check(&mut reader), Ok(()), "{lines:?}");
            assert_eq!(kept_alive.check(&mut reader), Ok(()), "{lines:?}");
            assert_eq!(resumed.resume(&mut client), Ok(()), "{lines:?}");
            client.ok(&["SH.SET", &kept_alive.tkn, "a", "1"]);
        }
    }
    [&primary, &replica].iter().for_each(|node| reload(node, &["b"]));
    let fingerprint = client.info("sh", "sh_secret_fingerprint");
    assert_eq!(reader.info("sh", "sh_secret_fingerprint"), fingerprint);
    assert_eq!(tokens.check(&mut reader), Ok(()));
    assert_eq!(cookie.resume(&mut client), Ok(()));
    assert_eq!(kept_alive.check(&mut reader), Err("TRYREFRESHTOKEN".into()));
    assert_eq!(kept_alive.refresh_refused(&mut client), "UNAUTHORISED");
    assert_eq!(resumed.resume(&mut client), Err("UNAUTHORISED".into()));
}

#[test]
fn after_a_leak_the_secret_is_removed_and_everybody_is_logged_out() {
    let server = server_with(&["a"]);
    let mut client = server.client();
    let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    reload(&server, &["b"]);
    assert_eq!(tokens.verify(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
    assert_eq!(tokens.refresh_refused(&mut client), "UNAUTHORISED");
    assert_eq!(cookie.resume(&mut client), Err("UNAUTHORISED".to_owned()));
}

#[test]
fn an_invalid_secret_file_is_refused_and_the_old_secret_stays() {
    let server = server_with(&["a"]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let (good, bad) = (server.dir().join("secrets"), server.dir().join("bad"));
    let comment = format!("# made by Bob\n# {}\n", "-".repeat(40));
    for content in ["", "\n\n", "short", &format!("{}\nshort", secret("b")), &comment] {
        fs::write(&bad, content).expect("a file");
        let refused = client.call(&["CONFIG", "SET", "sh.secret-file", bad.to_str().expect("UTF-8")]);
        let reason = refused.expect_err(content);
        assert!(reason.contains(&format!("sh.secret-file {} holds", bad.display())), "{reason}");
    }
    let refused = client.call(&["CONFIG", "SET", "sh.secret-file", "/nonexistent/file"]).expect_err("refused");
    assert!(refused.contains("sh.secret-file /nonexistent/file cannot be read"), "{refused}");
    // Gone bad in its place.
    fs::write(&good, "short").expect("a file");
    assert!(client.call(&["CONFIG", "SET", "sh.secret-reload", "yes"]).is_err());
    fs::remove_file(&good).expect("the file");
    assert!(client.call(&["CONFIG", "SET", "sh.secret-reload", "yes"]).is_err());
    // Settings of another kind are not kept from changing by that.
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "10"]);
    assert_eq!(client.list(&["CONFIG", "GET", "sh.secret-file"])[1], good.to_str().expect("UTF-8"));
    assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
}

#[test]
fn a_secret_refused_with_other_settings_never_comes_into_force() {
    let server = server_with(&["a"]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let (good, other) = (server.dir().join("secrets"), server.dir().join("other"));
    fs::write(&other, secret("b")).expect("a file");
    let other = other.to_str().expect("UTF-8");
    write(&server, &["b"]);
    for refused in [
        &["sh.secret-file", other, "sh.cookie-secure", "no", "sh.cookie-same-site", "none"][..],
        &["sh.secret-file", other, "sh.refresh-grace", "9999"],
        &["sh.secret-file", other, "maxmemory", "nonsense"],
        &["sh.secret-reload", "yes", "sh.refresh-grace", "9999"],
        &["sh.secret-reload", "yes", "maxmemory", "nonsense"],
    ] {
        assert!(client.call(&[&["CONFIG", "SET"], refused].concat()).is_err());
        client.ok(&["CONFIG", "SET", "sh.max-payload", "1000"]);
        client.ok(&["CONFIG", "SET", "sh.max-payload", "2000"]);
        assert_eq!(client.list(&["CONFIG", "GET", "sh.secret-file"])[1], good.to_str().expect("UTF-8"));
        assert_eq!(jar.verify(&mut client), Ok(()), "{refused:?}");
    }
}

#[test]
fn the_module_does_not_load_with_an_invalid_secret_file() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let module = module().to_str().expect("a UTF-8 path");
    let file = server.dir().join("secrets");
    let path = file.to_str().expect("UTF-8");
    let mut client = server.client();
    assert!(client.call(&["MODULE", "LOAD", module, "secret-file", path]).is_err());
    assert!(server.log().contains(&format!("sh.secret-file {path} cannot be read")), "{}", server.log());
    fs::write(&file, "short").expect("a file");
    assert!(client.call(&["MODULE", "LOAD", module, "secret-file", path]).is_err());
    let short = format!("sh.secret-file {path} holds a secret of less than 32 bytes");
    assert!(server.log().contains(&short), "{}", server.log());
    fs::write(&file, secret("a")).expect("a file");
    client.ok(&["MODULE", "LOAD", module, "secret-file", path]);
    let fingerprint = client.info("sh", "sh_secret_fingerprint");
    assert_eq!(fingerprint.len(), 12, "INFO tells it before the first credential");
    let other = server_with(&["a"]);
    assert_eq!(other.client().info("sh", "sh_secret_fingerprint"), fingerprint, "by which nodes are compared");
}

#[test]
fn a_generated_secret_survives_restarts_and_reaches_replicas() {
    for options in [&["--appendonly", "yes", "--appendfsync", "always"][..], &["--dbfilename", "dump.rdb"]] {
        let server = Server::with(options);
        let mut client = server.client();
        let jar = Jar::tokens(&mut client);
        assert_eq!(client.expiry("redis-sessions:secret"), -1);
        if options[0] == "--dbfilename" {
            client.ok(&["SAVE"]);
        }
        let replica = server.replica(&[]);
        assert_eq!(jar.check(&mut replica.client()), Ok(()));
        let keys = client.text(&["SH.JWKS"]);
        let server = server.crash_and_restart();
        let mut client = server.client();
        assert_eq!(client.text(&["SH.JWKS"]), keys);
        assert_eq!(jar.check(&mut client), Ok(()));
        assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
    }
}

#[test]
fn a_promoted_replica_goes_on_with_the_generated_secret() {
    let primary = Server::start();
    let jar = Jar::tokens(&mut primary.client());
    let replica = primary.replica(&[]);
    drop(primary);
    let mut client = replica.client();
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
}

#[test]
fn each_database_has_a_secret_of_its_own() {
    let server = Server::start();
    let mut client = server.client();
    Jar::tokens(&mut client);
    let first = client.text(&["GET", "redis-sessions:secret"]);
    assert!(first.len() >= 43, "256 bits");
    client.ok(&["SELECT", "1"]);
    assert_eq!(client.int(&["EXISTS", "redis-sessions:secret"]), 0);
    Jar::tokens(&mut client);
    assert_ne!(client.text(&["GET", "redis-sessions:secret"]), first);
    client.ok(&["FLUSHALL"]);
    Jar::tokens(&mut client);
    assert_ne!(client.text(&["GET", "redis-sessions:secret"]), first, "a new one each time");
}

#[test]
fn with_a_file_no_secret_is_stored() {
    let server = server_with(&["a"]);
    let mut client = server.client();
    Jar::tokens(&mut client);
    assert_eq!(client.int(&["EXISTS", "redis-sessions:secret"]), 0);
}

#[test]
fn without_a_credential_there_is_no_secret() {
    let server = Server::start();
    let mut client = server.client();
    let quotes = "\"".repeat(512);
    let payload = format!(r#"{{"p":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(client.status(&["SH.NEW", &quotes, "TOKENS", "PAYLOAD", &payload]), "VALUESIZE");
    assert_eq!(client.status(&["SH.REFRESH", "sh:0123456789012345678901234", "x"]), "UNAUTHORISED");
    assert!(client.keys().is_empty());
}

#[test]
fn in_a_cluster_credentials_need_the_file() {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", &bus];
    let server = Server::with(&options);
    let mut client = server.client();
    client.ok(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    await_that("the cluster is up", || client.text(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    let refused = client.call(&["SH.NEW", "alice", "TOKENS"]).expect_err("refused");
    assert!(refused.starts_with("GENERALERROR in a cluster credentials need sh.secret-file"), "{refused}");
    assert_eq!(client.status(&["SH.REFRESH", "sh:0123456789012345678901234", "x"]), "GENERALERROR");
    assert!(client.keys().is_empty());
    let file = write(&server, &["a"]);
    client.ok(&["CONFIG", "SET", "sh.secret-file", file.to_str().expect("UTF-8")]);
    let jar = Jar::tokens(&mut client);
    assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
    assert_eq!(jar.verify(&mut client), Ok(()));
}
