//! What an operator is warned of, in the log and in INFO, and what the log tells of secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::*;

/// The warnings in INFO.
fn warnings(client: &mut Client) -> Vec<String> {
    let count = client.info("sh", "sh_warnings").parse().expect("a number");
    let told: Vec<_> = (1..=count).map(|number: usize| client.info("sh", &format!("sh_warning_{number}"))).collect();
    assert!(told.iter().all(|warning| !warning.is_empty()), "{told:?}");
    assert_eq!(client.info("sh", &format!("sh_warning_{}", count + 1)), "");
    told
}

/// How many lines of the log have this text.
fn logged(server: &Server, text: &str) -> usize {
    server.log().lines().filter(|line| line.contains(text)).count()
}

#[test]
fn every_policy_but_noeviction_causes_a_warning() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-lru"]);
    let mut client = server.client();
    assert_eq!(logged(&server, "maxmemory-policy is "), 1);
    assert!(warnings(&mut client)[0].starts_with("maxmemory-policy is allkeys-lru: "));
    for (policy, expected) in [
        ("volatile-ttl", 2),
        ("volatile-ttl", 2),
        ("noeviction", 2),
        ("volatile-lru", 3),
        ("volatile-lfu", 4),
        ("volatile-random", 5),
        ("noeviction", 5),
        ("allkeys-random", 6),
    ] {
        client.ok(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let told = warnings(&mut client);
        assert_eq!(told.iter().any(|warning| warning.contains(policy)), policy != "noeviction", "{policy}");
        assert_eq!(told.len(), usize::from(policy != "noeviction"), "{told:?}");
        assert_eq!(logged(&server, "maxmemory-policy is "), expected, "{policy}");
    }
    let safe = Server::start();
    assert!(warnings(&mut safe.client()).is_empty());
    assert_eq!(logged(&safe, "maxmemory-policy is "), 0);
}

fn chmod(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A file with so many secrets that only its owner may read.
fn secrets(server: &Server, count: usize) -> PathBuf {
    let file = server.dir().join("secrets");
    let lines: String = (0..count).map(|number| format!("{}{number}\n", "s".repeat(32))).collect();
    fs::write(&file, lines).expect("a file");
    chmod(&file, 0o600);
    file
}

#[test]
fn a_secret_file_that_others_may_read_causes_a_warning() {
    let server = Server::start();
    let mut client = server.client();
    let file = secrets(&server, 1);
    let path = file.to_str().expect("UTF-8");
    client.ok(&["CONFIG", "SET", "sh.secret-file", path]);
    assert!(warnings(&mut client).is_empty());
    for (mode, expected) in [(0o640, 1), (0o604, 1), (0o600, 1), (0o644, 2), (0o400, 2)] {
        chmod(&file, mode);
        let told = warnings(&mut client);
        assert_eq!(!told.is_empty(), mode & 0o077 != 0, "{mode:o}: {told:?}");
        assert!(told.iter().all(|warning| warning.contains(path) && warning.contains("chmod 600")), "{told:?}");
        assert_eq!(logged(&server, "can be read by its group or by others"), expected, "{mode:o}");
    }
    let mut other = Server::with(&["secret-file", path, "--maxmemory-policy", "volatile-ttl"]);
    assert_eq!(warnings(&mut other.client()).len(), 1);
    chmod(&file, 0o644);
    other = other.crash_and_restart();
    assert_eq!(logged(&other, "can be read by its group or by others"), 1, "at load");
    assert_eq!(warnings(&mut other.client()).len(), 2, "each cause has a line");
}

#[test]
fn a_secret_file_is_a_regular_file_with_at_most_eight_secrets() {
    let server = Server::start();
    let mut client = server.client();
    let pipe = server.dir().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
    for path in [pipe.as_path(), server.dir(), Path::new("/dev/zero")] {
        let path = path.to_str().expect("UTF-8");
        let refused = client.call(&["CONFIG", "SET", "sh.secret-file", path]).expect_err("refused");
        assert!(refused.contains(&format!("sh.secret-file {path} is no regular file")), "{refused}");
    }
    let file = secrets(&server, 9);
    let path = file.to_str().expect("UTF-8");
    let refused = client.call(&["CONFIG", "SET", "sh.secret-file", path]).expect_err("refused");
    assert!(refused.contains(&format!("sh.secret-file {path} holds more than 8 secrets")), "{refused}");
    secrets(&server, 8);
    client.ok(&["CONFIG", "SET", "sh.secret-file", path]);
}

#[test]
fn the_log_has_the_fingerprint_once_for_each_reading_of_the_secrets() {
    let server = Server::start();
    let mut client = server.client();
    let path = secrets(&server, 2).to_str().expect("UTF-8").to_owned();
    let told = |client: &mut Client, count: usize| {
        let fingerprint = client.info("sh", "sh_secret_fingerprint");
        assert_eq!(fingerprint.len(), 12);
        format!(
            "sh.secret-file {path} was read: secrets: {count}, fingerprint of the one that makes credentials: {fingerprint}"
        )
    };
    client.ok(&["CONFIG", "SET", "sh.secret-file", &path]);
    let first = told(&mut client, 2);
    assert_eq!((logged(&server, &first), logged(&server, "was read")), (1, 1), "{}", server.log());
    // Nothing else reads it.
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "10"]);
    assert_eq!(logged(&server, "was read"), 1);
    fs::write(&path, "t".repeat(32)).expect("a file");
    client.ok(&["CONFIG", "SET", "sh.secret-reload", "yes"]);
    let second = told(&mut client, 1);
    assert_ne!(first, second);
    assert_eq!((logged(&server, &second), logged(&server, "was read")), (1, 2));
    client.ok(&["CONFIG", "SET", "sh.secret-reload", "yes"]);
    assert_eq!(logged(&server, &second), 2, "also if it is the same");
    fs::write(&path, "short").expect("a file");
    client.call(&["CONFIG", "SET", "sh.secret-reload", "yes"]).expect_err("refused");
    client.ok(&["CONFIG", "SET", "sh.secret-file", ""]);
    assert_eq!(logged(&server, "was read"), 3);
    assert!(!server.log().contains(&"s".repeat(32)) && !server.log().contains(&"t".repeat(32)));
}

#[test]
fn a_default_user_without_rights_causes_a_warning_with_an_aof() {
    const WARNED: &str = "the default user may not run ";
    // From 9.1 on Valkey loads them whatever the default user may do.
    let dangerous = valkey_version() < (9, 1);
    let server = Server::configured("appendonly yes\nuser admin on nopass ~* &* +@all\nuser default off");
    let mut client = server.client_as("admin", "x");
    assert_eq!(warnings(&mut client).iter().any(|warning| warning.contains(WARNED)), dangerous);
    assert_eq!(logged(&server, WARNED), usize::from(dangerous), "{}", server.log());
    for (rule, lacks) in [
        ("reset ~* &* +@all off", None),
        ("reset ~sh:* +@all", Some("SET")),
        ("reset ~sh:* ~redis-sessions:secret +@write", None),
        ("reset ~* +@all -pexpireat", Some("PEXPIREAT")),
        ("reset ~* +@all -@sortedset", Some("ZADD")),
        ("reset on nopass ~* +@all", None),
        ("reset ~* +@read", Some("HSET")),
    ] {
        client.ok(&[&["ACL", "SETUSER", "default"], &rule.split(' ').collect::<Vec<_>>()[..]].concat());
        let told = warnings(&mut client);
        let expected = lacks.filter(|_| dangerous).map(|command| format!("{WARNED}{command} "));
        assert_eq!(told.len(), usize::from(expected.is_some()), "{rule}: {told:?}");
        assert!(expected.is_none_or(|expected| told[0].contains(&expected)), "{rule}: {told:?}");
    }
    client.ok(&["CONFIG", "SET", "appendonly", "no"]);
    assert!(warnings(&mut client).is_empty());
    let before = logged(&server, WARNED);
    client.ok(&["CONFIG", "SET", "appendonly", "yes"]);
    assert_eq!(logged(&server, WARNED) - before, usize::from(dangerous), "as soon as it is dangerous");
}

#[test]
fn info_and_module_list_show_the_version() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.info("sh", "sh_version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(client.info("sh", "sh_warnings"), "0");
    let modules = items(&client.ok(&["MODULE", "LIST"]));
    let own = modules.iter().find(|module| text(&member(module, "name")) == "sh").expect("the module");
    let mut parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse::<i64>().expect("a number"));
    let [major, minor, patch] = [(); 3].map(|()| parts.next().expect("three parts"));
    assert_eq!(int(&member(own, "ver")), major * 10_000 + minor * 100 + patch);
}
