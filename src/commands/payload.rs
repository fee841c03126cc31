//! `SH.PAYLOAD tkn [json]`
//!
//! Returns the payload of a session's access tokens; with an argument, replaces it. The next access token has the new
//! payload.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Key, Store, grants, record};
use serde::Serialize;
use sessions_core::credentials::{self, access};
use sessions_core::session::Meta;

pub struct Payload;

impl Command for Payload {
    const SPEC: Spec = Spec {
        name: "SH.PAYLOAD",
        summary: "Returns the payload of a session's access tokens, or replaces it.",
        complexity: "O(N) where N is the length of the payload.",
        since: "0.1.0",
        min_args: 2,
        flags: "write deny-oom fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::UpdateAndRead),
        args: &[Arg::key("tkn"), Arg::string("json").optional()],
    };

    type Request<'a> = (Bytes<'a>, Option<Bytes<'a>>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.token()?;
        let payload = args.next();
        args.end()?;
        Ok(((token, payload), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (token, payload): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let payload = payload.map(|text| credentials::Payload::parse(&text, settings.max_payload)).transpose()?;
        let Some(payload) = payload else { return grants::payload(&record::open(store, token)?.0) };
        let (mut key, _) = record::open_to_write(store, token)?;
        if let Some(name) = key.field(Meta::Name).as_ref().and_then(|name| std::str::from_utf8(name.as_ref()).ok()) {
            access::fits(name, &payload)?;
        }
        grants::set_payload(&mut key, &payload);
        Ok(payload)
    }
}
