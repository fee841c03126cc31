//! How long other clients wait while somebody sends access tokens as fast as a network brings them.

use crate::bench::Bench;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use testkit::Client;

pub const NAME: &str = "Latency of a GET while access tokens arrive at 15,000 a second";

/// How often a batch is sent, and how many commands it holds: 15,000 a second.
const TICK: Duration = Duration::from_millis(1);
const BATCH: usize = 15;
/// How long each case is measured.
const TIME: Duration = Duration::from_secs(4);

pub fn report() {
    let mut bench = Bench::start(1, 0);
    bench.populate(1);
    let verify = |place| vec!["SH.VERIFY".to_owned(), bench.first_kept(place).to_owned()];
    let cases = [
        ("nothing else", None),
        ("PING", Some(vec!["PING".to_owned()])),
        ("SH.VERIFY of junk", Some(verify("{junk}"))),
        ("SH.VERIFY", Some(verify("{access}"))),
    ];
    println!("{:<34} {:>9}  {:>9}  {:>9}", "what arrives", "p50, us", "p99, us", "sent per s");
    for (name, command) in cases {
        let (mut latencies, per_second) = measure(&bench, command.as_deref());
        latencies.sort();
        let at = |share: usize| latencies[latencies.len() * share / 100].as_secs_f64() * 1e6;
        println!("{name:<34} {:>9.0}  {:>9.0}  {per_second:>9.0}", at(50), at(99));
    }
}

/// How long a GET takes, one after the other, while this command arrives; and how often the command was sent a second.
fn measure(bench: &Bench, command: Option<&[String]>) -> (Vec<Duration>, f64) {
    let (mut client, over) = (bench.server().client(), AtomicBool::new(false));
    thread::scope(|scope| {
        let sender = command.map(|command| scope.spawn(|| flood(bench.server().client(), command, &over)));
        let (began, mut latencies) = (Instant::now(), Vec::new());
        while began.elapsed() < TIME {
            let sent = Instant::now();
            client.ok(&["GET", "a-string-session-of000000000"]);
            latencies.push(sent.elapsed());
        }
        over.store(true, Ordering::Relaxed);
        (latencies, sender.map_or(0.0, |sender| sender.join().expect("a number")))
    })
}

/// Sends a command in a steady stream until it is over. Answers how often a second.
fn flood(mut client: Client, command: &[String], over: &AtomicBool) -> f64 {
    let batch = vec![command.to_vec(); BATCH];
    let (began, mut batches) = (Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        client.pipeline(&batch);
        batches += 1;
        thread::sleep((began + TICK * batches).saturating_duration_since(Instant::now()));
    }
    f64::from(batches) * BATCH as f64 / began.elapsed().as_secs_f64()
}
