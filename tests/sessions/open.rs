//! SH.OPEN.

use crate::support::*;

#[test]
fn a_shared_session_is_opened_by_name_from_another_connection() {
    let server = Server::start();
    let token = server.client().new_session(&["carts", "SHARED"]);
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.OPEN", "carts"]);
        assert_eq!(text(&member(&reply, "tkn")), token);
        assert_eq!(text(&member(&reply, "name")), "carts");
        assert_eq!(int(&member(&reply, "st")), 1);
    }
    let json = server.client().json(&["SH.OPEN", "carts", "{}"]);
    assert_eq!(json, serde_json::json!({"name": "carts", "tkn": token, "st": 1}));
}

#[test]
fn a_session_that_is_not_shared_is_not_opened_by_name() {
    let server = Server::start();
    let mut client = server.client();
    client.new_session(&["alice"]);
    assert_eq!(client.status(&["SH.OPEN", "alice"]), "SESSIONOPENFAIL");
    assert_eq!(client.status(&["SH.OPEN", "nobody"]), "SESSIONOPENFAIL");
}
