//! `SH.KEYS tkn`
//!
//! Returns the names of the fields of a session's data, in no particular order.

use super::Command;
use crate::protocol::{Args, Blob, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, data};
use serde::Serialize;

pub struct Keys;

impl Command for Keys {
    const SPEC: Spec = Spec {
        name: "SH.KEYS",
        summary: "Returns the names of the fields of a session's data.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Read),
        args: &[Arg::key("tkn")],
    };

    type Request<'a> = Bytes<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        args.end()?;
        Ok((token, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, token: Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::read(store, token, |data| data::fields(data).into_iter().map(Blob).collect::<Vec<_>>())
    }
}
