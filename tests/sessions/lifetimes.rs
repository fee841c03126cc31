//! Every combination of lifetimes on real servers: a primary, one that was restarted, and a replica that took over.
//!
//! The tests do not wait: they age sessions by bringing their deadlines nearer with native commands.

use testkit::lifetime_table::{ACTS, CASES, Case, DONE_AFTER};
use testkit::*;

/// A session of one case with which one thing was done, and what its keys' deadlines have to be.
struct Lived {
    about: String,
    token: String,
    touches: bool,
    /// From and to which moment the session has to end, in milliseconds since the epoch; -1 for never.
    ends: (i64, i64),
    data: Option<(String, i64)>,
}

/// Makes the session half a minute old.
fn age(client: &mut Client, token: &str, data: Option<&String>) {
    let millis = DONE_AFTER as i64 * 1_000;
    if let Some(limit) = client.field(token, ".until") {
        let limit: i64 = limit.parse().expect("a moment");
        client.ok(&["HSET", token, ".until", &(limit - millis).to_string()]);
    }
    for key in [token].into_iter().chain(data.map(String::as_str)) {
        let expiry = client.expiry(key);
        if expiry > 0 {
            client.ok(&["PEXPIREAT", key, &(expiry - millis).to_string()]);
        }
    }
}

fn live(client: &mut Client, case: &Case, act: &str, touches: bool) -> Lived {
    let about = format!("{} with a maximum of {}, {act}", case.options, case.max);
    client.ok(&["CONFIG", "SET", "sh.max-lifetime", &case.max.to_string()]);
    let new = format!("SH.NEW alice {} DATA {{\"a\":\"1\"}}", case.options);
    let before: Vec<String> = client.list(&["KEYS", "sh:d:*"]);
    let token = text(&member(&client.ok(&new.split_whitespace().collect::<Vec<_>>()), "tkn"));
    let created = client.json(&["SH.INFO", &token, "{}"])["created"].as_i64().expect("a moment");
    let data = client.list(&["KEYS", "sh:d:*"]).into_iter().find(|key| !before.contains(key));
    assert_eq!(data.is_some(), case.data_goes.is_some(), "{about}");

    // As created: each deadline is exact.
    let at = |seconds: u64| created + seconds as i64 * 1_000;
    assert_eq!(client.expiry(&token), case.ends.map_or(-1, at), "{about}");
    let data = data.map(|key| (key, at(case.data_goes.expect("asserted"))));
    if let Some((key, goes)) = &data {
        assert_eq!(client.expiry(key), *goes, "{about}");
    }
    // Half a minute later something is done with it.
    age(client, &token, data.as_ref().map(|(key, _)| key));
    let aged = |moment: i64| moment - DONE_AFTER as i64 * 1_000;
    let early = client.now();
    let act: Vec<_> = act.split(' ').map(|word| if word == "*" { token.as_str() } else { word }).collect();
    client.ok(&act);
    let late = client.now();
    let untouched = case.ends.map_or(-1, |ends| aged(at(ends)));
    let ends = match case.touched_ends.filter(|_| touches) {
        None => (untouched, untouched),
        Some(ends) if Some(ends) == case.ends => (untouched, untouched),
        Some(ends) => {
            // A touch renews the idle time; the limit stays.
            let idle = ends as i64 * 1_000 - DONE_AFTER as i64 * 1_000;
            let limited = case.options.contains("DELETE") || case.max > 0;
            if limited { (aged(at(ends)), aged(at(ends))) } else { (early + idle, late + idle) }
        }
    };
    let data = data.map(|(key, goes)| (key, aged(goes)));
    Lived { about, token, touches, ends, data }
}

/// One session of each case and act.
fn live_all(client: &mut Client) -> Vec<Lived> {
    let pairs = CASES.iter().flat_map(|case| ACTS.into_iter().map(move |act| (case, act)));
    pairs.map(|(case, (act, touches))| live(client, case, act, touches)).collect()
}

fn deadlines_are_right(client: &mut Client, sessions: &[Lived]) {
    for Lived { about, token, ends, data, .. } in sessions {
        let expiry = client.expiry(token);
        assert!((ends.0..=ends.1).contains(&expiry), "{about}: {expiry} is not in {ends:?}");
        if let Some((key, goes)) = data {
            assert_eq!(client.expiry(key), *goes, "{about}: the data");
        }
    }
}

/// Lets all sessions end at one moment that is near, and looks at them until they have: each lives to its very
/// millisecond, through which the server keeps a key, and not beyond.
fn they_end_in_time(client: &mut Client, sessions: &[Lived]) {
    let ends = client.now() + 100;
    let shorten = |session: &Lived| vec!["PEXPIREAT".to_owned(), session.token.clone(), ends.to_string()];
    for reply in client.pipeline(&sessions.iter().map(shorten).collect::<Vec<_>>()) {
        assert_eq!(int(&reply.expect("a reply")), 1);
    }
    let exists: Vec<&str> =
        ["SH.EXISTS"].into_iter().chain(sessions.iter().map(|session| session.token.as_str())).collect();
    await_that("all have ended", || {
        let (before, there, after) = (client.now(), client.list(&exists), client.now());
        for (there, Lived { about, .. }) in there.iter().zip(sessions) {
            assert!(there == "1" || after >= ends, "{about}: ended too early");
            assert!(there == "0" || before <= ends, "{about}: lived too long");
        }
        before > ends
    });
    for Lived { about, token, touches, .. } in sessions {
        let command = if *touches { "SH.TOUCH" } else { "SH.GET" };
        assert_eq!(client.status(&[command, token]), "SESSIONNOTEXIST", "{about}");
    }
}

#[test]
fn each_session_has_its_deadlines_on_a_primary_and_ends_with_them() {
    let server = Server::start();
    let mut client = server.client();
    let sessions = live_all(&mut client);
    deadlines_are_right(&mut client, &sessions);
    they_end_in_time(&mut client, &sessions);
}

#[test]
fn each_session_has_the_same_deadlines_after_a_restart_from_the_aof() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let sessions = live_all(&mut server.client());
    let server = server.crash_and_restart();
    deadlines_are_right(&mut server.client(), &sessions);
    they_end_in_time(&mut server.client(), &sessions);
}

#[test]
fn each_session_has_the_same_deadlines_after_a_restart_from_a_snapshot() {
    let server = Server::start();
    let sessions = live_all(&mut server.client());
    server.client().ok(&["SAVE"]);
    let server = server.crash_and_restart();
    deadlines_are_right(&mut server.client(), &sessions);
    they_end_in_time(&mut server.client(), &sessions);
}

#[test]
fn each_session_has_the_same_deadlines_on_a_replica_that_takes_over() {
    let primary = Server::start();
    let replica = primary.replica(&[]);
    let sessions = live_all(&mut primary.client());
    replica.is_in_sync(&primary);
    deadlines_are_right(&mut replica.client(), &sessions);
    drop(primary);
    let mut client = replica.client();
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    deadlines_are_right(&mut client, &sessions);
    they_end_in_time(&mut client, &sessions);
}

#[test]
fn a_busy_session_causes_at_most_one_replicated_write() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let token = client.new_session(&["alice", "LISTED", "IDLE", "1800"]);
    let effects = server.effects(|| {
        for _ in 0..20 {
            for reply in client.pipeline(&vec![["SH.TOUCH", &token].to_vec(); 500]) {
                assert!((1..=1_800_000).contains(&int(&reply.expect("touched"))));
            }
        }
    });
    // One session key, and its place on the list, once a minute.
    let renewed = effects.iter().filter(|effect| effect[0] == "PEXPIREAT" && effect[1] == token).count();
    assert!(renewed <= 1 && effects.len() <= 3 * renewed, "{effects:?}");
    let counted: Vec<u64> = ["sh_touches_spared", "sh_touches_written"]
        .iter()
        .map(|line| client.info("sh", line).parse().expect("a number"))
        .collect();
    assert_eq!(counted.iter().sum::<u64>(), 10_000);
    assert_eq!(counted[1], renewed as u64);
}
