//! SH.LIST.

use serde_json::{Value, json};
use testkit::*;

/// Sessions that are created one after the other, each in a millisecond of its own.
fn listed(client: &mut Client, name: &str, count: usize) -> Vec<String> {
    let create = |_| {
        let token = client.new_session(&[name, "LISTED", "IDLE", "600"]);
        client.tick();
        token
    };
    (0..count).map(create).collect()
}

#[test]
fn the_sessions_of_a_name_are_listed_oldest_first() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let tokens = listed(&mut client, "alice", 3);
        client.new_session(&["alice"]);
        client.new_session(&["bob", "LISTED"]);
        assert_eq!(client.list(&["SH.LIST", "alice"]), tokens);
        assert_eq!(client.list(&["SH.LIST", "nobody"]), [""; 0]);
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn list_with_info_answers_the_info_of_each_session() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let tokens = listed(&mut client, "alice", 2);
        client.ok(&["SH.SET", &tokens[1], "device", "phone"]);
        let told = items(&client.ok(&["SH.LIST", "alice", "info"]));
        for (session, token) in told.iter().zip(&tokens) {
            assert_eq!(*session, client.ok(&["SH.INFO", token]));
        }
        let json = client.json(&["SH.LIST", "alice", "{}"]);
        let each: Vec<Value> = tokens.iter().map(|token| client.json(&["SH.INFO", token, "{}"])).collect();
        assert_eq!(json, Value::Array(each));
        assert_eq!(json[1]["keyCnt"], json!(1));
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn a_name_of_any_bytes_has_a_list() {
    let server = Server::start();
    let mut client = server.client();
    for name in [&b"\0\xFF"[..], b"{a}b", b"\r\n", b"%n"] {
        let made = client.ok(&[b"SH.NEW", name, b"LISTED"]);
        assert_eq!(items(&client.ok(&[b"SH.LIST", name])), [member(&made, "tkn")]);
    }
}

#[test]
fn a_session_that_ended_expired_or_was_deleted_by_hand_is_not_listed() {
    let server = Server::start();
    let mut client = server.client();
    let tokens = listed(&mut client, "alice", 4);
    client.ok(&["SH.END", &tokens[0]]);
    client.ok(&["DEL", &tokens[1]]);
    client.expire_now(&tokens[2]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), tokens[3..]);
    client.ok(&["DEL", &tokens[3]]);
    client.ok(&["SET", &tokens[3], "something else"]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), [""; 0]);
    assert_eq!(client.list(&["SH.LIST", "alice", "INFO"]), [""; 0]);
}

#[test]
fn a_session_that_the_server_evicted_is_not_listed() {
    let server = Server::with(&["--maxmemory-policy", "volatile-ttl"]);
    let mut client = server.client();
    let kept = client.new_session(&["alice", "LISTED"]);
    let evicted = client.new_session(&["alice", "LISTED", "EXPIRY", "600", "DELETE"]);
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    await_that("what has a deadline is evicted", || {
        client.call(&["SET", "x", "y"]).ok();
        client.int(&["EXISTS", &evicted]) == 0
    });
    assert_eq!(client.list(&["SH.LIST", "alice"]), [kept]);
}

#[test]
fn the_list_expires_with_the_last_of_its_sessions() {
    let server = Server::start();
    let mut client = server.client();
    let short = client.new_session(&["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    let index = client.key("sh:n:alice:*");
    assert_eq!(client.expiry(&index), client.expiry(&short));
    let long = client.new_session(&["alice", "LISTED", "EXPIRY", "600", "DELETE"]);
    assert_eq!(client.expiry(&index), client.expiry(&long));
    client.ok(&["SH.END", &long]);
    assert_eq!(client.expiry(&index), client.expiry(&short));
    let forever = client.new_session(&["alice", "LISTED"]);
    assert_eq!(client.expiry(&index), -1);
    client.ok(&["SH.END", &forever]);
    assert_eq!(client.expiry(&index), client.expiry(&short));
}

#[test]
fn a_list_that_nobody_asks_for_expires_with_its_last_session() {
    let server = Server::start();
    let mut client = server.client();
    // In a transaction, so that no delay of this machine comes between.
    client.ok(&["MULTI"]);
    client.ok(&["SH.NEW", "alice", "LISTED", "EXPIRY", "1", "DELETE"]);
    client.ok(&["DBSIZE"]);
    assert_eq!(int(&items(&client.ok(&["EXEC"]))[1]), 2, "the session and its list");
    await_that("both expire", || client.int(&["DBSIZE"]) == 0);
}

#[test]
fn a_touch_or_write_keeps_a_session_on_the_list() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "LISTED", "IDLE", "600"]);
    let index = client.key("sh:n:*");
    // Alone, and among others.
    for others in 0..2 {
        for renew in [&["SH.TOUCH", &token][..], &["SH.SET", &token, "a", "1"]] {
            client.ok(&["PEXPIRE", &token, "60000"]);
            client.ok(renew);
            let expires = client.expiry(&token);
            assert_eq!(client.expiry(&index), expires, "{renew:?}");
            match others {
                0 => assert_eq!(client.text(&["GET", &index]), token, "{renew:?}"),
                _ => assert_eq!(client.text(&["ZSCORE", &index, &token]), expires.to_string(), "{renew:?}"),
            }
        }
        client.new_session(&["alice", "LISTED", "EXPIRY", "30", "DELETE"]);
    }
}

#[test]
fn a_list_of_one_is_a_string_and_of_more_a_sorted_set() {
    let server = Server::start();
    let mut client = server.client();
    let lifetimes = [&["EXPIRY", "60", "DELETE"][..], &[], &["IDLE", "30"]];
    for (position, lifetime) in lifetimes.iter().enumerate() {
        let first = client.new_session(&[&["alice", "LISTED"], *lifetime].concat());
        let index = client.key("sh:n:*");
        assert_eq!(client.text(&["TYPE", &index]), "string");
        assert_eq!(client.text(&["GET", &index]), first);
        assert_eq!(client.expiry(&index), client.expiry(&first));
        let score = |client: &mut Client, token: &str| match client.expiry(token) {
            -1 => "inf".to_owned(),
            at => at.to_string(),
        };
        let second = client.new_session(&[&["alice", "LISTED"], lifetimes[(position + 1) % 3]].concat());
        assert_eq!(client.text(&["TYPE", &index]), "zset");
        for token in [&first, &second] {
            let wanted = score(&mut client, token);
            assert_eq!(client.text(&["ZSCORE", &index, token]), wanted);
        }
        let expiries = [client.expiry(&first), client.expiry(&second)];
        let latest = if expiries.contains(&-1) { -1 } else { expiries[0].max(expiries[1]) };
        assert_eq!(client.expiry(&index), latest);
        let mut listed = client.list(&["SH.LIST", "alice"]);
        listed.sort();
        let mut both = [first, second];
        both.sort();
        assert_eq!(listed, both);
        assert_eq!(client.int(&["SH.END", &both[0]]), 1);
        assert_eq!(client.list(&["SH.LIST", "alice"]), both[1..]);
        assert_eq!(client.int(&["SH.END", &both[1]]), 1);
        assert_eq!(client.keys(), [""; 0]);
    }
}

#[test]
fn a_list_that_was_lost_comes_back_when_its_sessions_are_touched() {
    let server = Server::start();
    let mut client = server.client();
    let tokens = listed(&mut client, "alice", 2);
    let before = client.contents();
    let index = client.key("sh:n:*");
    client.ok(&["DEL", &index]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), [""; 0]);
    client.ok(&["SH.TOUCH", &tokens[0]]);
    assert_eq!(client.list(&["SH.LIST", "alice"]), tokens[..1]);
    client.ok(&["SH.TOUCH", &tokens[1]]);
    assert_eq!(client.contents(), before);
}

#[test]
fn a_list_never_shows_sessions_of_another_name() {
    let server = Server::start();
    let mut client = server.client();
    let own = client.new_session(&["alice", "LISTED"]);
    let index = client.key("sh:n:*");
    let others = [client.new_session(&["{alice}", "LISTED"]), client.new_session(&["alice"])];
    for forged in &others {
        client.ok(&["SET", &index, forged]);
        assert_eq!(client.list(&["SH.LIST", "alice"]), [""; 0]);
    }
    client.ok(&["DEL", &index]);
    client.ok(&["ZADD", &index, "inf", &own]);
    for forged in others.iter().map(String::as_str).chain(["nonsense", &index]) {
        client.ok(&["ZADD", &index, "inf", forged]);
    }
    assert_eq!(client.list(&["SH.LIST", "alice"]), [own]);
}

#[test]
fn a_limit_ends_the_oldest_sessions_and_answers_their_tokens() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let tokens = listed(&mut client, "alice", 3);
        let made = client.ok(&["SH.NEW", "alice", "LIMIT", "2"]);
        assert_eq!(list(&member(&made, "ended")), tokens[..2]);
        let made = text(&member(&made, "tkn"));
        assert_eq!(client.list(&["SH.LIST", "alice"]), [&tokens[2], &made].map(String::as_str));
        let json = client.json(&["SH.NEW", "alice", r#"{"limit":1}"#]);
        assert_eq!(json["ended"], json!([tokens[2], made]));
        assert!(find(&client.ok(&["SH.NEW", "alice", "LIMIT", "2"]), "ended").is_none());
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn the_limit_of_the_settings_holds_for_every_listed_session() {
    let server = Server::with(&["--sh.max-sessions", "1"]);
    let mut client = server.client();
    let first = client.new_session(&["alice", "LISTED"]);
    let unlisted = client.new_session(&["alice"]);
    let made = client.ok(&["SH.NEW", "alice", "LISTED"]);
    assert_eq!(list(&member(&made, "ended")), [first]);
    assert_eq!(client.list(&["SH.EXISTS", &unlisted]), ["1"]);
}

#[test]
fn a_key_of_another_type_in_place_of_the_list_is_an_error_and_stays() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "LISTED", "IDLE", "600"]);
    let index = client.key("sh:n:*");
    for put in [&["RPUSH", &index, "somebody's"][..], &["SET", &index, "somebody's"], &["SET", &index, ""]] {
        client.ok(&["DEL", &index]);
        client.ok(put);
        let before = client.contents();
        for command in [
            &["SH.LIST", "alice"][..],
            &["SH.LIST", "alice", "INFO"],
            &["SH.NEW", "alice", "LISTED"],
            &["SH.NEW", "alice", "LIMIT", "1"],
            &["SH.ENDALL", "alice"],
            &["SH.ENDALL", "alice", "EXCEPT", &token],
            &["SH.ENDALL", "alice", "ONLY", &token],
        ] {
            assert_eq!(client.status(command), "WRONGTYPE", "{put:?} {command:?}");
        }
        assert_eq!(client.contents(), before);
        client.ok(&["PEXPIRE", &token, "60000"]);
        assert_eq!(client.int(&["SH.TOUCH", &token]), 600_000);
    }
    assert_eq!(client.int(&["SH.END", &token]), 1);
    assert_eq!(client.keys(), [index]);
}

#[test]
fn a_replica_lists_living_sessions_and_repairs_nothing() {
    let primary = Server::start();
    let mut client = primary.client();
    let tokens = listed(&mut client, "alice", 3);
    client.ok(&["DEL", &tokens[0]]);
    client.ok(&["SH.END", &tokens[1]]);
    let replica = primary.replica(&[]);
    assert_eq!(replica.client().list(&["SH.LIST", "alice"]), tokens[2..]);
    assert_eq!(replica.client().contents(), client.contents());
    drop(primary);
    let mut client = replica.client();
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(client.list(&["SH.ENDALL", "alice"]), tokens[2..]);
    assert!(client.keys().is_empty());
}

#[test]
fn each_mistake_is_reported_and_creates_nothing() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        assert_eq!(client.status(&["SH.LIST"]), "ERR");
        assert_eq!(client.status(&["SH.LIST", ""]), "VALUESIZE");
        assert_eq!(client.status(&["SH.LIST", &"x".repeat(513)]), "VALUESIZE");
        assert_eq!(client.status(&["SH.LIST", "alice", "ALL"]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.LIST", "alice", "INFO", "INFO"]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.LIST", "alice", r#"{"info":true}"#]), "COMMANDSYNTAX");
        for limit in ["0", "-1", "x", "4294967296", ""] {
            assert_eq!(client.status(&["SH.NEW", "alice", "LIMIT", limit]), "VALUETYPEINVALID", "{limit:?}");
        }
        assert_eq!(client.status(&["SH.NEW", "alice", "LIMIT"]), "VALUEMISSING");
        assert_eq!(client.status(&["SH.NEW", "alice", "LISTED", "SHARED"]), "COMMANDSYNTAX");
        assert!(client.keys().is_empty());
    }
}
