//! The commands, one file each, named after the command that a user types. Each file reads: parse, decide, apply, reply.

pub mod add;
pub mod check;
pub mod clear;
pub mod clearcookies;
pub mod clearset;
pub mod contains;
pub mod count;
pub mod credential;
pub mod end;
pub mod endall;
pub mod exists;
pub mod get;
pub mod info;
pub mod jwks;
pub mod keys;
pub mod list;
pub mod new;
pub mod open;
pub mod payload;
mod redaction;
pub mod refresh;
pub mod regenerate;
pub mod resume;
pub mod rmv;
pub mod set;
pub mod touch;
pub mod verify;

#[cfg(test)]
mod tests;

use crate::protocol::{Args, Error, Form, Status, resp};
use crate::redis::boundary::Callable;
use crate::redis::command::Spec;
use crate::redis::{Bytes, Context, Reply};
use crate::stats;
use crate::store::Store;
use crate::store::server::ServerStore;
use serde::Serialize;

/// A command: its description for the server, its grammar, and its execution.
pub trait Command {
    const SPEC: Spec;

    /// The parsed arguments, the same for keywords and JSON.
    type Request<'a>;

    /// Reads the arguments that follow the command's name.
    fn parse<'a>(args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error>;

    /// Executes the request. An error changes nothing, except theft and exhaustion, which end the session.
    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error>;
}

impl<C: Command> Callable for C {
    const SPEC: Spec = <C as Command>::SPEC;

    fn call(context: Context, reply: &mut Reply, arguments: &[Bytes<'_>]) {
        // Before anything can fail: SLOWLOG and MONITOR show failed commands too.
        redaction::hidden(&<C as Command>::SPEC, arguments).for_each(|position| context.redact(position));
        let mut store = ServerStore::new(context);
        let done = C::parse(Args::new(arguments)).and_then(|(request, form)| {
            let answer = C::run(&mut store, request)?;
            write(reply, &answer, form)
        });
        if let Err(error) = done {
            stats::count_refused(error.status);
            reply.error(&error.to_string());
        }
    }
}

fn write(reply: &mut Reply, answer: &impl Serialize, form: Form) -> Result<(), Error> {
    let unwritable = || Status::GeneralError.because("the reply cannot be written");
    match form {
        Form::Resp => resp::write(reply, answer).map_err(|_| unwritable()),
        Form::Json => {
            let json = serde_json::to_vec(answer).map_err(|_| unwritable())?;
            reply.bytes(&json);
            Ok(())
        }
    }
}
