//! `SH.NEW name [SHARED] [EXPIRY seconds DELETE|CLEAR] [IDLE seconds] [DATA json]`
//! `SH.NEW name {"shared", "expiry": {"duration", "deleteSession"}, "idle", "sessionData"}`
//!
//! Creates a session and answers its token.

use super::Command;
use crate::protocol::args::{once, seconds, unknown_member, unknown_option, uppercase};
use crate::protocol::json::{self, Object};
use crate::protocol::status::{self, quoted};
use crate::protocol::{Args, Blob, Error, Form, Options, Status};
use crate::redis::command::{Arg, KeyUse, Routing, Spec};
use crate::redis::{Bytes, Name};
use crate::session::{Event, Expiry, Lifetime, Meta, NewToken, Seconds, lifetime, meta};
use crate::slot;
use crate::stats::Stat;
use crate::store::{Access, Field, Key, Kind, Mode, Store, keys, sessions};
use serde::Serialize;
use smallvec::SmallVec;
use std::iter;

pub struct New;

pub struct Request<'a> {
    name: Bytes<'a>,
    shared: bool,
    lifetime: Lifetime,
    data: Vec<json::Field<'a>>,
}

#[derive(Serialize)]
struct Reply<'a> {
    name: Blob<&'a [u8]>,
    tkn: Blob<NewToken>,
    st: u8,
}

impl Command for New {
    const SPEC: Spec = Spec {
        name: "SH.NEW",
        summary: "Creates a session and returns its token.",
        complexity: "O(N) where N is the number of data fields given.",
        since: "0.1.0",
        // A missing name is VALUEMISSING, not an arity error.
        min_args: 1,
        flags: "write deny-oom fast",
        routing: Routing::Name(KeyUse::Insert),
        args: &[
            Arg::key("name"),
            Arg::one_of(
                "options",
                &[
                    Arg::block(
                        "keywords",
                        &[
                            Arg::flag("shared", "SHARED").optional(),
                            Arg::block(
                                "expiry",
                                &[
                                    Arg::integer("seconds").token("EXPIRY"),
                                    Arg::one_of(
                                        "action",
                                        &[Arg::flag("delete", "DELETE"), Arg::flag("clear", "CLEAR")],
                                    ),
                                ],
                            )
                            .optional(),
                            Arg::integer("idle").token("IDLE").optional(),
                            Arg::string("data").token("DATA").optional(),
                        ],
                    ),
                    Arg::string("json"),
                ],
            )
            .optional(),
        ],
    };

    type Request<'a> = Request<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Request<'a>, Form), Error> {
        let name = args.name()?;
        let options = args.options()?;
        let form = options.form();
        let given = match options {
            Options::Keywords(args) => Given::keywords(args)?,
            Options::Json(object) => Given::json(object, name)?,
        };
        let expiry = given.expiry.filter(|(duration, _)| *duration != Seconds(0));
        let lifetime = Lifetime {
            expiry: expiry
                .map(|(duration, delete)| if delete { Expiry::Delete(duration) } else { Expiry::Clear(duration) }),
            idle: given.idle.filter(|idle| *idle != Seconds(0)),
            max: None,
        };
        let data = given.data.map(Object::into_fields).transpose()?.unwrap_or_default();
        Ok((Request { name, shared: given.shared.unwrap_or(false), lifetime, data }, form))
    }

    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let Request { name, shared, lifetime, data } = request;
        let now = store.now();
        let lifetime = Lifetime { max: store.settings().max_lifetime, ..lifetime };
        let new = NewToken::new(store.randomness(), slot::of(&name));
        let tkn = Name::from(new.as_ref());
        let token = Bytes::from(&tkn);
        let cleared_after = match lifetime.expiry {
            Some(Expiry::Clear(duration)) => Some(duration),
            _ => None,
        };

        let data_key = (cleared_after.is_some() && !data.is_empty()).then(|| keys::data(new.token()));
        let pointer = shared.then(|| keys::shared(&name));
        let touched: SmallVec<[_; 3]> = [Some(&tkn), data_key.as_ref(), pointer.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| (Bytes::from(key), Access::ReadWrite))
            .collect();
        store.permit(&touched)?;
        if let Some(pointer) = &pointer
            && sessions::shared(store, &name, pointer)?.is_some()
        {
            return Err(Status::SessionNewFail.because("a shared session of that name exists; SH.OPEN it"));
        }

        let expires = lifetime::deadline(lifetime.idle, lifetime.limit(now), now);
        let metadata = meta::of_new(now, shared, lifetime);
        let metadata = metadata.iter().map(|(meta, value)| (Field::Meta(*meta), Bytes::from(value.as_ref())));
        let metadata = iter::once((Field::Meta(Meta::Name), name)).chain(metadata);
        let data = data.iter().map(|(field, value)| (Field::Data(field.as_bytes().into()), value.as_bytes().into()));
        let mut session = store.open(token, Mode::Write);
        if session.kind() != Kind::Missing {
            return Err(Status::GeneralError.because("the random generator repeats itself"));
        }
        match &data_key {
            None => session.set_fields(metadata.chain(data.clone())),
            Some(_) => session.set_fields(metadata),
        };
        if let Some(at) = expires {
            session.expire_at(at);
        }
        drop(session);
        if let (Some(key), Some(duration)) = (&data_key, cleared_after) {
            let mut key = store.open(key.into(), Mode::Write);
            key.set_fields(data);
            key.expire_at(now.after(duration));
        }
        if let Some(pointer) = &pointer {
            store.open(pointer.into(), Mode::Write).set_string(token, expires);
        }
        store.count(Stat::Created);
        store.announce(Event::New, token);
        Ok(Reply { name: Blob(name.as_bytes()), tkn: Blob(new), st: status::OK })
    }
}

/// The options as given, each at most once.
#[derive(Default)]
struct Given<'a> {
    shared: Option<bool>,
    /// The duration, and whether the session itself goes.
    expiry: Option<(Seconds, bool)>,
    idle: Option<Seconds>,
    data: Option<Object<'a>>,
}

impl<'a> Given<'a> {
    fn keywords(mut args: Args<'a>) -> Result<Self, Error> {
        let mut given = Self::default();
        while let Some(word) = args.next() {
            match uppercase(&word).as_slice() {
                b"SHARED" => once(&mut given.shared, true, "SHARED")?,
                b"EXPIRY" => {
                    let duration = seconds(&args.required("the duration of EXPIRY")?, "EXPIRY")?;
                    let action = args.required("the action of EXPIRY, DELETE or CLEAR,")?;
                    let delete = match uppercase(&action).as_slice() {
                        b"DELETE" => true,
                        b"CLEAR" => false,
                        _ => {
                            let reason = format!("EXPIRY takes DELETE or CLEAR, not {}", quoted(&action));
                            return Err(Status::CommandSyntax.because(reason));
                        }
                    };
                    once(&mut given.expiry, (duration, delete), "EXPIRY")?;
                }
                b"IDLE" => once(&mut given.idle, seconds(&args.required("the duration of IDLE")?, "IDLE")?, "IDLE")?,
                b"DATA" => {
                    let object = Object::parse(args.required("the object of DATA")?.as_bytes())?;
                    once(&mut given.data, object, "DATA")?;
                }
                _ => return Err(unknown_option(&word)),
            }
        }
        Ok(given)
    }

    fn json(object: Object<'a>, name: Bytes<'a>) -> Result<Self, Error> {
        let mut given = Self::default();
        for (member, value) in object.iter() {
            match member {
                "name" => {
                    if json::string(value, member)?.as_bytes() != name.as_bytes() {
                        return Err(Status::CommandSyntax.because("'name' differs from the argument"));
                    }
                }
                "shared" => given.shared = Some(json::boolean(value, member)?),
                "expiry" => given.expiry = Some(json::expiry(value)?),
                "idle" => given.idle = Some(json::seconds(value, member)?),
                "sessionData" => given.data = Some(json::object(value, member)?),
                _ => return Err(unknown_member(member)),
            }
        }
        Ok(given)
    }
}
