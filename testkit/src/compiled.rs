//! What is written in C: a module that calls commands for others, and a clock that a test can set.

use crate::{Server, free_port, module};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// Builds a shared library of a file in `testkit/c`.
fn build(source: &str, library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(source);
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let options = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"];
    let done = Command::new(compiler).args(options).arg(library).arg(&source).status();
    assert!(done.expect("a C compiler; `make test` installs it").success(), "{} does not build", source.display());
}

/// A module that calls commands for others.
pub fn proxy() -> &'static Path {
    static PROXY: OnceLock<PathBuf> = OnceLock::new();
    PROXY.get_or_init(|| {
        let built = module().with_file_name(format!("libproxy-{}.so", std::process::id()));
        build("proxy.c", &built);
        // Whole at its name, whoever else builds it at the same time.
        let proxy = built.with_file_name("libproxy.so");
        fs::rename(built, &proxy).expect("the same directory");
        proxy
    })
}

/// A wall clock that a test sets for a server.
pub struct Clock {
    dir: PathBuf,
    offset: fs::File,
}

impl Default for Clock {
    fn default() -> Self {
        let dir = env::temp_dir().join(format!("redis-sessions-clock-{}-{}", std::process::id(), free_port()));
        fs::create_dir(&dir).expect("a directory");
        build("clock.c", &dir.join("clock.so"));
        fs::write(dir.join("offset"), 0_i64.to_ne_bytes()).expect("a file");
        let offset = fs::File::options().write(true).open(dir.join("offset")).expect("a file");
        Self { dir, offset }
    }
}

impl Clock {
    /// A server with the module that goes by this clock.
    pub fn server(&self, options: &[&str]) -> Server {
        let path = |file: &str| self.dir.join(file).to_str().expect("a UTF-8 path").to_owned();
        let (clock, offset) = (path("clock.so"), path("offset"));
        Server::with_environment(&[("LD_PRELOAD", &clock), ("CLOCK_OFFSET", &offset)], options)
    }

    /// Sets the clock so many seconds ahead of the machine's, or behind.
    pub fn set(&self, offset_seconds: i64) {
        self.offset.write_all_at(&offset_seconds.to_ne_bytes(), 0).expect("the offset");
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
