//! How the module gets into a server, and that it stays there.

use crate::support::*;

#[test]
fn the_module_is_not_unloaded_so_that_a_queued_command_of_it_can_still_run() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let (mut client, mut other) = (server.client(), server.client());
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    client.ok(&["MULTI"]);
    client.ok(&["SH.GET", &token, "a"]);
    assert_eq!(other.status(&["MODULE", "UNLOAD", "sh"]), "ERR");
    assert_eq!(list(&items(&client.ok(&["EXEC"]))[0]), ["1"]);
    let log = server.log();
    assert!(log.contains("not unloaded") && log.contains("restart the server"), "{log}");
}

#[test]
fn a_load_with_a_setting_that_is_unknown_is_undone_and_the_module_can_be_loaded_rightly() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let mut client = server.client();
    let path = module().to_str().expect("a UTF-8 path");
    client.call(&["MODULE", "LOADEX", path, "CONFIG", "sh.unknown", "1"]).expect_err("refused");
    assert_eq!(client.status(&["SH.NEW", "alice"]), "ERR", "there is no such command");
    client.ok(&["MODULE", "LOADEX", path, "CONFIG", "sh.max-lifetime", "60"]);
    client.new_session(&["alice"]);
}
