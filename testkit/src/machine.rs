//! The machine that the tests run on: the module that is built here, the server that is installed, free ports.

use crate::Server;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

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
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
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

/// The server under test.
pub fn server_path() -> String {
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

/// Whether single fields of a hash can expire: Redis 7.4, Valkey 9.
pub fn fields_can_expire() -> bool {
    if valkey_version() == (0, 0) { server_version() >= (7, 4) } else { valkey_version() >= (9, 0) }
}

/// Whether modules can make ACL categories of their own: Redis 7.4, Valkey 8.
pub fn modules_have_categories() -> bool {
    server_version() >= (7, 4) || valkey_version() >= (8, 0)
}

/// Ends a test that the server under test cannot run, and says so in the test's output.
///
/// The condition is the server's version, never what the server answers: else a test could end early by mistake.
#[macro_export]
macro_rules! skip_unless {
    ($can:expr, $needs:literal) => {
        if !$can {
            eprintln!("SKIPPED: {}", $needs);
            return;
        }
    };
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

/// A directory of its own for a server.
pub(crate) fn new_dir() -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let unique = format!("redis-sessions-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let dir = std::env::temp_dir().join(unique);
    fs::create_dir_all(&dir).expect("a directory");
    dir
}
