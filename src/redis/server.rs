//! The server's version, and those of its own settings that matter to sessions.

use super::config;
use super::context::Context;
use super::server_info;
use std::sync::{Mutex, PoisonError};

/// What the server's configuration and version say. By default nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// `maxmemory-policy`; empty before the first look.
    pub policy: String,
    /// `appendonly yes`.
    pub appends: bool,
    /// Whether the server loads all of an append-only file, whatever the default user may do (valkey#3983).
    pub replays_all: bool,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// What the last look at the server found.
pub fn known() -> Known {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

/// Looks at the server's configuration and version.
pub fn look(context: &Context) {
    let setting = |name| config::of_server(context, name).unwrap_or_default();
    let known = Known {
        policy: setting(c"maxmemory-policy"),
        appends: setting(c"appendonly") == "yes",
        replays_all: valkey_version(context).is_some_and(|version| version >= (9, 1)),
    };
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
}

/// The major and minor version of Valkey; `None` if the server is not Valkey.
fn valkey_version(context: &Context) -> Option<(u32, u32)> {
    server_info::field(context, c"server", c"valkey_version").map(|version| major_and_minor(&version))
}

/// The first two numbers of a version; 0 for one that is missing.
fn major_and_minor(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_first_two_numbers() {
        assert_eq!(major_and_minor("9.1.2"), (9, 1));
        assert_eq!(major_and_minor("10"), (10, 0));
        assert_eq!(major_and_minor("unstable"), (0, 0));
        assert!(major_and_minor("10.0.0") > (9, 1));
    }
}
