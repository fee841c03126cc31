//! The settings: `sh.*` in redis.conf and CONFIG SET, or arguments of `loadmodule`.
//!
//! Each setting is a row of [`table`]. The server sets one at a time: each changes a draft. Once all settings of one
//! CONFIG SET are in the draft, [`in_force`] checks the draft as a whole and puts it in force.

mod in_force;
mod model;
pub mod secret_file;
mod table;
mod values;

use crate::redis::config;

pub use in_force::current;
pub use model::{MAX_SESSIONS, Settings};

/// What the server is told of the settings.
pub const FOR_SERVER: config::Settings = config::Settings {
    names: &table::NAMES,
    read: in_force::read_into_draft,
    show: in_force::show_draft,
    commit: in_force::commit,
};
