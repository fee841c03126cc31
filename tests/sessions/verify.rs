//! SH.VERIFY.

use serde_json::json;
use testkit::jar::*;
use testkit::*;

#[test]
fn verifying_answers_the_claims_of_the_token() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "jwtPayload": {"role": "admin"}}));
    let expiry = claims(&jar.access)["exp"].as_i64().expect("a time") * 1_000;
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.VERIFY", &jar.access, "CSRF", &jar.csrf]);
        let session = member(&reply, "session");
        assert_eq!(text(&member(&session, "userId")), "alice");
        assert_eq!(text(&member(&session, "userDataInJWT")), r#"{"role":"admin"}"#);
        assert_eq!(int(&member(&reply, "expiry")), expiry);
    }
    let session = json!({"handle": jar.tkn, "userId": "alice", "userDataInJWT": {"role": "admin"}});
    assert_eq!(client.json(&["SH.VERIFY", &jar.access, "{}"]), json!({"session": session, "expiry": expiry}));
}

#[test]
fn the_key_that_a_sender_must_prove_to_hold_is_told_by_verify_and_check() {
    let server = Server::start();
    let mut client = server.client();
    let thumbprint = "C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y";
    let bound = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "bind": thumbprint}));
    let plain = Jar::tokens(&mut client);
    // The fingerprint of a certificate as tools print it is no thumbprint of a key, and is not told as one.
    let certificate = "0b7348fa038970c48ec07cd73b6257f39ec810f60f16ee73b62e3c6e2610abc6";
    let other = Jar::with(&mut client, "alice", json!({"credentials": "tokens", "bind": certificate}));
    for mut client in [server.client(), server.client3()] {
        for jar in [&bound, &plain, &other] {
            let confirmation = (jar == &bound).then(|| thumbprint.to_owned());
            for command in [&["SH.VERIFY", &jar.access][..], &["SH.CHECK", &jar.tkn, &jar.access]] {
                let told = find(&client.ok(command), "cnf").map(|cnf| text(&member(&cnf, "jkt")));
                assert_eq!(told, confirmation, "{command:?}");
                let told = client.json(&[command, &["{}"]].concat());
                assert_eq!(
                    told.get("cnf"),
                    confirmation.as_ref().map(|jkt| json!({"jkt": jkt})).as_ref(),
                    "{command:?}"
                );
            }
        }
    }
}

#[test]
fn an_invalid_access_token_asks_for_a_refresh() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    let long = "x".repeat(1_000_000);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", jar.access.split('.').nth(1).expect("three parts"));
    for token in ["", ".", "..", "a.b.c", "\0", &long, &none, &jar.access[1..], &jar.sealed, &jar.csrf] {
        assert_eq!(client.status(&["SH.VERIFY", token]), "TRYREFRESHTOKEN", "{token:.40}");
    }
    assert_eq!(client.status(&["SH.VERIFY", &jar.access, "CSRF", ""]), "TRYREFRESHTOKEN");
    assert_eq!(client.status(&["SH.VERIFY", &jar.access, r#"{"antiCsrfToken":null}"#]), "TRYREFRESHTOKEN");
    assert_eq!(client.status(&["SH.VERIFY", &jar.access, "BIND", "x"]), "COMMANDSYNTAX");
}

#[test]
fn a_replica_verifies_what_its_primary_signed() {
    let primary = Server::start();
    let replica = primary.replica(&[]);
    let jar = Jar::tokens(&mut primary.client());
    replica.is_in_sync(&primary);
    let mut client = replica.client();
    assert_eq!(jar.verify(&mut client), Ok(()));
    assert_eq!(jar.check(&mut client), Ok(()));
    assert_eq!(client.text(&["SH.JWKS"]), primary.client().text(&["SH.JWKS"]));
}

#[test]
fn credentials_of_one_database_are_refused_in_another() {
    for options in [&[][..], &["file"]] {
        let server = Server::start();
        let mut client = server.client();
        if !options.is_empty() {
            let file = server.dir().join("secrets");
            std::fs::write(&file, "a".repeat(32)).expect("a file");
            client.ok(&["CONFIG", "SET", "sh.secret-file", file.to_str().expect("UTF-8")]);
        }
        let (tokens, cookie) = (Jar::tokens(&mut client), Jar::cookie(&mut client));
        let keys = client.text(&["SH.JWKS"]);
        for token in [&tokens.tkn, &cookie.tkn] {
            client.ok(&["COPY", token, token, "DB", "1"]);
        }
        client.ok(&["SELECT", "1"]);
        // The sessions are there, and their credentials are of elsewhere.
        Jar::tokens(&mut client);
        assert_eq!(tokens.verify(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
        assert_eq!(tokens.check(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
        assert_eq!(tokens.refresh_refused(&mut client), "UNAUTHORISED");
        assert_eq!(cookie.resume(&mut client), Err("UNAUTHORISED".to_owned()));
        assert_ne!(client.text(&["SH.JWKS"]), keys);
    }
}

#[test]
fn issuer_and_audience_are_written_and_checked() {
    let server = Server::start();
    let mut client = server.client();
    let before = Jar::tokens(&mut client);
    client.ok(&["CONFIG", "SET", "sh.issuer", "https://us.example", "sh.audience", "web"]);
    let jar = Jar::tokens(&mut client);
    let said = claims(&jar.access);
    assert_eq!((&said["iss"], &said["aud"]), (&json!("https://us.example"), &json!("web")));
    assert_eq!(jar.verify(&mut client), Ok(()));
    assert_eq!(before.verify(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
    client.ok(&["CONFIG", "SET", "sh.audience", "app"]);
    assert_eq!(jar.verify(&mut client), Err("TRYREFRESHTOKEN".to_owned()));
}

#[test]
fn with_a_shared_key_only_the_server_verifies() {
    let server = Server::with(&["--sh.jwt-algorithm", "hs256"]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    assert!(jar.access.starts_with("eyJhbGciOiJIUzI1NiI"), "{}", jar.access);
    assert_eq!(jar.verify(&mut client), Ok(()));
    assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
    assert_eq!(client.text(&["SH.JWKS"]), r#"{"keys":[]}"#);
}
