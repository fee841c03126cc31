//! The settings in force, and the draft of the next ones.

use super::model::Settings;
use super::secret_file;
use super::table::{self, Setting};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    draft: Settings,
    in_force: Arc<Settings>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The settings in force.
pub fn current() -> Arc<Settings> {
    state().get_or_insert_default().in_force.clone()
}

/// Reads the value of a setting into the draft. The error names the setting and says what was expected.
pub fn read_into_draft(name: &str, value: &str) -> Result<(), String> {
    let setting = named(name)?;
    let mut state = state();
    let draft = &mut state.get_or_insert_default().draft;
    (setting.read)(draft, value).map_err(|reason| format!("sh.{name} {reason}"))
}

/// The value of a setting in the draft; empty for an unknown name.
pub fn show_draft(name: &str) -> String {
    let Ok(setting) = named(name) else { return String::new() };
    (setting.show)(&state().get_or_insert_default().draft)
}

fn named(name: &str) -> Result<&'static Setting, String> {
    table::find(name).ok_or_else(|| format!("sh.{name} is no setting"))
}

/// Puts the draft in force. Answers the line for the log, if the file of secrets was read.
///
/// On an error, a contradiction or an unreadable file of secrets, the settings in force stay and the draft is dropped.
pub fn commit() -> Result<Option<String>, String> {
    let mut state = state();
    let state = state.get_or_insert_default();
    let reads_file = state.draft.reads_file(&state.in_force);
    let completed = state.draft.clone().complete(&state.in_force);
    if let Ok(completed) = &completed
        && *completed != *state.in_force
    {
        state.in_force = Arc::new(completed.clone());
    }
    state.draft = (*state.in_force).clone();
    completed.map(|settings| {
        let secrets = settings.secrets.filter(|_| reads_file)?;
        secret_file::report(&settings.secret_file, &secrets)
    })
}

impl Settings {
    /// Whether a commit of this draft reads the file of secrets.
    fn reads_file(&self, in_force: &Self) -> bool {
        self.secret_reload || self.secret_file != in_force.secret_file
    }

    /// Checks this draft and reads the file of secrets, if its path is new or a reload was asked for.
    ///
    /// The file is read here, not when its path is set: the server takes a path back when it refuses another setting of
    /// the same CONFIG SET.
    fn complete(mut self, in_force: &Self) -> Result<Self, String> {
        self.check()?;
        if self.reads_file(in_force) {
            let has_file = !self.secret_file.is_empty();
            self.secrets = has_file.then(|| secret_file::read(&self.secret_file)).transpose()?.map(Arc::new);
        }
        self.secret_reload = false;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessions_core::credentials::Secret;
    use std::fs;

    #[test]
    fn a_new_path_or_a_reload_reads_the_file_of_secrets() {
        let path = std::env::temp_dir().join(format!("redis-sessions-secrets-{}", std::process::id()));
        let write = |text: &str| fs::write(&path, text).expect("a file");
        let (one, two) = ("a".repeat(32), "b".repeat(32));
        write(&one);
        let draft = Settings { secret_file: path.to_str().expect("UTF-8").to_owned(), ..Settings::default() };
        let in_force = draft.clone().complete(&Settings::default()).expect("a good file");
        assert_eq!(in_force.secrets, Some(Arc::new(Secret::in_file(one.as_bytes()).expect("a secret"))));
        write(&two);
        assert_eq!(in_force.clone().complete(&in_force), Ok(in_force.clone()), "not read again");
        let reload = Settings { secret_reload: true, ..in_force.clone() };
        let reloaded = reload.clone().complete(&in_force).expect("a good file");
        assert_eq!(reloaded.secrets, Some(Arc::new(Secret::in_file(two.as_bytes()).expect("a secret"))));
        assert!(!reloaded.secret_reload);
        write("short");
        let reason = reload.clone().complete(&in_force).expect_err("a short secret");
        let path = draft.secret_file.as_str();
        assert_eq!(reason, format!("sh.secret-file {path} holds a secret of less than 32 bytes"));
        fs::remove_file(path).expect("the file");
        let reason = reload.complete(&in_force).expect_err("no file");
        assert_eq!(reason, format!("sh.secret-file {path} cannot be read: entity not found"));
        let without = Settings { secret_file: String::new(), ..in_force.clone() };
        assert_eq!(without.complete(&in_force).map(|settings| settings.secrets), Ok(None));
    }
}
