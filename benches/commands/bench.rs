//! A server under measurement.

use crate::cases::{Case, Kind, Memory, POPULATIONS, SCRIPT};
use crate::support::{Client, Server, await_that, member, text};
use crate::template::{Numbers, Template, Values};
use redis::{Connection, ConnectionLike, Value};
use std::thread;
use std::time::Duration;

/// How many commands are on their way at a time.
const PIPELINED: usize = 100;

pub struct Bench {
    server: Server,
    connection: Connection,
    /// Where INFO is asked: apart, because it does not choose another database.
    observer: Client,
    pub values: Values,
}

impl Bench {
    /// A server without keys, with one database for each case.
    pub fn start(population: usize, cases: usize) -> Self {
        let server = Server::with(&["--databases", &(cases + 1).to_string()]);
        let url = format!("redis://127.0.0.1:{}", server.port);
        let connection = redis::Client::open(url).and_then(|client| client.get_connection()).expect("a connection");
        let mut observer = server.client();
        let mut values = Values::new(population);
        values.script = observer.text(&["SCRIPT", "LOAD", SCRIPT]);
        Self { server, connection, observer, values }
    }

    /// The server's name and version.
    pub fn version(&mut self) -> String {
        match self.observer.info("server", "valkey_version").as_str() {
            "" => format!("Redis {}", self.observer.info("server", "redis_version")),
            valkey => format!("Valkey {valkey}"),
        }
    }

    /// Makes the populations.
    pub fn populate(&mut self, size: usize) {
        for population in POPULATIONS {
            let template = Template::new(population.make);
            let mut numbers = 0..size;
            while !numbers.is_empty() {
                let mut packed = Vec::new();
                let batch = numbers.len().min(PIPELINED);
                for any in numbers.by_ref().take(batch) {
                    template.pack(&self.values, Numbers { new: any, any }, &mut packed);
                }
                let replies = self.send(&packed, batch * template.len());
                if population.keeps_token {
                    let answers = replies.chunks(template.len()).map(|replies| &replies[0]);
                    self.values.tokens.extend(answers.map(|answer| text(&member(answer, "tkn"))));
                }
            }
        }
    }

    /// Runs a case so many times: the server's CPU time, in microseconds.
    pub fn run(&mut self, case: &Case, database: usize, times: usize, hot: bool) -> f64 {
        if case.kind == Kind::Creates {
            self.command(&["SELECT", &database.to_string()]);
        }
        let before = self.cpu();
        self.repeat(&Template::new(case.commands), times, hot);
        let used = self.cpu() - before;
        self.command(&["SELECT", "0"]);
        used
    }

    /// Forgets what a case has made.
    pub fn tidy(&mut self, database: usize) {
        self.command(&["SELECT", &database.to_string()]);
        self.command(&["FLUSHDB", "SYNC"]);
        self.command(&["SELECT", "0"]);
    }

    /// The memory of one of so many keys, in bytes.
    pub fn memory(&mut self, memory: &Memory, count: usize) -> f64 {
        let before = self.settled_memory();
        self.repeat(&Template::new(memory.commands), count, false);
        (self.settled_memory() - before) as f64 / count as f64
    }

    fn repeat(&mut self, template: &Template, times: usize, hot: bool) {
        let mut packed = Vec::new();
        let mut left = times;
        while left > 0 {
            let batch = left.min(PIPELINED);
            packed.clear();
            for _ in 0..batch {
                let mut numbers = self.values.draw();
                if hot {
                    numbers.any = 0;
                }
                template.pack(&self.values, numbers, &mut packed);
            }
            self.send(&packed, batch * template.len());
            left -= batch;
        }
    }

    /// Sends commands and checks that each did its work.
    fn send(&mut self, packed: &[u8], count: usize) -> Vec<Value> {
        let replies = self.connection.req_packed_commands(packed, 0, count).expect("replies");
        for reply in &replies {
            assert!(worked(reply), "a command failed: {reply:?}");
        }
        replies
    }

    fn command(&mut self, args: &[&str]) {
        let mut command = redis::Cmd::new();
        command.arg(args).exec(&mut self.connection).expect("a reply");
    }

    fn cpu(&mut self) -> f64 {
        let info = self.observer.text(&["INFO", "cpu"]);
        let seconds = |line: &str| {
            ["used_cpu_user:", "used_cpu_sys:"].iter().find_map(|name| line.strip_prefix(name)?.parse::<f64>().ok())
        };
        info.lines().filter_map(seconds).sum::<f64>() * 1e6
    }

    /// The memory used, once the tables have grown to their size.
    fn settled_memory(&mut self) -> i64 {
        let mut used = || self.observer.info("memory", "used_memory").parse::<i64>().expect("a number");
        let mut last = used();
        await_that("memory settles", || {
            thread::sleep(Duration::from_millis(500));
            let before = std::mem::replace(&mut last, used());
            (last - before).abs() < 50_000
        });
        last
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

/// Whether a reply is neither an error nor a miss.
fn worked(reply: &Value) -> bool {
    match reply {
        Value::Nil | Value::ServerError(_) => false,
        Value::Array(values) => values.iter().all(worked),
        _ => true,
    }
}
