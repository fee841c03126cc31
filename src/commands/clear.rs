//! `SH.CLEAR tkn`
//!
//! Removes all of a session's data, touches the session, and returns how many fields it had.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, data};
use serde::Serialize;

pub struct Clear;

impl Command for Clear {
    const SPEC: Spec = Spec {
        name: "SH.CLEAR",
        summary: "Removes all of a session's data and returns the number of fields removed.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "write",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Update),
        args: &[Arg::key("tkn")],
    };

    type Request<'a> = Bytes<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        args.end()?;
        Ok((token, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, token: Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::write(store, token, |data| data::clear(data))
    }
}
