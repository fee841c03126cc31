//! `SH.REFRESH tkn token [CSRF csrf] [BIND value] [NOGRACE]`
//! `SH.REFRESH tkn token {"antiCsrfToken", "bind", "noGrace"}`
//!
//! Rotates a session's refresh or cookie token and answers its new credentials. What a token leads to is decided by
//! [`rotation`].

use super::Command;
use crate::protocol::args::{Credential, Verification};
use crate::protocol::{Args, Error, Form, Status};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::stats::Stat;
use crate::store::ending::Endings;
use crate::store::grants::{self, Grant};
use crate::store::sessions::Touch;
use crate::store::{Store, realm};
use serde::Serialize;
use sessions_core::credentials::issue::{Holder, Issued, issue};
use sessions_core::session::rotation::{self, Rotated, Rotation};
use sessions_core::session::{Credentials, Event, Millis, Token};

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
        let options = [Verification::Csrf, Verification::Bind, Verification::NoGrace];
        let (credential, form) = args.credential(text, &options)?;
        Ok(((token, credential), form))
    }

    fn run<S: Store>(store: &mut S, (tkn, credential): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let now = store.now();
        let token = Token::parse(tkn.as_bytes()).ok_or_else(Error::unauthorised)?;
        let ring = realm::verifying(store, &settings)?.ok_or_else(|| grants::worthless(store))?;
        let bind = credential.bind.as_deref();
        let kinds = Credentials::ALL;
        let opened = grants::open_sealed(&ring, &kinds, token, &credential.text, bind);
        let (kind, presented) = opened.ok_or_else(Error::unauthorised)?;
        let (grant, touch) = grants::find_and(store, tkn, |session, flags| Touch::of(session, flags))?;
        if grant.kind != kind {
            return Err(Error::unauthorised());
        }
        if credential.csrf.as_ref().is_some_and(|csrf| !ring.is_anti_csrf(csrf, token, presented)) {
            return Err(
                Status::Unauthorised.because("ANTICSRF the anti-CSRF token is not this session's; keep the cookies")
            );
        }

        let no_grace = credential.no_grace;
        let served_since = |at| store.served_since(at);
        let outcome = rotation::rotate(presented, grant.rotated, settings.refresh_grace, no_grace, served_since);
        let credentials = |generation, ends| -> Result<Issued, Error> {
            let Grant { name, payload, .. } = &grant;
            let (payload, limit) = (payload.clone(), grant.limit);
            let holder = Holder { token, name, kind, generation, bind, payload, ends, limit, now };
            issue(&ring, &settings.policy, &holder)
        };
        match outcome {
            Rotation::Rotate { to } | Rotation::Forward { to } => {
                touch.permit(store)?;
                let issued = credentials(to, touch.expires().or(grant.expires))?;
                grants::move_on(store, tkn, Rotated { generation: to, at: (!no_grace).then_some(now) });
                touch.apply(store, tkn);
                if matches!(outcome, Rotation::Forward { .. }) {
                    store.count(Stat::Forwarded);
                    store.announce(Event::Forward, tkn);
                }
                store.count(Stat::Refreshed);
                store.announce(Event::Refresh, tkn);
                Ok(issued)
            }
            Rotation::Replay => {
                let issued = credentials(grant.rotated.generation, grant.expires)?;
                store.count(Stat::Replayed);
                store.announce(Event::Replay, tkn);
                Ok(issued)
            }
            Rotation::Theft => {
                Endings::of(store, &[tkn])?.apply(store);
                store.count(Stat::Thefts);
                store.announce(Event::Theft, tkn);
                Err(theft(tkn, &grant, presented, now))
            }
            Rotation::Exhausted => {
                Endings::of(store, &[tkn])?.apply(store);
                Err(Error::unauthorised())
            }
        }
    }
}

/// What the application needs to tell its user and its log, in words without blanks.
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
