//! SH.SET.

use testkit::*;

#[test]
fn set_answers_the_number_of_new_fields() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
        assert_eq!(client.int(&["SH.SET", &token, "a", "2", "b", "3", "c", "4"]), 2);
        assert_eq!(client.list(&["SH.GET", &token, "a", "b", "c"]), ["2", "3", "4"]);
    }
}

#[test]
fn the_last_value_of_a_repeated_field_is_stored() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    assert_eq!(client.int(&["SH.SET", &token, "a", "1", "a", "2"]), 1);
    assert_eq!(client.list(&["SH.GET", &token, "a"]), ["2"]);
}

#[test]
fn a_write_touches_the_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600"]);
    client.ok(&["PEXPIRE", &token, "60000"]);
    client.ok(&["SH.SET", &token, "a", "1"]);
    assert!(client.int(&["PTTL", &token]) > 60_000);
}

#[test]
fn a_write_keeps_the_deadline_of_a_session_that_is_to_be_deleted() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "600", "DELETE"]);
    let before = client.expiry(&token);
    client.ok(&["SH.SET", &token, "a", "1"]);
    assert_eq!(client.expiry(&token), before);
}

#[test]
fn data_that_is_to_be_cleared_is_a_hash_beside_the_session() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "600", "CLEAR"]);
    assert_eq!(client.keys(), [token.as_str()], "no data, no key");
    client.ok(&["SH.SET", &token, "a", "1"]);
    let data = client.key("sh:d:*");
    let expires = client.expiry(&data);
    client.ok(&["SH.SET", &token, "b", "2"]);
    assert_eq!(client.int(&["HLEN", &data]), 2);
    assert_eq!(client.expiry(&data), expires, "the first write to empty data says when");
    assert_eq!(client.field(&token, "a"), None);
}

#[test]
fn writing_never_brings_back_a_session_that_ends_meanwhile() {
    let server = Server::start();
    let mut client = server.client();
    let writes = |token: &str| vec![vec!["SH.SET".to_owned(), token.to_owned(), "a".to_owned(), "1".to_owned()]; 500];
    let token = client.new_session(&["alice", "EXPIRY", "600", "DELETE"]);
    assert_eq!(client.int(&["SH.SET", &token, "a", "1"]), 1);
    client.ok(&["PEXPIRE", &token, "50"]);
    let mut answers = Vec::new();
    await_that("a write is refused", || {
        answers.extend(client.pipeline(&writes(&token)));
        answers.last().is_some_and(Result::is_err)
    });
    let end = answers.iter().position(Result::is_err).expect("an end");
    let refused =
        |answer: &Result<_, String>| answer.as_ref().is_err_and(|error| error.starts_with("SESSIONNOTEXIST "));
    assert!(answers[end..].iter().all(refused));
    assert!(client.keys().is_empty());
}

#[test]
fn each_mistake_is_reported_and_writes_nothing() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        let before = client.contents();
        assert_eq!(client.status(&["SH.SET"]), "ERR");
        assert_eq!(client.status(&["SH.SET", "alice", "a", "1"]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&["SH.SET", &token]), "VALUEMISSING");
        assert_eq!(client.status(&["SH.SET", &token, "a", "1", "b"]), "VALUEMISSING");
        assert_eq!(client.status(&["SH.SET", &token, "a", "1", ".name", "bob"]), "VALUETYPEINVALID");
        assert_eq!(client.contents(), before);
        client.ok(&["SH.END", &token]);
        assert_eq!(client.status(&["SH.SET", &token, "a", "1"]), "SESSIONNOTEXIST");
        assert!(client.keys().is_empty());
    }
}
