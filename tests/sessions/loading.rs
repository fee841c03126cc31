//! How the module gets into a server, and that it stays there.

use std::process::Command;
use testkit::*;

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
fn the_module_stays_also_if_unload_is_sent_in_a_transaction_after_a_load() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let [mut loader, mut queuer, mut unloader] = [server.client(), server.client(), server.client()];
    loader.ok(&["MODULE", "LOADEX", module().to_str().expect("a UTF-8 path")]);
    let now = loader.now();
    await_that("the server has run for a while", || loader.now() > now + 300);
    loader.call(&["MODULE", "LOADEX", "/nonexistent"]).expect_err("no module");
    queuer.ok(&["MULTI"]);
    queuer.ok(&["SH.NEW", "alice"]);
    unloader.ok(&["MULTI"]);
    unloader.ok(&["MODULE", "UNLOAD", "sh"]);
    let unloaded = unloader.call(&["EXEC"]);
    assert!(unloaded.is_err() || format!("{unloaded:?}").contains("rror"), "{unloaded:?}");
    queuer.ok(&["EXEC"]);
    loader.new_session(&["alice"]);
}

#[test]
fn after_a_load_with_an_unknown_setting_the_module_can_be_loaded() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let mut client = server.client();
    let path = module().to_str().expect("a UTF-8 path");
    client.call(&["MODULE", "LOADEX", path, "CONFIG", "sh.unknown", "1"]).expect_err("refused");
    assert_eq!(client.status(&["SH.NEW", "alice"]), "ERR", "there is no such command");
    client.ok(&["MODULE", "LOADEX", path, "CONFIG", "sh.max-lifetime", "60"]);
    client.new_session(&["alice"]);
}

#[test]
fn a_load_that_fails_is_undone_in_a_transaction_and_whatever_other_clients_sent_before() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let (mut client, mut other) = (server.client(), server.client());
    let path = module().to_str().expect("a UTF-8 path");
    other.call(&["MODULE", "UNLOAD", "nothing"]).expect_err("no such module");
    client.call(&["MODULE", "LOADEX", path, "CONFIG", "sh.unknown", "1"]).expect_err("refused");
    client.ok(&["MULTI"]);
    client.ok(&["MODULE", "LOADEX", path, "CONFIG", "sh.unknown", "1"]);
    let _ = client.call(&["EXEC"]);
    assert_eq!(client.status(&["SH.NEW", "alice"]), "ERR", "there is no such command");
    client.ok(&["MODULE", "LOADEX", path]);
    client.new_session(&["alice"]);
}

/// What the tests of memory load before the server: the C library's allocator that checks what it is given.
const CHECKING_MALLOC: &str = "libc_malloc_debug.so.0";

#[test]
fn the_module_frees_memory_with_its_own_functions() {
    let told =
        Command::new("readelf").args(["-rW"]).arg(module()).output().expect("readelf, of the C compiler's package");
    let relocations = String::from_utf8(told.stdout).expect("ASCII");
    assert!(relocations.contains("malloc"), "the module's relocations: {relocations}");
    let own: Vec<_> = relocations.lines().filter(|line| line.contains("sdallocx") || line.contains("OnLoad")).collect();
    assert!(own.is_empty(), "bound when the module is loaded, so that another definition comes first: {own:?}");
}

#[test]
fn thousands_of_credentials_are_made_under_another_malloc() {
    // A server that comes with a C library of its own cannot be given this machine's.
    let environment = ("LD_PRELOAD", CHECKING_MALLOC);
    skip_unless!(std::env::var_os("REDIS_SERVER").is_none(), "the server of this machine");
    let server = Server::with_environment(&[environment], &[]);
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.pid())).expect("the server's memory");
    assert!(maps.contains(CHECKING_MALLOC));
    let mut client = server.client();
    for _ in 0..10 {
        let made = client.pipeline(&vec![vec!["SH.NEW", "alice", "TOKENS"]; 500]);
        assert!(made.iter().all(Result::is_ok));
    }
}
