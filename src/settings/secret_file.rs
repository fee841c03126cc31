//! The file of secrets: `sh.secret-file`.

use sessions_core::credentials::Secret;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

/// The longest file, in bytes.
const MAX_LEN: u64 = 65_536;

/// Reads the secrets of the file. The error names the file and shows nothing of its content.
pub fn read(path: &str) -> Result<Vec<Secret>, String> {
    content(path).and_then(|content| Secret::in_file(&content)).map_err(|reason| format!("{} {reason}", named(path)))
}

fn content(path: &str) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    // Checked before the file is opened: opening a pipe would stop the server until another process writes to the pipe.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_end(&mut content)).map_err(unreadable)?;
    if content.len() as u64 > MAX_LEN {
        return Err(format!("is longer than {MAX_LEN} bytes"));
    }
    Ok(content)
}

/// The line for the log after the file was read; `None` without secrets.
pub fn report(path: &str, secrets: &[Secret]) -> Option<String> {
    let fingerprint = secrets.first()?.fingerprint();
    let number = secrets.len();
    Some(format!(
        "{} was read: secrets: {number}, fingerprint of the one that makes credentials: {fingerprint}",
        named(path)
    ))
}

/// The warning if its group or others may read the file now. `None` for an empty path and for a file that is not there, which
/// reading reports.
pub fn exposure(path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let exposed = mode & 0o044 != 0;
    exposed.then(|| format!("{} can be read by its group or by others; chmod 600", named(path)))
}

/// The path in a line of the log or an error.
fn named(path: &str) -> String {
    format!("sh.secret-file {}", path.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// A directory of one test, deleted at its end.
    struct Dir(PathBuf);

    impl Dir {
        fn new(test: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("redis-sessions-{test}-{}", std::process::id()));
            fs::create_dir_all(&dir).expect("a directory");
            Self(dir)
        }

        fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
            let path = self.0.join(name);
            fs::write(&path, content).expect("a file");
            path.to_str().expect("UTF-8").to_owned()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn chmod(path: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn every_error_names_the_file() {
        let dir = Dir::new("errors");
        let path = dir.0.to_str().expect("UTF-8");
        assert_eq!(read(path), Err(format!("sh.secret-file {path} is no regular file")));
        let missing = format!("{path}/missing");
        assert_eq!(read(&missing), Err(format!("sh.secret-file {missing} cannot be read: entity not found")));
        let short = dir.file("short", "short");
        assert_eq!(read(&short), Err(format!("sh.secret-file {short} holds a secret of less than 32 bytes")));
        let long = dir.file("long", "s".repeat(65_537));
        assert_eq!(read(&long), Err(format!("sh.secret-file {long} is longer than 65536 bytes")));
        assert_eq!(read("/dev/null"), Err("sh.secret-file /dev/null is no regular file".to_owned()));
        assert!(read("/nonexistent/\n").is_err_and(|error| error.contains(r"/nonexistent/\n ")));
    }

    #[test]
    fn a_file_that_others_may_read_is_warned_of() {
        let dir = Dir::new("exposure");
        let file = dir.file("secret", "s".repeat(32));
        for (mode, told) in
            [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true), (0o620, false)]
        {
            chmod(&file, mode);
            assert_eq!(exposure(&file).is_some_and(|warning| warning.contains(&file)), told, "{mode:o}");
        }
        assert_eq!(exposure(""), None);
        assert_eq!(exposure("/nonexistent/file"), None, "reading it tells");
    }
}
