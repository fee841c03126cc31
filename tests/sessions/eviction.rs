//! The generated secret, where the server evicts keys that never expire: it outlives its eviction, and nothing else.

use redis::Value;
use testkit::jar::*;
use testkit::*;

const SECRET: &str = "redis-sessions:secret";

fn server(options: &[&str]) -> Server {
    Server::with(&[&["--maxmemory-policy", "allkeys-random", "--maxmemory-samples", "64"], options].concat())
}

/// Makes the server evict all keys that it can, as it does before each command while memory is over the limit.
fn evicting(then: &[&[&str]]) -> Vec<Vec<String>> {
    let full: [&[&str]; 3] = [&["CONFIG", "SET", "maxmemory", "1"], &["PING"], &["CONFIG", "SET", "maxmemory", "0"]];
    full.iter().chain(then).map(|command| command.iter().map(ToString::to_string).collect()).collect()
}

/// Evicts everything that is in the server, and goes on with these commands at once. Their replies.
fn evict(client: &mut Client, then: &[&[&str]]) -> Vec<Result<Value, String>> {
    let evicted = |client: &mut Client| client.info("stats", "evicted_keys").parse::<u64>().expect("a number");
    // So that there is something to evict in any case; a replica does not take it.
    let _ = client.call(&["SET", "filler", "1"]);
    let before = evicted(client);
    let mut replies = client.pipeline(&evicting(then));
    assert!(evicted(client) > before, "nothing was evicted");
    replies.drain(..3);
    replies
}

fn secret(client: &mut Client) -> Option<String> {
    match client.ok(&["GET", SECRET]) {
        Value::Nil => None,
        value => Some(text(&value)),
    }
}

fn restored(client: &mut Client) -> u64 {
    client.info("sh", "sh_secret_restored").parse().expect("a number")
}

/// Waits until the server has had the time to write the secret again: an eviction later than the one in question.
fn settle(client: &mut Client) {
    client.ok(&["SELECT", "9"]);
    Jar::tokens(client);
    let own = secret(client).expect("a secret");
    evict(client, &[]);
    await_that("what was evicted later is back", || secret(client).as_ref() == Some(&own));
    client.ok(&["SELECT", "0"]);
}

#[test]
fn a_secret_that_was_evicted_is_back_and_nobody_is_logged_out() {
    let server = server(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let replica = server.replica(&[]);
    let jar = Jar::tokens(&mut client);
    let made = secret(&mut client).expect("a secret");
    // The very next commands find it, also those that would have made another.
    let new = ["SH.NEW", "bob", "TOKENS"];
    let replies = evict(&mut client, &[&["SH.VERIFY", &jar.access], &new, &["SH.VERIFY", &jar.access]]);
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    await_that("it is back", || secret(&mut client).as_ref() == Some(&made));
    // Again, and this time no command needs the secret meanwhile.
    let before = restored(&mut client);
    evict(&mut client, &[]);
    await_that("it is back again", || secret(&mut client).as_ref() == Some(&made));
    assert!(restored(&mut client) > before);
    assert_eq!(client.expiry(SECRET), -1);
    assert_eq!(jar.verify(&mut client), Ok(()));
    replica.is_in_sync(&server);
    assert_eq!(secret(&mut replica.client()).as_ref(), Some(&made), "replicas have it after the deletion");
    let server = server.crash_and_restart();
    let mut client = server.client();
    assert_eq!(secret(&mut client).as_ref(), Some(&made), "and so has the append-only file");
    // The secret has not been used since the start.
    evict(&mut client, &[]);
    await_that("it is back after a restart", || secret(&mut client).as_ref() == Some(&made));
    assert_eq!(jar.verify(&mut client), Ok(()));
}

#[test]
fn in_one_transaction_or_script_there_is_one_secret() {
    let server = server(&[]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let made = secret(&mut client).expect("a secret");
    let script = "redis.call('SH.NEW', 'bob', 'COOKIE') return redis.call('SH.VERIFY', ARGV[1])";
    for then in [
        &[&["MULTI"][..], &["SH.NEW", "bob", "COOKIE"], &["SH.VERIFY", &jar.access], &["EXEC"]][..],
        &[&["EVAL", script, "0", &jar.access][..]],
    ] {
        let replies = evict(&mut client, then);
        assert!(replies.iter().all(Result::is_ok), "{replies:?}");
        await_that("it is back", || secret(&mut client).as_ref() == Some(&made));
    }
}

#[test]
fn a_secret_that_was_deleted_flushed_or_replaced_never_comes_back() {
    let server = server(&[]);
    let mut client = server.client();
    let (other, list) = ("o".repeat(43), "l".repeat(43));
    let cases: [&[&[&str]]; 9] = [
        &[&["DEL", SECRET]],
        &[&["UNLINK", SECRET]],
        &[&["FLUSHDB"]],
        &[&["FLUSHALL"]],
        &[&["SET", SECRET, &other]],
        &[&["MULTI"], &["SET", SECRET, &other], &["EXEC"]],
        &[&["SET", "another", &other], &["RENAME", "another", SECRET]],
        &[&["RPUSH", "list", &list], &["SORT", "list", "ALPHA", "STORE", SECRET]],
        &[&["EXPIRE", SECRET, "1000"]],
    ];
    for replace in cases {
        client.ok(&["FLUSHALL"]);
        let jar = Jar::tokens(&mut client);
        let leaked = secret(&mut client).expect("a secret");
        for command in replace {
            client.ok(command);
        }
        // Evicted at once, before any command has seen what is in its place.
        evict(&mut client, &[]);
        settle(&mut client);
        if client.text(&["TYPE", SECRET]) == "string" {
            assert_eq!(secret(&mut client).as_ref(), Some(&other), "{replace:?}");
        }
        client.ok(&["DEL", SECRET]);
        Jar::tokens(&mut client);
        assert_ne!(secret(&mut client).as_ref(), Some(&leaked), "{replace:?}");
        assert_eq!(jar.verify(&mut client), Err("TRYREFRESHTOKEN".to_owned()), "{replace:?}");
    }
}

#[test]
fn a_secret_that_is_flushed_right_after_its_eviction_does_not_come_back() {
    let server = server(&[]);
    let mut client = server.client();
    for flush in ["FLUSHDB", "FLUSHALL"] {
        let jar = Jar::tokens(&mut client);
        let replies = evict(&mut client, &[&[flush], &["SH.VERIFY", &jar.access]]);
        assert!(replies[1].as_ref().is_err_and(|error| error.starts_with("TRYREFRESHTOKEN")), "{replies:?}");
        settle(&mut client);
        assert_eq!(secret(&mut client), None, "{flush}");
    }
}

#[test]
fn while_writes_are_paused_nothing_reaches_a_replica() {
    let server = server(&[]);
    let mut client = server.client();
    let replica = server.replica(&[]);
    let jar = Jar::tokens(&mut client);
    let made = secret(&mut client).expect("a secret");
    let pause = ["CLIENT", "PAUSE", "60000", "WRITE"];
    let replies = evict(&mut client, &[&pause, &["SH.VERIFY", &jar.access]]);
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    // A server that replicates while it is paused aborts.
    assert_eq!(jar.verify(&mut client), Ok(()));
    client.ok(&["CLIENT", "UNPAUSE"]);
    await_that("it is back", || secret(&mut client).as_ref() == Some(&made));
    replica.is_in_sync(&server);
    assert_eq!(secret(&mut replica.client()).as_ref(), Some(&made));
}

#[test]
fn each_database_gets_its_own_evicted_secret_back() {
    let server = server(&[]);
    let mut client = server.client();
    let made = ["0", "3"].map(|database| {
        client.ok(&["SELECT", database]);
        Jar::tokens(&mut client);
        secret(&mut client)
    });
    assert!(made[0].is_some() && made[0] != made[1]);
    let mut all_are_back = |databases: [&str; 2], what: &str| {
        await_that(what, || {
            databases.into_iter().zip(&made).all(|(database, made)| {
                client.ok(&["SELECT", database]);
                secret(&mut client) == *made
            })
        });
        evict(&mut client, &[]);
    };
    all_are_back(["0", "3"], "they are made");
    all_are_back(["0", "3"], "they are back");
    server.client().ok(&["SWAPDB", "0", "3"]);
    all_are_back(["3", "0"], "they are swapped");
    all_are_back(["3", "0"], "they are back where they were");
}

#[test]
fn the_policy_may_be_set_long_after_the_secret_was_made() {
    let server = Server::start();
    let mut client = server.client();
    Jar::tokens(&mut client);
    let made = secret(&mut client).expect("a secret");
    client.ok(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    evict(&mut client, &[]);
    await_that("it is back", || secret(&mut client).as_ref() == Some(&made));
    assert!(restored(&mut client) > 0);
}

#[test]
fn a_promoted_replica_keeps_the_secret_too_and_a_replica_writes_nothing_of_its_own() {
    let primary = server(&[]);
    let jar = Jar::tokens(&mut primary.client());
    let replica = primary.replica(&["--maxmemory-policy", "allkeys-random", "--replica-ignore-maxmemory", "no"]);
    let mut client = replica.client();
    let made = secret(&mut client).expect("a secret");
    evict(&mut client, &[]);
    assert_eq!(secret(&mut client), None, "a replica waits for what its primary writes");
    assert_eq!(restored(&mut client), 0);
    primary.client().ok(&["SET", SECRET, &made]);
    replica.is_in_sync(&primary);
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    evict(&mut client, &[]);
    await_that("it is back", || secret(&mut client).as_ref() == Some(&made));
    assert_eq!(jar.verify(&mut client), Ok(()));
}

#[test]
fn a_server_with_nothing_else_to_evict_does_not_restore_in_an_endless_loop() {
    let server = server(&[]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let evicted = |client: &mut Client| client.info("stats", "evicted_keys").parse::<u64>().expect("a number");
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    let (before, began) = (evicted(&mut client), client.now());
    await_that("it was evicted some times", || restored(&mut client) >= 3);
    let (times, passed) = (evicted(&mut client) - before, client.now() - began);
    assert!(times as i64 <= passed / 100 + 3, "evicted {times} times in {passed} ms");
    assert_eq!(jar.verify(&mut client), Ok(()), "and it is good all the while");
}
