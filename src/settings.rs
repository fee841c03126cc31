//! The settings: `sh.*` in redis.conf and CONFIG SET, or arguments of `loadmodule`.
//!
//! Setting one changes a draft; only when all settings of one CONFIG SET are in is the draft checked as a whole and put in
//! force.

use crate::session::Seconds;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All settings, as they are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The absolute limit of every new session, if there is one.
    pub max_lifetime: Option<Seconds>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_lifetime: None }
    }
}

impl Settings {
    /// Whether the settings go together; the error says why not.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// One setting: how it is called, read and shown.
pub struct Setting {
    /// Without the prefix `sh.`.
    pub name: &'static str,
    /// Reads a value into the draft. The error says what was expected.
    pub read: fn(&mut Settings, &str) -> Result<(), String>,
    /// The value as CONFIG GET answers it; `read` takes it back.
    pub show: fn(&Settings) -> String,
}

/// All settings, in the order of the documentation.
pub const ALL: &[Setting] = &[Setting {
    name: "max-lifetime",
    read: |settings, text| {
        let seconds = seconds(text, 0, u32::MAX)?;
        settings.max_lifetime = (seconds.0 > 0).then_some(seconds);
        Ok(())
    },
    show: |settings| settings.max_lifetime.map_or(0, |seconds| seconds.0).to_string(),
}];

/// The setting of that name, with or without the prefix.
pub fn find(name: &str) -> Option<&'static Setting> {
    let name = name.strip_prefix("sh.").unwrap_or(name);
    ALL.iter().find(|setting| setting.name == name)
}

fn seconds(text: &str, least: u32, most: u32) -> Result<Seconds, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.map(Seconds).ok_or_else(|| format!("must be a number of seconds from {least} to {most}"))
}

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

impl Default for State {
    fn default() -> Self {
        Self { draft: Settings::default(), in_force: Arc::default() }
    }
}

/// Reads a value into the draft.
pub fn draft(setting: &Setting, text: &str) -> Result<(), String> {
    let mut state = state();
    let draft = &mut state.get_or_insert_default().draft;
    (setting.read)(draft, text).map_err(|reason| format!("sh.{} {reason}", setting.name))
}

/// Puts the draft in force if its settings go together. If not, the server sets each of them back.
pub fn commit() -> Result<(), String> {
    let mut state = state();
    let state = state.get_or_insert_default();
    state.draft.check()?;
    if state.draft != *state.in_force {
        state.in_force = Arc::new(state.draft.clone());
    }
    Ok(())
}

/// A setting as the draft has it.
pub fn shown(setting: &Setting) -> String {
    (setting.show)(&state().get_or_insert_default().draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads_back_what_it_shows() {
        for setting in ALL {
            let mut settings = Settings::default();
            let shown = (setting.show)(&settings);
            assert_eq!((setting.read)(&mut settings, &shown), Ok(()), "{}", setting.name);
            assert_eq!(settings, Settings::default(), "{}", setting.name);
        }
    }

    #[test]
    fn a_setting_is_found_with_and_without_its_prefix() {
        assert!(find("max-lifetime").is_some());
        assert!(find("sh.max-lifetime").is_some());
        assert!(find("lifetime").is_none());
    }

    #[test]
    fn a_value_out_of_range_says_what_was_expected() {
        let max_lifetime = find("max-lifetime").expect("a setting");
        for wrong in ["", "-1", "x", "4294967296", "1.5", "1s"] {
            let mut settings = Settings::default();
            let refused = (max_lifetime.read)(&mut settings, wrong);
            assert_eq!(refused, Err("must be a number of seconds from 0 to 4294967295".to_owned()));
            assert_eq!(settings, Settings::default());
        }
    }
}
