//! SH.CLEARCOOKIES, and how cookies are set.

use serde_json::Value;
use testkit::jar::*;
use testkit::*;

fn cookies(reply: &Value) -> Vec<String> {
    let cookies = reply["setCookie"].as_array().expect("cookies");
    cookies.iter().map(|cookie| cookie.as_str().expect("a cookie").to_owned()).collect()
}

#[test]
fn cookies_have_the_attributes_of_the_settings() {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&[
        &["CONFIG", "SET", "sh.cookie-domain", "example.com", "sh.cookie-same-site", "none"][..],
        &["sh.access-path", "/api", "sh.refresh-path", "/api/refresh", "sh.cookie-prefix", "__Secure-"],
    ]
    .concat());
    let reply = client.json(&["SH.NEW", "alice", r#"{"credentials":"tokens"}"#]);
    let jar = Jar::of(&reply);
    let rest = "Domain=example.com; HttpOnly; Secure; SameSite=None";
    assert_eq!(
        cookies(&reply),
        [
            format!("__Secure-sAccessToken={}; Max-Age=3600; Path=/api; {rest}", jar.access),
            format!("__Secure-sRefreshToken={}; Max-Age=8640000; Path=/api/refresh; {rest}", jar.sealed),
            format!("__Secure-sIdRefreshToken={}; Max-Age=8640000; Path=/api; {rest}", jar.id_refresh),
        ]
    );
}

#[test]
fn clearing_answers_the_same_in_every_form() {
    let server = Server::start();
    let json = server.client().json(&["SH.CLEARCOOKIES", "{}"]);
    let expected = [
        "sAccessToken=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
        "sRefreshToken=; Max-Age=0; Path=/session/refresh; HttpOnly; Secure; SameSite=Lax",
        "sIdRefreshToken=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
        "sCookieToken=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
    ];
    assert_eq!(cookies(&json), expected);
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.CLEARCOOKIES"]);
        assert_eq!(list(&member(&reply, "setCookie")), expected);
        let headers = member(&reply, "headers");
        assert_eq!(text(&member(&headers, "id-refresh-token")), "remove");
        assert_eq!(text(&member(&headers, "cache-control")), "no-store");
        assert_eq!(client.status(&["SH.CLEARCOOKIES", "x"]), "COMMANDSYNTAX");
    }
}

#[test]
fn settings_that_browsers_reject_are_refused_and_the_old_ones_stay() {
    let server = Server::start();
    let mut client = server.client();
    let before = client.settings();
    for refused in [
        &["sh.cookie-same-site", "none", "sh.cookie-secure", "no"][..],
        &["sh.cookie-secure", "no", "sh.cookie-same-site", "none"],
        &["sh.cookie-prefix", "__Host-", "sh.cookie-domain", "example.com"],
        &["sh.cookie-prefix", "__Secure-", "sh.cookie-secure", "no"],
        &["sh.cookie-domain", "a;b"],
        &["sh.cookie-domain", "example.com", "sh.access-path", "/a b"],
        &["sh.issuer", "a,b", "sh.audience", "web"],
        &["sh.refresh-path", "/a\r\nSet-Cookie: x"],
        &["sh.access-validity", "7200", "sh.key-rotation", "3600"],
        &["sh.refresh-grace", "10", "maxmemory", "nonsense"],
    ] {
        let error = client.call(&[&["CONFIG", "SET"], refused].concat()).expect_err("refused");
        assert!(error.starts_with("ERR CONFIG SET failed"), "{error}");
        assert_eq!(client.settings(), before, "{refused:?}");
        let reply = client.json(&["SH.NEW", "alice", r#"{"credentials":"cookie"}"#]);
        assert!(cookies(&reply)[0].ends_with("; Max-Age=34560000; Path=/; HttpOnly; Secure; SameSite=Lax"), "in force");
    }
    // Settings that are valid only together are set together.
    client.ok(&["CONFIG", "SET", "sh.cookie-secure", "no", "sh.cookie-same-site", "strict"]);
    client.ok(&["CONFIG", "SET", "sh.cookie-same-site", "none", "sh.cookie-secure", "yes"]);
    client.ok(&["CONFIG", "SET", "sh.cookie-prefix", "__Host-", "sh.cookie-domain", ""]);
}
