//! redis-sessions: a module that makes a Redis or Valkey server a session server.
//!
//! This page is the whole surface of the module. Each command has a file of its own in [`commands`].

mod commands;
mod protocol;
mod redis;
mod session;
mod slot;
mod store;

use commands::{end::End, exists::Exists, get::Get, info::Info, new::New, open::Open, set::Set, touch::Touch};
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
        Row::of::<Get>(),
    ],
};
