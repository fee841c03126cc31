//! The commands' rules, on the store in memory: no server, and a clock that the test sets.

mod credentials;
mod lifetimes;
mod lists;
mod lives;
mod rules;

use super::*;
use crate::store::memory::Memory;
use serde_json::Value;

/// Runs one command, as typed, and answers in JSON, or with the status.
pub fn call(store: &mut Memory, line: &[&str]) -> Result<Value, Status> {
    answer(store, line).map_err(|error| error.status)
}

/// Runs one command, as typed, and answers in JSON, or with the whole error.
pub fn answer(store: &mut Memory, line: &[&str]) -> Result<Value, Error> {
    fn run<C: Command>(store: &mut Memory, args: Args<'_>) -> Result<Value, Error> {
        let (request, _) = C::parse(args)?;
        let reply = C::run(store, request)?;
        Ok(serde_json::to_value(reply).expect("JSON"))
    }
    let args: Vec<_> = line[1..].iter().map(|arg| Bytes::from(arg.as_bytes())).collect();
    let args = Args::new(&args);
    macro_rules! run_the_named_command {
        ($($command:ident,)*) => {
            match line[0] {
                $(name if name == <crate::$command as Command>::SPEC.name => run::<crate::$command>(store, args),)*
                other => panic!("no command {other}"),
            }
        };
    }
    crate::with_commands!(run_the_named_command)
}
