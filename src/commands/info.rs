//! `SH.INFO tkn [{}]`
//!
//! Returns a session's name, lifetime, credentials and number of data fields.

use super::Command;
use crate::protocol::{Args, Blob, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Key, Store, data, filing, record};
use serde::Serialize;
use sessions_core::session::{Flags, Meta, Millis, Seconds};

pub struct Info;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound = "V: AsRef<[u8]>")]
pub struct Reply<V> {
    tkn: Blob<Vec<u8>>,
    name: Blob<V>,
    shared: bool,
    key_cnt: usize,
    /// Whether the session or its data expires.
    expires: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Expiry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Blob<V>>,
    /// How often the refresh or cookie token was rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Expiry {
    duration: Seconds,
    /// Missing while nothing expires: a session made with CLEAR that has no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Seconds>,
    delete_session: bool,
}

impl Command for Info {
    const SPEC: Spec = Spec {
        name: "SH.INFO",
        summary: "Returns a session's name, lifetime and number of data fields.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Token(KeyUse::Read),
        args: &[Arg::key("tkn"), Arg::string("json").optional()],
    };

    type Request<'a> = Bytes<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Bytes<'a>, Form), Error> {
        let token = args.token()?;
        Ok((token, args.form_without_options()?))
    }

    fn run<S: Store>(store: &mut S, token: Self::Request<'_>) -> Result<impl Serialize, Error> {
        describe(store, token)
    }
}

/// The reply of SH.INFO, which SH.LIST returns too.
pub fn describe<S: Store>(store: &mut S, token: Bytes<'_>) -> Result<Reply<S::Value>, Error> {
    let now = store.now();
    let (key, flags) = record::open(store, token)?;
    let name = key.field(Meta::Name).ok_or_else(Error::not_a_session)?;
    let Flags { shared, clears, .. } = flags;
    let shared = shared && filing::name_of(&key).is_some();
    let created = record::created(&key).map(|created| created.at);
    let duration = record::seconds(&key, Meta::Duration);
    let idle = record::seconds(&key, Meta::Idle);
    let until = record::moment(&key, Meta::Until);
    let ends = key.expires();
    let credentials = key.field(Meta::Kind);
    let generation = record::number(&key, Meta::Gen).unwrap_or(0);
    drop(key);

    let (key_cnt, data_goes) = data::read(store, token, |data| (data::count(data), data.expires()))?;
    let deadline = if clears { data_goes } else { until.or(ends) };
    // A touch sets the expiry to its own moment plus the idle time.
    let seen = idle.zip(ends).map(|(idle, ends)| {
        let touched = Millis(ends.0.saturating_sub(idle.as_millis()));
        touched.clamp(created.unwrap_or(touched).min(now), now)
    });
    Ok(Reply {
        tkn: Blob(token.to_vec()),
        name: Blob(name),
        shared,
        key_cnt,
        expires: ends.is_some() || clears,
        expiry: duration.map(|duration| Expiry {
            duration,
            remaining: deadline.map(|deadline| Seconds::covering(deadline.since(now))),
            delete_session: !clears,
        }),
        idle,
        created,
        seen,
        generation: credentials.is_some().then_some(generation),
        credentials: credentials.map(Blob),
    })
}
