//! Real servers with the module, and clients to talk to them.
//!
//! `REDIS_SERVER=/path/to/redis-server` chooses another server than the one on the PATH.

#![allow(dead_code, reason = "a harness offers more than the tests of one moment use")]

use redis::{Cmd, Connection, ConnectionLike, RedisResult, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How long something that must happen may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds. For what the server does in its own time: loading, replicating, expiring.
pub fn await_that(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The module, built from the sources as they are now.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    // A benchmark measures what users run.
    let profile = if cfg!(debug_assertions) { "tested" } else { "release" };
    MODULE.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--profile", profile, "--lib", "--message-format=json-render-diagnostics"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "the module does not build");
        let messages = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
        let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let files = artifacts.flat_map(|artifact| artifact["filenames"].as_array().cloned().unwrap_or_default());
        let libraries = files.filter_map(|file| Some(PathBuf::from(file.as_str()?)));
        let is_module = |file: &PathBuf| file.file_stem().is_some_and(|stem| stem == "libredis_sessions");
        libraries.into_iter().find(is_module).expect("cargo says where the module is")
    })
}

/// A server of its own directory and port; it ends with the value.
pub struct Server {
    process: Child,
    pub port: u16,
    dir: PathBuf,
    args: Vec<String>,
    environment: Environment,
}

/// Variables of a server's environment, beside those of the tests.
type Environment = Vec<(String, String)>;

impl Server {
    /// A server with the module and nothing else.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server with the module and further options, as on its command line.
    pub fn with(options: &[&str]) -> Self {
        let module = module().to_str().expect("a UTF-8 path");
        Self::bare(&[&["--loadmodule", module], options].concat())
    }

    /// A server with the module, further options, and variables of its environment.
    pub fn with_environment(variables: &[(&str, &str)], options: &[&str]) -> Self {
        let module = module().to_str().expect("a UTF-8 path");
        let args = [&["--loadmodule", module], options].concat().into_iter().map(str::to_owned).collect();
        let environment = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::spawn(new_dir(), args, environment)
    }

    /// A server with these options alone.
    pub fn bare(options: &[&str]) -> Self {
        let args = options.iter().map(|&option| option.to_owned()).collect();
        Self::spawn(new_dir(), args, Vec::new())
    }

    /// A server with the module and a configuration file with these lines.
    pub fn configured(lines: &str) -> Self {
        let (dir, module) = (new_dir(), module().to_str().expect("a UTF-8 path"));
        fs::write(dir.join("redis.conf"), format!("loadmodule {module}\n{lines}\n")).expect("a file");
        Self::spawn(dir, Vec::new(), Vec::new())
    }

    /// What is in the log of a server with the module that does not start with these options.
    pub fn refused(options: &[&str]) -> String {
        let module = module().to_str().expect("a UTF-8 path");
        let options = [&["--loadmodule", module], options].concat();
        let args = options.iter().map(|&option| option.to_owned()).collect();
        let dir = new_dir();
        let log = Self::try_spawn(dir.clone(), args, Vec::new()).err();
        let _ = fs::remove_dir_all(dir);
        log.expect("the server should not have started")
    }

    fn spawn(dir: PathBuf, args: Vec<String>, environment: Environment) -> Self {
        Self::try_spawn(dir, args, environment).unwrap_or_else(|log| panic!("the server did not start:\n{log}"))
    }

    /// A server, or its log if it does not start.
    fn try_spawn(dir: PathBuf, args: Vec<String>, environment: Environment) -> Result<Self, String> {
        // Another process may take the port between our look and the server's: then it is tried again.
        for _ in 0..20 {
            let port = free_port();
            // A configuration file comes first.
            let file = Some(dir.join("redis.conf")).filter(|file| file.exists());
            let process = Command::new(server_path())
                .args(file)
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--logfile", "server.log"])
                // A replica is served at once: nobody else is about to come.
                .args(["--repl-diskless-sync-delay", "0"])
                .args(["--dir", dir.to_str().expect("a UTF-8 path")])
                .args(&args)
                // A backtrace printed inside Valkey 8.1, which isolates modules' symbols, frees memory of another allocator.
                .env("RUST_BACKTRACE", "0")
                .envs(environment.clone())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("the server is installed; `make test` installs it");
            let mut server =
                Self { process, port, dir: dir.clone(), args: args.clone(), environment: environment.clone() };
            if server.is_ready() {
                return Ok(server);
            }
            let log = server.log();
            // Leaves the directory to the next try.
            server.dir = PathBuf::new();
            if !log.contains("Address already in use") {
                return Err(log);
            }
        }
        panic!("no free port");
    }

    /// Waits until the server answers; whether it does, or has ended.
    fn is_ready(&mut self) -> bool {
        let mut ended = false;
        await_that("the server starts", || {
            ended = self.process.try_wait().expect("the server's state").is_some();
            ended || self.answers()
        });
        !ended
    }

    /// Whether it is this server that answers on its port, and not one that was there before it.
    fn answers(&self) -> bool {
        let Some(mut connection) = self.connect(2) else { return false };
        match told(connection.req_packed_command(&packed(&["INFO"]))) {
            Ok(info) => {
                let info = text(&info);
                let says = |wanted: &str| info.lines().any(|line| line == wanted);
                says(&format!("process_id:{}", self.pid())) && says("loading:0")
            }
            // A server whose default user is off has started, too.
            Err(error) => error.starts_with("NOAUTH "),
        }
    }

    fn connect(&self, protocol: u8) -> Option<Connection> {
        let url = format!("redis://127.0.0.1:{}/?protocol=resp{protocol}", self.port);
        redis::Client::open(url).ok()?.get_connection().ok()
    }

    /// A connection that speaks RESP2.
    pub fn client(&self) -> Client {
        Client(self.connect(2).expect("a connection"))
    }

    /// A connection that speaks RESP3.
    pub fn client3(&self) -> Client {
        Client(self.connect(3).expect("a connection"))
    }

    /// A connection of another user.
    pub fn client_as(&self, user: &str, password: &str) -> Client {
        let mut client = self.client();
        client.ok(&["AUTH", user, password]);
        client
    }

    /// A replica of this server, in sync with it.
    pub fn replica(&self, options: &[&str]) -> Self {
        let module = module().to_str().expect("a UTF-8 path");
        self.replica_without_module(&[&["--loadmodule", module], options].concat())
    }

    /// A replica that has never heard of sessions, in sync with this server.
    pub fn replica_without_module(&self, options: &[&str]) -> Self {
        let port = self.port.to_string();
        let of = ["--replicaof", "127.0.0.1", &port];
        let replica = Self::bare(&[&of[..], options].concat());
        replica.is_in_sync(self);
        replica
    }

    /// Waits until this replica has all that `primary` has written.
    pub fn is_in_sync(&self, primary: &Self) {
        let mut client = self.client();
        await_that("the replica is connected", || client.info("replication", "master_link_status") == "up");
        let offset = |server: &Self| server.client().info("replication", "master_repl_offset");
        await_that("the replica has caught up", || offset(self) == offset(primary));
    }

    /// Ends the server with SIGKILL and starts it again in the same directory.
    pub fn crash_and_restart(self) -> Self {
        self.crash().restart()
    }

    /// Ends the server with SIGKILL. Its directory stays.
    pub fn crash(mut self) -> Crashed {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("the server's end");
        Crashed { dir: std::mem::take(&mut self.dir), args: self.args.clone(), environment: self.environment.clone() }
    }

    /// Sends a signal to the server: `STOP`, `CONT`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{signal}");
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("server.log")).unwrap_or_default()
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The commands that `work` sends to the AOF, without the transaction around them. The server has `--appendonly yes
    /// --appendfsync always`.
    pub fn effects(&self, work: impl FnOnce()) -> Vec<Vec<String>> {
        let before = self.aof().len();
        work();
        let framing = |command: &Vec<String>| !matches!(command[0].as_str(), "MULTI" | "EXEC" | "SELECT");
        parse_aof(&self.aof()[before..]).into_iter().filter(framing).collect()
    }

    fn aof(&self) -> Vec<u8> {
        let files = fs::read_dir(self.dir.join("appendonlydir")).expect("--appendonly yes");
        let paths = files.map(|file| file.expect("a file").path());
        let incremental = |path: &PathBuf| path.to_string_lossy().ends_with(".incr.aof");
        fs::read(paths.into_iter().find(incremental).expect("an incremental AOF")).expect("the AOF")
    }
}

/// A server that was ended, and may be started again.
pub struct Crashed {
    dir: PathBuf,
    args: Vec<String>,
    environment: Environment,
}

impl Crashed {
    pub fn restart(mut self) -> Server {
        let (dir, args, environment) =
            (std::mem::take(&mut self.dir), std::mem::take(&mut self.args), std::mem::take(&mut self.environment));
        Server::spawn(dir, args, environment)
    }

    /// Starts the server again with further options.
    pub fn restart_with(mut self, options: &[&str]) -> Server {
        self.args.extend(options.iter().map(|&option| option.to_owned()));
        self.restart()
    }

    /// Makes all files of the server look as if they were last written at that time.
    pub fn written_at(&self, time: SystemTime) {
        fn age(dir: &Path, time: SystemTime) {
            for entry in fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    age(&path, time);
                } else {
                    fs::File::options()
                        .append(true)
                        .open(path)
                        .and_then(|file| file.set_modified(time))
                        .expect("a file");
                }
            }
        }
        age(&self.dir, time);
    }
}

impl Drop for Crashed {
    fn drop(&mut self) {
        if !self.dir.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !self.dir.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

fn server_path() -> String {
    std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// The version of the server under test, as far as its features are concerned: Valkey counts as the Redis it began as.
pub fn server_version() -> (u32, u32) {
    static VERSION: OnceLock<(u32, u32)> = OnceLock::new();
    *VERSION.get_or_init(|| version("redis_version"))
}

/// The version of Valkey under test; 0.0 for a Redis.
pub fn valkey_version() -> (u32, u32) {
    static VERSION: OnceLock<(u32, u32)> = OnceLock::new();
    *VERSION.get_or_init(|| version("valkey_version"))
}

fn version(line: &str) -> (u32, u32) {
    let version = Server::bare(&[]).client().info("server", line);
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// A port that nobody listens on, and that was not handed out before.
pub fn free_port() -> u16 {
    static HANDED_OUT: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        if HANDED_OUT.lock().expect("no panic in between").insert(port) {
            return port;
        }
    }
}

fn new_dir() -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let unique = format!("redis-sessions-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(unique);
    fs::create_dir_all(&dir).expect("a directory");
    dir
}

fn parse_aof(mut bytes: &[u8]) -> Vec<Vec<String>> {
    fn line<'a>(bytes: &mut &'a [u8]) -> &'a str {
        let end = bytes.windows(2).position(|two| two == b"\r\n").expect("a line");
        let (line, rest) = bytes.split_at(end);
        *bytes = &rest[2..];
        std::str::from_utf8(line).expect("a header")
    }
    let mut commands = Vec::new();
    while !bytes.is_empty() {
        let header = line(&mut bytes);
        let Some(count) = header.strip_prefix('*') else { continue };
        let command = (0..count.parse().expect("a count")).map(|_: usize| {
            let length: usize = line(&mut bytes)[1..].parse().expect("a length");
            let (argument, rest) = bytes.split_at(length);
            bytes = &rest[2..];
            argument.escape_ascii().to_string()
        });
        commands.push(command.collect());
    }
    commands
}

/// A connection. Arguments are bytes of any kind.
pub struct Client(Connection);

impl Client {
    /// The reply, or the whole text of the error.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, String> {
        told(self.0.req_packed_command(&packed(args)))
    }

    /// When a session was created, in milliseconds since the epoch.
    pub fn created(&mut self, token: &str) -> i64 {
        let field = self.field(token, ".created").expect("a session");
        field.split(' ').next().and_then(|time| time.parse().ok()).expect("a time")
    }

    /// The reply of a command that succeeds.
    pub fn ok<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.call(args).unwrap_or_else(|error| panic!("{:?}: {error}", shown(args)))
    }

    /// What these commands answer, sent all at once: replies, or the whole texts of errors.
    pub fn pipeline<A: AsRef<[u8]>>(&mut self, commands: &[Vec<A>]) -> Vec<Result<Value, String>> {
        let packed: Vec<u8> = commands.iter().flat_map(|args| packed(args)).collect();
        self.0.send_packed_command(&packed).expect("a connection");
        commands.iter().map(|_| told(self.0.recv_response())).collect()
    }

    /// The first word of the error of a command that fails.
    pub fn status<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        let error = match self.call(args) {
            Ok(reply) => panic!("{:?} should have failed: {reply:?}", shown(args)),
            Err(error) => error,
        };
        assert!(error.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "not one line of ASCII: {error:?}");
        error.split(' ').next().unwrap_or_default().to_owned()
    }

    pub fn text<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        text(&self.ok(args))
    }

    pub fn int<A: AsRef<[u8]>>(&mut self, args: &[A]) -> i64 {
        int(&self.ok(args))
    }

    /// The texts of an array.
    pub fn list<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<String> {
        list(&self.ok(args))
    }

    /// The reply of a command that answers in JSON.
    pub fn json<A: AsRef<[u8]>>(&mut self, args: &[A]) -> serde_json::Value {
        serde_json::from_str(&self.text(args)).expect("JSON")
    }

    /// SH.NEW with these arguments: the token.
    pub fn new_session<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        let mut all: Vec<&[u8]> = vec![b"SH.NEW"];
        all.extend(args.iter().map(AsRef::as_ref));
        text(&member(&self.ok(&all), "tkn"))
    }

    /// When a key expires, in milliseconds since the epoch; -1 never, -2 if there is no such key.
    pub fn expiry(&mut self, key: &str) -> i64 {
        self.int(&["PEXPIRETIME", key])
    }

    /// Lets a key expire soon, as if its time had come, and waits until it has.
    pub fn expire_now(&mut self, key: &str) {
        self.ok(&["PEXPIRE", key, "1"]);
        await_that("the key expires", || self.int(&["EXISTS", key]) == 0);
    }

    /// The one key that matches a pattern.
    pub fn key(&mut self, pattern: &str) -> String {
        let keys = self.list(&["KEYS", pattern]);
        assert_eq!(keys.len(), 1, "{pattern}: {keys:?}");
        keys.into_iter().next().expect("one key")
    }

    /// One field of a session's hash, metadata too, as the server itself sees it.
    pub fn field(&mut self, key: &str, field: &str) -> Option<String> {
        match self.ok(&["HGET", key, field]) {
            Value::Nil => None,
            value => Some(text(&value)),
        }
    }

    /// All keys with what they hold, and when they expire; bytes that are no ASCII are escaped.
    pub fn contents(&mut self) -> Contents {
        let keys: Vec<_> = items(&self.ok(&["KEYS", "*"])).iter().map(bytes).collect();
        let types = self.of_each(&keys, |_| "TYPE");
        let values = self.of_each(&keys, |number| match text(&types[number]).as_str() {
            "hash" => "HGETALL",
            "string" => "GET",
            _ => "DUMP",
        });
        let expiries = self.of_each(&keys, |_| "PEXPIRETIME");
        let entries = keys.iter().zip(values.iter().zip(&expiries));
        entries.map(|(key, (value, expiry))| (key.escape_ascii().to_string(), (held(value), int(expiry)))).collect()
    }

    fn of_each(&mut self, keys: &[Vec<u8>], command: impl Fn(usize) -> &'static str) -> Vec<Value> {
        let of = |(number, key)| vec![command(number).as_bytes(), key];
        let commands: Vec<Vec<&[u8]>> = keys.iter().map(Vec::as_slice).enumerate().map(of).collect();
        self.pipeline(&commands).into_iter().map(|reply| reply.expect("a reply")).collect()
    }

    /// One line of INFO.
    pub fn info(&mut self, section: &str, line: &str) -> String {
        let info = self.text(&["INFO", section]);
        let prefix = format!("{line}:");
        info.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    }

    /// The module's settings and their values, in the order of their names: the server's own order may change.
    pub fn settings(&mut self) -> BTreeMap<String, String> {
        let pairs = self.list(&["CONFIG", "GET", "sh.*"]);
        pairs.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }

    /// All keys of the database, sorted.
    pub fn keys(&mut self) -> Vec<String> {
        let mut keys = self.list(&["KEYS", "*"]);
        keys.sort();
        keys
    }

    /// The time of the server, in milliseconds since the epoch.
    pub fn now(&mut self) -> i64 {
        let time: Vec<i64> = self.list(&["TIME"]).iter().map(|part| part.parse().expect("a number")).collect();
        time[0] * 1_000 + time[1] / 1_000
    }

    /// Waits until it is another millisecond than now.
    pub fn tick(&mut self) {
        let now = self.now();
        await_that("the next millisecond", || self.now() > now);
    }

    /// Sends a command and reads no reply.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        self.0.send_packed_command(&packed(args)).expect("a connection");
    }

    /// What the server sends next.
    pub fn receive(&mut self) -> Value {
        self.0.recv_response().expect("a message")
    }
}

/// What the keys of a database hold, and when they expire.
pub type Contents = BTreeMap<String, (Vec<String>, i64)>;

/// The fields of a hash, each as `field=value`, sorted; or the bytes of another value.
fn held(value: &Value) -> Vec<String> {
    let escaped = |value: &Value| bytes(value).escape_ascii().to_string();
    let pair = |field, value| format!("{}={}", escaped(field), escaped(value));
    let mut held: Vec<_> = match value {
        Value::Map(pairs) => pairs.iter().map(|(field, value)| pair(field, value)).collect(),
        Value::Array(flat) => flat.chunks(2).map(|flat| pair(&flat[0], &flat[1])).collect(),
        Value::Nil => vec![],
        other => vec![escaped(other)],
    };
    held.sort();
    held
}

fn packed<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut command = Cmd::new();
    for arg in args {
        command.arg(arg.as_ref());
    }
    command.get_packed_command()
}

/// The reply, or the whole text of the error.
fn told(reply: RedisResult<Value>) -> Result<Value, String> {
    reply.and_then(Value::extract_error).map_err(|error| {
        let code = error.code().map(str::to_owned).unwrap_or_else(|| format!("{:?}", error.kind()));
        format!("{code} {}", error.detail().unwrap_or_default())
    })
}

pub fn shown<A: AsRef<[u8]>>(args: &[A]) -> Vec<String> {
    args.iter().map(|arg| arg.as_ref()[..arg.as_ref().len().min(200)].escape_ascii().to_string()).collect()
}

/// A member of a map, or of the flat array that RESP2 has for it.
pub fn member(map: &Value, name: &str) -> Value {
    find(map, name).unwrap_or_else(|| panic!("no {name} in {map:?}"))
}

/// A member of a map, if it is there.
pub fn find(map: &Value, name: &str) -> Option<Value> {
    match map {
        Value::Map(entries) => entries.iter().find(|(key, _)| text(key) == name).map(|(_, value)| value.clone()),
        Value::Array(flat) => flat.chunks(2).find(|entry| text(&entry[0]) == name).map(|entry| entry[1].clone()),
        other => panic!("no map: {other:?}"),
    }
}

pub fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes.clone(),
        Value::SimpleString(text) => text.clone().into_bytes(),
        Value::Okay => b"OK".to_vec(),
        Value::Int(integer) => integer.to_string().into_bytes(),
        Value::VerbatimString { text, .. } => text.clone().into_bytes(),
        other => panic!("no string: {other:?}"),
    }
}

pub fn text(value: &Value) -> String {
    String::from_utf8_lossy(&bytes(value)).into_owned()
}

pub fn int(value: &Value) -> i64 {
    match value {
        Value::Int(integer) => *integer,
        Value::Boolean(value) => i64::from(*value),
        other => panic!("no integer: {other:?}"),
    }
}

pub fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) | Value::Set(items) => items.iter().map(text).collect(),
        other => panic!("no array: {other:?}"),
    }
}

/// The elements of an array.
pub fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items.clone(),
        other => panic!("no array: {other:?}"),
    }
}

/// The names of a map's members, in order.
pub fn members(map: &Value) -> Vec<String> {
    match map {
        Value::Map(entries) => entries.iter().map(|(name, _)| text(name)).collect(),
        Value::Array(flat) => flat.chunks(2).map(|entry| text(&entry[0])).collect(),
        other => panic!("no map: {other:?}"),
    }
}

/// The cluster slot of a key, by the definition in the Redis Cluster specification, bit by bit.
pub fn slot(key: &[u8]) -> u16 {
    let tag = |key: &[u8]| {
        let open = key.iter().position(|&byte| byte == b'{')?;
        let length = key[open + 1..].iter().position(|&byte| byte == b'}')?;
        (length > 0).then(|| key[open + 1..][..length].to_vec())
    };
    let crc = tag(key).as_deref().unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    });
    crc % 16_384
}
