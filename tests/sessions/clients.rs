//! The programs of docs/clients.md, as they stand there, on real servers: what a browser sees of them.

use crate::interop::Language;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use testkit::*;

/// The one program of docs/clients.md in this language.
fn program(language: &str) -> String {
    let page = include_str!("../../docs/clients.md");
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a program");
    rest.split_once("```\n").expect("its end").0.to_owned()
}

/// A web application on a port of its own; it ends with the value.
struct Application {
    process: Child,
    port: u16,
}

impl Application {
    /// `None` where the language is missing, or too old for the libraries.
    fn start(language: Language, program: &str, server: &Server) -> Option<Self> {
        let arguments = match language {
            Language::JavaScript => {
                let version = language.interpreter()?.arg("--version").output().expect("a version").stdout;
                let major = String::from_utf8_lossy(&version).trim_start_matches('v').split('.').next()?.parse::<u32>();
                if major.is_ok_and(|major| major < 20) {
                    eprintln!("SKIPPED: node-redis needs Node 20");
                    return None;
                }
                vec!["--input-type=module".to_owned(), "--eval".to_owned(), program.to_owned()]
            }
            Language::Python => vec!["-c".to_owned(), format!("{program}\napp.run(port=int(os.environ['PORT']))")],
        };
        // Another process may take the port between our look and the application's: then it is tried again.
        for _ in 0..5 {
            let port = free_port();
            let mut command = language.interpreter()?;
            command.args(&arguments).env("PORT", port.to_string());
            command.env("REDIS_URL", format!("redis://127.0.0.1:{}", server.port));
            let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut application = Self { process: process.expect("the interpreter"), port };
            if application.is_ready() {
                return Some(application);
            }
        }
        panic!("the application does not start");
    }

    /// Waits until the application answers; whether it does, or has ended.
    fn is_ready(&mut self) -> bool {
        let mut ended = false;
        await_that("the application listens", || {
            ended = self.process.try_wait().expect("its state").is_some();
            ended || self.exchange("GET / HTTP/1.0\r\n\r\n").is_some_and(|reply| reply.starts_with("HTTP/1."))
        });
        !ended
    }

    /// What is answered to a request.
    fn exchange(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).ok()?;
        Some(reply)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser with the cookies that it was given.
struct Browser<'a> {
    application: &'a Application,
    cookies: BTreeMap<String, String>,
}

struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Response {
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The status, and the error in the body.
    fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().expect("an error").to_owned())
    }
}

impl<'a> Browser<'a> {
    fn new(application: &'a Application) -> Self {
        Self { application, cookies: BTreeMap::new() }
    }

    fn get(&mut self, path: &str) -> Response {
        self.ask("GET", path, &[], "")
    }

    fn post(&mut self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.ask("POST", path, headers, "")
    }

    /// Sends a form.
    fn submit(&mut self, path: &str, form: &str) -> Response {
        self.ask("POST", path, &[("content-type", "application/x-www-form-urlencoded")], form)
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = format!("{method} {path} HTTP/1.0\r\nhost: localhost\r\n");
        request += &format!("cookie: {}\r\ncontent-length: {}\r\n", cookies.join("; "), body.len());
        headers.iter().for_each(|(name, value)| request += &format!("{name}: {value}\r\n"));
        let reply = self.application.exchange(&format!("{request}\r\n{body}")).expect("a response");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let headers = lines.map(header).collect();
        let response = Response { status: status.expect("a status"), headers, body: body.to_owned() };
        self.keep(&response);
        response
    }

    fn keep(&mut self, response: &Response) {
        for cookie in response.all("set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            match value {
                "" => self.cookies.remove(name),
                _ => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    fn names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }
}

/// A server with the cookies that production should have.
fn server() -> Server {
    Server::with(&["--sh.cookie-prefix", "__Host-"])
}

fn no_writes(client: &mut Client, no_writes: bool) {
    client.ok(&["CONFIG", "SET", "min-replicas-to-write", if no_writes { "1" } else { "0" }]);
}

#[test]
fn the_node_program_signs_in_refreshes_and_signs_out_under_any_cookie_prefix() {
    let server = server();
    let Some(application) = Application::start(Language::JavaScript, &program("js"), &server) else { return };
    let mut browser = Browser::new(&application);
    assert_eq!(browser.get("/me").refusal(), (401, "UNAUTHORISED".into()));
    let csrf = browser.post("/login", &[]).header("anti-csrf").expect("a token").to_owned();
    assert_eq!(browser.names(), ["__Host-sAccessToken", "__Host-sIdRefreshToken", "__Secure-sRefreshToken"]);
    assert_eq!(browser.get("/me").json(), json!({"user": "alice", "role": "editor"}));

    let before = browser.cookies.clone();
    let csrf =
        browser.post("/session/refresh", &[("anti-csrf", &csrf)]).header("anti-csrf").expect("a token").to_owned();
    assert!(before.iter().all(|(name, value)| browser.cookies[name] != *value), "all are new");
    assert_eq!(browser.post("/logout", &[]).refusal(), (401, "TRYREFRESHTOKEN".into()), "not the page's own");
    assert_eq!(browser.names().len(), 3);
    assert_eq!(browser.post("/logout", &[("anti-csrf", &csrf)]).status, 200);
    assert!(browser.cookies.is_empty());
    assert_eq!(server.client().list(&["SH.LIST", "alice"]), [""; 0]);

    // A thief presents credentials that were replaced before.
    let csrf = browser.post("/login", &[]).header("anti-csrf").expect("a token").to_owned();
    let stolen = browser.cookies.clone();
    server.client().ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    browser.post("/session/refresh", &[("anti-csrf", &csrf)]);
    let mut thief = Browser { cookies: stolen, ..Browser::new(&application) };
    assert_eq!(thief.post("/session/refresh", &[("anti-csrf", &csrf)]).refusal(), (401, "UNAUTHORISED".into()));
    assert!(thief.cookies.is_empty());
}

#[test]
fn the_node_program_sends_no_token_to_the_scripts_of_a_page() {
    let server = server();
    let Some(application) = Application::start(Language::JavaScript, &program("js"), &server) else { return };
    let (mut phone, mut laptop) = (Browser::new(&application), Browser::new(&application));
    let csrf = phone.post("/login", &[]).header("anti-csrf").expect("a token").to_owned();
    laptop.post("/login", &[]);
    let devices = phone.get("/devices");
    let listed = devices.json();
    let other = listed.as_array().expect("devices").iter().find(|device| device["here"] == false).expect("the laptop");
    for response in [&devices, &phone.get("/me")] {
        let shown = format!("{:?} {}", response.headers, response.body);
        assert!(!shown.contains("sh:"), "{shown}");
        assert!(server.client().keys().iter().all(|key| !shown.contains(key)), "{shown}");
    }
    let path = format!("/devices/{}/logout", other["id"].as_str().expect("an ID"));
    assert_eq!(phone.post(&path, &[("anti-csrf", &csrf)]).status, 200);
    assert_eq!(phone.get("/me").status, 200);
    assert_eq!(laptop.get("/me").refusal(), (401, "UNAUTHORISED".into()));
    assert!(laptop.cookies.is_empty());
}

#[test]
fn a_page_of_the_node_program_goes_on_after_a_reload() {
    let server = server();
    let Some(application) = Application::start(Language::JavaScript, &program("js"), &server) else { return };
    let mut browser = Browser::new(&application);
    browser.post("/login", &[]);
    // The page has lost its anti-CSRF token.
    let me = browser.get("/me");
    let csrf = me.header("anti-csrf").expect("a token").to_owned();
    assert_eq!(me.header("access-control-expose-headers"), Some("anti-csrf"));
    assert_eq!(me.header("cache-control"), Some("no-store"));
    assert_eq!(browser.post("/devices/none/logout", &[("anti-csrf", &csrf)]).status, 200);

    // And the access token has expired.
    browser.cookies.remove("__Host-sAccessToken");
    assert_eq!(browser.get("/me").refusal(), (401, "TRYREFRESHTOKEN".into()));
    let before = browser.cookies.clone();
    for foreign in [&[][..], &[("sec-fetch-site", "cross-site")], &[("sec-fetch-site", "same-site")]] {
        assert_eq!(browser.post("/session/refresh", foreign).refusal(), (401, "TRYREFRESHTOKEN".into()));
        assert_eq!(browser.cookies, before);
    }
    let wrong = [("sec-fetch-site", "same-origin"), ("anti-csrf", "wrong")];
    assert_eq!(browser.post("/session/refresh", &wrong).refusal(), (401, "TRYREFRESHTOKEN".into()));
    assert_eq!(browser.post("/session/refresh", &[("sec-fetch-site", "same-origin")]).status, 200);
    assert_eq!(browser.get("/me").status, 200);
}

#[test]
fn the_node_program_keeps_the_headers_that_others_expose() {
    let server = server();
    let app = "const app = express()\n";
    let cors = "app.use((_, response, next) => { response.set('access-control-expose-headers', 'x-own'); next() })\n";
    let with_cors = program("js").replace(app, &format!("{app}{cors}"));
    assert!(with_cors.contains(cors));
    let Some(application) = Application::start(Language::JavaScript, &with_cors, &server) else { return };
    let mut browser = Browser::new(&application);
    let login = browser.post("/login", &[]);
    assert_eq!(login.all("access-control-expose-headers"), ["x-own", "anti-csrf, id-refresh-token"]);
    assert_eq!(browser.get("/me").all("access-control-expose-headers"), ["x-own", "anti-csrf"]);
}

#[test]
fn nobody_is_signed_out_of_the_node_program_while_the_server_takes_no_writes() {
    let server = server();
    let Some(application) = Application::start(Language::JavaScript, &program("js"), &server) else { return };
    let mut browser = Browser::new(&application);
    let csrf = browser.post("/login", &[]).header("anti-csrf").expect("a token").to_owned();
    let before = browser.cookies.clone();
    no_writes(&mut server.client(), true);
    let refused = browser.post("/session/refresh", &[("anti-csrf", &csrf)]);
    assert_eq!(refused.refusal(), (503, "LATER".into()));
    assert_eq!((refused.header("retry-after"), &browser.cookies), (Some("1"), &before));
    assert_eq!(browser.get("/me").status, 200, "SH.CHECK only reads");
    no_writes(&mut server.client(), false);
    assert_eq!(browser.post("/session/refresh", &[("anti-csrf", &csrf)]).status, 200);
}

#[test]
fn the_python_program_signs_in_buys_and_signs_out_under_any_cookie_prefix() {
    let server = server();
    let Some(application) = Application::start(Language::Python, &program("python"), &server) else { return };
    let mut browser = Browser::new(&application);
    assert_eq!(browser.get("/").status, 401);
    assert_eq!(browser.post("/login", &[]).status, 200);
    assert_eq!(browser.names(), ["__Host-sCookieToken"]);
    let page = browser.get("/").body;
    assert!(page.starts_with("bob buys pears"), "{page}");
    let csrf = page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a form");
    assert_eq!(browser.submit("/buy", "csrf=wrong").status, 403);
    assert_eq!(browser.submit("/buy", "").status, 403);
    assert_eq!(browser.submit("/buy", &format!("csrf={csrf}")).status, 200);
    assert!(browser.get("/").body.starts_with("bob buys nothing"));
    assert_eq!(browser.submit("/logout", &format!("csrf={csrf}")).status, 200);
    assert!(browser.cookies.is_empty());
}

#[test]
fn nobody_is_signed_out_of_the_python_program_while_the_server_takes_no_writes() {
    let server = server();
    let Some(application) = Application::start(Language::Python, &program("python"), &server) else { return };
    let mut browser = Browser::new(&application);
    browser.post("/login", &[]);
    let before = browser.cookies.clone();
    let mut client = server.client();
    no_writes(&mut client, true);
    let refused = browser.get("/");
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    no_writes(&mut client, false);
    // A replica, which redis-py has an exception of its own for.
    client.ok(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    assert_eq!(browser.get("/").status, 503);
    client.ok(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(browser.cookies, before);
    assert_eq!(browser.get("/").status, 200);
}
