//! `SH.TOUCH tkn`
//!
//! Renews a session's idle time, if the session has one, and returns the milliseconds until its expiry.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, touch};
use serde::Serialize;

pub struct Touch;

impl Command for Touch {
    const SPEC: Spec = Spec {
        name: "SH.TOUCH",
        summary: "Renews a session's idle time and returns the milliseconds until it expires, or -1 for never.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "write fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Update),
        args: &[Arg::key("tkn")],
    };

    type Request<'a> = Bytes<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Bytes<'a>, Form), Error> {
        let token = args.token()?;
        args.end()?;
        Ok((token, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, token: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let now = store.now();
        let expires = touch::touch(store, token)?;
        Ok(expires.map_or(-1, |expires| i64::try_from(expires.since(now)).unwrap_or(i64::MAX)))
    }
}
