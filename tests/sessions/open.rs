//! SH.OPEN.

use testkit::*;

#[test]
fn a_shared_session_is_opened_by_name_from_another_connection() {
    let server = Server::start();
    let token = server.client().new_session(&["carts", "SHARED"]);
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.OPEN", "carts"]);
        assert_eq!(members(&reply), ["name", "tkn", "st"]);
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

#[test]
fn a_name_is_compared_byte_by_byte() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["carts", "SHARED"]);
    for other in ["Carts", "carts ", "carts\0", "cart", "{carts}"] {
        assert_eq!(client.status(&["SH.OPEN", other]), "SESSIONOPENFAIL", "{other:?}");
    }
    assert_eq!(text(&member(&client.ok(&["SH.OPEN", "carts"]), "tkn")), token);
}

#[test]
fn each_mistake_is_reported() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        client.new_session(&["carts", "SHARED"]);
        assert_eq!(client.status(&["SH.OPEN"]), "ERR");
        assert_eq!(client.status(&["SH.OPEN", ""]), "VALUESIZE");
        assert_eq!(client.status(&["SH.OPEN", "carts", "NOW"]), "COMMANDSYNTAX");
        assert_eq!(client.status(&["SH.OPEN", "carts", r#"{"name":"carts"}"#]), "COMMANDSYNTAX");
        client.ok(&["FLUSHALL"]);
    }
}

#[test]
fn a_pointer_to_another_session_opens_nothing() {
    let server = Server::start();
    let mut client = server.client();
    client.new_session(&["carts", "SHARED"]);
    let pointer = client.key("sh:s:carts:*");
    let (shared, own) = (client.new_session(&["orders", "SHARED"]), client.new_session(&["carts"]));
    client.ok(&["SET", "text", "x"]);
    for elsewhere in [shared.as_str(), &own, "text", "sh:0123456789012345678901234", ""] {
        client.ok(&["SET", &pointer, elsewhere]);
        assert_eq!(client.status(&["SH.OPEN", "carts"]), "SESSIONOPENFAIL", "{elsewhere}");
    }
}
