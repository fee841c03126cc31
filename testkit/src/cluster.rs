//! A real cluster, and a client of it.

use crate::{Client, Server, await_that, free_port, member, text};
use redis::Value;
use std::thread;
use std::time::Duration;

/// How many slots a cluster has.
pub const SLOTS: usize = 16_384;

pub struct Cluster {
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Nodes that share the slots evenly, in order.
    pub fn start(size: usize) -> Self {
        let node = |_| {
            let bus = free_port().to_string();
            Server::with(&["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", &bus])
        };
        let cluster = Self { nodes: (0..size).map(node).collect() };
        for (number, node) in cluster.nodes.iter().enumerate() {
            let mut client = node.client();
            let range = [number * SLOTS / size, (number + 1) * SLOTS / size - 1].map(|slot| slot.to_string());
            client.ok(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
            client.ok(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            let bus = cluster.nodes[0].client().list(&["CONFIG", "GET", "cluster-port"]).remove(1);
            client.ok(&["CLUSTER", "MEET", "127.0.0.1", &cluster.nodes[0].port.to_string(), &bus]);
        }
        for node in &cluster.nodes {
            let mut client = node.client();
            await_that("the cluster is up", || {
                let info = client.text(&["CLUSTER", "INFO"]);
                let has = |line: &str| info.lines().any(|own| own == line);
                has("cluster_state:ok") && has("cluster_slots_ok:16384") && has(&format!("cluster_size:{size}"))
            });
        }
        cluster
    }

    pub fn owner(&self, key: &str) -> usize {
        (0..self.nodes.len())
            .find(|number| usize::from(slot(key.as_bytes())) < (number + 1) * SLOTS / self.nodes.len())
            .expect("a node")
    }

    /// A client that follows MOVED and ASK, as all cluster clients do, and tries again on TRYAGAIN, as ours do.
    pub fn client(&self) -> ClusterClient {
        let addresses = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        ClusterClient { addresses, nodes: self.nodes.iter().map(Server::client).collect() }
    }

    /// Lets `slot` be on its way from one node to another.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) -> Move<'_> {
        let ids = [from, to].map(|node| self.nodes[node].client().text(&["CLUSTER", "MYID"]));
        let slot = slot.to_string();
        self.nodes[to].client().ok(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[0]]);
        self.nodes[from].client().ok(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[1]]);
        Move { from: &self.nodes[from], to: &self.nodes[to], slot, target: ids[1].clone() }
    }
}

pub struct ClusterClient {
    addresses: Vec<String>,
    nodes: Vec<Client>,
}

impl ClusterClient {
    /// One answer, redirections followed.
    pub fn call_once(&mut self, command: &[&str]) -> Result<Value, String> {
        let (mut node, mut asking) = (0, false);
        for _ in 0..10 {
            if asking {
                self.nodes[node].ok(&["ASKING"]);
            }
            let reply = self.nodes[node].call(command);
            let Err(error) = &reply else { return reply };
            let words: Vec<_> = error.split_whitespace().collect();
            match words[..] {
                [word @ ("MOVED" | "ASK"), _, address] => {
                    node = self.addresses.iter().position(|own| own == address).expect("a node of the cluster");
                    asking = word == "ASK";
                }
                _ => return reply,
            }
        }
        panic!("sent in circles: {command:?}");
    }

    pub fn call(&mut self, command: &[&str]) -> Result<Value, String> {
        let mut reply = None;
        await_that("the slot has moved on", || {
            reply = Some(self.call_once(command)).filter(|reply| !is_try_again(reply));
            reply.is_some()
        });
        reply.expect("an answer")
    }

    pub fn ok(&mut self, command: &[&str]) -> Value {
        self.call(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    pub fn new_session(&mut self, options: &[&str]) -> String {
        text(&member(&self.ok(&[&["SH.NEW"], options].concat()), "tkn"))
    }

    /// The first word of the error, redirections followed once each.
    pub fn status(&mut self, command: &[&str]) -> String {
        let error = self.call_once(command).expect_err("a failure");
        error.split(' ').next().unwrap_or_default().to_owned()
    }
}

fn is_try_again(reply: &Result<Value, String>) -> bool {
    reply.as_ref().is_err_and(|error| error.starts_with("TRYAGAIN "))
}

/// A slot on its way.
pub struct Move<'c> {
    from: &'c Server,
    to: &'c Server,
    slot: String,
    target: String,
}

impl Move<'_> {
    pub fn migrate(&self, key: &str) {
        let port = self.to.port.to_string();
        self.from.client().ok(&["MIGRATE", "127.0.0.1", &port, key, "0", "60000"]);
    }

    /// Moves all keys that are left, and gives the slot to its new owner.
    pub fn finish(self) {
        self.finish_at_leisure(Duration::ZERO);
    }

    /// The same, with a pause after each key, in which the slot is half here and half there.
    pub fn finish_at_leisure(self, pause: Duration) {
        loop {
            let left = self.from.client().list(&["CLUSTER", "GETKEYSINSLOT", &self.slot, "10"]);
            if left.is_empty() {
                break;
            }
            for key in &left {
                self.migrate(key);
                thread::sleep(pause);
            }
        }
        for node in [self.to, self.from] {
            node.client().ok(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &self.target]);
        }
    }
}

/// The cluster slot of a key, by the definition in the Redis Cluster specification, bit by bit.
pub fn slot(key: &[u8]) -> u16 {
    let tag = |key: &[u8]| {
        let open = key.iter().position(|&byte| byte == b'{')?;
        let length = key[open + 1..].iter().position(|&byte| byte == b'}')?;
        (length > 0).then(|| key[open + 1..][..length].to_vec())
    };
    let crc = tag(key).as_deref().unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    });
    crc % 16_384
}
