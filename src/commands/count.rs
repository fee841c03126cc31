//! `SH.COUNT tkn`
//!
//! Returns the number of fields of a session's data.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, data};
use serde::Serialize;

pub struct Count;

impl Command for Count {
    const SPEC: Spec = Spec {
        name: "SH.COUNT",
        summary: "Returns the number of fields of a session's data.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
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
        data::read(store, token, |data| data::count(data))
    }
}
