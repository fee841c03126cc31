//! SH.GET.

use redis::Value;
use std::collections::BTreeMap;
use testkit::*;

/// All data of a session.
fn all(client: &mut Client, token: &str) -> BTreeMap<String, String> {
    let data = client.ok(&["SH.GET", token]);
    members(&data).into_iter().map(|field| (field.clone(), text(&member(&data, &field)))).collect()
}

#[test]
fn values_come_in_the_requested_order_with_null_for_missing_fields() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice", "DATA", r#"{"a":"1","b":""}"#]);
        let values = client.ok(&["SH.GET", &token, "b", "c", "a", "a"]);
        let string = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        assert_eq!(values, Value::Array(vec![string(""), Value::Nil, string("1"), string("1")]));
    }
}

#[test]
fn without_fields_all_data_comes_and_no_metadata() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        for expiry in [&[][..], &["EXPIRY", "60", "CLEAR"]] {
            let token = client.new_session(&[&["alice", "DATA", r#"{"a":"1","b":"2"}"#], expiry].concat());
            let expected = [("a", "1"), ("b", "2")].map(|(field, value)| (field.to_owned(), value.to_owned()));
            assert_eq!(all(&mut client, &token), BTreeMap::from(expected));
        }
    }
}

#[test]
fn a_session_without_data_has_an_empty_map() {
    let server = Server::start();
    let token = server.client().new_session(&["alice"]);
    assert_eq!(server.client3().ok(&["SH.GET", &token]), Value::Map(vec![]));
    assert_eq!(server.client().ok(&["SH.GET", &token]), Value::Array(vec![]));
}

#[test]
fn thousands_of_fields_are_answered_once_each() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    let fields: Vec<_> = (0..5_000).flat_map(|number| [format!("field {number}"), format!("value {number}")]).collect();
    let mut set = vec!["SH.SET".to_owned(), token.clone()];
    set.extend(fields.iter().cloned());
    assert_eq!(client.int(&set), 5_000);
    assert_eq!(members(&client.ok(&["SH.GET", &token])).len(), 5_000);
    let expected: BTreeMap<_, _> = fields.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    assert_eq!(all(&mut client, &token), expected);
}

#[test]
fn each_mistake_is_reported() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        assert_eq!(client.status(&["SH.GET"]), "ERR");
        assert_eq!(client.status(&["SH.GET", "alice"]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&["SH.GET", &token, "a", ".name"]), "VALUETYPEINVALID");
        client.ok(&["SH.END", &token]);
        assert_eq!(client.status(&["SH.GET", &token]), "SESSIONNOTEXIST");
    }
}
