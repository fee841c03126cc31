//! The tables.

use crate::cases::{Case, Limit, Memory, Target};

pub const ROUNDS: usize = 3;

/// The CPU time of each case in each round, in microseconds.
pub type Measured<'a> = Vec<(&'a Case, [f64; ROUNDS])>;

pub fn report(measured: &Measured) {
    println!("{:<34} {:>9}  {:>9}  {:>18}", "", "us", "per s", "rounds");
    for (case, used) in measured {
        let mut sorted = *used;
        sorted.sort_by(f64::total_cmp);
        let (us, least, most) = (median(*used), sorted[0], sorted[ROUNDS - 1]);
        println!("{:<34} {us:>9.2}  {:>9.0}  {least:>8.2} .. {most:.2}", case.name, 1e6 / us);
    }
    println!("\n{:<66} {:>8}  {:>7}", "", "", "at most");
    for (case, used) in measured {
        for target in case.targets {
            let (what, value) = match target {
                Target::Micros(_) => (format!("{}, us", case.name), median(*used)),
                Target::Times(_, name) | Target::Beside(name) => {
                    let Some((_, beside)) = measured.iter().find(|(other, _)| other.name == *name) else { continue };
                    let ratios = std::array::from_fn(|round| used[round] / beside[round]);
                    (format!("{} / {name}", case.name), median(ratios))
                }
            };
            println!("{what:<66} {value:>8.2}  {}", verdict(value, target.limit()));
        }
    }
}

pub fn report_memory(measured: &[(&Memory, f64)]) {
    println!("{:<34} {:>9}", "", "bytes/key");
    for (memory, bytes) in measured {
        println!("{:<34} {bytes:>9.1}", memory.name);
    }
    println!("\n{:<66} {:>8}  {:>7}", "", "", "at most");
    for (memory, bytes) in measured {
        let (what, value, limit) = match memory.at_most {
            None => continue,
            Some(Limit::Bytes(limit)) => (memory.name.to_owned(), *bytes, limit),
            Some(Limit::More(limit, name)) => {
                let Some((_, beside)) = measured.iter().find(|(other, _)| other.name == name) else { continue };
                (format!("{}, more than {name}", memory.name), bytes - beside, limit)
            }
        };
        println!("{what:<66} {value:>8.1}  {}", verdict(value, Some(limit)));
    }
}

fn verdict(value: f64, limit: Option<f64>) -> String {
    limit.map(|limit| format!("{limit:>7}  {}", if value <= limit { "met" } else { "missed" })).unwrap_or_default()
}

fn median(mut values: [f64; ROUNDS]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[ROUNDS / 2]
}
