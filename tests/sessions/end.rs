//! SH.END.

use testkit::*;

#[test]
fn ending_a_session_leaves_nothing_of_it() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let options = ["carts", "SHARED", "EXPIRY", "60", "CLEAR", "IDLE", "600", "DATA", r#"{"a":"1"}"#];
        let token = client.new_session(&options);
        assert_eq!(client.keys().len(), 3, "the session, its data and its pointer");
        assert_eq!(client.int(&["SH.END", &token]), 1);
        assert!(client.keys().is_empty());
    }
}

#[test]
fn ending_answers_how_many_sessions_there_were() {
    let server = Server::start();
    let mut client = server.client();
    let (one, two) = (client.new_session(&["alice"]), client.new_session(&["bob"]));
    assert_eq!(client.int(&["SH.END", &one]), 1);
    assert_eq!(client.int(&["SH.END", &one, &two, &two]), 1);
    assert_eq!(client.int(&["SH.END", &one, &two]), 0);
}

#[test]
fn the_shared_session_that_took_over_a_name_is_left_alone() {
    let server = Server::start();
    let mut client = server.client();
    let old = client.new_session(&["carts", "SHARED"]);
    let pointer = client.key("sh:s:carts:*");
    client.ok(&["DEL", &pointer]);
    let new = client.new_session(&["carts", "SHARED"]);
    assert_eq!(client.int(&["SH.END", &old]), 1);
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", "carts"]), "tkn")), new);
}

#[test]
fn each_mistake_is_reported_and_ends_nothing() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        client.ok(&["SET", "sh:0123456789012345678901234", "x"]);
        let before = client.contents();
        assert_eq!(client.status(&["SH.END"]), "ERR");
        assert_eq!(client.status(&["SH.END", &token, "alice"]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&["SH.END", &token, "sh:0123456789012345678901234"]), "SESSIONTOKENINVALID");
        assert_eq!(client.contents(), before);
        client.ok(&["FLUSHALL"]);
    }
}
