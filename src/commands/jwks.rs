//! `SH.JWKS`
//!
//! Returns the JSON Web Key Set (RFC 7517) by which other services verify access tokens: the keys that may have signed an
//! unexpired token, the current key and the next one. The set is empty with `sh.jwt-algorithm hs256`, whose key is secret.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::command::{Routing, Secrets, Spec};
use crate::store::{Store, realm};
use serde::Serialize;
use serde_json::json;

pub struct Jwks;

impl Command for Jwks {
    const SPEC: Spec = Spec {
        name: "SH.JWKS",
        summary: "Returns the JSON Web Key Set that verifies access tokens.",
        complexity: "O(N) where N is the number of secrets in use.",
        since: "0.1.0",
        min_args: 1,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Anywhere,
        args: &[],
    };

    type Request<'a> = ();

    fn parse<'a>(args: Args<'a>) -> Result<((), Form), Error> {
        args.end()?;
        // A key set is a JSON document (RFC 7517).
        Ok(((), Form::Json))
    }

    fn run<S: Store>(store: &mut S, (): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let ring = realm::verifying(store, &settings)?;
        let keys = ring.map(|ring| ring.key_set(store.now()));
        Ok(keys.map_or_else(|| json!({ "keys": [] }), |keys| json!(keys)))
    }
}
