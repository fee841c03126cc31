//! A server under measurement.

use crate::cases::{Case, Kind, Memory};
use crate::rows::{POPULATIONS, SCRIPT};
use crate::rsa::Rsa;
use crate::template::{Numbers, Template, Values};
use redis::{Connection, ConnectionLike, Parser, Value};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use std::{iter, mem, thread};
use testkit::{Client, Server, await_that, member, text};

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
    /// What came back from the commands sent last.
    replies: Vec<u8>,
    rsa: Option<Rsa>,
}

impl Bench {
    /// A server without keys, with one database for each case and one for all of them.
    pub fn start(population: usize, cases: usize) -> Self {
        // Tables grow in the commands that fill them, not in the background of others.
        let server = Server::with(&["--databases", &(cases + 1).to_string(), "--activerehashing", "no"]);
        let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
        let url = format!("redis://127.0.0.1:{}", server.port);
        let connection = redis::Client::open(url).and_then(|client| client.get_connection()).expect("a connection");
        let mut observer = server.client();
        let script = observer.text(&["SCRIPT", "LOAD", SCRIPT]);
        Self {
            server,
            stream,
            connection,
            observer,
            values: Values::new(population, script),
            replies: Vec::new(),
            rsa: None,
        }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What the first member of the populations keeps in this place.
    pub fn first_kept(&self, place: &str) -> &str {
        &self.values.kept[place][0]
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
                        self.values.keep(place, text(&kept));
                    }
                }
            }
        }
    }

    /// Runs a case so many times: the CPU time, in microseconds.
    pub fn run(&mut self, case: &Case, database: usize, times: usize, hot: bool) -> f64 {
        self.observer.ok(&["CONFIG", "SET", "sh.jwt-algorithm", case.algorithm]);
        let misses = self.observer.info("stats", "keyspace_misses");
        let used = match case.kind {
            Kind::Signs => self.sign(times),
            Kind::UsesOneByOne => self.one_by_one(case, times),
            Kind::Creates => {
                let numbers: Vec<_> = iter::repeat_with(|| self.values.draw()).take(times).collect();
                let (repeated, before) = case.before;
                if repeated > 0 {
                    let numbers: Vec<_> = numbers.iter().flat_map(|each| iter::repeat_n(*each, repeated)).collect();
                    let packed = self.pack(&Template::new(before), database, &numbers);
                    self.send(&packed, 0);
                }
                self.steadily(case, database, &numbers)
            }
            Kind::Uses | Kind::Refused => {
                let draw = || Numbers { any: 0, ..self.values.draw() };
                let numbers: Vec<_> = match hot {
                    true => iter::repeat_with(draw).take(times).collect(),
                    false => iter::repeat_with(|| self.values.draw()).take(times).collect(),
                };
                self.steadily(case, 0, &numbers)
            }
            Kind::Rotates(place) => {
                let numbers: Vec<_> = iter::repeat_with(|| self.values.draw_another()).take(times).collect();
                let used = self.steadily(case, 0, &numbers);
                self.keep(place, &numbers);
                used
            }
        };
        // What creates looks whether there is something, and there is not.
        let missed = case.kind != Kind::Creates && self.observer.info("stats", "keyspace_misses") != misses;
        assert!(!missed, "{} did not find its keys", case.name);
        used
    }

    /// Sends a case's commands without waiting for replies.
    fn steadily(&mut self, case: &Case, database: usize, numbers: &[Numbers]) -> f64 {
        let packed = self.pack(&Template::new(case.commands), database, numbers);
        let refused = if case.kind == Kind::Refused { numbers.len() } else { 0 };
        let before = self.cpu();
        self.send(&packed, refused);
        self.cpu() - before
    }

    /// Sends each command when the one before has been answered.
    fn one_by_one(&mut self, case: &Case, times: usize) -> f64 {
        redis::cmd("SELECT").arg(0).exec(&mut self.connection).expect("the first database");
        let templates = Template::each(case.commands);
        let mut commands = Vec::new();
        for numbers in iter::repeat_with(|| self.values.draw()).take(times).collect::<Vec<_>>() {
            for template in &templates {
                let mut packed = Vec::new();
                template.pack(&self.values, numbers, &mut packed);
                commands.push(packed);
            }
        }
        let before = self.cpu();
        for command in &commands {
            self.connection.req_packed_command(command).expect("a reply");
        }
        self.cpu() - before
    }

    /// Makes RSA signatures of what a new session's access token signs: this process's CPU time.
    fn sign(&mut self, times: usize) -> f64 {
        if self.rsa.is_none() {
            let answer = self.observer.ok(&["SH.NEW", "app--000000000", "TOKENS"]);
            let token = text(&member(&member(&answer, "accessToken"), "token"));
            let (signed, _) = token.rsplit_once('.').expect("a JWT");
            self.rsa = Some(Rsa::new(signed.as_bytes().to_vec()));
        }
        self.rsa.as_ref().map_or(0.0, |rsa| rsa.sign(times))
    }

    /// Keeps what the members have been answered.
    fn keep(&mut self, place: &'static str, numbers: &[Numbers]) {
        let keeps = || POPULATIONS.iter().flat_map(|population| population.keeps);
        let (_, path) = keeps().find(|(kept, _)| *kept == place).expect("a population keeps it");
        let kept = self.values.kept.get_mut(place).expect("the population is there");
        let mut parser = Parser::new();
        let mut replies = self.replies.as_slice();
        let mut reply = || parser.parse_value(&mut replies).expect("a reply");
        reply();
        for Numbers { any, .. } in numbers {
            let new = text(&path.iter().fold(reply(), |value, name| member(&value, name)));
            let old = mem::replace(&mut kept[*any], new);
            assert_ne!(old, kept[*any], "another {place}");
        }
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
            let numbers: Vec<_> = iter::repeat_with(|| self.values.draw()).take((count - first).min(10_000)).collect();
            let packed = self.pack(&template, 0, &numbers);
            self.send(&packed, 0);
        }
        (self.settled_memory() - before) as f64 / count as f64
    }

    /// A template with each of these numbers, in a database, with word of when all is done.
    fn pack(&self, template: &Template, database: usize, numbers: &[Numbers]) -> Vec<u8> {
        let mut packed = redis::cmd("SELECT").arg(database).get_packed_command();
        numbers.iter().for_each(|numbers| template.pack(&self.values, *numbers, &mut packed));
        redis::cmd("ECHO").arg(DONE.trim_ascii_end()).write_packed_command(&mut packed);
        packed
    }

    /// Sends commands, of which so many are refused and all others succeed.
    fn send(&mut self, packed: &[u8], refused: usize) {
        let errors = self.error_replies();
        let mut writer = &self.stream;
        let mut reader = &self.stream;
        let replies = &mut self.replies;
        replies.clear();
        thread::scope(|scope| {
            scope.spawn(move || writer.write_all(packed).expect("a connection"));
            let mut buffer = vec![0; 1 << 20];
            while !replies.ends_with(DONE) {
                let read = reader.read(&mut buffer).expect("replies");
                assert_ne!(read, 0, "the server is there");
                replies.extend_from_slice(&buffer[..read]);
            }
        });
        assert_eq!(self.error_replies() - errors, refused, "no other command fails");
    }

    fn error_replies(&mut self) -> usize {
        self.observer.info("stats", "total_error_replies").parse().expect("a number")
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
