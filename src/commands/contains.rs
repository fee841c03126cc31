//! `SH.CONTAINS tkn field [field ...]`
//!
//! Returns for each field whether a session's data has it.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Key, Store, data};
use serde::Serialize;

pub struct Contains;

impl Command for Contains {
    const SPEC: Spec = Spec {
        name: "SH.CONTAINS",
        summary: "Returns for each field whether a session's data has it.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Read),
        args: &[Arg::key("tkn"), Arg::string("field").multiple()],
    };

    type Request<'a> = (Bytes<'a>, &'a [Bytes<'a>]);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        Ok(((token, args.field_names()?), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (token, fields): Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::read(store, token, |data| fields.iter().map(|field| u8::from(data.has(*field))).collect::<Vec<_>>())
    }
}
