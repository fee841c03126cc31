//! `SH.EXISTS tkn [tkn ...]`
//!
//! Returns for each token whether its session lives.

use super::Command;
use crate::protocol::{Args, Error, Form, Status};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, record};
use serde::Serialize;

pub struct Exists;

impl Command for Exists {
    const SPEC: Spec = Spec {
        name: "SH.EXISTS",
        summary: "Returns for each token whether its session lives.",
        complexity: "O(N) where N is the number of tokens.",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Tokens(KeyUse::Read),
        args: &[Arg::key("tkn").multiple()],
    };

    type Request<'a> = &'a [Bytes<'a>];

    fn parse<'a>(args: Args<'a>) -> Result<(&'a [Bytes<'a>], Form), Error> {
        Ok((args.tokens()?, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, tokens: Self::Request<'_>) -> Result<impl Serialize, Error> {
        tokens
            .iter()
            .map(|token| match record::open(store, *token) {
                Ok(_) => Ok(1),
                Err(error) if error.is(Status::SessionNotExist) => Ok(0),
                Err(error) => Err(error),
            })
            .collect::<Result<Vec<u8>, Error>>()
    }
}
