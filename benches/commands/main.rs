//! `cargo bench`: what the module's commands cost the server, side by side with what one would use without them.
//!
//! The measure is the server's own CPU time, so that a busy machine matters little. `cargo bench -- SH.GET` measures the
//! cases with that in their name, and what they are measured against. `SH_BENCH_COUNT` is how often each command runs in
//! each round, `SH_BENCH_KEYS` how many keys memory is measured over; `REDIS_SERVER` chooses another server.

mod bench;
mod cases;
#[path = "../../tests/sessions/support.rs"]
mod support;
mod template;

use bench::Bench;
use cases::{CASES, Case, Kind, MEMORY, Target};
use std::fs;

/// What each population numbers: far more keys than a processor's caches hold.
const POPULATION: usize = 200_000;
const ROUNDS: usize = 3;
/// The cases take turns, so that whatever else the machine does hits all alike.
const TURNS: usize = 10;

fn main() {
    let count = setting("SH_BENCH_COUNT", 200_000).max(TURNS);
    let keys = setting("SH_BENCH_KEYS", 1_000_000);
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let measured = |case: &&Case| {
        let beside = |other: &Case| {
            wanted(other.name)
                && other.targets.iter().any(|target| matches!(target, Target::Times(_, name) if *name == case.name))
        };
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

    println!("\nMemory, {keys} keys, expiry and the server's tables included\n");
    println!("{:<34} {:>9}  {:>8}", "", "bytes/key", "at most");
    for memory in MEMORY.iter().filter(|memory| wanted(memory.name)) {
        let bytes = Bench::start(1, 0).memory(memory, keys);
        let verdict = memory.at_most.map(|limit| format!("{limit:>8}  {}", met(bytes <= limit))).unwrap_or_default();
        println!("{:<34} {bytes:>9.1}  {verdict}", memory.name);
    }
}

/// The CPU time of each case in each round, in microseconds.
type Measured<'a> = Vec<(&'a Case, [f64; ROUNDS])>;

fn measure<'a>(bench: &mut Bench, cases: &[&'a Case], count: usize, hot: bool) -> Measured<'a> {
    let mut measured: Measured = cases.iter().map(|case| (*case, [0.0; ROUNDS])).collect();
    for round in 0..ROUNDS {
        for _ in 0..TURNS {
            for (database, (case, used)) in measured.iter_mut().enumerate() {
                used[round] += bench.run(case, database + 1, count / TURNS, hot) / (count / TURNS * TURNS) as f64;
            }
        }
        (1..=cases.len()).for_each(|database| bench.tidy(database));
    }
    measured
}

fn report(measured: &Measured) {
    println!("{:<34} {:>7}  {:>15}", "", "us", "rounds");
    for (case, used) in measured {
        let mut sorted = *used;
        sorted.sort_by(f64::total_cmp);
        println!("{:<34} {:>7.2}  {:>6.2} .. {:.2}", case.name, median(*used), sorted[0], sorted[ROUNDS - 1]);
    }
    println!("\n{:<60} {:>5}  {:>7}", "", "", "at most");
    for (case, used) in measured {
        for target in case.targets {
            let (what, value, limit) = match target {
                Target::Micros(limit) => (format!("{}, us", case.name), median(*used), limit),
                Target::Times(limit, name) => {
                    let Some((_, beside)) = measured.iter().find(|(other, _)| other.name == *name) else { continue };
                    let ratios = std::array::from_fn(|round| used[round] / beside[round]);
                    (format!("{} / {name}", case.name), median(ratios), limit)
                }
            };
            println!("{what:<60} {value:>5.2}  {limit:>7}  {}", met(value <= *limit));
        }
    }
}

fn median(mut values: [f64; ROUNDS]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[ROUNDS / 2]
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
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
