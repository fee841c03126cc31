//! The grace period of a replaced token does not count time in which clients could not reach the server, and no change of
//! the clock.

use std::time::{Duration, Instant, SystemTime};
use testkit::compiled::Clock;
use testkit::jar::*;
use testkit::*;

const HOUR_MS: i64 = 3_600_000;
/// With `always`, every answered write is in the file, also on a busy machine.
const GRACE: &[&str] = &["--sh.refresh-grace", "3600", "--appendfsync", "always"];

/// Two browsers that each refreshed and did not get the answer: one `before_outage` milliseconds before an outage of ten
/// hours, the other an hour and a second earlier than that.
struct Outage {
    retries: Jar,
    late: Jar,
}

impl Outage {
    const LENGTH: Duration = Duration::from_secs(10 * 3_600);

    fn begin(client: &mut Client) -> Self {
        let [retries, late] = [5_000, HOUR_MS + 6_000].map(|before_outage| {
            let jar = Jar::tokens(client);
            jar.refresh(client);
            let rotated = client.now() - Self::LENGTH.as_millis() as i64 - before_outage;
            client.ok(&["HSET", &jar.tkn, ".rotated", &rotated.to_string()]);
            jar
        });
        Self { retries, late }
    }

    /// The server is back after ten hours.
    fn end(server: Server) -> Server {
        let crashed = server.crash();
        crashed.written_at(SystemTime::now() - Self::LENGTH);
        crashed.restart()
    }

    fn makes_a_thief_of_the_late_one_alone(&self, client: &mut Client) {
        let away: i64 = client.info("sh", "sh_last_outage_ms").parse().expect("a number");
        assert!(away >= Self::LENGTH.as_millis() as i64, "{away}");
        self.retries.refresh(client);
        assert_eq!(client.info("sh", "sh_replayed"), "1");
        assert_eq!(self.late.refresh_refused(client), "TOKENTHEFT");
    }
}

#[test]
fn an_outage_does_not_count_for_the_grace_period_with_rdb_or_aof() {
    for aof in ["yes", "no"] {
        let server = Server::with(&[GRACE, &["--appendonly", aof]].concat());
        let mut client = server.client();
        let outage = Outage::begin(&mut client);
        if aof == "no" {
            client.ok(&["SAVE"]);
        }
        let server = Outage::end(server);
        outage.makes_a_thief_of_the_late_one_alone(&mut server.client());
    }
}

#[test]
fn time_in_which_the_server_served_counts_for_the_grace_period() {
    let server = Server::with(&[GRACE, &["--appendonly", "yes"]].concat());
    let outage = Outage::begin(&mut server.client());
    // The files were written to until now, so the server was there for the ten hours.
    let server = server.crash_and_restart();
    assert_eq!(outage.retries.refresh_refused(&mut server.client()), "TOKENTHEFT");
}

#[test]
fn a_replica_promoted_after_a_restart_counts_the_whole_outage() {
    let server = Server::with(&[GRACE, &["--appendonly", "yes"]].concat());
    let outage = Outage::begin(&mut server.client());
    let crashed = server.crash();
    crashed.written_at(SystemTime::now() - Outage::LENGTH);
    let server = crashed.restart_with(&["--replicaof", "127.0.0.1", &free_port().to_string()]);
    let mut client = server.client();
    assert_eq!(client.info("sh", "sh_last_outage_ms"), "0", "it is away still");
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    outage.makes_a_thief_of_the_late_one_alone(&mut client);
}

#[test]
fn time_in_which_the_server_served_without_a_write_counts_after_a_shutdown() {
    let server = Server::with(&["--sh.refresh-grace", "1", "--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    jar.refresh(&mut client);
    let since = client.now();
    await_that("the grace is over", || client.now() - since > 1_200);
    let server = server.shut_down().restart();
    assert_eq!(jar.refresh_refused(&mut server.client()), "TOKENTHEFT");
}

#[test]
fn a_primary_that_was_demoted_in_between_was_away() {
    let server = Server::with(GRACE);
    let mut client = server.client();
    client.ok(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let since = client.now();
    await_that("it has been a replica for a while", || client.now() - since > 300);
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    let away: i64 = client.info("sh", "sh_last_outage_ms").parse().expect("a number");
    assert!(away >= 300, "{away}");
}

/// Repeats what has to happen within the grace period until the machine was fast enough: a try that took longer proves
/// nothing. `attempt` answers whether it was.
fn fast_enough(mut attempt: impl FnMut() -> bool) {
    assert!((0..20).any(|_| attempt()), "this machine is too slow to test a grace period of seconds");
}

#[test]
fn a_failover_does_not_count_for_the_grace_period() {
    const GRACE: Duration = Duration::from_secs(3);
    fast_enough(|| {
        let options = ["--sh.refresh-grace", "3"];
        let primary = Server::with(&options);
        let replica = primary.replica(&options);
        let mut client = primary.client();
        let jar = Jar::tokens(&mut client);
        let begun = Instant::now();
        let new = jar.refresh(&mut client);
        replica.is_in_sync(&primary);
        primary.crash();
        let mut client = replica.client();
        await_that("the link breaks", || client.info("replication", "master_link_status") == "down");
        let before = begun.elapsed();
        let outage = Instant::now();
        await_that("the grace would be over", || outage.elapsed() > GRACE + Duration::from_secs(1));
        let promoted = Instant::now();
        client.ok(&["REPLICAOF", "NO", "ONE"]);
        let again = client.call(&["SH.REFRESH", &jar.tkn, &jar.sealed, "{}"]);
        if before + promoted.elapsed() > GRACE {
            return false;
        }
        let again = serde_json::from_str(&text(&again.expect("within the grace"))).expect("JSON");
        assert_eq!(Jar::of(&again).sealed, new.sealed);
        assert_eq!(client.info("sh", "sh_replayed"), "1");
        true
    });
}

#[test]
fn the_outage_of_a_silent_primary_begins_with_its_last_message() {
    let primary = Server::with(&["--repl-ping-replica-period", "1"]);
    let replica = primary.replica(&[]);
    let mut client = replica.client();
    primary.signal("STOP");
    await_that("the primary is silent", || {
        client.info("replication", "master_last_io_seconds_ago").parse::<u64>().is_ok_and(|seconds| seconds >= 3)
    });
    assert_eq!(client.info("replication", "master_link_status"), "up");
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    let away: u64 = client.info("sh", "sh_last_outage_ms").parse().expect("a number");
    primary.signal("CONT");
    assert!(away >= 3_000, "{away}");
}

#[test]
fn the_pause_of_a_stopped_server_does_not_count_for_the_grace_period() {
    const GRACE: Duration = Duration::from_secs(2);
    fast_enough(|| {
        let server = Server::with(&["--sh.refresh-grace", "2"]);
        let mut client = server.client();
        let jar = Jar::tokens(&mut client);
        let begun = Instant::now();
        jar.refresh(&mut client);
        server.signal("STOP");
        let before = begun.elapsed();
        let stopped = Instant::now();
        await_that("the grace would be over", || stopped.elapsed() > Duration::from_secs(4));
        let resumed = Instant::now();
        server.signal("CONT");
        let again = client.call(&["SH.REFRESH", &jar.tkn, &jar.sealed, "{}"]);
        if before + resumed.elapsed() > GRACE {
            return false;
        }
        again.expect("within the grace");
        let away: u64 = client.info("sh", "sh_last_outage_ms").parse().expect("a number");
        assert!(away >= 3_500, "{away}");
        true
    });
}

#[test]
fn a_changed_clock_neither_makes_nor_hides_theft() {
    // Valkey 9.1's program is linked so that nothing can be loaded before its own libraries.
    skip_unless!(valkey_version() < (9, 0), "a server that libraries can be preloaded into");
    for hours in [-2, 2] {
        let clock = Clock::default();
        let server = clock.server(GRACE);
        let mut client = server.client();
        let began = client.now();
        let tab = Jar::tokens(&mut client);
        tab.refresh(&mut client);
        clock.set(hours * 3_600);
        await_that("the clock is another", || (client.now() - began).abs() > HOUR_MS);
        tab.refresh(&mut client);
        assert_eq!(client.info("sh", "sh_replayed"), "1", "{hours}");

        client.ok(&["CONFIG", "SET", "sh.refresh-grace", "1"]);
        let old = Jar::tokens(&mut client);
        old.refresh(&mut client);
        let since = client.now();
        await_that("the grace is over", || client.now() - since > 1_100);
        clock.set(0);
        await_that("the clock is another", || (client.now() - since).abs() > HOUR_MS);
        assert_eq!(old.refresh_refused(&mut client), "TOKENTHEFT", "{hours}");
    }
}
