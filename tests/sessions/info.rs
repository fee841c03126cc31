//! SH.INFO.

use serde_json::{Value, json};
use testkit::*;

fn info(client: &mut Client, token: &str) -> Value {
    client.json(&["SH.INFO", token, "{}"])
}

#[test]
fn info_answers_name_creation_and_number_of_fields() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice", "DATA", r#"{"a":"1","b":"2"}"#]);
        let reply = client.ok(&["SH.INFO", &token]);
        assert_eq!(members(&reply), ["tkn", "name", "shared", "keyCnt", "expires", "created"]);
        assert_eq!(text(&member(&reply, "tkn")), token);
        assert_eq!(text(&member(&reply, "name")), "alice");
        assert_eq!(int(&member(&reply, "keyCnt")), 2);
        assert_eq!((int(&member(&reply, "shared")), int(&member(&reply, "expires"))), (0, 0));
        assert_eq!(int(&member(&reply, "created")), client.created(&token));
    }
}

#[test]
fn booleans_are_booleans_in_resp3_and_1_or_0_in_resp2() {
    let server = Server::start();
    let token = server.client().new_session(&["carts", "SHARED"]);
    assert_eq!(member(&server.client3().ok(&["SH.INFO", &token]), "shared"), redis::Value::Boolean(true));
    assert_eq!(member(&server.client().ok(&["SH.INFO", &token]), "shared"), redis::Value::Int(1));
}

#[test]
fn the_expiry_has_its_duration_and_the_remaining_seconds() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "60", "DELETE"]);
    client.ok(&["PEXPIRE", &token, "29999"]);
    let told = info(&mut client, &token);
    assert_eq!(told["expires"], json!(true));
    assert_eq!(told["expiry"]["duration"], json!(60));
    assert_eq!(told["expiry"]["deleteSession"], json!(true));
    assert!((1..=30).contains(&told["expiry"]["remaining"].as_u64().expect("seconds")));
}

#[test]
fn with_clear_and_no_data_there_is_no_remaining_time() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "60", "CLEAR"]);
    assert_eq!(info(&mut client, &token)["expiry"], json!({"duration": 60, "deleteSession": false}));
    client.ok(&["SH.SET", &token, "a", "1"]);
    let told = info(&mut client, &token);
    assert_eq!((&told["keyCnt"], &told["expires"]), (&json!(1), &json!(true)));
    assert!((1..=60).contains(&told["expiry"]["remaining"].as_u64().expect("seconds")));
    let data = client.key("sh:d:*");
    client.expire_now(&data);
    assert_eq!(info(&mut client, &token)["keyCnt"], json!(0));
}

#[test]
fn the_idle_time_is_answered_with_the_time_last_seen() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600"]);
    let told = info(&mut client, &token);
    assert_eq!((&told["idle"], &told["expires"]), (&json!(600), &json!(true)));
    assert_eq!(told["seen"], told["created"]);
    assert!(told.get("expiry").is_none());
}

#[test]
fn info_does_not_touch_the_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600"]);
    client.ok(&["PEXPIRE", &token, "60000"]);
    let before = client.contents();
    client.ok(&["SH.INFO", &token]);
    client.ok(&["SH.GET", &token]);
    client.ok(&["SH.EXISTS", &token]);
    assert_eq!(client.contents(), before);
}

#[test]
fn a_name_of_any_bytes_is_exact_in_resp_and_readable_in_json() {
    let server = Server::start();
    let mut client = server.client();
    let reply = client.ok(&[&b"SH.NEW"[..], b"\xFF\0\r\n"]);
    let token = text(&member(&reply, "tkn"));
    assert_eq!(bytes(&member(&client.ok(&["SH.INFO", &token]), "name")), b"\xFF\0\r\n");
    assert_eq!(info(&mut client, &token)["name"], json!("\u{FFFD}\0\r\n"));
}

#[test]
fn each_mistake_is_reported() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        assert_eq!(client.status(&["SH.INFO"]), "ERR");
        assert_eq!(client.status(&["SH.INFO", "alice"]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&["SH.INFO", &token, "ALL"]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.INFO", &token, r#"{"all":1}"#]), "COMMANDSYNTAX");
        client.ok(&["SH.END", &token]);
        assert_eq!(client.status(&["SH.INFO", &token]), "SESSIONNOTEXIST");
    }
}
