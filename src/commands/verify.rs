//! `SH.VERIFY accessToken [CSRF csrf]`
//! `SH.VERIFY accessToken {"antiCsrfToken"}`
//!
//! Verifies an access token by itself: signature, expiry, issuer, audience, and the anti-CSRF token if one is given. SH.VERIFY
//! does not look at the session, which may have ended since; SH.CHECK does.

use super::Command;
use super::credential::{Credential, CredentialOption};
use crate::protocol::{Args, Error, Form};
use crate::redis::command::{Arg, Routing, Secrets, Spec};
use crate::settings::Settings;
use crate::stats::Stat;
use crate::store::{Store, realm};
use serde::Serialize;
use sessions_core::credentials::issue::SessionView;
use sessions_core::credentials::{Access, Ring};
use sessions_core::session::Millis;

pub struct Verify;

#[derive(Serialize)]
pub struct Reply {
    pub session: SessionView,
    /// When the access token expires.
    pub expiry: Millis,
    /// The key that the sender must prove to hold, if the access token names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The claim `cnf` as the access token has it (RFC 7800): the thumbprint of a key (RFC 9449, section 6.1).
#[derive(Serialize)]
pub struct Confirmation {
    pub jkt: String,
}

impl From<Access> for Reply {
    fn from(access: Access) -> Self {
        let session = SessionView { handle: access.handle, user_id: access.name, payload: access.payload };
        Self { session, expiry: access.expires, cnf: access.thumbprint.map(|jkt| Confirmation { jkt }) }
    }
}

/// Verifies an access token by itself, and the anti-CSRF token if one was given.
pub fn verified(ring: &Ring, settings: &Settings, now: Millis, credential: &Credential<'_>) -> Result<Access, Error> {
    let access = Access::verify(&credential.text, ring, &settings.policy.audience, now);
    let access = access.ok_or_else(Error::try_refresh_token)?;
    let token = access.token().ok_or_else(Error::try_refresh_token)?;
    match &credential.csrf {
        Some(csrf) if !ring.is_anti_csrf(csrf, token, access.generation) => Err(Error::try_refresh_token()),
        _ => Ok(access),
    }
}

impl Command for Verify {
    const SPEC: Spec = Spec {
        name: "SH.VERIFY",
        summary: "Verifies an access token by itself, without looking at its session.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 2,
        flags: "readonly fast",
        secrets: Secrets::From(1),
        routing: Routing::Anywhere,
        args: &[
            Arg::string("accessToken"),
            Arg::string("csrf").token("CSRF").optional(),
            Arg::string("json").optional(),
        ],
    };

    type Request<'a> = Credential<'a>;

    fn parse<'a>(mut args: Args<'a>) -> Result<(Credential<'a>, Form), Error> {
        let text = args.required("the access token")?;
        Credential::parse(text, args, &[CredentialOption::Csrf])
    }

    fn run<S: Store>(store: &mut S, credential: Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let ring = realm::verifying(store, &settings)?.ok_or_else(Error::try_refresh_token)?;
        let access = verified(&ring, &settings, store.now(), &credential)?;
        store.count(Stat::Verified);
        Ok(Reply::from(access))
    }
}
