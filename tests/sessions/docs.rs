//! What COMMAND INFO, DOCS and GETKEYS tell of the commands, and that the pages of docs/ say the same.

use redis::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use testkit::*;

/// All commands. One that is not registered, or not documented, fails the tests of this file.
const COMMANDS: [&str; 25] = [
    "SH.NEW",
    "SH.OPEN",
    "SH.INFO",
    "SH.EXISTS",
    "SH.TOUCH",
    "SH.END",
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
    "SH.ENDALL",
    "SH.VERIFY",
    "SH.CHECK",
    "SH.RESUME",
    "SH.REFRESH",
    "SH.PAYLOAD",
    "SH.REGENERATE",
    "SH.JWKS",
    "SH.CLEARCOOKIES",
];
const READ: &[&str] = &[
    "SH.OPEN",
    "SH.INFO",
    "SH.EXISTS",
    "SH.GET",
    "SH.COUNT",
    "SH.KEYS",
    "SH.CONTAINS",
    "SH.LIST",
    "SH.VERIFY",
    "SH.CHECK",
    "SH.JWKS",
    "SH.CLEARCOOKIES",
];
/// Commands whose work grows beyond their arguments: all data of a session, or all sessions of a name.
const SLOW: &[&str] = &["SH.NEW", "SH.GET", "SH.KEYS", "SH.CLEAR", "SH.CLEARSET", "SH.LIST", "SH.ENDALL"];
const GROW: &[&str] = &["SH.NEW", "SH.SET", "SH.ADD", "SH.CLEARSET", "SH.PAYLOAD", "SH.REGENERATE"];
/// Their first argument is a name, which routes and is no key.
const BY_NAME: &[&str] = &["SH.NEW", "SH.OPEN", "SH.LIST", "SH.ENDALL"];
const KEYLESS: &[&str] = &["SH.VERIFY", "SH.JWKS", "SH.CLEARCOOKIES"];
const BY_TOKENS: &[&str] = &["SH.EXISTS", "SH.END"];

/// What COMMAND INFO tells of one command.
struct Info {
    name: String,
    arity: i64,
    flags: Vec<String>,
    /// The legacy range: what routes in a cluster.
    keys: [i64; 3],
    specs: Vec<Value>,
}

/// All commands of the module.
fn commands(client: &mut Client) -> Vec<Info> {
    let ask: Vec<&str> = ["COMMAND", "INFO"].into_iter().chain(COMMANDS).collect();
    let infos = items(&client.ok(&ask));
    let info = |info: &Value| {
        let info = items(info);
        Info {
            name: text(&info[0]),
            arity: int(&info[1]),
            flags: list(&info[2]),
            keys: [int(&info[3]), int(&info[4]), int(&info[5])],
            specs: items(&info[8]),
        }
    };
    infos.iter().map(info).collect()
}

fn sorted(texts: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.sort();
    texts
}

fn page(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The page of a command, from the root of the repository.
fn path(command: &str) -> String {
    format!("docs/commands/{}.md", command.to_lowercase())
}

#[test]
fn the_server_has_all_commands_and_no_other() {
    let server = Server::start();
    let registered = server.client().list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]);
    assert_eq!(sorted(registered), sorted(COMMANDS));
}

#[test]
fn each_command_has_its_page_and_a_row_in_each_table() {
    let directory = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands")).expect("the pages");
    let files = directory.map(|entry| entry.expect("a page").file_name().into_string().expect("a name"));
    let pages = files.filter(|name| name != "README.md").map(|name| format!("docs/commands/{name}"));
    assert_eq!(sorted(pages), sorted(COMMANDS.map(path)));
    for command in COMMANDS {
        assert!(page(&path(command)).starts_with(&format!("# {command}\n")), "{command}");
    }
    // A row begins with the command, which links to its page.
    let rows = |table: &str, quote: &str| -> Vec<String> {
        let table = page(table);
        let rows = table.lines().filter_map(|line| line.strip_prefix(&format!("| [{quote}SH.")));
        rows.map(|row| {
            let (title, rest) = row.split_once("](").expect("a link");
            let name = title.split([' ', '`']).next().expect("a name");
            format!("SH.{name} {}", rest.split(')').next().expect("its end"))
        })
        .collect()
    };
    for (table, quote, directory) in [("docs/commands/README.md", "", ""), ("README.md", "`", "docs/commands/")] {
        let wanted = COMMANDS.map(|command| format!("{command} {directory}{}.md", command.to_lowercase()));
        assert_eq!(rows(table, quote), wanted, "{table}");
    }
}

#[test]
fn each_page_has_the_version_complexity_and_flags_that_the_server_answers() {
    let server = Server::start();
    let mut client = server.client();
    for Info { name, flags, .. } in commands(&mut client) {
        let page = page(&path(&name));
        let facts = page.split("\n\n").find(|paragraph| paragraph.starts_with("Since ")).expect("the facts");
        let facts = facts.replace('\n', " ");
        let (since, rest) = facts["Since ".len()..].split_once(". Complexity ").expect("a complexity");
        let (complexity, told) = rest.split_once(". Flags: ").expect("flags");
        let docs = member(&client.ok(&["COMMAND", "DOCS", &name]), &name);
        let plain = |text: &str| text.trim_end_matches('.').replace([',', '`'], "");
        assert_eq!(since, text(&member(&docs, "since")), "{name}");
        assert_eq!(plain(complexity), plain(&text(&member(&docs, "complexity"))), "{name}");
        let told = told.trim_end_matches('.').split(", ");
        assert_eq!(sorted(told), sorted(flags.into_iter().filter(|flag| flag != "module")), "{name}");
    }
}

#[test]
fn each_command_says_whether_it_reads_or_writes_and_whether_it_needs_memory() {
    let server = Server::start();
    for Info { name, flags, .. } in commands(&mut server.client()) {
        let has = |flag: &str| flags.iter().any(|own| own == flag);
        assert_eq!(has("readonly"), READ.contains(&name.as_str()), "{name}");
        assert_eq!(has("write"), !has("readonly"), "{name}");
        assert_eq!(has("denyoom"), GROW.contains(&name.as_str()), "{name}");
        assert_eq!(has("fast"), !SLOW.contains(&name.as_str()), "{name}");
        assert!(has("module") && !has("noscript"), "{name}");
    }
}

#[test]
fn the_page_of_each_command_tells_its_flags() {
    let server = Server::start();
    for Info { name, flags, .. } in commands(&mut server.client()) {
        let page = format!("{}/docs/commands/{}.md", env!("CARGO_MANIFEST_DIR"), name.to_lowercase());
        let page = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("no page {page}"));
        let told = page.split_once("Flags: ").and_then(|(_, rest)| rest.split_once('.')).expect("flags").0;
        let told: BTreeSet<_> = told.split(',').map(str::trim).collect();
        let own: BTreeSet<_> = flags.iter().map(String::as_str).filter(|&flag| flag != "module").collect();
        assert_eq!(told, own, "{name}");
    }
}

#[test]
fn each_command_is_routed_by_its_first_argument_and_by_nothing_else() {
    let server = Server::start();
    for Info { name, flags, keys, specs, .. } in commands(&mut server.client()) {
        assert!(!flags.iter().any(|flag| flag == "movablekeys"), "{name}");
        if KEYLESS.contains(&name.as_str()) {
            assert_eq!((keys[0], specs.len()), (0, 0), "{name}");
            continue;
        }
        let last = if BY_TOKENS.contains(&name.as_str()) { -1 } else { 1 };
        assert_eq!(keys, [1, last, 1], "{name}");
        assert_eq!(specs.len(), 1, "{name}");
        let search = member(&specs[0], "begin_search");
        assert_eq!(text(&member(&search, "type")), "index", "{name}");
        assert_eq!(int(&member(&member(&search, "spec"), "index")), 1, "{name}");
        let find = member(&member(&specs[0], "find_keys"), "spec");
        assert_eq!(int(&member(&find, "lastkey")), if last == 1 { 0 } else { -1 }, "{name}");
        let access = list(&member(&specs[0], "flags"));
        let is = |flag: &str| access.iter().any(|own| own == flag);
        assert_eq!(is("not_key"), BY_NAME.contains(&name.as_str()), "{name}");
        assert_eq!(is("RO"), READ.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_token_is_a_key_and_a_name_is_none() {
    let server = Server::start();
    let mut client = server.client();
    assert_eq!(client.list(&["COMMAND", "GETKEYS", "SH.GET", "token", "field"]), ["token"]);
    assert_eq!(client.list(&["COMMAND", "GETKEYS", "SH.SET", "token", "field", "value"]), ["token"]);
    assert_eq!(client.list(&["COMMAND", "GETKEYS", "SH.END", "one", "two", "three"]), ["one", "two", "three"]);
    for name in [&["SH.NEW", "alice", "SHARED"][..], &["SH.OPEN", "alice"]] {
        let error = client.call(&[&["COMMAND", "GETKEYS"], name].concat()).expect_err("no key");
        assert!(error.contains("no key arguments"), "{error}");
    }
}

#[test]
fn each_key_specification_has_the_right_flags() {
    let server = Server::start();
    let mut client = server.client();
    for (command, flags) in [
        (&["SH.GET", "token"][..], &["RO", "access"][..]),
        (&["SH.SET", "token", "a", "1"], &["RW", "update"]),
        (&["SH.TOUCH", "token"], &["RW", "update"]),
        (&["SH.PAYLOAD", "token", "{}"], &["RW", "access", "update"]),
        (&["SH.REFRESH", "token", "refreshToken"], &["RW", "access", "update"]),
        (&["SH.END", "token"], &["RM", "delete"]),
    ] {
        let keys = items(&client.ok(&[&["COMMAND", "GETKEYSANDFLAGS"], command].concat()));
        let [key, uses] = &items(&keys[0])[..] else { panic!("{keys:?}") };
        assert_eq!((text(key).as_str(), list(uses)), ("token", flags.iter().map(ToString::to_string).collect()));
    }
}

#[test]
fn each_command_is_documented() {
    let server = Server::start();
    let mut client = server.client();
    for Info { name, arity, .. } in commands(&mut client) {
        let docs = member(&client.ok(&["COMMAND", "DOCS", &name]), &name);
        for (entry, end) in [("summary", "."), ("complexity", ""), ("since", "")] {
            let told = text(&member(&docs, entry));
            assert!(told.len() > 3 && told.ends_with(end), "{name} {entry}: {told}");
        }
        assert_eq!(text(&member(&docs, "module")), "sh");
        let Some(arguments) = find(&docs, "arguments") else {
            assert!(KEYLESS.contains(&name.as_str()) && arity == -1, "{name} has no arguments");
            continue;
        };
        arguments_are_described(&name, &arguments);
        let first = &items(&arguments)[0];
        let kind = text(&member(first, "type"));
        assert_eq!(kind == "key", !KEYLESS.contains(&name.as_str()), "{name}");
    }
}

fn arguments_are_described(command: &str, arguments: &Value) {
    for argument in items(arguments) {
        assert!(!text(&member(&argument, "name")).is_empty(), "{command}");
        match text(&member(&argument, "type")).as_str() {
            "pure-token" => {
                assert_eq!(text(&member(&argument, "token")), text(&member(&argument, "token")).to_uppercase());
            }
            "oneof" | "block" => arguments_are_described(command, &member(&argument, "arguments")),
            "key" => assert_eq!(int(&member(&argument, "key_spec_index")), 0),
            "string" | "integer" => {}
            other => panic!("{command}: an argument of type {other}"),
        }
    }
}

#[test]
fn the_options_of_sh_new_are_offered_by_name() {
    let server = Server::start();
    let docs = format!("{:?}", server.client().ok(&["COMMAND", "DOCS", "SH.NEW"]));
    for token in ["SHARED", "EXPIRY", "DELETE", "CLEAR", "IDLE", "DATA"] {
        assert!(docs.contains(&format!("'{token}'")) || docs.contains(&format!("\"{token}\"")), "{token}: {docs}");
    }
}

#[test]
fn too_few_arguments_are_the_servers_own_error() {
    let server = Server::start();
    let mut client = server.client();
    for Info { name, arity, .. } in commands(&mut client) {
        assert!(arity <= -1 || KEYLESS.contains(&name.as_str()), "{name}");
        let too_few = vec![name.clone(); arity.unsigned_abs() as usize - 1];
        if too_few.is_empty() {
            continue;
        }
        let error = client.call(&too_few).expect_err("too few");
        assert!(error.starts_with("ERR wrong number of arguments"), "{name}: {error}");
    }
    assert_eq!(client.status(&["SH.NEW"]), "VALUEMISSING", "but a name is a value");
}

#[test]
fn later_missing_arguments_are_reported_by_the_module() {
    let server = Server::start();
    let mut client = server.client();
    let token = client.new_session(&["alice"]);
    for command in ["SET", "ADD", "RMV", "CONTAINS", "CLEARSET", "CHECK", "RESUME", "REFRESH", "REGENERATE"] {
        assert_eq!(client.status(&[&format!("SH.{command}"), token.as_str()]), "VALUEMISSING", "{command}");
    }
    for option in ["EXCEPT", "ONLY"] {
        assert_eq!(client.status(&["SH.ENDALL", "alice", option]), "VALUEMISSING", "{option}");
    }
    assert_eq!(client.status(&["SH.VERIFY", "token", "CSRF"]), "VALUEMISSING");
}

#[test]
fn both_protocols_describe_each_command_alike() {
    let server = Server::start();
    let in_both = [server.client(), server.client3()].map(|mut client| {
        let infos = commands(&mut client);
        infos.iter().map(|info| (info.name.clone(), info.arity, info.keys)).collect::<BTreeSet<_>>()
    });
    assert_eq!(in_both[0], in_both[1]);
}

/// The Rust files below a folder, as one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("UTF-8"),
        _ => String::new(),
    };
    entries.map(read).collect()
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: String = ["core/src", "src", "tests"].iter().map(|folder| sources(&root.join(folder))).collect();
    let page = fs::read_to_string(root.join("docs/security.md")).expect("the page");
    // The last column names tests and their files.
    let cells = page.lines().filter(|line| line.starts_with("| S-")).filter_map(|row| row.rsplit('|').nth(1));
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let tests: Vec<_> = quoted.filter(|text| !text.contains('.')).collect();
    assert!(tests.len() > 40, "{tests:?}");
    for test in tests {
        assert!(sources.contains(&format!("fn {test}(")), "{test}");
    }
}
