//! The settings: `sh.*` in redis.conf and CONFIG SET, or arguments of `loadmodule`.
//!
//! Setting one changes a draft; only when all settings of one CONFIG SET are in is the draft checked as a whole and put in
//! force.

use crate::secret_file;
use sessions_core::credentials::access::Audience;
use sessions_core::credentials::cookies::{Attributes, Prefix, SameSite};
use sessions_core::credentials::issue::Policy;
use sessions_core::credentials::{Algorithm, Secret};
use sessions_core::session::Seconds;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most sessions of one name that a limit can let live: a new session may look at all of them.
pub const MAX_SESSIONS: u32 = 1_000;

/// All settings, as they are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub secret_file: String,
    /// Whether that file is to be read again.
    secret_reload: bool,
    /// What was in that file when it was last read.
    pub secrets: Option<Arc<Vec<Secret>>>,
    /// How credentials are made.
    pub policy: Policy,
    pub refresh_validity: Seconds,
    pub refresh_grace: Seconds,
    pub key_rotation: Seconds,
    pub algorithm: Algorithm,
    /// In bytes.
    pub max_payload: usize,
    /// The absolute limit of every new session, if there is one.
    pub max_lifetime: Option<Seconds>,
    /// How many listed sessions of one name live at most, if there is a limit.
    pub max_sessions: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret_file: String::new(),
            secret_reload: false,
            secrets: None,
            policy: Policy {
                access_validity: Seconds(3_600),
                anti_csrf: true,
                audience: Default::default(),
                cookies: Attributes::default(),
            },
            refresh_validity: Seconds(8_640_000),
            refresh_grace: Seconds(30),
            key_rotation: Seconds(604_800),
            algorithm: Algorithm::EdDsa,
            max_payload: 2_048,
            max_lifetime: None,
            max_sessions: None,
        }
    }
}

impl Settings {
    /// Whether the settings go together; the error says why not.
    fn check(&self) -> Result<(), String> {
        if self.key_rotation < self.policy.access_validity {
            return Err("sh.key-rotation must be at least sh.access-validity".to_owned());
        }
        self.policy.cookies.check()
    }

    /// Whether the file of secrets is to be read, as it was not yet with the settings that are in force.
    fn reads_file(&self, in_force: &Self) -> bool {
        self.secret_reload || self.secret_file != in_force.secret_file
    }

    /// These settings, checked, with the secrets of their file. It is read here and nowhere else: what is set and then
    /// taken back, because something beside it was refused, reads nothing.
    fn settle(mut self, in_force: &Self) -> Result<Self, String> {
        self.check()?;
        if self.reads_file(in_force) {
            let named = !self.secret_file.is_empty();
            self.secrets = named.then(|| secret_file::read(&self.secret_file)).transpose()?.map(Arc::new);
        }
        self.secret_reload = false;
        Ok(self)
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
pub const ALL: &[Setting] = &[
    Setting {
        name: "secret-file",
        read: |settings, text| {
            settings.secret_file = text.to_owned();
            Ok(())
        },
        show: |settings| settings.secret_file.clone(),
    },
    Setting {
        // Setting the same path again would call nothing: this is how the file is read again. Then it is `no` again.
        name: "secret-reload",
        read: |settings, text| set(&mut settings.secret_reload, flag(text)),
        show: |settings| shown_flag(settings.secret_reload),
    },
    Setting {
        name: "access-validity",
        read: |settings, text| set(&mut settings.policy.access_validity, seconds(text, 1, u32::MAX)),
        show: |settings| settings.policy.access_validity.0.to_string(),
    },
    Setting {
        name: "refresh-validity",
        read: |settings, text| set(&mut settings.refresh_validity, seconds(text, 1, u32::MAX)),
        show: |settings| settings.refresh_validity.0.to_string(),
    },
    Setting {
        name: "refresh-grace",
        read: |settings, text| set(&mut settings.refresh_grace, seconds(text, 0, 3_600)),
        show: |settings| settings.refresh_grace.0.to_string(),
    },
    Setting {
        name: "key-rotation",
        read: |settings, text| set(&mut settings.key_rotation, seconds(text, 3_600, u32::MAX)),
        show: |settings| settings.key_rotation.0.to_string(),
    },
    Setting {
        name: "jwt-algorithm",
        read: |settings, text| {
            let named = [(Algorithm::EdDsa, "eddsa"), (Algorithm::Hs256, "hs256")];
            set(&mut settings.algorithm, choice(text, &named))
        },
        show: |settings| settings.algorithm.name().to_ascii_lowercase(),
    },
    Setting {
        name: "issuer",
        read: |settings, text| set(&mut settings.policy.audience.issuer, claim(text)),
        show: |settings| settings.policy.audience.issuer.clone().unwrap_or_default(),
    },
    Setting {
        name: "audience",
        read: |settings, text| set(&mut settings.policy.audience.audience, claim(text)),
        show: |settings| settings.policy.audience.audience.clone().unwrap_or_default(),
    },
    Setting {
        name: "anti-csrf",
        read: |settings, text| set(&mut settings.policy.anti_csrf, flag(text)),
        show: |settings| shown_flag(settings.policy.anti_csrf),
    },
    Setting {
        name: "max-payload",
        read: |settings, text| {
            let bytes = number(text, 2, 3_000).ok_or("must be a number of bytes from 2 to 3000")?;
            settings.max_payload = bytes as usize;
            Ok(())
        },
        show: |settings| settings.max_payload.to_string(),
    },
    Setting {
        name: "cookie-domain",
        read: |settings, text| set(&mut settings.policy.cookies.domain, plain(text)),
        show: |settings| settings.policy.cookies.domain.clone().unwrap_or_default(),
    },
    Setting {
        name: "cookie-secure",
        read: |settings, text| set(&mut settings.policy.cookies.secure, flag(text)),
        show: |settings| shown_flag(settings.policy.cookies.secure),
    },
    Setting {
        name: "cookie-same-site",
        read: |settings, text| {
            let named = [(SameSite::Lax, "lax"), (SameSite::Strict, "strict"), (SameSite::None, "none")];
            set(&mut settings.policy.cookies.same_site, choice(text, &named))
        },
        show: |settings| format!("{:?}", settings.policy.cookies.same_site).to_ascii_lowercase(),
    },
    Setting {
        name: "cookie-prefix",
        read: |settings, text| {
            let named = [Prefix::None, Prefix::Secure, Prefix::Host].map(|prefix| (prefix, prefix.text()));
            set(&mut settings.policy.cookies.prefix, choice(text, &named))
        },
        show: |settings| settings.policy.cookies.prefix.text().to_owned(),
    },
    Setting {
        name: "access-path",
        read: |settings, text| set(&mut settings.policy.cookies.access_path, path(text)),
        show: |settings| settings.policy.cookies.access_path.clone(),
    },
    Setting {
        name: "refresh-path",
        read: |settings, text| set(&mut settings.policy.cookies.refresh_path, path(text)),
        show: |settings| settings.policy.cookies.refresh_path.clone(),
    },
    Setting {
        name: "max-lifetime",
        read: |settings, text| {
            let seconds = seconds(text, 0, u32::MAX)?;
            settings.max_lifetime = (seconds.0 > 0).then_some(seconds);
            Ok(())
        },
        show: |settings| settings.max_lifetime.map_or(0, |seconds| seconds.0).to_string(),
    },
    Setting {
        name: "max-sessions",
        read: |settings, text| {
            let count = number(text, 0, MAX_SESSIONS);
            let count = count.ok_or_else(|| format!("must be a number from 0 to {MAX_SESSIONS}"))?;
            settings.max_sessions = (count > 0).then_some(count);
            Ok(())
        },
        show: |settings| settings.max_sessions.unwrap_or(0).to_string(),
    },
];

/// The setting of that name, with or without the prefix.
pub fn find(name: &str) -> Option<&'static Setting> {
    let name = name.strip_prefix("sh.").unwrap_or(name);
    ALL.iter().find(|setting| setting.name == name)
}

fn set<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

/// Digits alone: no sign, no unit.
fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (least..=most).contains(number))
}

fn seconds(text: &str, least: u32, most: u32) -> Result<Seconds, String> {
    let number = number(text, least, most);
    number.map(Seconds).ok_or_else(|| format!("must be a number of seconds from {least} to {most}"))
}

fn flag(text: &str) -> Result<bool, String> {
    choice(text, &[(true, "yes"), (false, "no")])
}

fn shown_flag(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

fn choice<T: Copy>(text: &str, named: &[(T, &str)]) -> Result<T, String> {
    let found = named.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(value, _)| *value);
    let names = || named.iter().map(|(_, name)| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("must be one of {}", names()))
}

/// Text for a cookie's attribute or a claim; empty for none.
fn plain(text: &str) -> Result<Option<String>, String> {
    let harmless = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b',');
    if !text.bytes().all(harmless) {
        return Err("must be printable ASCII without blanks, ';' and ','".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Text for a claim, which every access token has room for.
fn claim(text: &str) -> Result<Option<String>, String> {
    if text.len() > Audience::MAX_LEN {
        return Err(format!("must be at most {} characters long", Audience::MAX_LEN));
    }
    plain(text)
}

fn path(text: &str) -> Result<String, String> {
    plain(text)?.filter(|path| path.starts_with('/')).ok_or_else(|| "must begin with '/'".to_owned())
}

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

/// Reads a value into the draft.
pub fn draft(setting: &Setting, text: &str) -> Result<(), String> {
    let mut state = state();
    let draft = &mut state.get_or_insert_default().draft;
    (setting.read)(draft, text).map_err(|reason| format!("sh.{} {reason}", setting.name))
}

/// Puts the draft in force if its settings go together and its file of secrets can be read. If not, all stays as it was.
/// Answers what the log has to be told: that secrets were read.
pub fn commit() -> Result<Option<String>, String> {
    let mut state = state();
    let state = state.get_or_insert_default();
    let reads_file = state.draft.reads_file(&state.in_force);
    let settled = state.draft.clone().settle(&state.in_force);
    if let Ok(settled) = &settled
        && *settled != *state.in_force
    {
        state.in_force = Arc::new(settled.clone());
    }
    state.draft = (*state.in_force).clone();
    settled.map(|settings| {
        let secrets = settings.secrets.filter(|_| reads_file)?;
        secret_file::report(&settings.secret_file, &secrets)
    })
}

/// A setting as the draft has it.
pub fn shown(setting: &Setting) -> String {
    (setting.show)(&state().get_or_insert_default().draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(name: &str, text: &str) -> Result<Settings, String> {
        let mut settings = Settings::default();
        (find(name).expect("a setting").read)(&mut settings, text).map(|()| settings)
    }

    #[test]
    fn every_setting_reads_back_what_it_shows() {
        for setting in ALL {
            let shown = (setting.show)(&Settings::default());
            assert_eq!(read(setting.name, &shown), Ok(Settings::default()), "{}", setting.name);
        }
    }

    #[test]
    fn a_setting_is_found_with_and_without_its_prefix() {
        assert!(find("max-lifetime").is_some());
        assert!(find("sh.max-lifetime").is_some());
        assert!(find("lifetime").is_none());
    }

    #[test]
    fn the_defaults_go_together() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_what_was_expected() {
        let refused = [
            (
                "max-lifetime",
                &["", "-1", "+1", "x", "4294967296", "1.5", "1s", " 1"][..],
                "seconds from 0 to 4294967295",
            ),
            ("access-validity", &["0"], "from 1 to"),
            ("refresh-grace", &["3601"], "from 0 to 3600"),
            ("key-rotation", &["3599"], "from 3600 to"),
            ("jwt-algorithm", &["none", "RS256", ""], "'eddsa', 'hs256'"),
            ("anti-csrf", &["", "1", "maybe"], "'yes', 'no'"),
            ("cookie-same-site", &["", "loose"], "'lax', 'strict', 'none'"),
            ("cookie-prefix", &["__host-x", "x"], "'__Secure-', '__Host-'"),
            ("max-payload", &["1", "3001", "x"], "from 2 to 3000"),
            ("access-path", &["", "session", "/a;b", "/a b", "/a,b", "/\r\n", "/\u{e9}"], "must"),
            ("cookie-domain", &["a;b", "a b", "a\0", "a,b"], "printable ASCII"),
            ("issuer", &["a b", "\u{7f}"], "printable ASCII"),
            ("audience", &[&"x".repeat(129)], "at most 128 characters"),
        ];
        for (name, values, expected) in refused {
            for value in values {
                let reason = read(name, value).expect_err(value);
                assert!(reason.contains(expected), "{name} {value:?}: {reason}");
            }
        }
    }

    #[test]
    fn the_file_of_secrets_is_read_when_its_path_changes_and_when_that_is_asked_for() {
        let path = std::env::temp_dir().join(format!("redis-sessions-secrets-{}", std::process::id()));
        let write = |text: &str| fs::write(&path, text).expect("a file");
        let (one, two) = ("a".repeat(32), "b".repeat(32));
        write(&one);
        let asked = Settings { secret_file: path.to_str().expect("UTF-8").to_owned(), ..Settings::default() };
        let in_force = asked.clone().settle(&Settings::default()).expect("a good file");
        assert_eq!(in_force.secrets, Some(Arc::new(Secret::in_file(one.as_bytes()).expect("a secret"))));
        write(&two);
        assert_eq!(in_force.clone().settle(&in_force), Ok(in_force.clone()), "not read again");
        let reload = Settings { secret_reload: true, ..in_force.clone() };
        let reloaded = reload.clone().settle(&in_force).expect("a good file");
        assert_eq!(reloaded.secrets, Some(Arc::new(Secret::in_file(two.as_bytes()).expect("a secret"))));
        assert!(!reloaded.secret_reload);
        write("short");
        let reason = reload.clone().settle(&in_force).expect_err("a short secret");
        let path = asked.secret_file.as_str();
        assert_eq!(reason, format!("sh.secret-file {path} holds a secret of less than 32 bytes"));
        fs::remove_file(path).expect("the file");
        let reason = reload.settle(&in_force).expect_err("no file");
        assert_eq!(reason, format!("sh.secret-file {path} cannot be read: entity not found"));
        let without = Settings { secret_file: String::new(), ..in_force.clone() };
        assert_eq!(without.settle(&in_force).map(|settings| settings.secrets), Ok(None));
    }

    #[test]
    fn contradictions_are_refused() {
        let mut settings = Settings::default();
        settings.policy.access_validity = Seconds(604_801);
        assert!(settings.check().is_err());
    }
}
