//! `SH.NEW name [SHARED] [EXPIRY seconds DELETE|CLEAR] [IDLE seconds] [DATA json] [PAYLOAD json] [TOKENS|COOKIE]
//! [BIND value] [LISTED] [LIMIT count]`
//! `SH.NEW name {"shared", "expiry": {"duration", "deleteSession"}, "idle", "sessionData", "jwtPayload", "credentials",
//! "bind", "listed", "limit"}`
//!
//! Creates a session and answers its token and, if asked for, its credentials.

use super::{Command, endall};
use crate::credentials::issue::{Holder, Issued, issue};
use crate::credentials::{Kind as Credentials, Payload};
use crate::protocol::args::{once, seconds, unknown_member, unknown_option, uppercase};
use crate::protocol::json::{self, Object};
use crate::protocol::status::{self, quoted};
use crate::protocol::{Args, Blob, Error, Form, Options, Status};
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::redis::{Bytes, Name};
use crate::session::{Created, Event, Expiry, Lifetime, Meta, Millis, NewToken, Seconds, Token, lifetime, meta};
use crate::settings::Settings;
use crate::slot;
use crate::stats::Stat;
use crate::store::index::{self, Roll};
use crate::store::realm::NewSecret;
use crate::store::{Access, Field, Key, Kind, Mode, Store, grants, keys, realm, sessions};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;
use std::borrow::Cow;

pub struct New;

pub struct Request<'a> {
    name: Bytes<'a>,
    shared: bool,
    lifetime: Lifetime,
    data: Vec<json::Field<'a>>,
    /// Whether an idle time was given, be it 0 for none.
    idle_given: bool,
    credentials: Option<Credentials>,
    payload: Option<Cow<'a, [u8]>>,
    bind: Option<Cow<'a, [u8]>>,
    listed: bool,
    limit: Option<u32>,
}

struct Reply<'a> {
    name: &'a [u8],
    tkn: NewToken,
    issued: Option<Issued>,
    /// The sessions that LIMIT ended.
    ended: Vec<Vec<u8>>,
}

impl Serialize for Reply<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = 3 + self.issued.as_ref().map_or(0, Issued::len) + usize::from(!self.ended.is_empty());
        let mut reply = serializer.serialize_struct("New", members)?;
        reply.serialize_field("name", &Blob(self.name))?;
        reply.serialize_field("tkn", &Blob(&self.tkn))?;
        reply.serialize_field("st", &status::OK)?;
        if let Some(issued) = &self.issued {
            issued.serialize_into(&mut reply)?;
        }
        if !self.ended.is_empty() {
            reply.serialize_field("ended", &self.ended.iter().map(Blob).collect::<Vec<_>>())?;
        }
        reply.end()
    }
}

impl Command for New {
    const SPEC: Spec = Spec {
        name: "SH.NEW",
        summary: "Creates a session and returns its token and, if asked for, its credentials.",
        complexity: "O(N) where N is the number of data fields given; with LIMIT, O(M) more for M sessions of the name.",
        since: "0.1.0",
        // A missing name is VALUEMISSING, not an arity error.
        min_args: 1,
        flags: "write deny-oom fast",
        secrets: Secrets::Bind,
        routing: Routing::Name(KeyUse::Insert),
        args: &[
            Arg::key("name"),
            Arg::flag("shared", "SHARED").optional(),
            Arg::block(
                "expiry",
                &[
                    Arg::integer("seconds").token("EXPIRY"),
                    Arg::one_of("action", &[Arg::flag("delete", "DELETE"), Arg::flag("clear", "CLEAR")]),
                ],
            )
            .optional(),
            Arg::integer("seconds").token("IDLE").optional(),
            Arg::string("json").token("DATA").optional(),
            Arg::string("json").token("PAYLOAD").optional(),
            Arg::one_of("credentials", &[Arg::flag("tokens", "TOKENS"), Arg::flag("cookie", "COOKIE")]).optional(),
            Arg::string("value").token("BIND").optional(),
            Arg::flag("listed", "LISTED").optional(),
            Arg::integer("count").token("LIMIT").optional(),
            Arg::string("json").optional(),
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
        Ok((given.request(name)?, form))
    }

    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let now = store.now();
        let new = NewToken::new(store.randomness(), slot::of(&request.name));
        let plan = Plan::new(&request, &settings, &new, now);

        // What can be refused comes first: until then nothing is changed.
        plan.permit(store)?;
        plan.refuse_second_shared(store)?;
        let payload = request.payload.as_deref().map(|text| Payload::parse(text, settings.max_payload)).transpose()?;
        let payload = payload.unwrap_or_default();
        let (issued, new_secret) = plan.credentials(store, &settings, &payload)?;
        let ended = plan.list(store, &settings)?;
        if let Some(secret) = new_secret {
            secret.keep(store);
        }
        plan.write(store, &payload)?;
        store.count(Stat::Created);
        store.announce(Event::New, (&plan.token).into());
        Ok(Reply { name: request.name.as_bytes(), tkn: new, issued, ended })
    }
}

/// A session to be: its keys, and how long it lives.
struct Plan<'r> {
    request: &'r Request<'r>,
    token: Name,
    now: Millis,
    lifetime: Lifetime,
    expires: Option<Millis>,
    /// The key of its data, where that goes by itself, and after how long.
    data: Option<(Name, Seconds)>,
    pointer: Option<Name>,
    index: Option<Name>,
}

impl<'r> Plan<'r> {
    fn new(request: &'r Request<'r>, settings: &Settings, new: &NewToken, now: Millis) -> Self {
        let lifetime = request.lifetime(settings);
        let data = match lifetime.expiry {
            Some(Expiry::Clear(duration)) if !request.data.is_empty() => Some((keys::data(new.token()), duration)),
            _ => None,
        };
        Self {
            request,
            token: Name::from(new.as_ref()),
            now,
            lifetime,
            expires: lifetime::deadline(lifetime.idle, lifetime.limit(now), now),
            data,
            pointer: request.shared.then(|| keys::shared(&request.name)),
            index: request.listed.then(|| keys::index(&request.name)),
        }
    }

    fn permit<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let data = self.data.as_ref().map(|(key, _)| key);
        let keys: SmallVec<[_; 4]> = [Some(&self.token), data, self.pointer.as_ref(), self.index.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| (Bytes::from(key), Access::ReadWrite))
            .collect();
        store.permit(&keys)
    }

    fn refuse_second_shared<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let Some(pointer) = &self.pointer else { return Ok(()) };
        match sessions::shared(store, &self.request.name, pointer)? {
            None => Ok(()),
            Some(_) => Err(Status::SessionNewFail.because("a shared session of that name exists; SH.OPEN it")),
        }
    }

    /// The credentials that were asked for, and the secret if it had to be made for them.
    fn credentials<S: Store>(
        &self,
        store: &mut S,
        settings: &Settings,
        payload: &Payload,
    ) -> Result<(Option<Issued>, Option<NewSecret>), Error> {
        let Some(kind) = self.request.credentials else { return Ok((None, None)) };
        let name = std::str::from_utf8(self.request.name.as_bytes()).map_err(|_| unprintable_name())?;
        if kind == Credentials::Refresh {
            settings.policy.fits(name, payload)?;
        }
        let (ring, new_secret) = realm::minting(store, settings)?;
        let holder = Holder {
            token: Token::parse(self.token.as_ref()).ok_or_else(Error::not_a_session)?,
            name,
            kind,
            generation: 0,
            bind: self.request.bind.as_deref(),
            payload: payload.clone(),
            ends: self.expires,
            limit: self.lifetime.limit(self.now),
            now: self.now,
        };
        Ok((Some(issue(&ring, &settings.policy, &holder)?), new_secret))
    }

    /// Puts the session on its name's list and ends those that are too many then. Answers their tokens.
    fn list<S: Store>(&self, store: &mut S, settings: &Settings) -> Result<Vec<Vec<u8>>, Error> {
        let Some(index) = &self.index else { return Ok(Vec::new()) };
        let name = &self.request.name;
        let leaving = match self.request.limit.or(settings.max_sessions) {
            Some(limit) => index::beyond(store, name, index, limit)?,
            None => Roll::default(),
        };
        let endings = endall::prepare(store, &leaving.alive)?;
        index::put(store, index, name, (&self.token).into(), self.expires)?;
        if endings.is_empty() && leaving.gone.is_empty() {
            return Ok(Vec::new());
        }
        let ended = endall::end(store, endings);
        index::remove(store, index, ended.iter().copied().chain(leaving.gone.iter().map(Bytes::from)));
        Ok(ended.into_iter().map(|token| token.to_vec()).collect())
    }

    /// Writes the session, its data and its pointer.
    fn write<S: Store>(&self, store: &mut S, payload: &Payload) -> Result<(), Error> {
        let Request { name, shared, listed, credentials, .. } = *self.request;
        let created = Created { at: self.now, flags: meta::flags_of_new(shared, listed, self.lifetime) }.text();
        let numbers = meta::numbers_of_new(self.now, self.lifetime);
        let numbers = numbers.iter().map(|(meta, value)| (Field::Meta(*meta), Bytes::from(value.as_ref())));
        let kind = credentials.map(|kind| (Field::Meta(Meta::Kind), grants::kind_name(kind).as_bytes().into()));
        let payload = (!payload.is_empty()).then(|| (Field::Meta(Meta::Payload), payload.as_str().as_bytes().into()));
        let identity = [(Field::Meta(Meta::Created), created.as_slice().into()), (Field::Meta(Meta::Name), name)];
        let metadata = identity.into_iter().chain(numbers).chain(kind).chain(payload);
        let data = self.request.data.iter();
        let data = data.map(|(field, value)| (Field::Data(field.as_bytes().into()), Bytes::from(value.as_bytes())));

        let mut session = store.open((&self.token).into(), Mode::Write);
        if session.kind() != Kind::Missing {
            return Err(Status::GeneralError.because("the random generator repeats itself"));
        }
        match &self.data {
            None => session.set_fields(metadata.chain(data.clone())),
            Some(_) => session.set_fields(metadata),
        };
        if let Some(at) = self.expires {
            session.expire_at(at);
        }
        drop(session);
        if let Some((key, duration)) = &self.data {
            let mut key = store.open(key.into(), Mode::Write);
            key.set_fields(data);
            key.expire_at(self.now.after(*duration));
        }
        if let Some(pointer) = &self.pointer {
            store.open(pointer.into(), Mode::Write).set_string((&self.token).into(), self.expires);
        }
        Ok(())
    }
}

impl Request<'_> {
    /// How long the session lives, with what the settings say where nothing was said.
    fn lifetime(&self, settings: &Settings) -> Lifetime {
        let refreshable = self.credentials == Some(Credentials::Refresh) && !self.idle_given;
        let idle = if refreshable { Some(settings.refresh_validity) } else { self.lifetime.idle };
        Lifetime { idle, max: settings.max_lifetime, ..self.lifetime }
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
    payload: Option<Cow<'a, [u8]>>,
    credentials: Option<Credentials>,
    bind: Option<Cow<'a, [u8]>>,
    listed: Option<bool>,
    limit: Option<u32>,
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
                    let object = Object::parse_value(args.required("the object of DATA")?.as_bytes())?;
                    once(&mut given.data, object, "DATA")?;
                }
                b"PAYLOAD" => {
                    let text = args.required("the object of PAYLOAD")?;
                    once(&mut given.payload, text.as_bytes().into(), "PAYLOAD")?;
                }
                b"TOKENS" => once(&mut given.credentials, Credentials::Refresh, "TOKENS or COOKIE")?,
                b"COOKIE" => once(&mut given.credentials, Credentials::Cookie, "TOKENS or COOKIE")?,
                b"BIND" => once(&mut given.bind, args.required("the value of BIND")?.as_bytes().into(), "BIND")?,
                b"LISTED" => once(&mut given.listed, true, "LISTED")?,
                b"LIMIT" => once(&mut given.limit, limit(&args.required("the count of LIMIT")?)?, "LIMIT")?,
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
                "jwtPayload" => given.payload = Some(value.get().as_bytes().into()),
                "credentials" => {
                    let kind = json::string(value, member)?;
                    given.credentials = Some(match kind.as_ref() {
                        "tokens" => Credentials::Refresh,
                        "cookie" => Credentials::Cookie,
                        _ => {
                            let reason =
                                format!("'credentials' is \"tokens\" or \"cookie\", not {}", quoted(kind.as_bytes()));
                            return Err(Status::CommandSyntax.because(reason));
                        }
                    });
                }
                "bind" => given.bind = Some(json::string(value, member)?.into_owned().into_bytes().into()),
                "listed" => given.listed = Some(json::boolean(value, member)?),
                "limit" => given.limit = Some(limit(value.get().as_bytes())?),
                _ => return Err(unknown_member(member)),
            }
        }
        Ok(given)
    }

    /// What is asked for, if the options go together.
    fn request(self, name: Bytes<'a>) -> Result<Request<'a>, Error> {
        let shared = self.shared.unwrap_or(false);
        let listed = self.listed.unwrap_or(false) || self.credentials.is_some() || self.limit.is_some();
        if listed && self.listed == Some(false) {
            return Err(Status::CommandSyntax.because("what has credentials or a limit is listed"));
        }
        if shared && listed {
            let reason = "a SHARED session goes without TOKENS, COOKIE, LISTED and LIMIT";
            return Err(Status::CommandSyntax.because(reason));
        }
        if self.credentials.is_none() && (self.payload.is_some() || self.bind.is_some()) {
            return Err(Status::CommandSyntax.because("PAYLOAD and BIND go with TOKENS or COOKIE"));
        }
        if self.bind.as_ref().is_some_and(|bind| bind.is_empty()) {
            return Err(Status::ValueSize.because("the value of BIND is empty: it would bind the session to nothing"));
        }
        if self.credentials.is_some() && !is_printable(&name) {
            return Err(unprintable_name());
        }
        let expiry = self.expiry.filter(|(duration, _)| *duration != Seconds(0));
        let expiry =
            expiry.map(|(duration, delete)| if delete { Expiry::Delete(duration) } else { Expiry::Clear(duration) });
        let idle = self.idle.filter(|idle| *idle != Seconds(0));
        Ok(Request {
            name,
            shared,
            lifetime: Lifetime { expiry, idle, max: None },
            data: self.data.map(Object::into_fields).transpose()?.unwrap_or_default(),
            idle_given: self.idle.is_some(),
            credentials: self.credentials,
            payload: self.payload,
            bind: self.bind,
            listed,
            limit: self.limit,
        })
    }
}

/// A number of sessions: digits, from 1 to 2^32 - 1.
fn limit(text: &[u8]) -> Result<u32, Error> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.filter(|&count| count > 0).ok_or_else(|| {
        let reason = format!("LIMIT takes a number of sessions from 1 to 4294967295, not {}", quoted(text));
        Status::ValueTypeInvalid.because(reason)
    })
}

/// Whether a name can stand in a credential and in a log.
fn is_printable(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| !name.chars().any(char::is_control))
}

fn unprintable_name() -> Error {
    Status::ValueTypeInvalid.because("with credentials the name must be UTF-8 without control characters")
}
