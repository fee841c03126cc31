//! No credential is to be found anywhere: not in SLOWLOG, MONITOR, the log, INFO, the AOF or the RDB file.

use redis::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use testkit::jar::*;
use testkit::*;

const BIND: &str = "a-device-key-that-only-alice-has";

/// Uses every command that takes or makes a credential, well and badly. Answers the credentials.
fn use_everything(client: &mut Client) -> Vec<String> {
    let mut jars = Vec::new();
    for kind in ["tokens", "cookie"] {
        let first = Jar::with(client, "alice", json!({"credentials": kind, "bind": BIND}));
        client.ok(&["SH.NEW", "alice", &kind.to_uppercase(), "BIND", BIND]);
        let bound = ["SH.REFRESH", &first.tkn, &first.sealed, "CSRF", &first.csrf, "BIND", BIND];
        client.ok(&bound);
        let options = json!({"antiCsrfToken": first.csrf, "bind": BIND}).to_string();
        let second = Jar::of(&client.json(&["SH.REFRESH", &first.tkn, &first.sealed, &options]));
        for command in ["SH.REFRESH", "SH.RESUME", "SH.CHECK", "SH.VERIFY", "SH.REGENERATE"] {
            for jar in [&first, &second] {
                for credential in [&jar.sealed, &jar.access, &jar.csrf] {
                    // Right or wrong, with a mistake in the options, and without the token before it.
                    let _ = client.call(&[command, &jar.tkn, credential]);
                    let _ = client.call(&[command, &jar.tkn, credential, "CSRF", &jar.csrf, "BIND", BIND]);
                    if command != "SH.REGENERATE" {
                        let _ = client.call(&[command, &jar.tkn, credential, &options]);
                    }
                    let _ = client.call(&[command, &jar.tkn, credential, credential]);
                    let _ = client.call(&[command, credential, "CSRF", &jar.csrf]);
                }
            }
        }
        client.ok(&["MULTI"]);
        client.ok(&bound);
        let _ = client.call(&["EXEC"]);
        jars.extend([first, second]);
    }
    let credentials = jars.into_iter().flat_map(|jar| {
        // Of a sealed token what follows the session's token, which is no secret to who may see the keys.
        let proof = jar.sealed[28..].to_owned();
        [proof, jar.access, jar.csrf, jar.id_refresh]
    });
    credentials.filter(|credential| !credential.is_empty()).chain([BIND.to_owned()]).collect()
}

/// Fails if one of the credentials is in `text`, in which `control` is.
fn assert_absent(place: &str, text: &[u8], credentials: &[String], control: &str) {
    let contains = |wanted: &str| text.windows(wanted.len()).any(|window| window == wanted.as_bytes());
    assert!(contains(control), "{place}: what is there is found");
    for credential in credentials {
        // Also a long piece of it: a log may shorten what it shows.
        let piece = &credential[credential.len() - credential.len().min(24)..];
        assert!(!contains(piece) && !contains(&credential[..credential.len().min(24)]), "{place}: {credential}");
    }
}

fn files_in(dir: &Path) -> Vec<u8> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { fs::read(path).expect("a file") }).collect()
}

#[test]
fn slowlog_and_monitor_show_no_credential() {
    let server = Server::with(&["--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000"]);
    let mut client = server.client();
    let mut monitor = server.client();
    monitor.ok(&["MONITOR"]);
    let credentials = use_everything(&mut client);
    client.ok(&["PING", "that is all"]);
    let mut seen = String::new();
    while !seen.contains("that is all") {
        seen += &text(&monitor.receive());
        seen.push('\n');
    }
    assert_absent("MONITOR", seen.as_bytes(), &credentials, "SH.REFRESH");
    let slow = flat(&client.ok(&["SLOWLOG", "GET", "100000"]));
    assert_absent("SLOWLOG", slow.as_bytes(), &credentials, "SH.REFRESH");
}

fn flat(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(" "),
        other => text(other),
    }
}

#[test]
fn the_log_and_info_show_no_credential() {
    let server = Server::with(&["--loglevel", "debug"]);
    let mut client = server.client();
    let credentials = use_everything(&mut client);
    // A command that the access control list forbids is noted, too.
    client.ok(&["ACL", "SETUSER", "app", "on", ">pw", "+@all", "-sh.refresh", "~sh:*"]);
    let mut app = server.client_as("app", "pw");
    let jar = Jar::tokens(&mut app);
    assert_eq!(jar.refresh_refused(&mut app), "NOPERM");
    let credentials = [&credentials[..], &[jar.sealed[28..].to_owned(), jar.access, jar.csrf]].concat();
    assert_absent("the log", server.log().as_bytes(), &credentials, "Ready to accept connections");
    let info = client.text(&["INFO", "everything"]);
    assert_absent("INFO", info.as_bytes(), &credentials, "sh_refreshed");
    let denied = format!("{:?}", client.ok(&["ACL", "LOG"]));
    assert!(!credentials.iter().any(|credential| denied.contains(credential)), "{denied}");
}

#[test]
fn what_lies_at_rest_holds_no_credential() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always", "--dbfilename", "dump.rdb"]);
    let mut client = server.client();
    let credentials = use_everything(&mut client);
    client.ok(&["SET", "control", "a control that is found"]);
    client.ok(&["CONFIG", "SET", "rdbcompression", "no"]);
    client.ok(&["SAVE"]);
    assert_absent("the AOF and the RDB file", &files_in(server.dir()), &credentials, "a control that is found");
}

#[test]
fn with_a_secret_file_what_lies_at_rest_forges_nothing() {
    let outside = Server::bare(&[]);
    let secret = "the-secret-that-all-is-derived-from";
    let file = outside.dir().join("secrets");
    fs::write(&file, secret).expect("a file");
    let server = Server::with(&["--appendonly", "yes", "--sh.secret-file", file.to_str().expect("UTF-8")]);
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    client.ok(&["SET", "control", "a control that is found"]);
    client.ok(&["SAVE"]);
    assert_absent("at rest", &files_in(server.dir()), &[secret.to_owned()], "a control that is found");
    // A thief of the files has all the data and not the secret: what a server makes of it is worth nothing here.
    let dump = bytes(&client.ok(&["DUMP", &jar.tkn]));
    let thief = Server::start();
    let mut theirs = thief.client();
    theirs.ok(&[b"RESTORE".as_slice(), jar.tkn.as_bytes(), b"0", &dump]);
    Jar::tokens(&mut theirs);
    assert_eq!(jar.refresh_refused(&mut theirs), "UNAUTHORISED", "nor does it know the genuine ones");
    let forged = format!("{}{}", jar.tkn, "A".repeat(32));
    assert_eq!(client.status(&["SH.REFRESH", &jar.tkn, &forged]), "UNAUTHORISED");
    assert_eq!(jar.refresh(&mut client).check(&mut client), Ok(()));
}
