//! `SH.SET tkn field value [field value ...]`
//!
//! Sets fields of a session's data, touches the session, and returns how many fields are new.

use super::Command;
use crate::protocol::args::Fields;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, WritableKey, data};
use serde::Serialize;

pub struct Set;

pub struct Request<'a> {
    token: Bytes<'a>,
    fields: Fields<'a>,
}

impl Command for Set {
    const SPEC: Spec = Spec {
        name: "SH.SET",
        summary: "Sets fields of a session's data and returns how many are new.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "write deny-oom fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Update),
        args: &[Arg::key("tkn"), Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple()],
    };

    type Request<'a> = Request<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Request<'a>, Form), Error> {
        let token = args.token()?;
        Ok((Request { token, fields: args.fields()? }, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::write(store, request.token, |data| {
            data.set_fields(request.fields.iter().map(|(field, value)| (field.into(), value)))
        })
    }
}
