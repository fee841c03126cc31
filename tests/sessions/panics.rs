//! A panic of the module, wherever the server calls it, is an error and a line in the log, and never the server's end.

use std::fs;
use testkit::*;

#[test]
fn a_panic_in_whatever_the_server_calls_leaves_it_running() {
    let fails = std::env::temp_dir().join(format!("redis-sessions-panics-{}", std::process::id()));
    let variable = ("SH_TEST_PANIC_FILE", fails.to_str().expect("a UTF-8 path"));
    let server = Server::with_environment(&[variable], &["--enable-module-command", "yes"]);
    let mut client = server.client();
    let token = client.new_session(&["alice", "DATA", r#"{"a":"1"}"#]);
    for (what, command, answer) in [
        ("SH.INFO", &["SH.INFO", &token][..], "GENERALERROR "),
        ("a scan", &["SH.GET", &token], "GENERALERROR "),
        ("CONFIG GET", &["CONFIG", "GET", "sh.max-lifetime"], ""),
        ("CONFIG SET", &["CONFIG", "SET", "sh.max-lifetime", "60"], "internal error"),
        ("applying settings", &["CONFIG", "SET", "sh.max-lifetime", "60"], "internal error"),
        ("a server event", &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"], ""),
        ("INFO", &["INFO", "sh"], ""),
        ("unloading", &["MODULE", "UNLOAD", "sh"], "ERR "),
    ] {
        let logged = |log: &str| log.matches("failed at").count();
        let before = logged(&server.log());
        fs::write(&fails, what).expect("a file");
        let answered = client.call(command);
        fs::remove_file(&fails).expect("the file");
        match answered {
            Ok(_) => assert_eq!(answer, "", "{what}"),
            Err(error) => assert!(!answer.is_empty() && error.contains(answer), "{what}: {error}"),
        }
        assert!(logged(&server.log()) > before, "{what}: {}", server.log());
        assert_eq!(client.list(&["SH.GET", &token]), ["a", "1"], "{what}: and the connection is in step");
        assert_eq!(client.list(&["CONFIG", "GET", "sh.max-lifetime"])[1], "0", "{what}: nothing was changed");
    }
}
