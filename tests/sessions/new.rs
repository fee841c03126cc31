//! SH.NEW.

use serde_json::json;
use std::collections::HashSet;
use std::thread;
use testkit::*;

fn is_token(token: &str) -> bool {
    let own = token.strip_prefix("sh:").unwrap_or_default();
    own.len() == 25 && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[test]
fn new_answers_name_token_and_status() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.NEW", "alice"]);
        assert_eq!(members(&reply), ["name", "tkn", "st"]);
        assert_eq!(text(&member(&reply, "name")), "alice");
        assert!(is_token(&text(&member(&reply, "tkn"))));
        assert_eq!(int(&member(&reply, "st")), 1);
    }
}

#[test]
fn the_reply_is_a_map_in_resp3_and_a_flat_array_in_resp2() {
    let server = Server::start();
    assert!(matches!(server.client().ok(&["SH.NEW", "alice"]), redis::Value::Array(_)));
    assert!(matches!(server.client3().ok(&["SH.NEW", "alice"]), redis::Value::Map(_)));
}

#[test]
fn a_request_in_json_gets_a_reply_in_json() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let reply = client.json(&["SH.NEW", "alice", "{}"]);
        assert_eq!(reply.as_object().map(serde_json::Map::len), Some(3));
        assert_eq!((&reply["name"], &reply["st"]), (&json!("alice"), &json!(1)));
        assert!(is_token(reply["tkn"].as_str().expect("a token")));
    }
}

#[test]
fn every_session_has_a_token_of_its_own() {
    let server = Server::start();
    let create = vec![vec!["SH.NEW", "alice"]; 1_000];
    let replies = server.client().pipeline(&create);
    let tokens: HashSet<_> = replies.iter().map(|reply| text(&member(reply.as_ref().expect("ok"), "tkn"))).collect();
    assert_eq!(tokens.len(), 1_000);
}

#[test]
fn a_session_is_one_plain_hash_that_any_tool_can_read() {
    let server = Server::start();
    let mut client = server.client();
    let before = client.now();
    let token = client.new_session(&["alice", "DATA", r#"{"color":"red","count":3,"nested":{"a":[1,2]}}"#]);
    assert_eq!(client.keys(), [token.as_str()]);
    assert_eq!(client.text(&["TYPE", &token]), "hash");
    assert_eq!(client.int(&["HLEN", &token]), 5);
    assert_eq!(client.field(&token, ".name").as_deref(), Some("alice"));
    let created: i64 = client.created(&token);
    assert!((before..=client.now()).contains(&created));
    assert_eq!(client.list(&["HMGET", &token, "color", "count", "nested"]), ["red", "3", r#"{"a":[1,2]}"#]);
}

#[test]
fn a_small_session_stays_compact() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "60", "EXPIRY", "600", "DELETE", "DATA", r#"{"a":"b"}"#]);
    assert_eq!(client.text(&["OBJECT", "ENCODING", &token]), "listpack");
}

// The examples of the NemesisDB page, as printed there.

#[test]
fn nemesisdb_a_session_that_never_expires() {
    let server = Server::start();
    let mut client = server.client();
    let token =
        client.json(&["SH.NEW", "session1", r#"{"name":"session1"}"#])["tkn"].as_str().expect("a token").to_owned();
    assert_eq!(client.expiry(&token), -1);
    assert_eq!(client.status(&["SH.OPEN", "session1"]), "SESSIONOPENFAIL", "it is not shared");
}

#[test]
fn nemesisdb_a_session_that_is_deleted_after_one_minute() {
    let server = Server::start();
    let mut client = server.client();
    let options = r#"{"name":"session1", "expiry":{"duration":60, "deleteSession":true}}"#;
    let reply = client.json(&["SH.NEW", "session1", options]);
    let token = reply["tkn"].as_str().expect("a token");
    let created: i64 = client.created(token);
    assert_eq!(client.expiry(token), created + 60_000, "to the millisecond");
    client.expire_now(token);
    assert_eq!(client.status(&["SH.GET", token]), "SESSIONNOTEXIST");
    assert!(client.keys().is_empty());
}

#[test]
fn nemesisdb_a_session_whose_data_alone_goes_after_one_minute() {
    let server = Server::start();
    let mut client = server.client();
    let options = r#"{"name":"session1", "expiry":{"duration":60, "deleteSession":false}}"#;
    let reply = client.json(&["SH.NEW", "session1", options]);
    let token = reply["tkn"].as_str().expect("a token");
    client.ok(&["SH.SET", token, "color", "red"]);
    assert_eq!(client.expiry(token), -1);
    let data = client.key("sh:d:*");
    assert!((1..=60_000).contains(&client.int(&["PTTL", &data])));
    client.expire_now(&data);
    assert_eq!(client.ok(&["SH.GET", token, "color"]), redis::Value::Array(vec![redis::Value::Nil]));
    assert_eq!(client.ok(&["SH.EXISTS", token]), redis::Value::Array(vec![redis::Value::Int(1)]));
}

#[test]
fn nemesisdb_a_shared_session() {
    let server = Server::start();
    let reply = server.client().json(&["SH.NEW", "session1", r#"{"name":"session1", "shared":true}"#]);
    let mut other = server.client();
    assert_eq!(other.json(&["SH.OPEN", "session1", "{}"])["tkn"], reply["tkn"]);
}

#[test]
fn a_session_ends_at_its_expiry() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "EXPIRY", "1", "DELETE"]);
    await_that("the session ends", || client.call(&["SH.TOUCH", &token]).is_err());
    assert_eq!(client.status(&["SH.TOUCH", &token]), "SESSIONNOTEXIST");
    assert_eq!(client.status(&["SH.OPEN", "carts"]), "SESSIONOPENFAIL");
    await_that("nothing is left", || client.keys().is_empty());
    client.new_session(&["carts", "SHARED"]);
}

#[test]
fn the_longest_duration_is_136_years_and_exact() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "4294967295", "DELETE", "IDLE", "4294967295"]);
    let created: i64 = client.created(&token);
    assert_eq!(client.expiry(&token), created + 4_294_967_295_000);
}

#[test]
fn a_shared_sessions_pointer_lives_as_long_as_the_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "IDLE", "600"]);
    let pointer = client.key("sh:s:carts:*");
    assert_eq!(client.text(&["GET", &pointer]), token);
    assert_eq!(client.expiry(&pointer), client.expiry(&token));
}

#[test]
fn a_taken_shared_name_is_refused_without_its_token() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED"]);
    let before = client.contents();
    for attempt in [&["SH.NEW", "carts", "SHARED"][..], &["SH.NEW", "carts", r#"{"shared":true}"#]] {
        let error = client.call(attempt).expect_err("taken");
        assert!(error.starts_with("SESSIONNEWFAIL ") && !error.contains(&token), "{error}");
    }
    assert_eq!(client.contents(), before);
    client.new_session(&["carts"]);
}

#[test]
fn of_many_clients_creating_one_shared_name_one_succeeds() {
    let server = Server::start();
    let names: Vec<_> = (0..200).map(|number| format!("name {number}")).collect();
    let create: Vec<_> = names.iter().map(|name| vec!["SH.NEW", name, "SHARED"]).collect();
    let clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    let answers: Vec<_> = thread::scope(|scope| {
        let race = |mut client: Client| {
            scope.spawn({
                let create = &create;
                move || client.pipeline(create)
            })
        };
        let racers: Vec<_> = clients.into_iter().map(race).collect();
        racers.into_iter().map(|racer| racer.join().expect("answers")).collect()
    });
    for (number, name) in names.iter().enumerate() {
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().map(|answers| &answers[number]).partition(|answer| answer.is_ok());
        assert_eq!((won.len(), lost.len()), (1, 3), "{name}");
        let token = text(&member(won[0].as_ref().expect("one won"), "tkn"));
        assert!(lost.iter().all(|lost| lost.as_ref().is_err_and(|error| error.starts_with("SESSIONNEWFAIL "))));
        assert_eq!(text(&member(&server.client().ok(&["SH.OPEN", name]), "tkn")), token);
    }
}

#[test]
fn sessions_of_one_database_are_not_those_of_another() {
    let server = Server::start();
    let (mut here, mut there) = (server.client(), server.client());
    there.ok(&["SELECT", "3"]);
    let token = here.new_session(&["carts", "SHARED"]);
    assert_eq!(there.status(&["SH.GET", &token]), "SESSIONNOTEXIST");
    assert_eq!(there.status(&["SH.OPEN", "carts"]), "SESSIONOPENFAIL");
    assert_ne!(there.new_session(&["carts", "SHARED"]), token);
}

#[test]
fn each_mistake_is_reported_and_writes_nothing() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        for (arguments, status) in [
            (&[][..], "VALUEMISSING"),
            (&[""], "VALUESIZE"),
            (&[&"x".repeat(513)], "VALUESIZE"),
            (&["alice", "EXPIRY", "60"], "VALUEMISSING"),
            (&["alice", r#"{"expiry":{"duration":60}}"#], "VALUEMISSING"),
            (&["alice", "EXPIRY", "soon", "DELETE"], "VALUETYPEINVALID"),
            (&["alice", r#"{"shared":"yes"}"#], "VALUETYPEINVALID"),
            (&["alice", "DATA", r#"{".name":"bob"}"#], "VALUETYPEINVALID"),
            (&["alice", "FOREVER"], "COMMANDSYNTAX"),
            (&["alice", r#"{"name":"bob"}"#], "COMMANDSYNTAX"),
            (&["alice", "{}", "{}"], "COMMANDSYNTAX"),
        ] {
            assert_eq!(client.status(&[&["SH.NEW"], arguments].concat()), status, "{arguments:?}");
        }
        assert!(client.keys().is_empty());
    }
}

#[test]
fn an_error_says_what_was_wrong_and_what_was_expected() {
    let server = Server::start();
    let mut client = server.client();
    for (command, error) in [
        (&["SH.NEW"][..], "VALUEMISSING the name is missing"),
        (&["SH.NEW", "alice", "IDLE", "x"], "VALUETYPEINVALID IDLE takes a number of seconds from 0 to 4294967295"),
        (
            &["SH.NEW", "alice", "FOREVER"],
            "COMMANDSYNTAX unknown option; the options are SHARED, EXPIRY, IDLE, DATA, PAYLOAD, TOKENS, COOKIE, BIND, LISTED, LIMIT",
        ),
        (&["SH.OPEN", "carts"], "SESSIONOPENFAIL there is no shared session of that name"),
    ] {
        assert_eq!(client.call(command), Err(error.to_owned()));
    }
}

#[test]
fn a_full_server_makes_no_new_session_and_still_serves_those_it_has() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(client.status(&["SH.NEW", "alice"]), "OOM");
    assert_eq!(client.status(&["SH.SET", &token, "a", "2"]), "OOM");
    assert_eq!(client.list(&["SH.GET", &token, "a"]), ["1"]);
    assert!(client.int(&["SH.TOUCH", &token]) > 0);
    assert_eq!(client.int(&["SH.END", &token]), 1);
}
