//! `SH.NEW name [SHARED] [EXPIRY seconds DELETE|CLEAR] [IDLE seconds] [DATA json] [PAYLOAD json] [TOKENS|COOKIE]
//! [BIND value] [LISTED] [LIMIT count]`
//! `SH.NEW name {"shared", "expiry": {"duration", "deleteSession"}, "idle", "sessionData", "jwtPayload", "credentials",
//! "bind", "listed", "limit"}`
//!
//! Creates a session and returns its token and, if asked for, its credentials.

mod options;

use self::options::{Request, unprintable_name};
use super::Command;
use super::endall::Ended;
use crate::protocol::{Args, Blob, Error, Form, Status};
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::redis::{Bytes, KeyName};
use crate::settings::Settings;
use crate::stats::Stat;
use crate::store::ending::Endings;
use crate::store::realm::NewSecret;
use crate::store::{Access, Field, Key, KeyType, Store, Stored, WritableKey, index, keys, pointer, realm};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use sessions_core::credentials::Payload;
use sessions_core::credentials::access;
use sessions_core::credentials::issue::{Holder, Issued, issue};
use sessions_core::session::{
    Created, Credentials, Event, Expiry, Lifetime, Meta, Millis, NewToken, Seconds, Token, lifetime, meta,
};
use sessions_core::slot;
use sessions_core::status;

pub struct New;

struct Reply<'a> {
    name: &'a [u8],
    tkn: NewToken,
    issued: Option<Issued>,
    /// The sessions that LIMIT ended.
    ended: Vec<Ended>,
}

impl Serialize for Reply<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = 3 + self.issued.as_ref().map_or(0, Issued::members) + usize::from(!self.ended.is_empty());
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
        complexity: "O(N + log M) where N is the number of data fields given and M that of the name's listed sessions; \
            O(N + M log M) where LIMIT or sh.max-sessions ends some.",
        since: "0.1.0",
        // A missing name is VALUEMISSING, not an arity error.
        min_args: 1,
        flags: "write deny-oom",
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
        let options = args.options(&options::IN_JSON)?;
        let form = options.form();
        Ok((Request::parse(name, options)?, form))
    }

    fn run<S: Store>(store: &mut S, request: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let now = store.now();
        let slot = slot::of(&request.name);
        let new = NewToken::new(store.randomness(), slot);
        let plan = Plan::new(&request, &settings, &new, slot, now);

        // All checks come before the first change: an error changes nothing.
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

/// The session to create: its keys and its lifetime.
struct Plan<'r> {
    request: &'r Request<'r>,
    token: KeyName,
    now: Millis,
    lifetime: Lifetime,
    expires: Option<Millis>,
    /// The key of the data and how long the data lives, if CLEAR was given.
    data: Option<(KeyName, Seconds)>,
    pointer: Option<KeyName>,
    index: Option<KeyName>,
}

impl<'r> Plan<'r> {
    fn new(request: &'r Request<'r>, settings: &Settings, new: &NewToken, slot: u16, now: Millis) -> Self {
        let lifetime = request.lifetime(settings);
        let data = match lifetime.expiry {
            Some(Expiry::Clear(duration)) if !request.data.is_empty() => Some((keys::data(new.token()), duration)),
            _ => None,
        };
        Self {
            request,
            token: KeyName::from(new.as_ref()),
            now,
            lifetime,
            expires: lifetime::deadline(lifetime.idle, lifetime.limit(now), now),
            data,
            pointer: request.shared.then(|| keys::shared(&request.name)),
            index: request.listed.then(|| keys::index_in(slot, &request.name)),
        }
    }

    fn permit<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let data = self.data.as_ref().map(|(key, _)| key);
        for key in [Some(&self.token), data, self.pointer.as_ref(), self.index.as_ref()].into_iter().flatten() {
            store.permit(key.into(), Access::ReadWrite)?;
        }
        Ok(())
    }

    fn refuse_second_shared<S: Store>(&self, store: &mut S) -> Result<(), Error> {
        let Some(pointer) = &self.pointer else { return Ok(()) };
        match pointer::follow(store, &self.request.name, pointer)? {
            None => Ok(()),
            Some(_) => Err(Status::SessionNewFail.because("a shared session of that name exists; SH.OPEN it")),
        }
    }

    /// The credentials, if they were asked for, and the database's secret if this command had to make it.
    fn credentials<S: Store>(
        &self,
        store: &mut S,
        settings: &Settings,
        payload: &Payload,
    ) -> Result<(Option<Issued>, Option<NewSecret>), Error> {
        let Some(kind) = self.request.credentials else { return Ok((None, None)) };
        let name = std::str::from_utf8(self.request.name.as_bytes()).map_err(|_| unprintable_name())?;
        if kind == Credentials::Tokens {
            access::fits(name, payload)?;
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

    /// Lists the session under its name and ends the oldest sessions beyond the limit. Returns their tokens.
    fn list<S: Store>(&self, store: &mut S, settings: &Settings) -> Result<Vec<Ended>, Error> {
        let Some(index) = &self.index else { return Ok(Vec::new()) };
        let name = &self.request.name;
        let place = ((&self.token).into(), self.expires);
        let Some(limit) = self.request.limit.or(settings.max_sessions) else {
            index::put(store, index, name, place, |_| false)?;
            return Ok(Vec::new());
        };
        let leaving = index::beyond(store, name, index, limit)?;
        let mut endings = Endings::default();
        for listed in &leaving.alive {
            store.permit(listed.token.bytes(), Access::ReadWrite)?;
            endings.add(store, listed.token.bytes(), listed.created.flags, Some(name))?;
        }
        let leaves = |token: &[u8]| {
            let alive = leaving.alive.iter().map(|listed| &listed.token);
            alive.chain(&leaving.stale).any(|leaving| leaving.as_ref() == token)
        };
        index::put(store, index, name, place, leaves)?;
        if leaving.is_empty() {
            return Ok(Vec::new());
        }
        let ended = endings.apply(store);
        let gone = leaving.stale.iter().map(Stored::bytes);
        index::remove(store, index, ended.iter().copied().chain(gone));
        Ok(ended.iter().map(|token| Ended::from_slice(token)).collect())
    }

    /// Writes the session, its data and its pointer.
    fn write<S: Store>(&self, store: &mut S, payload: &Payload) -> Result<(), Error> {
        let Request { name, shared, listed, credentials, .. } = *self.request;
        let created = Created { at: self.now, flags: meta::flags_of_new(shared, listed, self.lifetime) }.text();
        let numbers = meta::numbers_of_new(self.now, self.lifetime);
        let numbers = numbers.iter().map(|(meta, value)| (Field::Meta(*meta), Bytes::from(value.as_ref())));
        let kind = credentials.map(|kind| (Field::Meta(Meta::Kind), kind.word().as_bytes().into()));
        let payload = (!payload.is_empty()).then(|| (Field::Meta(Meta::Payload), payload.as_str().as_bytes().into()));
        let identity = [(Field::Meta(Meta::Created), created.as_slice().into()), (Field::Meta(Meta::Name), name)];
        let metadata = identity.into_iter().chain(numbers).chain(kind).chain(payload);
        let data = self.request.data.iter();
        let data = data.map(|(field, value)| (Field::Data(field.as_bytes().into()), Bytes::from(value.as_bytes())));

        let mut session = store.write((&self.token).into());
        if session.key_type() != KeyType::Missing {
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
            let mut key = store.write(key.into());
            key.set_fields(data);
            key.expire_at(self.now.after(*duration));
        }
        if let Some(pointer) = &self.pointer {
            store.write(pointer.into()).set_string((&self.token).into(), self.expires);
        }
        Ok(())
    }
}
