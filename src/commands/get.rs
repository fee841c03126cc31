//! `SH.GET tkn [field ...]`
//!
//! Returns the values of fields of a session's data; without a field, all of the data.

use super::Command;
use crate::protocol::{Args, Blob, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Key, Store, data};
use serde::{Serialize, Serializer};
use sessions_core::session::meta;
use smallvec::SmallVec;

pub struct Get;

pub struct Request<'a> {
    token: Bytes<'a>,
    fields: &'a [Bytes<'a>],
}

/// The reply: values, or fields with their values.
enum Reply<V> {
    /// The values of the fields asked for, in their order.
    Values(SmallVec<[Option<Blob<V>>; 8]>),
    /// All fields with their values.
    All(Vec<(Vec<u8>, Vec<u8>)>),
}

impl<V: AsRef<[u8]>> Serialize for Reply<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => serializer.collect_seq(values),
            Self::All(fields) => serializer.collect_map(fields.iter().map(|(field, value)| (Blob(field), Blob(value)))),
        }
    }
}

impl Command for Get {
    const SPEC: Spec = Spec {
        name: "SH.GET",
        summary: "Returns the values of fields of a session's data, or all of it.",
        complexity: "O(N) where N is the number of fields asked for, or of all fields.",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Read),
        args: &[Arg::key("tkn"), Arg::string("field").optional().multiple()],
    };

    type Request<'a> = Request<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Request<'a>, Form), Error> {
        let token = args.token()?;
        Ok((Request { token, fields: args.any_field_names()? }, Form::Resp))
    }

    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error> {
        data::read(store, request.token, |data| {
            if !request.fields.is_empty() {
                return Reply::Values(request.fields.iter().map(|field| data.field(*field).map(Blob)).collect());
            }
            let mut all = Vec::new();
            data.each_field(&mut |field, value| {
                if !meta::is_reserved(field) {
                    all.push((field.to_vec(), value.to_vec()));
                }
            });
            Reply::All(all)
        })
    }
}
