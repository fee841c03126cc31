//! `SH.LIST name [INFO]`
//! `SH.LIST name {}`
//!
//! Returns the listed sessions of a name that live, oldest first: their tokens, or the reply of SH.INFO for each.

use super::Command;
use super::info::describe;
use crate::protocol::values::unknown_option;
use crate::protocol::{Args, Blob, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Access, Store, Stored, index, keys};
use serde::{Serialize, Serializer};

pub struct List;

/// The reply: tokens, or the reply of SH.INFO for each.
enum Reply<T, I> {
    Tokens(Vec<Blob<T>>),
    Infos(Vec<I>),
}

impl<T: AsRef<[u8]>, I: Serialize> Serialize for Reply<T, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Tokens(tokens) => tokens.serialize(serializer),
            Self::Infos(infos) => infos.serialize(serializer),
        }
    }
}

impl Command for List {
    const SPEC: Spec = Spec {
        name: "SH.LIST",
        summary: "Returns the listed sessions of a name that live, oldest first.",
        complexity: "O(N log N) where N is the number of the name's listed sessions.",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly",
        secrets: Secrets::None,
        routing: Routing::Name(KeyUse::Read),
        args: &[Arg::key("name"), Arg::flag("info", "INFO").optional(), Arg::string("json").optional()],
    };

    /// The name, and whether the reply of SH.INFO is wanted for each session.
    type Request<'a> = (Bytes<'a>, bool);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let name = args.name()?;
        let mut rest = args;
        match rest.next() {
            Some(word) if word.eq_ignore_ascii_case(b"INFO") => {
                rest.end()?;
                Ok(((name, true), Form::Resp))
            }
            Some(word) if !word.trim_ascii_start().starts_with(b"{") => Err(unknown_option(&["INFO"])),
            _ => {
                let form = args.form_without_options()?;
                Ok(((name, form == Form::Json), form))
            }
        }
    }

    fn run<S: Store>(store: &mut S, (name, info): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let index = keys::index(&name);
        store.permit((&index).into(), Access::Read)?;
        let sessions = index::members(store, &name, &index, Access::Read)?.oldest_first().alive;
        if !info {
            return Ok(Reply::Tokens(sessions.into_iter().map(|listed| Blob(listed.token)).collect()));
        }
        let infos: Result<Vec<_>, Error> =
            sessions.iter().map(|listed| describe(store, listed.token.bytes())).collect();
        Ok(Reply::Infos(infos?))
    }
}
