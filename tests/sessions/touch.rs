//! SH.TOUCH.

use testkit::*;

#[test]
fn a_touch_gives_an_idle_session_its_whole_idle_time_again() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED", "IDLE", "600"]);
    let pointer = client.key("sh:s:*");
    client.ok(&["PEXPIRE", &token, "60000"]);
    let (before, left) = (client.now(), client.int(&["SH.TOUCH", &token]));
    let expires = client.expiry(&token);
    assert_eq!(left, 600_000);
    assert!((before + 600_000..=client.now() + 600_000).contains(&expires));
    assert_eq!(client.expiry(&pointer), expires, "the pointer goes along");
}

#[test]
fn a_session_without_idle_time_is_not_prolonged() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "EXPIRY", "600", "DELETE"]);
    let before = client.expiry(&token);
    let left = client.int(&["SH.TOUCH", &token]);
    assert!((1..=600_000).contains(&left));
    assert_eq!(client.expiry(&token), before);
    let forever = client.new_session(&["alice"]);
    assert_eq!(client.int(&["SH.TOUCH", &forever]), -1);
}

#[test]
fn a_session_that_has_ended_is_not_brought_back() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice", "IDLE", "600"]);
    client.ok(&["PEXPIRE", &token, "50"]);
    // Touching would prolong it: the data is read until there is none.
    await_that("the session ends", || client.call(&["SH.GET", &token]).is_err());
    assert_eq!(client.status(&["SH.TOUCH", &token]), "SESSIONNOTEXIST");
    assert!(client.keys().is_empty());
}

#[test]
fn each_mistake_is_reported() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        assert_eq!(client.status(&["SH.TOUCH"]), "ERR");
        assert_eq!(client.status(&["SH.TOUCH", "alice"]), "SESSIONTOKENINVALID");
        assert_eq!(client.status(&["SH.TOUCH", &token, &token]), "COMMANDSYNTAX");
    }
}
