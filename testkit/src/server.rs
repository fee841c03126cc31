//! Servers with the module.

use crate::machine::{await_that, free_port, module, new_dir, server_path};
use crate::value::text;
use crate::{Client, aof};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

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
        let Some(mut client) = Client::connect(self.port, 2) else { return false };
        match client.call(&["INFO"]) {
            Ok(info) => {
                let info = text(&info);
                let says = |wanted: &str| info.lines().any(|line| line == wanted);
                says(&format!("process_id:{}", self.pid())) && says("loading:0")
            }
            // A server whose default user is off has started, too.
            Err(error) => error.starts_with("NOAUTH "),
        }
    }

    /// A connection that speaks RESP2.
    pub fn client(&self) -> Client {
        Client::connect(self.port, 2).expect("a connection")
    }

    /// A connection that speaks RESP3.
    pub fn client3(&self) -> Client {
        Client::connect(self.port, 3).expect("a connection")
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

    /// Ends the server with SHUTDOWN. Its directory stays.
    pub fn shut_down(mut self) -> Crashed {
        self.client().send(&["SHUTDOWN"]);
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
        aof::parse(&self.aof()[before..]).into_iter().filter(framing).collect()
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
