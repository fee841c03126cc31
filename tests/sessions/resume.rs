//! SH.RESUME.

use serde_json::json;
use testkit::jar::*;
use testkit::*;

#[test]
fn resume_answers_session_and_data_in_one_command() {
    let server = Server::start();
    let mut client = server.client();
    let options = json!({
        "credentials": "cookie", "idle": 600, "sessionData": {"cart": "3 apples"}, "jwtPayload": {"role": "admin"},
    });
    let jar = Jar::with(&mut client, "alice", options);
    let expires = client.expiry(&jar.tkn);
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.RESUME", &jar.tkn, &jar.sealed, "CSRF", &jar.csrf, "GET", "cart", "none"]);
        let session = member(&reply, "session");
        assert_eq!(text(&member(&session, "userId")), "alice");
        assert_eq!(text(&member(&session, "handle")), jar.tkn);
        assert_eq!(text(&member(&session, "userDataInJWT")), r#"{"role":"admin"}"#);
        assert_eq!(int(&member(&reply, "expiry")), expires);
        let data = member(&reply, "data");
        assert_eq!(text(&member(&data, "cart")), "3 apples");
        assert_eq!(member(&data, "none"), redis::Value::Nil);
    }
    let reply = client.json(&["SH.RESUME", &jar.tkn, &jar.sealed, r#"{"get":["cart","none"]}"#]);
    let session = json!({"handle": jar.tkn, "userId": "alice", "userDataInJWT": {"role": "admin"}});
    assert_eq!(reply, json!({"session": session, "expiry": expires, "data": {"cart": "3 apples", "none": null}}));
    let reply = client.json(&["SH.RESUME", &jar.tkn, &jar.sealed, "{}"]);
    assert_eq!(reply, json!({"session": session, "expiry": expires}));
}

#[test]
fn resuming_renews_the_idle_time() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::with(&mut client, "alice", json!({"credentials": "cookie", "idle": 600}));
    client.ok(&["PEXPIRE", &jar.tkn, "300000"]);
    let before = client.now();
    assert_eq!(jar.resume(&mut client), Ok(()));
    assert!(client.expiry(&jar.tkn) >= before + 600_000);
}

#[test]
fn each_failure_has_its_status() {
    let server = Server::start();
    let mut client = server.client();
    let (jar, tokens) = (Jar::cookie(&mut client), Jar::tokens(&mut client));
    for (arguments, status) in [
        (&["garbage", "garbage"][..], "UNAUTHORISED"),
        (&[&jar.tkn, &tokens.sealed], "UNAUTHORISED"),
        (&[&tokens.tkn, &tokens.sealed], "UNAUTHORISED"),
        (&[&jar.tkn, &jar.sealed, "BIND", "x"], "UNAUTHORISED"),
        (&[&jar.tkn, &jar.sealed, "CSRF", ""], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.sealed, r#"{"antiCsrfToken":null}"#], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.sealed, "GET"], "VALUEMISSING"),
        (&[&jar.tkn, &jar.sealed, "GET", ".name"], "VALUETYPEINVALID"),
        (&[&jar.tkn, &jar.sealed, "NOGRACE"], "COMMANDSYNTAX"),
    ] {
        assert_eq!(client.status(&[&["SH.RESUME"], arguments].concat()), status, "{arguments:?}");
    }
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    let next = jar.refresh(&mut client).refresh(&mut client);
    assert_eq!(jar.resume(&mut client), Err("TRYREFRESHTOKEN".to_owned()), "rotated out");
    assert_eq!(next.resume(&mut client), Ok(()));
    client.expire_now(&next.tkn);
    assert_eq!(next.resume(&mut client), Err("UNAUTHORISED".to_owned()));
}
