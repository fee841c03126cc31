//! A server under measurement.

use crate::cases::{Case, Kind, Memory, POPULATIONS, SCRIPT};
use crate::support::{Client, Server, await_that, member, text};
use crate::template::{Numbers, Template, Values};
use redis::{Connection, ConnectionLike, Value};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use std::{iter, mem, thread};

/// How many commands are written at a time where replies are read one by one.
const BATCH: usize = 100;

/// What the server says when it has done all it was sent.
const DONE: &[u8] = b"all of it is done\r\n";

pub struct Bench {
    server: Server,
    /// Where the measured commands are sent, one after the other without waiting for replies.
    stream: TcpStream,
    connection: Connection,
    /// Where INFO is asked: apart, because it does not choose another database.
    observer: Client,
    values: Values,
}

impl Bench {
    /// A server without keys, with one database for each case and one for all of them.
    pub fn start(population: usize, cases: usize) -> Self {
        let server = Server::with(&["--databases", &(cases + 1).to_string()]);
        let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
        let url = format!("redis://127.0.0.1:{}", server.port);
        let connection = redis::Client::open(url).and_then(|client| client.get_connection()).expect("a connection");
        let mut observer = server.client();
        let script = observer.text(&["SCRIPT", "LOAD", SCRIPT]);
        Self { server, stream, connection, observer, values: Values::new(population, script) }
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
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
            for first in (0..size).step_by(BATCH) {
                let batch = first..size.min(first + BATCH);
                let mut packed = Vec::new();
                let count = batch.len() * template.len();
                batch.for_each(|any| template.pack(&self.values, Numbers { new: any, any }, &mut packed));
                let replies = self.connection.req_packed_commands(&packed, 0, count).expect("replies");
                let failed = replies.iter().find(|reply| matches!(reply, Value::ServerError(_)));
                assert!(failed.is_none(), "{failed:?}");
                for answer in replies.chunks(template.len()).map(|replies| &replies[0]) {
                    for (place, path) in population.keeps {
                        let kept = path.iter().fold(answer.clone(), |value, name| member(&value, name));
                        self.values.kept.entry(place).or_default().push(text(&kept));
                    }
                }
            }
        }
    }

    /// Runs a case so many times: the server's CPU time, in microseconds.
    pub fn run(&mut self, case: &Case, database: usize, times: usize, hot: bool) -> f64 {
        let database = if case.kind == Kind::Creates { database } else { 0 };
        let packed = self.pack(&Template::new(case.commands), database, times, hot);
        let misses = self.observer.info("stats", "keyspace_misses");
        let before = self.cpu();
        self.send(&packed);
        let used = self.cpu() - before;
        // What creates looks whether there is something, and there is not.
        let missed = case.kind == Kind::Uses && self.observer.info("stats", "keyspace_misses") != misses;
        assert!(!missed, "{} did not find its keys", case.name);
        used
    }

    /// Forgets what a case has made.
    pub fn tidy(&mut self, database: usize) {
        for command in [["SELECT", &database.to_string()], ["FLUSHDB", "SYNC"]] {
            redis::Cmd::new().arg(&command).exec(&mut self.connection).expect("an empty database");
        }
    }

    /// The memory of one of so many keys, in bytes.
    pub fn memory(&mut self, memory: &Memory, count: usize) -> f64 {
        let before = self.settled_memory();
        let template = Template::new(memory.commands);
        for first in (0..count).step_by(10_000) {
            let packed = self.pack(&template, 0, (count - first).min(10_000), false);
            self.send(&packed);
        }
        (self.settled_memory() - before) as f64 / count as f64
    }

    /// A template so many times, in a database, with word of when all is done.
    fn pack(&mut self, template: &Template, database: usize, times: usize, hot: bool) -> Vec<u8> {
        let mut packed = redis::cmd("SELECT").arg(database).get_packed_command();
        for mut numbers in iter::repeat_with(|| self.values.draw()).take(times).collect::<Vec<_>>() {
            if hot {
                numbers.any = 0;
            }
            template.pack(&self.values, numbers, &mut packed);
        }
        redis::cmd("ECHO").arg(DONE.trim_ascii_end()).write_packed_command(&mut packed);
        packed
    }

    /// Sends commands, all of which must succeed.
    fn send(&mut self, packed: &[u8]) {
        let errors = self.observer.info("stats", "total_error_replies");
        let mut writer = &self.stream;
        let mut reader = &self.stream;
        thread::scope(|scope| {
            scope.spawn(move || writer.write_all(packed).expect("a connection"));
            let mut buffer = vec![0; 1 << 20];
            let mut end = 0;
            while !buffer[..end].ends_with(DONE) {
                // Keeps the last bytes, should the word be in two pieces.
                let kept = end.min(DONE.len());
                buffer.copy_within(end - kept..end, 0);
                end = kept + reader.read(&mut buffer[kept..]).expect("replies");
            }
        });
        assert_eq!(self.observer.info("stats", "total_error_replies"), errors, "no command fails");
    }

    fn cpu(&mut self) -> f64 {
        let mut seconds = |line| self.observer.info("cpu", line).parse::<f64>().expect("seconds");
        (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6
    }

    /// The memory used, once the tables have grown to their size.
    fn settled_memory(&mut self) -> i64 {
        let mut used = || self.observer.info("memory", "used_memory").parse::<i64>().expect("a number");
        let mut last = used();
        await_that("memory settles", || {
            thread::sleep(Duration::from_millis(500));
            (mem::replace(&mut last, used()) - last).abs() < 50_000
        });
        last
    }
}
