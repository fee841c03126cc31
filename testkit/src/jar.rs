//! What a browser holds of one sign-in.

use crate::Client;
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Jar {
    pub tkn: String,
    /// The refresh token or the cookie token.
    pub sealed: String,
    /// Of a session with TOKENS.
    pub access: String,
    pub csrf: String,
    pub id_refresh: String,
}

impl Jar {
    /// Of a reply in JSON.
    pub fn of(reply: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let sealed = if reply["refreshToken"].is_null() { &reply["cookieToken"] } else { &reply["refreshToken"] };
        Self {
            tkn: text(&reply["session"]["handle"]),
            sealed: text(&sealed["token"]),
            access: text(&reply["accessToken"]["token"]),
            csrf: text(&reply["antiCsrfToken"]),
            id_refresh: text(&reply["idRefreshToken"]["token"]),
        }
    }

    /// A new session of alice with TOKENS.
    pub fn tokens(client: &mut Client) -> Self {
        Self::with(client, "alice", json!({"credentials": "tokens"}))
    }

    /// A new session of alice with COOKIE.
    pub fn cookie(client: &mut Client) -> Self {
        Self::with(client, "alice", json!({"credentials": "cookie"}))
    }

    pub fn with(client: &mut Client, name: &str, options: Value) -> Self {
        Self::of(&client.json(&["SH.NEW", name, &options.to_string()]))
    }

    /// What the browser holds after a refresh.
    pub fn refresh(&self, client: &mut Client) -> Self {
        Self::of(&client.json(&["SH.REFRESH", &self.tkn, &self.sealed, "{}"]))
    }

    /// The status of a refresh that is refused.
    pub fn refresh_refused(&self, client: &mut Client) -> String {
        client.status(&["SH.REFRESH", &self.tkn, &self.sealed])
    }

    /// Whether the access token is good and its session lives: the status, if not.
    pub fn check(&self, client: &mut Client) -> Result<(), String> {
        outcome(client.call(&["SH.CHECK", &self.tkn, &self.access, "CSRF", &self.csrf]))
    }

    pub fn verify(&self, client: &mut Client) -> Result<(), String> {
        outcome(client.call(&["SH.VERIFY", &self.access, "CSRF", &self.csrf]))
    }

    pub fn resume(&self, client: &mut Client) -> Result<(), String> {
        outcome(client.call(&["SH.RESUME", &self.tkn, &self.sealed, "CSRF", &self.csrf]))
    }
}

/// The first word of an error.
fn outcome(reply: Result<redis::Value, String>) -> Result<(), String> {
    reply.map(drop).map_err(|error| error.split(' ').next().unwrap_or_default().to_owned())
}

/// The claims of an access token, as anyone can read them.
pub fn claims(access: &str) -> Value {
    use base64::Engine;
    let body = access.split('.').nth(1).expect("three parts");
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64url");
    serde_json::from_slice(&body).expect("JSON")
}
