//! `SH.CLEARCOOKIES [{}]`
//!
//! Returns the cookies and headers that make a browser forget its credentials.

use super::Command;
use crate::protocol::{Args, Error, Form};
use crate::redis::command::{Arg, Routing, Secrets, Spec};
use crate::store::Store;
use serde::Serialize;
use sessions_core::credentials::cookies::{Cookie, Headers};

pub struct ClearCookies;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    set_cookie: Vec<String>,
    headers: Headers,
}

impl Command for ClearCookies {
    const SPEC: Spec = Spec {
        name: "SH.CLEARCOOKIES",
        summary: "Returns the cookies and headers that make a browser forget its credentials.",
        complexity: "O(1)",
        since: "0.1.0",
        min_args: 1,
        flags: "readonly fast",
        secrets: Secrets::None,
        routing: Routing::Anywhere,
        args: &[Arg::string("json").optional()],
    };

    type Request<'a> = ();

    fn parse<'a>(args: Args<'a>) -> Result<((), Form), Error> {
        Ok(((), args.form_without_options()?))
    }

    fn run<S: Store>(store: &mut S, (): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let settings = store.settings();
        let cookies = &settings.policy.cookies;
        Ok(Reply {
            set_cookie: Cookie::ALL.into_iter().map(|cookie| cookies.set_cookie(cookie, "", 0)).collect(),
            headers: Headers::new(None, Some("remove".to_owned())),
        })
    }
}
