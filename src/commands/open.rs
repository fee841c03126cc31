//! `SH.OPEN name [{}]`
//!
//! Returns the token of the shared session of a name.

use super::Command;
use crate::protocol::{Args, Blob, Error, Form, Status};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Access, Store, keys, pointer};
use serde::Serialize;
use sessions_core::status;

pub struct Open;

#[derive(Serialize)]
struct Reply<'a, T> {
    name: Blob<&'a [u8]>,
    tkn: T,
    st: u8,
}

impl Command for Open {
    const SPEC: Spec = Spec {
        name: "SH.OPEN",
        summary: "Returns the token of the shared session of a name.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Name(KeyUse::Read),
        args: &[Arg::key("name"), Arg::string("json").optional()],
    };

    type Request<'a> = Bytes<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Bytes<'a>, Form), Error> {
        let name = args.name()?;
        Ok((name, args.form_without_options()?))
    }

    fn run<S: Store>(store: &mut S, name: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let pointer = keys::shared(&name);
        store.permit((&pointer).into(), Access::Read)?;
        let token = pointer::follow(store, &name, &pointer)?
            .ok_or_else(|| Status::SessionOpenFail.because("there is no shared session of that name"))?;
        Ok(Reply { name: Blob(name.as_bytes()), tkn: Blob(token), st: status::OK })
    }
}
