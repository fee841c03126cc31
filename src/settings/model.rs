//! The values of the settings, their defaults, and which of them contradict each other.

use sessions_core::credentials::cookies::Attributes;
use sessions_core::credentials::issue::Policy;
use sessions_core::credentials::{Algorithm, Secret};
use sessions_core::session::Seconds;
use std::sync::Arc;

/// The most sessions that one name can have under a limit: SH.NEW may look at all of them.
pub const MAX_SESSIONS: u32 = 1_000;

/// The values of all settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The path of the file of secrets. Empty: each database makes its own secret.
    pub secret_file: String,
    /// Whether to read the file of secrets again.
    pub(super) secret_reload: bool,
    /// The secrets that the file held when it was last read. `None` without a file.
    pub secrets: Option<Arc<Vec<Secret>>>,
    /// How credentials are made.
    pub policy: Policy,
    pub refresh_validity: Seconds,
    pub refresh_grace: Seconds,
    pub key_rotation: Seconds,
    pub algorithm: Algorithm,
    /// The longest payload, in bytes.
    pub max_payload: usize,
    /// The absolute lifetime of a new session. `None`: no limit.
    pub max_lifetime: Option<Seconds>,
    /// The most listed sessions of one name. `None`: no limit.
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
    /// Checks the settings against each other. The error says which two contradict and why.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.key_rotation < self.policy.access_validity {
            return Err("sh.key-rotation must be at least sh.access-validity".to_owned());
        }
        self.policy.cookies.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_the_check() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn contradictions_are_refused() {
        let mut settings = Settings::default();
        settings.policy.access_validity = Seconds(604_801);
        assert!(settings.check().is_err());
    }
}
