//! SH.EXISTS.

use testkit::*;

#[test]
fn exists_answers_for_each_token_in_order() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let (alive, ended) = (client.new_session(&["alice"]), client.new_session(&["alice"]));
        client.ok(&["SH.END", &ended]);
        let reply = client.list(&["SH.EXISTS", &alive, &ended, &alive]);
        assert_eq!(reply, ["1", "0", "1"]);
    }
}

#[test]
fn each_mistake_is_reported() {
    let server = Server::start();
    for mut client in [server.client(), server.client3()] {
        let token = client.new_session(&["alice"]);
        assert_eq!(client.status(&["SH.EXISTS"]), "ERR");
        assert_eq!(client.status(&["SH.EXISTS", &token, "{}"]), "SESSIONTOKENINVALID");
    }
}
