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
        // The part of a sealed token after the session's token. The token itself is a key's name, and no secret here.
        let proof = jar.sealed[28..].to_owned();
        [proof, jar.access, jar.csrf, jar.id_refresh]
    });
    credentials.filter(|credential| !credential.is_empty()).chain([BIND.to_owned()]).collect()
}

/// Uses every command with credentials where they do not belong. Answers the credentials, and the errors.
fn use_in_wrong_places(client: &mut Client) -> (Vec<String>, Vec<String>) {
    let jar = Jar::tokens(client);
    let cookie = Jar::cookie(client);
    let mut errors = Vec::new();
    let mut call = |command: &[&str]| errors.extend(client.call(command).err());
    for command in EVERY_COMMAND {
        let by_token = !["SH.NEW", "SH.OPEN", "SH.LIST", "SH.ENDALL", "SH.JWKS", "SH.CLEARCOOKIES"].contains(command);
        // These have a form that they are known by.
        for credential in [&jar.sealed, &jar.access, &cookie.sealed] {
            call(&[command, credential]);
            call(&[command, credential, credential]);
            call(&[command, &jar.tkn, credential]);
            call(&[command, "alice", credential]);
            call(&[command, "alice", "ONLY", credential]);
        }
        // These do not: in the place of a token they are known not to be one.
        for credential in [&jar.csrf, &jar.id_refresh] {
            if by_token {
                call(&[command, credential]);
                call(&[command, credential, "field", "value"]);
            }
        }
    }
    call(&["SH.END", &jar.tkn, &jar.csrf]);
    call(&["SH.ENDALL", "alice", "ONLY", &jar.csrf]);
    call(&["SH.NEW", "alice", "TOKENS", &format!(r#"{{"bind":"{BIND}"}}"#)]);
    call(&["SH.NEW", "alice", "EXPIRY", &jar.sealed]);
    call(&["SH.NEW", "alice", "EXPIRY", "1", &jar.sealed]);
    call(&["SH.NEW", "alice", "LIMIT", &jar.sealed]);
    for command in ["SH.CHECK", "SH.RESUME", "SH.REFRESH"] {
        for options in [&[&jar.csrf[..]][..], &["CSRF", &jar.csrf, &jar.csrf], &["BIND"], &["CSRF", BIND, BIND]] {
            call(&[&[command, &jar.tkn, &jar.sealed], options].concat());
        }
        for options in [json!({&jar.csrf: 1}), json!({"bind": [BIND]}), json!({"antiCsrfToken": {"is": jar.csrf}})] {
            call(&[command, &jar.tkn, &jar.sealed, &options.to_string()]);
        }
    }
    let proofs = [jar.sealed[28..].to_owned(), cookie.sealed[28..].to_owned()];
    let credentials = proofs.into_iter().chain([jar.access, jar.csrf, jar.id_refresh, BIND.to_owned()]);
    (credentials.collect(), errors)
}

const EVERY_COMMAND: &[&str] = &[
    "SH.NEW",
    "SH.OPEN",
    "SH.INFO",
    "SH.EXISTS",
    "SH.TOUCH",
    "SH.SET",
    "SH.ADD",
    "SH.GET",
    "SH.RMV",
    "SH.COUNT",
    "SH.KEYS",
    "SH.CONTAINS",
    "SH.CLEAR",
    "SH.CLEARSET",
    "SH.LIST",
    "SH.VERIFY",
    "SH.CHECK",
    "SH.RESUME",
    "SH.REFRESH",
    "SH.PAYLOAD",
    "SH.REGENERATE",
    "SH.JWKS",
    "SH.CLEARCOOKIES",
    // Last, for these end sessions.
    "SH.END",
    "SH.ENDALL",
];

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

/// What SLOWLOG and MONITOR show of `work`.
fn watched<R>(work: impl FnOnce(&mut Client) -> R) -> (R, String, String) {
    let server = Server::with(&["--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000"]);
    let mut client = server.client();
    let mut monitor = server.client();
    monitor.ok(&["MONITOR"]);
    let done = work(&mut client);
    client.ok(&["PING", "that is all"]);
    let mut seen = String::new();
    while !seen.contains("that is all") {
        seen += &text(&monitor.receive());
        seen.push('\n');
    }
    let slow = flat(&client.ok(&["SLOWLOG", "GET", "100000"]));
    (done, seen, slow)
}

#[test]
fn slowlog_and_monitor_show_no_credential() {
    let (credentials, monitor, slowlog) = watched(use_everything);
    assert_absent("MONITOR", monitor.as_bytes(), &credentials, "SH.REFRESH");
    assert_absent("SLOWLOG", slowlog.as_bytes(), &credentials, "SH.REFRESH");
}

#[test]
fn a_misplaced_credential_is_shown_neither_by_slowlog_nor_by_an_error() {
    let mut known = Server::start().client().list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]);
    known.sort();
    let mut used: Vec<_> = EVERY_COMMAND.iter().map(|command| command.to_ascii_uppercase()).collect();
    used.sort();
    assert_eq!(known.iter().map(|command| command.to_ascii_uppercase()).collect::<Vec<_>>(), used);

    let ((credentials, errors), monitor, slowlog) = watched(use_in_wrong_places);
    assert_absent("MONITOR", monitor.as_bytes(), &credentials, "SH.GET");
    assert_absent("SLOWLOG", slowlog.as_bytes(), &credentials, "SH.GET");
    assert!(errors.len() > 300, "{}", errors.len());
    assert_absent("errors", errors.join("\n").as_bytes(), &credentials, "SESSIONTOKENINVALID");
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
fn rdb_and_aof_hold_no_credential() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always", "--dbfilename", "dump.rdb"]);
    let mut client = server.client();
    let credentials = use_everything(&mut client);
    client.ok(&["SET", "control", "a control that is found"]);
    client.ok(&["CONFIG", "SET", "rdbcompression", "no"]);
    client.ok(&["SAVE"]);
    assert_absent("the AOF and the RDB file", &files_in(server.dir()), &credentials, "a control that is found");
}

#[test]
fn with_a_secret_file_rdb_and_aof_do_not_suffice_to_forge_credentials() {
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
    // A thief of the files has all data without the secret: credentials that such a server makes are refused here.
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
