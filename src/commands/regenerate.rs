//! `SH.REGENERATE tkn accessToken [json]`
//!
//! Returns a new access token in exchange for a good one, with the stored payload or with a given one, which is stored. The
//! expiry stays the same: only a refresh prolongs access.

use super::Command;
use super::check::live;
use super::credential::Credential;
use crate::protocol::{Args, Error, Form};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::{Store, grants, realm};
use serde::Serialize;
use sessions_core::credentials::Payload;
use sessions_core::credentials::access;
use sessions_core::credentials::issue::reissue;

pub struct Regenerate;

impl Command for Regenerate {
    const SPEC: Spec = Spec {
        name: "SH.REGENERATE",
        summary: "Returns a new access token with the session's payload and the same end.",
        complexity: "O(N) where N is the length of the payload.",
        since: "0.1.0",
        min_args: 2,
        flags: "write deny-oom fast",
        secrets: Secrets::From(2),
        routing: Routing::Token(KeyUse::UpdateAndRead),
        args: &[Arg::key("tkn"), Arg::string("accessToken"), Arg::string("json").optional()],
    };

    type Request<'a> = (Bytes<'a>, Credential<'a>, Option<Bytes<'a>>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let token = args.required("the session's token")?;
        let credential = Credential::new(args.required("the access token")?);
        let payload = args.next();
        args.end()?;
        Ok(((token, credential, payload), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (token, credential, payload): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let now = store.now();
        let given = payload.map(|text| Payload::parse(&text, settings.max_payload)).transpose()?;
        let ring = realm::verifying(store, &settings)?.ok_or_else(Error::try_refresh_token)?;
        let (verified, grant) = live(store, &ring, &settings, token, &credential)?;
        if let Some(payload) = &given {
            access::fits(&grant.name, payload)?;
        }
        let issued = reissue(&ring, &settings.policy, verified, given.clone().unwrap_or(grant.payload), now)?;
        if let Some(payload) = given {
            grants::set_payload(&mut store.write(token), &payload);
        }
        Ok(issued)
    }
}
