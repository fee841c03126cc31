//! `SH.RESUME tkn cookieToken [CSRF csrf] [BIND value] [GET field ...]`
//! `SH.RESUME tkn cookieToken {"antiCsrfToken", "bind", "get"}`
//!
//! Serves a classic web request: checks the cookie token, touches the session and returns fields of its data.

use super::Command;
use super::credential::{self, Credential, CredentialOption, Opened};
use crate::protocol::{Args, Blob, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::stats::Stat;
use crate::store::touch::Touch;
use crate::store::{Key, Store, data, grants};
use serde::{Serialize, Serializer};
use sessions_core::credentials::issue::SessionView;
use sessions_core::session::rotation::{Rotated, Standing, lost_rotation_at, standing};
use sessions_core::session::{Credentials, Event, Flags, Millis};
use std::borrow::Cow;

pub struct Resume;

#[derive(Serialize)]
#[serde(bound = "V: AsRef<[u8]>")]
struct Reply<V> {
    session: SessionView,
    /// When the session expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<V>>,
}

/// The requested fields by name; null for a field that does not exist.
struct Data<V>(Vec<(Vec<u8>, Option<Blob<V>>)>);

impl<V> Data<V> {
    fn of<K: Key<Value = V>>(key: &K, fields: &[Cow<'_, [u8]>]) -> Self {
        let value = |field: &Cow<'_, [u8]>| key.field(Bytes::from(field.as_ref())).map(Blob);
        Self(fields.iter().map(|field| (field.to_vec(), value(field))).collect())
    }
}

impl<V: AsRef<[u8]>> Serialize for Data<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, value)| (Blob(field), value)))
    }
}

impl Command for Resume {
    const SPEC: Spec = Spec {
        name: "SH.RESUME",
        summary: "Checks a cookie token, touches its session and returns fields of its data.",
        complexity: "O(N) where N is the number of fields asked for.",
        since: "0.1.0",
        min_args: 2,
        flags: "write fast",
        secrets: Secrets::From(2),
        routing: Routing::Token(KeyUse::UpdateAndRead),
        args: &[
            Arg::key("tkn"),
            Arg::string("cookieToken"),
            Arg::string("csrf").token("CSRF").optional(),
            Arg::string("value").token("BIND").optional(),
            Arg::string("field").token("GET").optional().multiple(),
            Arg::string("json").optional(),
        ],
    };

    type Request<'a> = (Bytes<'a>, Credential<'a>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.required("the session's token")?;
        let text = args.required("the cookie token")?;
        let options = [CredentialOption::Csrf, CredentialOption::Bind, CredentialOption::Get];
        let (credential, form) = Credential::parse(text, args, &options)?;
        Ok(((token, credential), form))
    }

    fn run<S: Store>(store: &mut S, (tkn, credential): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let wanted = credential.get.as_deref();
        let see = |session: &S::Key<'_>, flags: Flags| {
            let own = wanted.filter(|_| !flags.clears).map(|fields| Data::of(session, fields));
            (Touch::of(session, flags), own)
        };
        let (presented, kinds) = ((tkn, &credential), [Credentials::Cookie]);
        let opened = credential::open(store, &settings, presented, &kinds, Error::try_refresh_token, see)?;
        let Opened { token, generation, grant, seen: (touch, own), .. } = opened;
        let standing = standing(generation, grant.rotated, settings.refresh_grace, |at| store.served_since(at));
        if standing == Standing::RotatedOut {
            return Err(Error::try_refresh_token());
        }
        let data = match wanted {
            Some(fields) if grant.flags.clears => Some(data::read(store, tkn, |data| Data::of(data, fields))?),
            _ => own,
        };
        touch.permit(store)?;
        let expiry = touch.expires().or(grant.expires);
        touch.apply(store, tkn);
        if standing == Standing::Newer {
            let at = lost_rotation_at(grant.rotated.at, store.resumed_at());
            grants::store_rotation(store, tkn, Rotated { generation, at });
            store.count(Stat::Forwarded);
            store.announce(Event::Forward, tkn);
        }
        store.count(Stat::Resumed);
        Ok(Reply { session: grant.view(token), expiry, data })
    }
}
