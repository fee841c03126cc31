//! `SH.CLEARSET tkn field value [field value ...]`
//!
//! Replaces all of a session's data, touches the session, and returns how many fields were removed.

use super::Command;
use crate::protocol::args::Fields;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, WritableKey, data};
use serde::Serialize;

pub struct ClearSet;

impl Command for ClearSet {
    const SPEC: Spec = Spec {
        name: "SH.CLEARSET",
        summary: "Replaces all of a session's data and returns the number of fields removed.",
        complexity: "O(N) where N is the number of fields removed and set.",
        since: "0.1.0",
        min_args: 2,
        flags: "write deny-oom",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Update),
        args: &[Arg::key("tkn"), Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple()],
    };

    type Request<'a> = (Bytes<'a>, Fields<'a>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        Ok(((token, args.fields()?), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (token, fields): Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::write(store, token, |data| {
            let cleared = data::clear(data);
            data.set_fields(fields.iter().map(|(field, value)| (field.into(), value)));
            cleared
        })
    }
}
