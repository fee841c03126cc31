//! Limits that keep one command from holding up all others.

use testkit::*;

#[test]
fn a_name_is_limited_to_a_thousand_sessions_at_most() {
    let server = Server::start();
    let mut client = server.client();
    for wrong in ["0", "1001", "4294967295", "-1", "1.5", ""] {
        assert_eq!(client.status(&["SH.NEW", "alice", "LIMIT", wrong]), "VALUETYPEINVALID", "{wrong:?}");
    }
    for wrong in [r#"{"limit":1001}"#, r#"{"limit":0}"#, r#"{"limit":"5"}"#] {
        assert_eq!(client.status(&["SH.NEW", "alice", wrong]), "VALUETYPEINVALID", "{wrong}");
    }
    assert!(client.keys().is_empty());
    client.new_session(&["alice", "LIMIT", "1000"]);
    client.json(&["SH.NEW", "alice", r#"{"limit":1000}"#]);
    client.ok(&["CONFIG", "SET", "sh.max-sessions", "1000"]);
    let refused = client.call(&["CONFIG", "SET", "sh.max-sessions", "1001"]).expect_err("refused");
    assert!(refused.contains("sh.max-sessions must be a number from 0 to 1000"), "{refused}");
}

/// An empty JSON object of this length.
fn blank(length: usize) -> String {
    format!("{{{}}}", " ".repeat(length - 2))
}

#[test]
fn options_in_json_without_data_have_at_most_64_kibibytes() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED"]);
    let commands: [&[&str]; 8] = [
        &["SH.OPEN", "carts"],
        &["SH.INFO", &token],
        &["SH.LIST", "carts"],
        &["SH.CLEARCOOKIES"],
        &["SH.VERIFY", "x"],
        &["SH.CHECK", &token, "x"],
        &["SH.RESUME", &token, "x"],
        &["SH.REFRESH", &token, "x"],
    ];
    for command in commands {
        let mut with = |json: &str| {
            let reply = client.call(&[command, &[json]].concat());
            reply.map_or_else(|error| error.split(' ').next().unwrap_or_default().to_owned(), |_| "OK".to_owned())
        };
        assert_ne!(with(&blank(65_536)), "VALUESIZE", "{command:?}");
        assert_eq!(with(&blank(65_537)), "VALUESIZE", "{command:?}");
        // The text after the first unknown member is no JSON, and is not read.
        assert_eq!(with(r#"{"never":?"#), "COMMANDSYNTAX", "{command:?}");
        let told = client.call(&[command, &[r#"{"never":?"#]].concat()).expect_err("refused");
        assert!(told.contains("unknown JSON member"), "{command:?}: {told}");
    }
}

#[test]
fn data_in_json_may_be_long_and_is_read_no_further_than_an_unknown_member() {
    let server = Server::start();
    let mut client = server.client();
    let long = "x".repeat(1_000_000);
    client.json(&["SH.NEW", "alice", &format!(r#"{{"sessionData":{{"a":"{long}"}}}}"#)]);
    for unknown in [r#"{"never":?"#, r#"{"expiry":{"never":1}}"#] {
        let told = client.call(&["SH.NEW", "alice", unknown]).expect_err("refused");
        assert!(told.starts_with("COMMANDSYNTAX unknown JSON member"), "{told}");
    }
}
