//! Our credentials with the libraries that people use: `jose` and PyJWT verify access tokens with nothing but SH.JWKS,
//! and cookie parsers take our cookies. The scripts are in `tests/interop`; their libraries are installed into
//! `target/interop` on first use. The programs of docs/clients.md run there too: see clients.rs.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use testkit::jar::*;
use testkit::*;

/// A language whose libraries are asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Language {
    JavaScript,
    Python,
}

impl Language {
    fn program(self) -> &'static str {
        match self {
            Self::JavaScript => "node",
            Self::Python => "python3",
        }
    }

    /// The command that installs the libraries.
    fn installer(self) -> Command {
        let (program, arguments): (_, &[_]) = match self {
            Self::JavaScript => ("npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"]),
            Self::Python => {
                let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"];
                ("python3", &[&install[..], &["--target", "lib", "-r", "requirements.txt"]].concat())
            }
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    fn is_here(self) -> bool {
        let runs = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output();
            output.is_ok_and(|output| output.status.success())
        };
        match self {
            Self::JavaScript => runs("node", &["--version"]) && runs("npm", &["--version"]),
            Self::Python => runs("python3", &["-m", "pip", "--version"]),
        }
    }

    /// A directory with the scripts and what they need; `None` where the language itself is missing.
    fn installed(self) -> Option<PathBuf> {
        static INSTALLING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_here() {
            // Seen with --nocapture; `make test` installs both where it can.
            eprintln!("SKIPPED: {} or its package installer is not on this machine", self.program());
            return None;
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../interop").join(self.program());
        fs::create_dir_all(&place).expect("a directory");
        let names = fs::read_dir(&source).expect("the scripts").map(|entry| entry.expect("a file").file_name());
        for name in names {
            fs::copy(source.join(&name), place.join(&name)).expect("a copy");
        }
        let wanted = match self {
            Self::JavaScript => "package-lock.json",
            Self::Python => "requirements.txt",
        };
        let wanted = fs::read(source.join(wanted)).expect("what is needed");
        let stamp = place.join("installed");
        if fs::read(&stamp).ok().as_deref() != Some(&wanted) {
            let output = self.installer().current_dir(&place).output().expect("the installer");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::write(&stamp, wanted).expect("a stamp");
        }
        Some(place)
    }

    /// The interpreter, in the directory of the scripts and of what they need; `None` where the language is missing.
    pub fn interpreter(self) -> Option<Command> {
        static PLACES: [OnceLock<Option<PathBuf>>; 2] = [const { OnceLock::new() }; 2];
        let place = PLACES[self as usize].get_or_init(|| self.installed()).as_ref()?;
        let mut command = Command::new(self.program());
        command.current_dir(place).env("PYTHONPATH", place.join("lib"));
        Some(command)
    }

    /// The output of a script for this input; `None` where the language is missing.
    pub fn run(self, script: &str, input: &Value) -> Option<Value> {
        let mut process = self
            .interpreter()?
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        process.stdin.take().expect("its input").write_all(input.to_string().as_bytes()).expect("written");
        let output = process.wait_with_output().expect("its end");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        Some(serde_json::from_slice(&output.stdout).expect("JSON"))
    }
}

/// Access tokens of a server, first good ones, then some that are not, and what a library makes of each.
fn verified_by(language: Language, script: &str) {
    let server = Server::start();
    let mut client = server.client();
    client.ok(&["CONFIG", "SET", "sh.issuer", "https://us.example", "sh.audience", "web"]);
    let payload = json!({"role": "admin", "nested": {"n": [1, 2.5, null, "\u{e9}\u{1F36A}"]}});
    let plain = Jar::tokens(&mut client);
    let thumbprint = "C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y";
    let options = json!({"credentials": "tokens", "jwtPayload": payload, "bind": thumbprint});
    let rich = Jar::with(&mut client, "al\u{ef}ce \"the\" admin", options);
    let refreshed = plain.refresh(&mut client);
    let good = [&plain, &rich, &refreshed].map(|jar| jar.access.clone());

    let (message, signature) = good[0].rsplit_once('.').expect("three parts");
    let altered = format!("{message}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", message.split_once('.').expect("three parts").1);
    client.ok(&["CONFIG", "SET", "sh.audience", "app"]);
    let for_others = Jar::tokens(&mut client).access;
    let stranger = Server::start();
    let mut elsewhere = stranger.client();
    elsewhere.ok(&["CONFIG", "SET", "sh.issuer", "https://us.example", "sh.audience", "web"]);
    let foreign = Jar::tokens(&mut elsewhere).access;
    let bad = [altered, none, for_others, foreign];

    let tokens: Vec<_> = good.iter().chain(&bad).cloned().collect();
    let jwks = client.json(&["SH.JWKS"]);
    let input = json!({"jwks": jwks, "issuer": "https://us.example", "audience": "web", "tokens": tokens});
    let Some(verdicts) = language.run(script, &input) else { return };
    let verdicts = verdicts.as_array().expect("verdicts");
    for (token, verdict) in good.iter().zip(verdicts) {
        assert_eq!(verdict, &claims(token));
    }
    assert_eq!(verdicts[1]["sub"], "al\u{ef}ce \"the\" admin");
    assert_eq!(verdicts[1]["nested"], payload["nested"]);
    assert_eq!(verdicts[1]["cnf"], json!({"jkt": thumbprint}));
    for verdict in &verdicts[good.len()..] {
        assert!(verdict.is_string(), "accepted: {verdict}");
    }
    assert_eq!(verdicts.len(), good.len() + bad.len());
}

#[test]
fn jose_verifies_access_tokens_with_the_key_set_only() {
    verified_by(Language::JavaScript, "verify.mjs");
}

#[test]
fn pyjwt_verifies_access_tokens_with_the_key_set_only() {
    verified_by(Language::Python, "verify.py");
}

#[test]
fn cookie_libraries_keep_send_and_delete_the_cookies() {
    let server = Server::start();
    let mut client = server.client();
    for settings in [
        &[][..],
        &["sh.cookie-prefix", "__Host-", "sh.cookie-same-site", "strict"],
        &["sh.cookie-prefix", "__Secure-", "sh.cookie-domain", "example.com", "sh.cookie-same-site", "none"],
        &["sh.cookie-prefix", "", "sh.access-path", "/api", "sh.refresh-path", "/api/refresh"],
    ] {
        if !settings.is_empty() {
            client.ok(&[&["CONFIG", "SET"], settings].concat());
        }
        let long = json!({"credentials": "tokens", "jwtPayload": {"p": "x".repeat(2_030)}}).to_string();
        let tokens = client.json(&["SH.NEW", "alice", &long]);
        let cookie = client.json(&["SH.NEW", "alice", r#"{"credentials":"cookie"}"#]);
        let clear = client.json(&["SH.CLEARCOOKIES", "{}"]);
        let path = |token: &Value| token["cookiePath"].as_str().expect("a path").to_owned();
        let (access, refresh) = (path(&tokens["accessToken"]), path(&tokens["refreshToken"]));
        let asked = [&access, &refresh, "/elsewhere"].map(|path| format!("https://app.example.com{path}"));
        let ask = |responses: &[&Value]| {
            let responses: Vec<_> = responses.iter().map(|reply| &reply["setCookie"]).collect();
            let input = json!({"url": "https://app.example.com/sign-in", "responses": responses, "asked": asked});
            Language::JavaScript.run("cookies.mjs", &input)
        };
        let Some(held) = ask(&[&tokens, &cookie]) else { return };
        assert_eq!(held["rejected"], json!([]), "{settings:?}");
        let names = |reply: &Value| -> Vec<String> {
            let cookies = reply["setCookie"].as_array().expect("cookies");
            cookies
                .iter()
                .map(|text| text.as_str().expect("a cookie").split('=').next().expect("").to_owned())
                .collect()
        };
        let (names, session) = (names(&tokens), names(&cookie).remove(0));
        let mut everywhere = vec![names[0].clone(), names[2].clone(), session];
        everywhere.sort();
        let mut with_refresh = [&everywhere[..], &names[1..2]].concat();
        with_refresh.sort();
        assert_eq!(held["sent"][0], json!(everywhere), "{settings:?}");
        assert_eq!(held["sent"][1], json!(with_refresh), "the refresh token goes to its own path alone");
        assert_eq!(held["sent"][2], if access == "/" { json!(everywhere) } else { json!([]) });

        let parsed = &held["parsed"][0];
        for (at, token) in ["accessToken", "refreshToken"].into_iter().enumerate() {
            let said = &tokens[token];
            assert_eq!(parsed[at]["value"], said["token"]);
            assert_eq!(parsed[at]["path"], said["cookiePath"]);
            assert_eq!(parsed[at]["secure"], said["cookieSecure"]);
            assert_eq!(parsed[at]["domain"], said["domain"]);
            assert_eq!(parsed[at]["httpOnly"], true);
            let same_site = parsed[at]["sameSite"].as_str().expect("SameSite").to_ascii_lowercase();
            assert_eq!(said["sameSite"], same_site);
            let lives = said["expiry"].as_u64().expect("a time") - said["createdTime"].as_u64().expect("a time");
            assert_eq!(parsed[at]["maxAge"], lives.div_ceil(1_000));
        }

        let gone = ask(&[&tokens, &cookie, &clear]).expect("node was here just now");
        assert_eq!(gone["rejected"], json!([]));
        assert_eq!(gone["sent"], json!([[], [], []]), "{settings:?}");
    }
}
