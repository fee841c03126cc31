//! `SH.REFRESH tkn token [CSRF csrf] [BIND value] [NOGRACE]`
//! `SH.REFRESH tkn token {"antiCsrfToken", "bind", "noGrace"}`
//!
//! Rotates a session's refresh or cookie token and returns the new credentials. [`rotation`] decides what a token leads to.

use super::Command;
use super::credential::{self, Credential, CredentialOption, Opened};
use crate::protocol::{Args, Error, Form, Status};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::settings::Settings;
use crate::stats::Stat;
use crate::store::Store;
use crate::store::ending::Endings;
use crate::store::grants::{self, Grant};
use crate::store::touch::Touch;
use serde::Serialize;
use sessions_core::credentials::issue::{Holder, Issued, issue};
use sessions_core::session::rotation::{self, Rotated, Rotation};
use sessions_core::session::{Credentials, Event, Millis};

pub struct Refresh;

impl Command for Refresh {
    const SPEC: Spec = Spec {
        name: "SH.REFRESH",
        summary: "Rotates a refresh or cookie token and returns the session's new credentials.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "write fast",
        secrets: Secrets::From(2),
        routing: Routing::Token(KeyUse::UpdateAndRead),
        args: &[
            Arg::key("tkn"),
            Arg::string("token"),
            Arg::string("csrf").token("CSRF").optional(),
            Arg::string("value").token("BIND").optional(),
            Arg::flag("no-grace", "NOGRACE").optional(),
            Arg::string("json").optional(),
        ],
    };

    type Request<'a> = (Bytes<'a>, Credential<'a>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.required("the session's token")?;
        let text = args.required("the refresh or cookie token")?;
        let options = [CredentialOption::Csrf, CredentialOption::Bind, CredentialOption::NoGrace];
        let (credential, form) = Credential::parse(text, args, &options)?;
        Ok(((token, credential), form))
    }

    fn run<S: Store>(store: &mut S, (tkn, credential): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let (settings, now) = (store.settings(), store.now());
        let see = |session: &S::Key<'_>, flags| Touch::of(session, flags);
        let presented = (tkn, &credential);
        let opened = credential::open(store, &settings, presented, &Credentials::ALL, wrong_anti_csrf, see)?;
        let no_grace = credential.no_grace;
        let served_since = |at| store.served_since(at);
        let Opened { generation, grant, .. } = &opened;
        let outcome = rotation::rotate(*generation, grant.rotated, settings.refresh_grace, no_grace, served_since);
        match outcome {
            Rotation::Rotate { to } | Rotation::Forward { to } => {
                opened.seen.permit(store)?;
                let ends = opened.seen.expires().or(grant.expires);
                let issued = credentials(&settings, &credential, &opened, to, ends, now)?;
                grants::store_rotation(store, tkn, Rotated { generation: to, at: (!no_grace).then_some(now) });
                opened.seen.apply(store, tkn);
                if matches!(outcome, Rotation::Forward { .. }) {
                    store.count(Stat::Forwarded);
                    store.announce(Event::Forward, tkn);
                }
                store.count(Stat::Refreshed);
                store.announce(Event::Refresh, tkn);
                Ok(issued)
            }
            Rotation::Replay => {
                let current = grant.rotated.generation;
                let issued = credentials(&settings, &credential, &opened, current, grant.expires, now)?;
                store.count(Stat::Replayed);
                store.announce(Event::Replay, tkn);
                Ok(issued)
            }
            Rotation::Theft => {
                Endings::of(store, &[tkn])?.apply(store);
                store.count(Stat::Thefts);
                store.announce(Event::Theft, tkn);
                Err(theft(tkn, grant, *generation, now))
            }
            Rotation::Exhausted => {
                Endings::of(store, &[tkn])?.apply(store);
                Err(Error::unauthorised())
            }
        }
    }
}

fn wrong_anti_csrf() -> Error {
    Status::Unauthorised.because("ANTICSRF the anti-CSRF token is not this session's; keep the cookies")
}

/// The credentials of a generation of an opened session, which ends at `ends`.
fn credentials<R>(
    settings: &Settings,
    presented: &Credential<'_>,
    opened: &Opened<'_, R>,
    generation: u32,
    ends: Option<Millis>,
    now: Millis,
) -> Result<Issued, Error> {
    let Opened { ring, token, grant, .. } = opened;
    let holder = Holder {
        token: *token,
        name: &grant.name,
        kind: grant.kind,
        generation,
        bind: presented.bind.as_deref(),
        payload: grant.payload.clone(),
        ends,
        limit: grant.limit,
        now,
    };
    issue(ring, &settings.policy, &holder)
}

/// The error for theft, in words without blanks, for the application's log.
fn theft(tkn: Bytes<'_>, grant: &Grant, presented: u32, now: Millis) -> Error {
    let current = grant.rotated.generation;
    let since = grant.rotated.at.map_or(0, |at| now.since(at));
    let (tkn, name) = (tkn.escape_ascii(), percent_encoded(&grant.name));
    Status::TokenTheft.because(format!("{tkn} {name} {presented} {current} {since}"))
}

/// RFC 3986, section 2.1: all but unreserved characters.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
