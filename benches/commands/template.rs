//! Commands with places to fill in.

use crate::cases::Commands;
use crate::rows::POPULATIONS;
use redis::Cmd;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Where the values of the places come from.
pub struct Values {
    /// How many members each population has.
    population: usize,
    /// What the members of populations keep, by place.
    pub kept: BTreeMap<&'static str, Vec<String>>,
    /// The digest of `{script}`.
    script: String,
    /// How many numbers `{new}` has used.
    used: usize,
    random: u64,
}

/// The place of access tokens that somebody changed.
pub const JUNK: &str = "{junk}";

/// Has no divisor in common with a population, so that its multiples are all of them.
const STEP: usize = 77_773;

impl Values {
    pub fn new(population: usize, script: String) -> Self {
        Self { population, kept: BTreeMap::new(), script, used: 0, random: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Keeps what a member has been answered; of an access token also what it is with a change in its claims.
    pub fn keep(&mut self, place: &'static str, value: String) {
        if place == "{access}" {
            let (header, rest) = value.split_once('.').expect("a JWT");
            let (claims, signature) = rest.split_once('.').expect("a JWT");
            let (start, end) = claims.split_at(claims.len() / 2);
            let changed = if end.starts_with('A') { 'B' } else { 'A' };
            self.kept.entry(JUNK).or_default().push(format!("{header}.{start}{changed}{}.{signature}", &end[1..]));
        }
        self.kept.entry(place).or_default().push(value);
    }

    /// Numbers for one more use of a template.
    pub fn draw(&mut self) -> Numbers {
        // xorshift64 (Marsaglia): the same keys in the same order in each run.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.used += 1;
        Numbers { new: self.used, any: self.random as usize % self.population }
    }

    /// Numbers of as many different members as there are, if drawn one after the other.
    pub fn draw_another(&mut self) -> Numbers {
        self.used += 1;
        Numbers { new: self.used, any: self.used * STEP % self.population }
    }
}

#[derive(Clone, Copy)]
pub struct Numbers {
    pub new: usize,
    pub any: usize,
}

/// Commands that are sent together, their arguments taken apart at the places.
pub struct Template(Vec<Vec<Vec<Part>>>);

#[derive(Clone, Copy)]
enum Part {
    Text(&'static str),
    New,
    Any,
    Kept(&'static str),
    Script,
}

impl Template {
    pub fn new(commands: Commands) -> Self {
        let args = |args: &&'static [&'static str]| args.iter().map(|arg| parts(arg)).collect();
        Self(commands.iter().map(args).collect())
    }

    /// The commands, each as a template of its own.
    pub fn each(commands: Commands) -> Vec<Self> {
        commands.iter().map(|command| Self::new(std::slice::from_ref(command))).collect()
    }

    /// How many commands there are, and replies to them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the commands, as they go over the wire.
    pub fn pack(&self, values: &Values, numbers: Numbers, into: &mut Vec<u8>) {
        let mut text = String::new();
        for command in &self.0 {
            let mut packed = Cmd::new();
            for arg in command {
                text.clear();
                for part in arg {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::New => write!(text, "{:09}", numbers.new).expect("memory"),
                        Part::Any => write!(text, "{:09}", numbers.any).expect("memory"),
                        Part::Kept(place) => text.push_str(&values.kept[place][numbers.any]),
                        Part::Script => text.push_str(&values.script),
                    }
                }
                packed.arg(&text);
            }
            packed.write_packed_command(into);
        }
    }
}

fn parts(mut arg: &'static str) -> Vec<Part> {
    let kept = POPULATIONS.iter().flat_map(|population| population.keeps).map(|(place, _)| (*place, Part::Kept(place)));
    let own = [("{new}", Part::New), ("{any}", Part::Any), ("{script}", Part::Script), (JUNK, Part::Kept(JUNK))];
    let places = own.into_iter().chain(kept);
    let next = |arg: &str| places.clone().filter_map(|place| Some((arg.find(place.0)?, place))).min_by_key(|at| at.0);
    let mut parts = Vec::new();
    while let Some((at, (place, part))) = next(arg) {
        parts.push(Part::Text(&arg[..at]));
        parts.push(part);
        arg = &arg[at + place.len()..];
    }
    parts.push(Part::Text(arg));
    parts
}
