//! SH.REFRESH.

use serde_json::json;
use testkit::jar::*;
use testkit::*;

#[test]
fn refreshing_answers_the_same_in_every_form() {
    let server = Server::start();
    let mut client = server.client();
    let first = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "jwtPayload": {"role": "admin"}}));
    let json = client.json(&["SH.REFRESH", &first.tkn, &first.sealed, "{}"]);
    // Within the grace period the answer is the same, but for the moment it is given at.
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.REFRESH", &first.tkn, &first.sealed, "CSRF", &first.csrf]);
        let names: Vec<_> = json.as_object().expect("an object").keys().cloned().collect();
        let mut own = members(&reply);
        own.sort();
        assert_eq!(own, names);
        let session = member(&reply, "session");
        assert_eq!(text(&member(&session, "handle")), first.tkn);
        assert_eq!(text(&member(&session, "userId")), "alice");
        assert_eq!(text(&member(&session, "userDataInJWT")), r#"{"role":"admin"}"#, "text, where there are no objects");
        let refresh = member(&reply, "refreshToken");
        assert_eq!(text(&member(&refresh, "token")), json["refreshToken"]["token"]);
        assert_eq!(int(&member(&refresh, "expiry")), json["refreshToken"]["expiry"].as_i64().expect("a time"));
        assert_eq!(text(&member(&refresh, "cookiePath")), "/session/refresh");
        assert_eq!(int(&member(&refresh, "cookieSecure")), 1);
        assert_eq!(text(&member(&reply, "antiCsrfToken")), json["antiCsrfToken"]);
        let cookies = list(&member(&reply, "setCookie"));
        assert_eq!(cookies.len(), 3);
        assert!(cookies[1].starts_with(&format!("sRefreshToken={}; ", Jar::of(&json).sealed)));
        let headers = member(&reply, "headers");
        assert_eq!(text(&member(&headers, "anti-csrf")), json["headers"]["anti-csrf"]);
        assert_eq!(text(&member(&headers, "cache-control")), "no-store");
    }
}

#[test]
fn each_failure_has_its_status() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let forged = format!("{}{}", jar.tkn, "A".repeat(32));
    for (arguments, status) in [
        (&["garbage", "garbage"][..], "UNAUTHORISED"),
        (&[&jar.tkn, &forged], "UNAUTHORISED"),
        (&[&jar.tkn, &jar.sealed, "CSRF", ""], "UNAUTHORISED"),
        (&[&jar.tkn, &jar.sealed, r#"{"antiCsrfToken":null}"#], "UNAUTHORISED"),
        (&[&jar.tkn, &jar.sealed, "BIND", "x"], "UNAUTHORISED"),
        (&[&jar.tkn], "VALUEMISSING"),
        (&[&jar.tkn, &jar.sealed, "CSRF"], "VALUEMISSING"),
        (&[&jar.tkn, &jar.sealed, "GET", "a"], "COMMANDSYNTAX"),
        (&[&jar.tkn, &jar.sealed, "NOGRACE", "NOGRACE"], "COMMANDSYNTAX"),
        (&[&jar.tkn, &jar.sealed, r#"{"x":1}"#], "COMMANDSYNTAX"),
        (&[&jar.tkn, &jar.sealed, r#"{"noGrace":"yes"}"#], "VALUETYPEINVALID"),
        (&[&jar.tkn, &jar.sealed, r#"{"antiCsrfToken":1}"#], "VALUETYPEINVALID"),
    ] {
        assert_eq!(client.status(&[&["SH.REFRESH"], arguments].concat()), status, "{arguments:?}");
    }
    let refused = client.call(&["SH.REFRESH", &jar.tkn, &jar.sealed, "CSRF", "x"]).expect_err("refused");
    assert!(refused.starts_with("UNAUTHORISED ANTICSRF "), "{refused}");
    assert_eq!(client.field(&jar.tkn, ".gen"), None, "nothing was rotated");
    client.int(&["SH.END", &jar.tkn]);
    assert_eq!(jar.refresh_refused(&mut client), "UNAUTHORISED");
}

#[test]
fn theft_ends_the_session_and_is_announced() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "notify-keyspace-events", "KEd", "sh.refresh-grace", "0"]);
    let mut listener = server.client();
    listener.ok(&["PSUBSCRIBE", "__keyevent@0__:sh.*"]);
    let first = Jar::with(&mut client, "al ice", json!({"credentials": "tokens"}));
    let second = first.refresh(&mut client);
    let third = second.refresh(&mut client);
    let theft = client.call(&["SH.REFRESH", &first.tkn, &first.sealed]).expect_err("theft");
    let told: Vec<_> = theft.split(' ').collect();
    assert_eq!(told[..5], ["TOKENTHEFT", &first.tkn, "al%20ice", "0", "2"]);
    assert!(told[5].parse::<u64>().is_ok() && told.len() == 6, "{theft}");
    assert_eq!(client.int(&["EXISTS", &first.tkn]), 0);
    assert_eq!(third.refresh_refused(&mut client), "UNAUTHORISED");
    assert_eq!(third.check(&mut client), Err("UNAUTHORISED".to_owned()));
    for event in ["sh.new", "sh.refresh", "sh.refresh", "sh.end", "sh.theft"] {
        let message = list(&listener.receive());
        assert_eq!(message[2..], [format!("__keyevent@0__:{event}"), first.tkn.clone()]);
    }
    assert_eq!(client.info("sh", "sh_thefts"), "1");
}

#[test]
fn a_refresh_by_a_second_tab_writes_nothing_and_is_announced() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "300"]);
    let first = Jar::tokens(&mut client);
    let second = first.refresh(&mut client);
    client.ok(&["CONFIG", "SET", "notify-keyspace-events", "KEd"]);
    let mut listener = server.client();
    listener.ok(&["PSUBSCRIBE", "__keyevent@0__:sh.*"]);
    let effects = server.effects(|| assert_eq!(first.refresh(&mut client).sealed, second.sealed));
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(list(&listener.receive())[2], "__keyevent@0__:sh.replay");
    assert_eq!(client.info("sh", "sh_replayed"), "1");
}

#[test]
fn a_rotation_is_replicated_as_two_fields_and_a_deadline() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let first = Jar::tokens(&mut client);
    client.ok(&["PEXPIRE", &first.tkn, "1000000"]);
    let effects = server.effects(|| drop(first.refresh(&mut client)));
    let rotated = client.field(&first.tkn, ".rotated").expect("a time");
    let until = client.expiry(&first.tkn).to_string();
    assert_eq!(effects[0], ["HSET", &first.tkn, ".gen", "1", ".rotated", &rotated]);
    assert_eq!(effects[1], ["PEXPIREAT", &first.tkn, &until]);
    assert!(effects[2..].iter().all(|effect| effect[1].starts_with("sh:n:alice:")), "{effects:?}");
}

#[test]
fn nograce_stores_no_rotation_time() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let first = Jar::cookie(&mut client);
    let second = first.refresh(&mut client);
    let step_up = ["SH.REFRESH", &first.tkn, &second.sealed, "NOGRACE"];
    let effects = server.effects(|| drop(client.ok(&step_up)));
    assert_eq!(effects, [vec!["HSET", &first.tkn, ".gen", "3"], vec!["HDEL", &first.tkn, ".rotated"]]);
    let theft = client.call(&["SH.REFRESH", &first.tkn, &second.sealed]).expect_err("theft");
    assert!(theft.starts_with("TOKENTHEFT ") && theft.ends_with(" 1 3 0"), "{theft}");
}

#[test]
fn resuming_with_a_lost_rotation_begins_no_grace_period() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let first = Jar::cookie(&mut client);
    let third = first.refresh(&mut client).refresh(&mut client);
    // As if a failover had lost both refreshes, and no outage were known.
    client.ok(&["HDEL", &first.tkn, ".gen", ".rotated"]);
    let effects = server.effects(|| assert_eq!(third.resume(&mut client), Ok(())));
    assert_eq!(effects, [["HSET", &first.tkn, ".gen", "2"]]);
}

#[test]
fn a_generation_damaged_by_hand_is_an_error() {
    let server = Server::start();
    let mut client = server.client();
    for damaged in ["4294967296", "x"] {
        let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
        for jar in [&tokens, &cookie] {
            client.ok(&["HSET", &jar.tkn, ".gen", damaged]);
            assert_eq!(jar.refresh_refused(&mut client), "GENERALERROR", "{damaged}");
        }
        assert_eq!(tokens.check(&mut client), Err("GENERALERROR".to_owned()));
        assert_eq!(cookie.resume(&mut client), Err("GENERALERROR".to_owned()));
        assert_eq!(client.list(&["SH.EXISTS", &tokens.tkn, &cookie.tkn]), ["1", "1"]);
    }
}

#[test]
fn the_longest_payload_can_be_refreshed_with_any_issuer_and_audience() {
    let server = Server::with(&["--sh.max-payload", "3000"]);
    let mut client = server.client();
    let payload = |length: usize| json!({"credentials": "tokens", "jwtPayload": {"p": "x".repeat(length)}}).to_string();
    let fits = |length: &usize| client.call(&["SH.NEW", "alice", &payload(*length)]).is_ok();
    let longest = (2_000..2_990).rev().find(fits).expect("some payload fits");
    let jar = Jar::of(&client.json(&["SH.NEW", "alice", &payload(longest)]));
    let longest_setting = "x".repeat(128);
    client.ok(&["CONFIG", "SET", "sh.issuer", &longest_setting, "sh.audience", &longest_setting]);
    let next = jar.refresh(&mut client);
    assert_eq!(next.check(&mut client), Ok(()));
    let refused = client.call(&["CONFIG", "SET", "sh.issuer", &"x".repeat(129)]).expect_err("too long");
    assert!(refused.contains("sh.issuer must be at most 128 characters long"), "{refused}");
}

#[test]
fn a_thousand_refreshes_at_once_leave_one_generation_and_no_theft() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "300"]);
    let first = Jar::tokens(&mut client);
    let mut tabs: Vec<_> = (0..100).map(|_| server.client()).collect();
    for tab in &mut tabs {
        for _ in 0..10 {
            tab.send(&["SH.REFRESH", &first.tkn, &first.sealed, "CSRF", &first.csrf]);
        }
    }
    let mut answered: Vec<_> = tabs
        .iter_mut()
        .flat_map(|tab| (0..10).map(|_| tab.receive()).collect::<Vec<_>>())
        .map(|reply| text(&member(&member(&reply, "refreshToken"), "token")))
        .collect();
    assert_eq!(answered.len(), 1_000);
    answered.dedup();
    assert_eq!(answered.len(), 1, "all hold the same refresh token");
    assert_eq!(client.field(&first.tkn, ".gen").as_deref(), Some("1"));
    assert_eq!(client.info("sh", "sh_refreshed"), "1");
    assert_eq!(client.info("sh", "sh_replayed"), "999");
    assert_eq!(client.info("sh", "sh_thefts"), "0");
    let next = Jar { sealed: answered.remove(0), ..first };
    assert_ne!(next.refresh(&mut client).sealed, next.sealed, "and it goes on");
}

#[test]
fn a_failover_that_lost_writes_logs_nobody_out_and_reports_nobody() {
    let primary = Server::start();
    let mut client = primary.client();
    let tokens: Vec<_> = (0..20).map(|_| Jar::tokens(&mut client)).collect();
    let cookies: Vec<_> = (0..20).map(|_| Jar::cookie(&mut client)).collect();
    let replica = primary.replica(&[]);
    // From here on the replica hears of nothing.
    let mut promoted = replica.client();
    promoted.ok(&["REPLICAOF", "NO", "ONE"]);
    let refresh_all = |jars: &[Jar], client: &mut Client, times: usize| -> Vec<Jar> {
        jars.iter().map(|jar| (0..times).fold(jar.clone(), |jar, _| jar.refresh(client))).collect()
    };
    let (tokens, cookies) = (refresh_all(&tokens, &mut client, 2), refresh_all(&cookies, &mut client, 1));
    drop(primary);
    promoted.ok(&["CONFIG", "SET", "notify-keyspace-events", "KEd"]);
    let mut listener = replica.client();
    listener.ok(&["PSUBSCRIBE", "__keyevent@0__:sh.forward"]);
    for jar in &tokens {
        assert_eq!(jar.check(&mut promoted), Ok(()));
        let next = jar.refresh(&mut promoted);
        assert_eq!(list(&listener.receive())[3], jar.tkn);
        assert_eq!(jar.refresh(&mut promoted).sealed, next.sealed, "its other tab");
        assert_eq!(next.check(&mut promoted), Ok(()));
    }
    for jar in &cookies {
        assert_eq!(jar.resume(&mut promoted), Ok(()));
        assert_eq!(list(&listener.receive())[3], jar.tkn);
        assert_eq!(promoted.field(&jar.tkn, ".gen").as_deref(), Some("1"), "what was lost is known again");
        jar.refresh(&mut promoted);
    }
    assert_eq!(promoted.info("sh", "sh_thefts"), "0");
    assert_eq!(promoted.info("sh", "sh_forwarded"), "40");
}

#[test]
fn a_server_restored_from_an_older_backup_logs_nobody_out_and_reports_nobody() {
    let server = Server::with(&["--dbfilename", "dump.rdb"]);
    let mut client = server.client();
    let first = Jar::tokens(&mut client);
    client.ok(&["SAVE"]);
    let third = first.refresh(&mut client).refresh(&mut client);
    // Killed before it saved again.
    let server = server.crash_and_restart();
    let mut client = server.client();
    assert_eq!(client.field(&first.tkn, ".gen"), None, "it is the older one");
    assert_eq!(third.check(&mut client), Ok(()));
    assert_eq!(third.refresh(&mut client).check(&mut client), Ok(()));
    assert_eq!(client.info("sh", "sh_thefts"), "0");
}

#[test]
fn a_credential_planted_before_sign_in_is_refused_after_it() {
    let server = Server::start();
    let mut client = server.client();
    let planted = Jar::tokens(&mut client);
    let own = Jar::of(&client.json(&["SH.REFRESH", &planted.tkn, &planted.sealed, r#"{"noGrace":true}"#]));
    assert_eq!(planted.check(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
    assert_eq!(own.check(&mut client), Ok(()));
    assert_eq!(planted.refresh_refused(&mut client), "TOKENTHEFT");
}

#[test]
fn a_bound_session_is_refreshed_by_its_device_only() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "bind": "device"}));
    assert_eq!(jar.refresh_refused(&mut client), "UNAUTHORISED");
    assert_eq!(client.status(&["SH.REFRESH", &jar.tkn, &jar.sealed, "BIND", "other"]), "UNAUTHORISED");
    client.ok(&["SH.REFRESH", &jar.tkn, &jar.sealed, "BIND", "device"]);
}

#[test]
fn a_full_server_still_refreshes_resumes_and_ends_but_creates_nothing() {
    let server = Server::start();
    let mut client = server.client();
    let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(client.status(&["SH.NEW", "bob", "TOKENS"]), "OOM");
    assert_eq!(client.status(&["SH.PAYLOAD", &tokens.tkn, "{}"]), "OOM");
    let tokens = tokens.refresh(&mut client);
    assert_eq!(tokens.check(&mut client), Ok(()));
    assert_eq!(tokens.verify(&mut client), Ok(()));
    assert_eq!(cookie.resume(&mut client), Ok(()));
    client.ok(&["SH.CLEARCOOKIES"]);
    assert_eq!(client.int(&["SH.END", &tokens.tkn, &cookie.tkn]), 2);
}

#[test]
fn a_replica_does_not_refresh() {
    let primary = Server::start();
    let mut client = primary.client();
    let jar = Jar::tokens(&mut client);
    let replica = primary.replica(&[]);
    assert_eq!(jar.refresh_refused(&mut replica.client()), "READONLY");
    assert_eq!(client.info("sh", "sh_refreshed"), "0");
}

#[test]
fn refreshing_works_in_transactions_and_scripts() {
    let server = Server::start();
    let mut client = server.client();
    let script = "local new = redis.call('SH.NEW', KEYS[1], '{\"credentials\":\"tokens\"}') \
        local first = cjson.decode(new) \
        local next = redis.call('SH.REFRESH', first.tkn, first.refreshToken.token, '{}') \
        redis.call('SH.CHECK', first.tkn, cjson.decode(next).accessToken.token) \
        return next";
    let jar = Jar::of(&client.json(&["EVAL", script, "1", "alice"]));
    assert_eq!(jar.check(&mut client), Ok(()));
    client.ok(&["MULTI"]);
    client.ok(&["SH.REFRESH", &jar.tkn, &jar.sealed, "{}"]);
    client.ok(&["SH.REFRESH", &jar.tkn, &jar.sealed, "{}"]);
    let replies = list(&client.ok(&["EXEC"]));
    let [one, other] = [0, 1].map(|at| Jar::of(&serde_json::from_str(&replies[at]).expect("JSON")));
    assert_eq!(one.sealed, other.sealed);
    assert_eq!(one.check(&mut client), Ok(()));
    // A theft within a transaction fails that command alone.
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    let next = one.refresh(&mut client);
    client.ok(&["MULTI"]);
    client.ok(&["SH.REFRESH", &jar.tkn, &jar.sealed]);
    client.ok(&["SET", "other", "1"]);
    assert!(client.call(&["EXEC"]).is_err(), "the theft is among the replies");
    assert_eq!(client.text(&["GET", "other"]), "1");
    assert_eq!(next.check(&mut client), Err("UNAUTHORISED".to_owned()));
}

#[test]
fn a_user_of_sessions_needs_no_other_key_pattern() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["ACL", "SETUSER", "app", "on", ">pw", "+@all", "~sh:*"]);
    client.ok(&["ACL", "SETUSER", "other", "on", ">pw", "+@all", "~other:*"]);
    let mut app = server.client_as("app", "pw");
    let jar = Jar::tokens(&mut app);
    let jar = jar.refresh(&mut app);
    assert_eq!(jar.check(&mut app), Ok(()));
    assert_eq!(app.status(&["GET", "redis-sessions:secret"]), "NOPERM", "the secret is not theirs to read");
    let mut other = server.client_as("other", "pw");
    assert_eq!(jar.refresh_refused(&mut other), "NOPERM");
    assert_eq!(jar.check(&mut other), Err("NOPERM".to_owned()));
    assert_eq!(other.status(&["SH.NEW", "alice", "TOKENS"]), "NOPERM");
}
