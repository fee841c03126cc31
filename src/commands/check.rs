//! `SH.CHECK tkn accessToken [CSRF csrf]`
//! `SH.CHECK tkn accessToken {"antiCsrfToken"}`
//!
//! Verifies an access token, and that its session lives and was not refreshed since: SH.VERIFY and a look at the session in
//! one trip.

use super::Command;
use super::credential::{Credential, CredentialOption};
use super::verify::{Reply, verified};
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::settings::Settings;
use crate::stats::Stat;
use crate::store::grants::{self, Grant};
use crate::store::{Store, realm};
use serde::Serialize;
use sessions_core::credentials::{Access, Ring};
use sessions_core::session::Credentials;
use sessions_core::session::rotation::{Standing, standing};

pub struct Check;

impl Command for Check {
    const SPEC: Spec = Spec {
        name: "SH.CHECK",
        summary: "Verifies an access token and that its session lives.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::From(2),
        routing: Routing::Token(KeyUse::Read),
        args: &[
            Arg::key("tkn"),
            Arg::string("accessToken"),
            Arg::string("csrf").token("CSRF").optional(),
            Arg::string("json").optional(),
        ],
    };

    type Request<'a> = (Bytes<'a>, Credential<'a>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.required("the session's token")?;
        let text = args.required("the access token")?;
        let (credential, form) = Credential::parse(text, args, &[CredentialOption::Csrf])?;
        Ok(((token, credential), form))
    }

    fn run<S: Store>(store: &mut S, (token, credential): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let ring = realm::verifying(store, &settings)?.ok_or_else(Error::try_refresh_token)?;
        let (access, _) = live(store, &ring, &settings, token, &credential)?;
        store.count(Stat::Checked);
        Ok(Reply::from(access))
    }
}

/// Verifies an access token and that its session lives and was not refreshed since. Returns the claims and the session's
/// credentials.
pub fn live<S: Store>(
    store: &mut S,
    ring: &Ring,
    settings: &Settings,
    token: Bytes<'_>,
    credential: &Credential<'_>,
) -> Result<(Access, Grant), Error> {
    let now = store.now();
    let access = verified(ring, settings, now, credential)?;
    if access.handle.as_bytes() != token.as_bytes() {
        return Err(Error::try_refresh_token());
    }
    let grant = grants::find(store, token)?;
    if grant.kind != Credentials::Tokens || grant.name != access.name {
        return Err(Error::unauthorised());
    }
    match standing(access.generation, grant.rotated, settings.refresh_grace, |at| store.served_since(at)) {
        Standing::RotatedOut => Err(Error::try_refresh_token()),
        Standing::Current | Standing::Previous | Standing::Newer => Ok((access, grant)),
    }
}
