//! What the tests and the benchmarks share: real servers and clusters with the module, clients to talk to them, the
//! credentials that a browser holds, and what the documentation says of a session as a model and a table.
//!
//! `REDIS_SERVER=/path/to/redis-server` chooses another server than the one on the PATH.

pub mod aof;
pub mod client;
pub mod cluster;
pub mod compiled;
pub mod jar;
pub mod lifetime_table;
pub mod machine;
pub mod model;
pub mod server;
pub mod value;

pub use client::{Client, Contents, shown};
pub use cluster::{Cluster, slot};
pub use machine::{
    await_that, fields_can_expire, free_port, module, modules_have_categories, server_path, server_version,
    valkey_version,
};
pub use server::{Crashed, Server};
pub use value::{bytes, find, int, items, list, member, members, text};
