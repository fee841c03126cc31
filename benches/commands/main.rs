//! `cargo bench`: what the module's commands cost the server, side by side with what one would use without them.
//!
//! The measure is the server's own CPU time, so that a busy machine matters little. `cargo bench -- SH.GET` measures the
//! cases with that in their name, and what they are measured against. `SH_BENCH_COUNT` is how often each command runs in
//! each round, `SH_BENCH_KEYS` how many keys memory is measured over; `REDIS_SERVER` chooses another server.

mod bench;
mod cases;
mod flood;
mod report;
mod rows;
mod rsa;
mod template;

use bench::Bench;
use cases::{Case, Kind, Memory};
use report::{Measured, ROUNDS, report, report_memory};
use rows::{CASES, MEMORY};
use std::fs;

/// What each population numbers: far more keys than a processor's caches hold.
const POPULATION: usize = 200_000;
/// The cases take turns, so that whatever else the machine does hits all alike.
const TURNS: usize = 10;

fn main() {
    let count = setting("SH_BENCH_COUNT", 200_000).max(TURNS);
    let keys = setting("SH_BENCH_KEYS", 1_000_000);
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let measured = |case: &&Case| {
        let beside =
            |other: &Case| wanted(other.name) && other.targets.iter().any(|target| target.other() == Some(case.name));
        wanted(case.name) || CASES.iter().any(beside)
    };
    let cases: Vec<&Case> = CASES.iter().filter(measured).collect();

    if !cases.is_empty() {
        let mut bench = Bench::start(POPULATION, cases.len());
        println!("{}, {}, server process {}", bench.version(), processor(), bench.pid());
        bench.populate(POPULATION);
        println!("\nServer CPU, {ROUNDS} rounds of {count}, keys at random out of {POPULATION} of each sort\n");
        report(&measure(&mut bench, &cases, count, false));
        let hot: Vec<&Case> = cases.into_iter().filter(|case| case.kind == Kind::Uses).collect();
        println!("\nThe same with one hot key, for comparison\n");
        report(&measure(&mut bench, &hot, count, true));
    }

    if wanted(flood::NAME) {
        println!("\n{}\n", flood::NAME);
        flood::report();
    }

    println!("\nMemory, {keys} keys, expiry and the server's tables included\n");
    let memories = MEMORY.iter().filter(|memory| {
        let beside = |other: &Memory| wanted(other.name) && other.other() == Some(memory.name);
        wanted(memory.name) || MEMORY.iter().any(beside)
    });
    report_memory(&memories.map(|memory| (memory, Bench::start(1, 0).memory(memory, keys))).collect::<Vec<_>>());
}

fn measure<'a>(bench: &mut Bench, cases: &[&'a Case], count: usize, hot: bool) -> Measured<'a> {
    let mut measured: Measured = cases.iter().map(|case| (*case, [0.0; ROUNDS])).collect();
    for round in 0..ROUNDS {
        for _ in 0..TURNS {
            for (database, (case, used)) in measured.iter_mut().enumerate() {
                let times = (count / TURNS / case.one_in).max(1);
                used[round] += bench.run(case, database + 1, times, hot) / (times * TURNS) as f64;
            }
        }
        (1..=cases.len()).for_each(|database| bench.tidy(database));
    }
    measured
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

fn processor() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    model.unwrap_or("an unknown processor").to_owned()
}
