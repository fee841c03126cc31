//! `SH.ADD tkn field value [field value ...]`
//!
//! Sets the fields of a session's data that do not exist yet, touches the session, and returns for each whether it was new.

use super::Command;
use crate::protocol::args::Fields;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Key, Store, WritableKey, data};
use serde::Serialize;
use std::collections::HashSet;

pub struct Add;

impl Command for Add {
    const SPEC: Spec = Spec {
        name: "SH.ADD",
        summary: "Sets the fields of a session's data that do not exist yet and returns for each whether it was new.",
        complexity: "O(N) where N is the number of fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "write deny-oom fast",
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
            let mut new = HashSet::new();
            let added: Vec<u8> =
                fields.iter().map(|(field, _)| u8::from(!data.has(field) && new.insert(field.as_bytes()))).collect();
            let wanted = fields.iter().zip(&added).filter(|(_, added)| **added == 1).map(|(pair, _)| pair);
            data.set_fields(wanted.map(|(field, value)| (field.into(), value)));
            added
        })
    }
}
