//! Permissions of users: `~sh:*` governs every key that belongs to a session.

use testkit::*;

/// A user with all commands, and with these key patterns and selectors.
fn user(server: &Server, keys: &[&str]) -> Client {
    server.client().ok(&[&["ACL", "SETUSER", "app", "reset", "on", ">pw", "+@all", "resetkeys"], keys].concat());
    server.client_as("app", "pw")
}

const CLEARING: [&str; 5] = ["EXPIRY", "600", "CLEAR", "DATA", r#"{"a":"1"}"#];
/// The pattern of tokens, which fits none of the other keys made here.
const TOKENS: &str = "~sh:?????????????????????????";

#[test]
fn an_application_needs_no_key_pattern_but_its_own_whatever_the_names() {
    let server = Server::start();
    let mut app = user(&server, &["~sh:*"]);
    for name in ["alice", "sh:alice", "secret:carts"] {
        let token = app.new_session(&[&[name, "SHARED", "IDLE", "600"][..], &CLEARING].concat());
        app.ok(&["SH.OPEN", name]);
        app.ok(&["SH.SET", &token, "b", "2"]);
        app.ok(&["SH.GET", &token]);
        app.ok(&["SH.TOUCH", &token]);
        app.ok(&["SH.INFO", &token]);
        assert_eq!(app.int(&["SH.END", &token]), 1);
    }
}

#[test]
fn a_name_that_a_user_may_use_as_a_key_gives_no_right_to_its_sessions() {
    let server = Server::start();
    let token = server.client().new_session(&["alice", "SHARED"]);
    let before = server.client().contents();
    let mut other = user(&server, &["~alice", "~other:*"]);
    for refused in [
        &["SH.NEW", "alice"][..],
        &["SH.NEW", "alice", "{}"],
        &["SH.OPEN", "alice"],
        &["SH.INFO", &token],
        &["SH.EXISTS", &token],
        &["SH.GET", &token],
        &["SH.SET", &token, "a", "1"],
        &["SH.TOUCH", &token],
        &["SH.END", &token],
    ] {
        assert_eq!(other.status(refused), "NOPERM", "{refused:?}");
    }
    assert_eq!(server.client().contents(), before);
}

#[test]
fn a_user_who_may_only_read_changes_nothing() {
    let server = Server::start();
    let options = [&["carts", "SHARED", "IDLE", "600"][..], &CLEARING].concat();
    let token = server.client().new_session(&options);
    let mut reader = user(&server, &["%R~sh:*"]);
    reader.ok(&["SH.OPEN", "carts"]);
    reader.ok(&["SH.INFO", &token]);
    assert_eq!(reader.list(&["SH.GET", &token, "a"]), ["1"]);
    assert_eq!(reader.list(&["SH.EXISTS", &token]), ["1"]);
    let before = server.client().contents();
    for refused in [
        &["SH.NEW", "carts"][..],
        &["SH.NEW", "other", "SHARED"],
        &["SH.SET", &token, "a", "2"],
        &["SH.TOUCH", &token],
        &["SH.END", &token],
    ] {
        assert_eq!(reader.status(refused), "NOPERM", "{refused:?}");
    }
    assert_eq!(server.client().contents(), before);
}

#[test]
fn a_user_who_may_only_write_reads_nothing() {
    let server = Server::start();
    let token = server.client().new_session(&["carts", "SHARED", "DATA", r#"{"a":"1"}"#]);
    let mut writer = user(&server, &["%W~sh:*"]);
    assert_eq!(writer.status(&["SH.OPEN", "carts"]), "NOPERM");
    assert_eq!(writer.status(&["SH.GET", &token]), "NOPERM");
    assert_eq!(writer.status(&["SH.NEW", "carts", "SHARED"]), "NOPERM", "that would tell whether the name is taken");
}

#[test]
fn a_user_who_may_only_write_gets_no_payload_and_no_credential() {
    let server = Server::start();
    let mut admin = server.client();
    let made = admin.ok(&["SH.NEW", "alice", "TOKENS", "PAYLOAD", r#"{"role":"admin"}"#]);
    let cookie = admin.ok(&["SH.NEW", "alice", "COOKIE"]);
    let token = text(&member(&made, "tkn"));
    let refresh = text(&member(&member(&made, "refreshToken"), "token"));
    let access = text(&member(&member(&made, "accessToken"), "token"));
    let (cookie_session, cookie) =
        (text(&member(&cookie, "tkn")), text(&member(&member(&cookie, "cookieToken"), "token")));
    let mut writer = user(&server, &["%W~sh:*"]);
    let before = admin.contents();
    for refused in [
        &["SH.PAYLOAD", &token][..],
        &["SH.PAYLOAD", &token, "{}"],
        &["SH.RESUME", &cookie_session, &cookie],
        &["SH.REFRESH", &token, &refresh],
        &["SH.REGENERATE", &token, &access],
    ] {
        assert_eq!(writer.status(refused), "NOPERM", "{refused:?}");
    }
    assert_eq!(admin.contents(), before);
    assert_eq!(writer.int(&["SH.SET", &token, "a", "1"]), 1, "what answers nothing of the session is allowed");
}

#[test]
fn permissions_for_helper_keys_are_checked_before_anything_changes() {
    let server = Server::start();
    let mut admin = server.client();
    let shared = admin.new_session(&["carts", "SHARED", "IDLE", "600"]);
    let clearing = admin.new_session(&[&["alice"][..], &CLEARING].concat());
    admin.ok(&["PEXPIRE", &shared, "60000"]);
    let mut app = user(&server, &[TOKENS]);
    let before = admin.contents();
    for refused in [
        &["SH.NEW", "orders", "SHARED"][..],
        &["SH.NEW", "bob", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":"1"}"#],
        &["SH.OPEN", "carts"],
        &["SH.TOUCH", &shared],
        &["SH.SET", &shared, "a", "1"],
        &["SH.SET", &clearing, "a", "2"],
        &["SH.GET", &clearing, "a"],
        &["SH.INFO", &clearing],
        &["SH.END", &shared],
        &["SH.END", &clearing],
    ] {
        assert_eq!(app.status(refused), "NOPERM", "{refused:?}");
    }
    assert_eq!(admin.contents(), before);
    let own = app.new_session(&["bob"]);
    assert_eq!(app.int(&["SH.SET", &own, "a", "1"]), 1);
}

#[test]
fn a_user_who_may_end_some_of_the_sessions_ends_none_of_them() {
    let server = Server::start();
    let mut admin = server.client();
    let (plain, shared) = (admin.new_session(&["alice"]), admin.new_session(&["carts", "SHARED"]));
    let mut app = user(&server, &[TOKENS]);
    assert_eq!(app.status(&["SH.END", &plain, &shared]), "NOPERM");
    assert_eq!(admin.list(&["SH.EXISTS", &plain, &shared]), ["1", "1"]);
}

#[test]
fn permissions_hold_in_transactions_scripts_and_functions() {
    let server = Server::start();
    let mut admin = server.client();
    admin.new_session(&["carts", "SHARED"]);
    let library = "#!lua name=lib
        redis.register_function('run', function(keys, args) return redis.call(unpack(args)) end)";
    admin.ok(&["FUNCTION", "LOAD", library]);
    let before = admin.contents();
    let mut app = user(&server, &[TOKENS]);
    let run = "return redis.call(unpack(ARGV))";
    for command in [&["SH.NEW", "orders", "SHARED"][..], &["SH.OPEN", "carts"]] {
        app.ok(&["MULTI"]);
        app.ok(command);
        assert_eq!(app.status(&["EXEC"]), "NOPERM", "{command:?}");
        assert_eq!(app.status(&[&["EVAL", run, "0"], command].concat()), "NOPERM", "{command:?}");
        assert_eq!(app.status(&[&["FCALL", "run", "0"], command].concat()), "NOPERM", "{command:?}");
    }
    assert_eq!(admin.contents(), before);
}

#[test]
fn a_script_of_a_user_with_permission_works() {
    let server = Server::start();
    let mut app = user(&server, &["~sh:*"]);
    let run = "return redis.call(unpack(ARGV))";
    let made = app.ok(&["EVAL", run, "0", "SH.NEW", "carts", "SHARED"]);
    let opened = app.ok(&["EVAL", run, "0", "SH.OPEN", "carts"]);
    assert_eq!(member(&opened, "tkn"), member(&made, "tkn"));
}

#[test]
fn a_selector_of_redis_7_gives_permission() {
    let server = Server::start();
    let mut app = user(&server, &["(%R~sh:* +@all)", TOKENS]);
    let token = server.client().new_session(&["carts", "SHARED"]);
    assert_eq!(text(&member(&app.ok(&["SH.OPEN", "carts"]), "tkn")), token);
    assert_eq!(app.status(&["SH.NEW", "orders", "SHARED"]), "NOPERM");
}

#[test]
fn a_command_that_a_user_may_not_call_is_refused_by_the_server() {
    let server = Server::start();
    server.client().ok(&["ACL", "SETUSER", "app", "on", ">pw", "~*", "+sh.open", "+sh.get"]);
    let mut app = server.client_as("app", "pw");
    assert_eq!(app.status(&["SH.NEW", "alice"]), "NOPERM");
    assert_eq!(app.status(&["SH.OPEN", "alice"]), "SESSIONOPENFAIL");
}

#[test]
fn the_category_session_exists_where_modules_can_have_categories() {
    let categories = Server::start().client().list(&["ACL", "CAT"]);
    assert_eq!(categories.iter().any(|own| own == "session"), modules_have_categories());
}

#[test]
fn a_user_with_the_category_read_reads_sessions_and_changes_none() {
    skip_unless!(server_version() >= (7, 2), "categories for the commands of modules");
    let server = Server::start();
    let token = server.client().new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    let mut reader = user(&server, &["~sh:*", "-@all", "+@read"]);
    assert_eq!(reader.list(&["SH.GET", &token, "a"]), ["1"]);
    assert_eq!(reader.status(&["SH.SET", &token, "a", "2"]), "NOPERM");
    assert_eq!(reader.status(&["SH.NEW", "alice"]), "NOPERM");
}

#[test]
fn a_user_with_the_category_session_may_call_the_module_and_nothing_else() {
    skip_unless!(modules_have_categories(), "categories that modules make");
    let server = Server::start();
    let mut app = user(&server, &["~sh:*", "-@all", "+@session"]);
    let token = app.new_session(&["alice"]);
    assert_eq!(app.int(&["SH.SET", &token, "a", "1"]), 1);
    assert_eq!(app.int(&["SH.END", &token]), 1);
    assert_eq!(app.status(&["GET", &token]), "NOPERM");
}
