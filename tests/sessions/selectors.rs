//! Users with selectors: one part of their rights must allow a command and all its keys.

use testkit::compiled::proxy;
use testkit::*;

/// A user with these rules alone.
fn user(server: &Server, rules: &[&str]) -> Client {
    server.client().ok(&[&["ACL", "SETUSER", "app", "reset", "on", ">pw"], rules].concat());
    server.client_as("app", "pw")
}

/// The pattern of tokens, which fits none of the other keys made here.
const TOKENS: &str = "~sh:?????????????????????????";

#[test]
fn a_command_of_one_selector_and_keys_of_another_are_refused() {
    let server = Server::start();
    let mut admin = server.client();
    let listed = admin.new_session(&["alice", "LISTED", "IDLE", "600"]);
    admin.new_session(&["carts", "SHARED"]);
    admin.ok(&["PEXPIRE", &listed, "60000"]);
    let before = admin.contents();
    for rules in [
        &["+@all", "~app:*", "(~sh:* +sh.get)"][..],
        &["~sh:*", "+sh.get", "(+@all ~app:*)"],
        &["-@all", "(+@all ~app:*)", "(~sh:* +sh.get)"],
        &["-@all", "(+@all %R~sh:*)", "(~sh:* +sh.get)", "(+@all)"],
    ] {
        let mut app = user(&server, rules);
        for refused in [&["SH.NEW", "admin", "TOKENS"][..], &["SH.NEW", "x", "SHARED"], &["SH.ENDALL", "alice"]] {
            assert_eq!(app.status(refused), "NOPERM", "{rules:?} {refused:?}");
        }
        // A selector for the token alone does not suffice: the command changes the index too.
        assert_eq!(app.status(&["SH.TOUCH", &listed]), "NOPERM", "{rules:?}");
        if !rules.contains(&"(+@all %R~sh:*)") {
            assert_eq!(app.status(&["SH.OPEN", "carts"]), "NOPERM", "{rules:?}");
            assert_eq!(app.status(&["SH.LIST", "alice"]), "NOPERM", "{rules:?}");
        }
    }
    assert_eq!(admin.contents(), before);
}

#[test]
fn one_selector_must_allow_all_keys_of_a_command() {
    let server = Server::start();
    let mut app = user(&server, &["-@all", &format!("(+@all {TOKENS})"), "(+@all ~sh:s:*)"]);
    assert_eq!(app.status(&["SH.NEW", "orders", "SHARED"]), "NOPERM");
    let token = app.new_session(&["alice"]);
    assert_eq!(app.int(&["SH.SET", &token, "a", "1"]), 1);
    let mut all = user(&server, &["-@all", &format!("(+@all {TOKENS})"), &format!("(+@all ~sh:s:* {TOKENS})")]);
    all.new_session(&["orders", "SHARED"]);
}

#[test]
fn any_selector_that_allows_both_is_enough() {
    let server = Server::start();
    for rules in [
        &["~sh:*", "+@all", "(~x +get)"][..],
        &["-@all", "(~x +get)", "(~sh:* +@all)"],
        &["~sh:*", "-@all", "(~x +@all)", "(~sh:* +sh.new +sh.list +sh.open +sh.endall)"],
        &["~*", "&*", "+@all", "(~x)"],
        &["~a(b)", "+get", "(~b) ~sh:* +@all)"],
    ] {
        let mut app = user(&server, rules);
        let shared = app.new_session(&["alice", "SHARED"]);
        assert_eq!(text(&member(&app.ok(&["SH.OPEN", "alice"]), "tkn")), shared, "{rules:?}");
        let listed = app.new_session(&["alice", "LISTED"]);
        assert_eq!(app.list(&["SH.LIST", "alice"]), [listed.as_str()], "{rules:?}");
        assert_eq!(app.list(&["SH.ENDALL", "alice"]), [listed.as_str()], "{rules:?}");
        server.client().ok(&["FLUSHALL"]);
    }
}

#[test]
fn a_change_of_the_user_takes_effect_at_once() {
    let server = Server::start();
    let mut admin = server.client();
    let mut app = user(&server, &["-@all", "(~sh:* +@all)"]);
    app.new_session(&["alice"]);
    admin.ok(&["ACL", "SETUSER", "app", "clearselectors", "(~x +@all)"]);
    assert_eq!(app.status(&["SH.NEW", "alice"]), "NOPERM");
    admin.ok(&["ACL", "SETUSER", "app", "clearselectors", "~sh:*", "+sh.new"]);
    app.new_session(&["alice"]);
    admin.ok(&["ACL", "SETUSER", "app", "resetkeys", "(~sh:* +sh.get)"]);
    assert_eq!(app.status(&["SH.NEW", "alice"]), "NOPERM");
}

#[test]
fn selectors_hold_in_scripts_and_in_calls_of_modules() {
    let server = Server::with(&["--loadmodule", proxy().to_str().expect("a UTF-8 path")]);
    let mut app = user(&server, &["+@all", "~app:*", "(~sh:* +sh.get)"]);
    let run = "return redis.call(unpack(ARGV))";
    for way in [&["EVAL", run, "0"][..], &["PROXY.AS"], &["PROXY.AS", "EVAL", run, "0"]] {
        let error = app.call(&[way, &["SH.NEW", "admin", "TOKENS"]].concat()).expect_err("refused");
        assert!(error.contains("no selector of the user allows"), "{way:?}: {error}");
    }
    let mut app = user(&server, &["+eval", "+proxy.as", "(~sh:* +sh.new)"]);
    for way in [&["EVAL", run, "0"][..], &["PROXY.AS"], &["PROXY.AS", "EVAL", run, "0"]] {
        app.ok(&[way, &["SH.NEW", "alice", "SHARED"], &[]].concat());
        server.client().ok(&["FLUSHALL"]);
    }
}

#[test]
fn a_selector_of_valkey_9_holds_in_its_databases() {
    skip_unless!(valkey_version() >= (9, 1), "selectors with databases");
    let server = Server::start();
    server.client().ok(&["ACL", "SETUSER", "app", "on", ">pw", "+select", "(~sh:* db=2 +@all)", "(~x +@all)"]);
    let mut app = server.client_as("app", "pw");
    assert_eq!(app.status(&["SH.NEW", "alice"]), "NOPERM");
    app.ok(&["SELECT", "2"]);
    app.new_session(&["alice", "SHARED"]);
}

#[test]
fn thousands_of_different_selectors_are_told_apart() {
    let server = Server::start();
    let mut admin = server.client();
    let mut app = user(&server, &["-@all"]);
    for number in 0..2_500 {
        let selector = format!("(~{} +@all)", if number % 2 == 0 { "sh:*".to_owned() } else { format!("x{number}") });
        admin.ok(&[
            "ACL",
            "SETUSER",
            "app",
            "clearselectors",
            &selector,
            &format!("({number}* +get)").replace('(', "(~"),
        ]);
        assert_eq!(app.call(&["SH.NEW", "alice"]).is_ok(), number % 2 == 0, "{number}");
    }
}
