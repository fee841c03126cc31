//! `SH.END tkn [tkn ...]`
//!
//! Ends sessions, deletes their keys, and returns how many sessions lived.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::Store;
use crate::store::ending::Endings;
use serde::Serialize;

pub struct End;

impl Command for End {
    const SPEC: Spec = Spec {
        name: "SH.END",
        summary: "Ends sessions and deletes their data.",
        complexity: "O(N) where N is the number of tokens; large data is freed in the background.",
        since: "0.1.0",
        min_args: 2,
        flags: "write fast",
        secrets: Secrets::None,
        routing: Routing::Tokens(KeyUse::Delete),
        args: &[Arg::key("tkn").multiple()],
    };

    type Request<'a> = &'a [Bytes<'a>];

    fn parse<'a>(args: Args<'a>) -> Result<(&'a [Bytes<'a>], Form), Error> {
        Ok((args.tokens()?, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, tokens: Self::Request<'_>) -> Result<impl Serialize, Error> {
        Ok(Endings::of(store, tokens)?.apply(store).len())
    }
}
