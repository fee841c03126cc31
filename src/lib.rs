//! redis-sessions: a module that makes a Redis or Valkey server a session server.
//!
//! This page is the whole surface of the module. Each command has a file of its own in [`commands`].

mod commands;
mod protocol;
mod redis;
mod session;
mod settings;
mod slot;
mod stats;
mod store;

use commands::add::Add;
use commands::clear::Clear;
use commands::clearset::ClearSet;
use commands::contains::Contains;
use commands::count::Count;
use commands::end::End;
use commands::exists::Exists;
use commands::get::Get;
use commands::info::Info;
use commands::keys::Keys;
use commands::new::New;
use commands::open::Open;
use commands::rmv::Rmv;
use commands::set::Set;
use commands::touch::Touch;
use redis::eviction;
use redis::info::Section;
use redis::module::{Module, Row};

const MODULE: Module = Module {
    name: c"sh",
    version: 1,
    commands: &[
        // A session's life.
        Row::of::<New>(),
        Row::of::<Open>(),
        Row::of::<Info>(),
        Row::of::<Exists>(),
        Row::of::<Touch>(),
        Row::of::<End>(),
        // Its data.
        Row::of::<Set>(),
        Row::of::<Add>(),
        Row::of::<Get>(),
        Row::of::<Rmv>(),
        Row::of::<Count>(),
        Row::of::<Keys>(),
        Row::of::<Contains>(),
        Row::of::<Clear>(),
        Row::of::<ClearSet>(),
    ],
};

/// The module's section of INFO.
fn info(section: &mut Section) {
    for (name, count) in stats::lines() {
        section.number(&name, count);
    }
    if let Some(policy) = eviction::risky_policy() {
        section.text("warning", &format!("maxmemory-policy {policy} may evict indexes before their sessions"));
    }
}
