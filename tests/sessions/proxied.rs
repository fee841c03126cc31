//! Commands that another module calls: without a user everything is allowed; with a user, that user's permissions hold.

use testkit::compiled::proxy;
use testkit::*;

fn server() -> Server {
    Server::with(&["--loadmodule", proxy().to_str().expect("a UTF-8 path")])
}

/// A user with all commands and these key patterns.
fn user(server: &Server, keys: &[&str]) -> Client {
    server.client().ok(&[&["ACL", "SETUSER", "app", "reset", "on", ">pw", "+@all", "resetkeys"], keys].concat());
    server.client_as("app", "pw")
}

const RUN: &str = "return redis.call(unpack(ARGV))";
/// The pattern of tokens, which fits none of the other keys made here.
const TOKENS: &str = "~sh:?????????????????????????";

#[test]
fn a_call_by_a_module_for_its_caller_has_the_callers_permissions() {
    let server = server();
    let mut admin = server.client();
    let shared = admin.new_session(&["carts", "SHARED", "IDLE", "600"]);
    admin.ok(&["PEXPIRE", &shared, "60000"]);
    let before = admin.contents();
    let mut app = user(&server, &[TOKENS]);
    for command in
        [&["SH.NEW", "orders", "SHARED"][..], &["SH.OPEN", "carts"], &["SH.TOUCH", &shared], &["SH.LIST", "x"]]
    {
        assert_eq!(app.status(&[&["PROXY.AS"], command].concat()), "NOPERM", "{command:?}");
        // From a script, and of a script. A script in a script ends any server that has such a module.
        for way in [&["EVAL", RUN, "0", "PROXY.AS"][..], &["PROXY.AS", "EVAL", RUN, "0"]] {
            assert_eq!(app.status(&[way, command].concat()), "NOPERM", "{way:?} {command:?}");
        }
    }
    assert_eq!(admin.contents(), before);
    let made = app.ok(&["PROXY.AS", "SH.NEW", "alice"]);
    assert_eq!(app.int(&["PROXY.AS", "SH.SET", &text(&member(&made, "tkn")), "a", "1"]), 1);
    app.ok(&["EVAL", RUN, "0", "PROXY.AS", "SH.NEW", "alice"]);
    app.ok(&["PROXY.AS", "EVAL", RUN, "0", "SH.NEW", "alice"]);
    app.ok(&["MULTI"]);
    app.ok(&["PROXY.AS", "SH.OPEN", "carts"]);
    assert_eq!(app.status(&["EXEC"]), "NOPERM");
}

#[test]
fn a_call_by_a_module_without_a_user_is_allowed() {
    let server = server();
    let mut app = user(&server, &[]);
    for (number, way) in [
        &["PROXY.PLAIN"][..],
        &["PROXY.PLAIN", "EVAL", RUN, "0"],
        &["EVAL", RUN, "0", "PROXY.PLAIN"],
        &["PROXY.AS", "PROXY.PLAIN", "EVAL", RUN, "0"],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("carts {number}");
        let made = app.ok(&[way, &["SH.NEW", &name, "SHARED"]].concat());
        let opened = app.ok(&[way, &["SH.OPEN", &name]].concat());
        assert_eq!(member(&opened, "tkn"), member(&made, "tkn"), "{way:?}");
        app.ok(&[way, &["SH.NEW", &name, "LISTED"]].concat());
        assert_eq!(app.list(&[way, &["SH.ENDALL", &name]].concat()).len(), 1, "{way:?}");
    }
    let library = "#!lua name=lib
        redis.register_function('run', function(keys, args) return redis.call(unpack(args)) end)";
    app.ok(&["FUNCTION", "LOAD", library]);
    app.ok(&["PROXY.PLAIN", "FCALL", "run", "0", "SH.NEW", "carts", "SHARED"]);
    assert_eq!(app.status(&["PROXY.AS", "FCALL", "run", "0", "SH.OPEN", "carts"]), "NOPERM");
}

#[test]
fn a_call_by_a_module_for_a_user_of_its_own_is_refused_with_the_reason() {
    let server = server();
    let mut client = server.client();
    client.new_session(&["carts", "SHARED"]);
    let before = client.contents();
    for command in [&["SH.NEW", "orders"][..], &["SH.OPEN", "carts"]] {
        let error = client.call(&[&["PROXY.OWN"], command].concat()).expect_err("refused");
        assert!(error.starts_with("NOPERM ") && error.contains("none of the server's"), "{error}");
    }
    assert_eq!(client.contents(), before);
}

#[test]
fn looking_up_the_user_leaves_no_entry_in_the_acl_log() {
    let server = server();
    let mut app = user(&server, &["~sh:*", "-ping"]);
    app.ok(&["EVAL", RUN, "0", "SH.NEW", "carts", "SHARED"]);
    app.ok(&["PROXY.AS", "SH.OPEN", "carts"]);
    assert!(items(&app.ok(&["ACL", "LOG"])).is_empty());
}
