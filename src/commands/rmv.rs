//! `SH.RMV tkn field [field ...]`
//!
//! Removes fields of a session's data, touches the session, and returns how many fields were removed.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Field, Store, WritableKey, data};
use serde::Serialize;

pub struct Rmv;

impl Command for Rmv {
    const SPEC: Spec = Spec {
        name: "SH.RMV",
        summary: "Removes fields of a session's data and returns how many there were.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "write fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Update),
        args: &[Arg::key("tkn"), Arg::string("field").multiple()],
    };

    type Request<'a> = (Bytes<'a>, &'a [Bytes<'a>]);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        Ok(((token, args.field_names()?), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (token, fields): Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::write(store, token, |data| data.remove_fields(fields.iter().copied().map(Field::Data)))
    }
}
