//! SH.JWKS.

use testkit::jar::*;
use testkit::*;

#[test]
fn there_is_no_key_before_the_first_credential() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.text(&["SH.JWKS"]), r#"{"keys":[]}"#);
    assert_eq!(client.status(&["SH.VERIFY", "x"]), "TRYREFRESHTOKEN");
    assert!(client.keys().is_empty());
}

#[test]
fn the_key_set_has_public_keys_of_ed25519_only() {
    let server = Server::start();
    let mut client = server.client3();
    Jar::tokens(&mut client);
    let set = client.json(&["SH.JWKS"]);
    let keys = set["keys"].as_array().expect("keys");
    assert!((2..=3).contains(&keys.len()), "the current one, the next, and one of the past around a change");
    for key in keys {
        let names: Vec<_> = key.as_object().expect("a key").keys().cloned().collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into()));
    }
    assert_eq!(keys[0]["kid"], client.info("sh", "sh_signing_kid"), "INFO tells which one signs");
    assert_eq!(client.status(&["SH.JWKS", "x"]), "COMMANDSYNTAX");
}

#[test]
fn every_node_with_the_same_file_has_the_same_keys() {
    let servers = [Server::start(), Server::start()];
    let file = servers[0].dir().join("secrets");
    std::fs::write(&file, format!("{}\n{}\n", "a".repeat(32), "b".repeat(32))).expect("a file");
    let keys = servers.each_ref().map(|server| {
        let mut client = server.client();
        client.ok(&["CONFIG", "SET", "sh.secret-file", file.to_str().expect("UTF-8")]);
        client.text(&["SH.JWKS"])
    });
    assert_eq!(keys[0], keys[1]);
    let jar = Jar::tokens(&mut servers[0].client());
    assert_eq!(jar.verify(&mut servers[1].client()), Ok(()));
}
