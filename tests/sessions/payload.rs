//! SH.PAYLOAD.

use serde_json::json;
use testkit::jar::*;
use testkit::*;

#[test]
fn a_new_payload_is_in_the_next_access_token() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    assert_eq!(client.text(&["SH.PAYLOAD", &jar.tkn]), "{}");
    let payload = r#" {"role" : "admin", "n": 1.50} "#;
    let effects = server.effects(|| {
        assert_eq!(server.client3().text(&["SH.PAYLOAD", &jar.tkn, payload]), r#"{"role":"admin","n":1.50}"#);
    });
    assert_eq!(effects, [["HSET", &jar.tkn, ".payload", r#"{\"role\":\"admin\",\"n\":1.50}"#]]);
    assert_eq!(client.text(&["SH.PAYLOAD", &jar.tkn]), r#"{"role":"admin","n":1.50}"#);
    assert_eq!(claims(&jar.refresh(&mut client).access)["role"], "admin");
}

#[test]
fn each_failure_has_its_status_and_writes_nothing() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "jwtPayload": {"a": 1}}));
    let long = json!({"p": "x".repeat(2_048)}).to_string();
    let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    for (payload, status) in [
        ("", "COMMANDSYNTAX"),
        ("{", "COMMANDSYNTAX"),
        ("{} {}", "COMMANDSYNTAX"),
        ("[]", "VALUETYPEINVALID"),
        ("null", "VALUETYPEINVALID"),
        (r#"{"sub":"bob"}"#, "VALUETYPEINVALID"),
        (r#"{"\u0065xp":9999999999}"#, "VALUETYPEINVALID"),
        (r#"{"a":1,"a":2}"#, "VALUETYPEINVALID"),
        (&long, "VALUESIZE"),
        (&deep, "VALUESIZE"),
    ] {
        assert_eq!(client.status(&["SH.PAYLOAD", &jar.tkn, payload]), status, "{payload:.40}");
        assert_eq!(client.status(&["SH.REGENERATE", &jar.tkn, &jar.access, payload]), status, "{payload:.40}");
        assert_eq!(client.status(&["SH.NEW", "bob", "TOKENS", "PAYLOAD", payload]), status, "{payload:.40}");
    }
    assert_eq!(client.field(&jar.tkn, ".payload").as_deref(), Some(r#"{"a":1}"#));
    assert!(client.list(&["KEYS", "sh:n:bob:*"]).is_empty());
    assert_eq!(client.status(&["SH.PAYLOAD", "garbage"]), "SESSIONTOKENINVALID");
    assert_eq!(client.status(&["SH.PAYLOAD", "sh:0123456789012345678901234", "{}"]), "SESSIONNOTEXIST");
    assert_eq!(client.status(&["SH.PAYLOAD", &jar.tkn, "{}", "{}"]), "COMMANDSYNTAX");
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let command: [&[u8]; 3] = [b"SH.PAYLOAD", jar.tkn.as_bytes(), b"{\"a\":\"\xFF\"}"];
    assert_eq!(client.status(&command), "COMMANDSYNTAX");
}
