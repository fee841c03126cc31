//! The module on real servers, over RESP. One file a command, and one for each thing that concerns them all.

mod support;

mod end;
mod endall;
mod exists;
mod get;
mod info;
mod list;
mod new;
mod open;
mod set;
mod touch;

mod acl;
mod boundary;
mod cluster;
mod data;
mod docs;
mod events;
mod example;
mod fuzz;
mod grace;
mod lifetimes;
mod limits;
mod lives;
mod loading;
mod native;
mod operations;
mod panics;
mod persistence;
mod proxied;
mod replication;
mod selectors;
mod settings;
mod simulation;
mod stray;
mod transactions;
mod warnings;

mod jar;

mod check;
mod clients;
mod cookies;
mod interop;
mod jwks;
mod payload;
mod redaction;
mod refresh;
mod regenerate;
mod resume;
mod secret;
mod users;
mod verify;
