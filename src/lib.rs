//! redis-sessions: a module that makes a Redis or Valkey server a session server.
//!
//! This page is the whole surface of the module:
//!
//! * the commands, in the table below; each has a file of its own in [`commands`]
//! * the settings: the table in [`settings`]
//! * the events: [`sessions_core::session::Event`]
//! * the section of INFO, at the end
//!
//! Data flows one way. [`protocol`] reads the arguments into a request; the command decides with the pure functions of
//! [`sessions_core`] and applies the decision to the [`store`]; [`protocol`] writes the reply. Only [`redis`] touches the
//! server's module API.

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "a module has no public items; its documentation is for its developers"
)]

mod commands;
mod protocol;
mod redis;
mod settings;
mod stats;
mod store;
mod warnings;

use commands::add::Add;
use commands::check::Check;
use commands::clear::Clear;
use commands::clearcookies::ClearCookies;
use commands::clearset::ClearSet;
use commands::contains::Contains;
use commands::count::Count;
use commands::end::End;
use commands::endall::EndAll;
use commands::exists::Exists;
use commands::get::Get;
use commands::info::Info;
use commands::jwks::Jwks;
use commands::keys::Keys;
use commands::list::List;
use commands::new::New;
use commands::open::Open;
use commands::payload::Payload;
use commands::refresh::Refresh;
use commands::regenerate::Regenerate;
use commands::resume::Resume;
use commands::rmv::Rmv;
use commands::set::Set;
use commands::touch::Touch;
use commands::verify::Verify;
use redis::info::Section;
use redis::module::{Module, Row};
use redis::server_events::ServerEvent;
use redis::{Context, kept, server};
use store::{realm, serving};

/// The package's version as MODULE LIST shows it: 0.1.0 is 100.
const VERSION: i32 = version_number(env!("CARGO_PKG_VERSION"));

/// Two digits for each part of a version.
const fn version_number(version: &str) -> i32 {
    let (text, mut number, mut part, mut position) = (version.as_bytes(), 0, 0, 0);
    while position < text.len() && text[position] != b'-' {
        if text[position] == b'.' {
            number = (number + part) * 100;
            part = 0;
        } else {
            part = part * 10 + (text[position] - b'0') as i32;
        }
        position += 1;
    }
    number + part
}

/// All commands, handed to another macro: [`MODULE`] and the unit tests are made of the same list.
macro_rules! with_commands {
    ($callback:ident) => {
        $callback! {
            // A session's life.
            New,
            Open,
            Info,
            Exists,
            Touch,
            End,
            // Its data.
            Set,
            Add,
            Get,
            Rmv,
            Count,
            Keys,
            Contains,
            Clear,
            ClearSet,
            // All sessions of a name.
            List,
            EndAll,
            // A session's credentials.
            Verify,
            Check,
            Resume,
            Refresh,
            Payload,
            Regenerate,
            Jwks,
            ClearCookies,
        }
    };
}
#[cfg(test)]
pub(crate) use with_commands;

macro_rules! rows {
    ($($command:ident,)*) => {
        &[$(Row::of::<$command>()),*]
    };
}

const MODULE: Module = Module {
    name: c"sh",
    version: VERSION,
    commands: with_commands!(rows),
    settings: settings::FOR_SERVER,
    info,
    on_server_event,
    kept: realm::SECRET_KEY,
};

redis::module::export!(MODULE);

fn on_server_event(context: &mut Context, event: ServerEvent) {
    if matches!(event, ServerEvent::ModuleLoaded | ServerEvent::ConfigChanged) {
        server::look(context);
        if realm::secret_can_be_evicted(&server::known().policy, context.is_cluster()) {
            kept::listen(context);
        }
    }
    kept::on_server_event(context, event);
    serving::on_server_event(context, event);
    warnings::on_server_event(event);
}

/// The module's section of INFO.
fn info(section: &mut Section) {
    section.text("version", env!("CARGO_PKG_VERSION"));
    if let Some(ring) = realm::known(&settings::current()) {
        section.text("secret_fingerprint", &ring.fingerprint());
        section.text("signing_kid", ring.signer(redis::context::now()).kid());
    }
    section.number("last_outage_ms", serving::last_outage_ms());
    for (name, count) in stats::lines() {
        section.number(&name, count);
    }
    section.number("secret_restored", redis::kept::restored());
    warnings::examine();
    let warnings = warnings::in_force();
    section.number("warnings", warnings.len() as u64);
    for (position, warning) in warnings.iter().enumerate() {
        section.text(&format!("warning_{}", position + 1), warning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_that_grows_with_it() {
        assert_eq!(version_number("0.1.0"), 100);
        assert_eq!(version_number("1.2.3"), 10_203);
        assert_eq!(version_number("0.10.1-rc.1"), 1_001);
    }
}
