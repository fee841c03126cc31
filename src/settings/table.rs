//! The table of settings.

use super::model::{MAX_SESSIONS, Settings};
use super::values::{choice, claim, flag, number, path, plain, seconds, set, shown_flag};
use sessions_core::credentials::Algorithm;
use sessions_core::credentials::cookies::{Prefix, SameSite};

/// One setting.
pub struct Setting {
    /// The name without the prefix `sh.`.
    name: &'static str,
    /// Reads a value into the draft. The error says what was expected.
    pub read: fn(&mut Settings, &str) -> Result<(), String>,
    /// The value as CONFIG GET answers it. `read` accepts it.
    pub show: fn(&Settings) -> String,
}

/// All settings, in the order of the documentation.
const ALL: &[Setting] = &[
    Setting {
        name: "secret-file",
        read: |settings, text| {
            settings.secret_file = text.to_owned();
            Ok(())
        },
        show: |settings| settings.secret_file.clone(),
    },
    Setting {
        // The server ignores a CONFIG SET of the value that it has, so the same path again reads nothing. `yes` here reads
        // the file again; the commit sets it back to `no`.
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

/// The names of [`ALL`], in the same order.
pub const NAMES: [&str; ALL.len()] = {
    let (mut names, mut row) = ([""; ALL.len()], 0);
    while row < ALL.len() {
        names[row] = ALL[row].name;
        row += 1;
    }
    names
};

/// The setting of this name, which is without the prefix.
pub fn find(name: &str) -> Option<&'static Setting> {
    ALL.iter().find(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn each_name_finds_its_own_setting() {
        for name in NAMES {
            assert_eq!(find(name).map(|setting| setting.name), Some(name));
        }
        assert!(find("lifetime").is_none());
    }
}
