//! The access token: a signed JWT (RFC 7519) of type `at+jwt` (RFC 9068, section 2.1).

use super::payload::Payload;
use super::ring::Ring;
use super::signing::{Algorithm, Signer};
use crate::base64url::{base64url, from_base64url};
use crate::json::{self, Object};
use crate::session::{Millis, Token};
use crate::status::{Error, Status};
use serde_json::json;

/// The longest access token, in characters. With the name and the attributes of its cookie it fits the 4,096 bytes that
/// browsers store of a cookie (RFC 6265, section 6.1).
pub const MAX_LEN: usize = 4_000;

/// The issuer and the audience of access tokens. `None`: access tokens have no such claim, and any value is accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    pub issuer: Option<String>,
    pub audience: Option<String>,
}

impl Audience {
    /// The longest issuer and the longest audience, in bytes. An access token has room for both beside its payload.
    pub const MAX_LEN: usize = 128;
}

/// The claims of an access token.
pub struct Claims<'a> {
    pub name: &'a str,
    pub token: Token<'a>,
    pub generation: u32,
    /// The anti-CSRF token of the same generation.
    pub csrf: Option<String>,
    /// The thumbprint of the key whose possession the sender must prove (RFC 9449, section 6).
    pub thumbprint: Option<&'a str>,
    pub payload: &'a Payload,
    pub issued: Millis,
    pub expires: Millis,
}

/// Signs an access token. VALUESIZE if it would be longer than [`MAX_LEN`].
pub fn sign(ring: &Ring, audience: &Audience, claims: &Claims<'_>) -> Result<String, Error> {
    let body = body(audience, claims, |others| ring.token_id(others))?;
    let signer = ring.signer(claims.issued);
    let message = format!("{}.{}", signer.header, base64url(body));
    let token = format!("{message}.{}", base64url(signer.sign(message.as_bytes())));
    check_len(token.len())?;
    Ok(token)
}

/// Checks that every access token of this name and payload fits: with the longest value of every other claim, as the issuer
/// and the audience may become longer while the session lives. VALUESIZE if one could be too long.
pub fn fits(name: &str, payload: &Payload) -> Result<(), Error> {
    let longest = Some("x".repeat(Audience::MAX_LEN));
    let longest = Audience { issuer: longest.clone(), audience: longest };
    const ANY: &[u8; Token::LEN] = b"sh:0000000000000000000000000";
    let claims = Claims {
        name,
        token: Token::parse(ANY).ok_or_else(Error::not_a_session)?,
        generation: u32::MAX,
        csrf: Some("x".repeat(32)),
        thumbprint: Some(&"x".repeat(43)),
        payload,
        // From the year 2286 on, seconds have eleven digits.
        issued: Millis(10_000_000_000_000),
        expires: Millis(10_000_000_000_000),
    };
    let body = body(&longest, &claims, |_| "x".repeat(ID_LEN))?;
    let header = Signer::header(Algorithm::EdDsa, &"x".repeat(16));
    check_len(header.len() + 1 + base64url(body).len() + 1 + base64url([0; 64]).len())
}

fn check_len(length: usize) -> Result<(), Error> {
    if length > MAX_LEN {
        let reason = format!("the access token would have {length} characters; browsers keep {MAX_LEN}");
        return Err(Status::ValueSize.because(reason));
    }
    Ok(())
}

/// The claims as JSON: the registered ones, the application's, and last the ID, a MAC over all others. The names are distinct:
/// a payload has no reserved member.
fn body(audience: &Audience, claims: &Claims<'_>, id: impl FnOnce(&[u8]) -> String) -> Result<String, Error> {
    let mut body = String::from("{");
    let mut add = |name: &str, value: serde_json::Value| {
        if body.len() > 1 {
            body.push(',');
        }
        body += &format!("\"{name}\":{value}");
    };
    add("sub", json!(claims.name));
    add("sid", json!(String::from_utf8_lossy(claims.token.as_bytes())));
    add("gen", json!(claims.generation));
    add("iat", json!(claims.issued.0 / 1_000));
    add("exp", json!(claims.expires.0 / 1_000));
    for (name, value) in [("iss", &audience.issuer), ("aud", &audience.audience), ("csrf", &claims.csrf)] {
        if let Some(value) = value {
            add(name, json!(value));
        }
    }
    if let Some(thumbprint) = claims.thumbprint {
        add("cnf", json!({ "jkt": thumbprint }));
    }
    // The members without the braces: a payload is one compact object.
    let own = &claims.payload.as_str()[1..claims.payload.as_str().len() - 1];
    if !own.is_empty() {
        body.push(',');
        body += own;
    }
    let id = id(body.as_bytes());
    body += &format!("{BEFORE_ID}{id}{AFTER_ID}");
    Ok(body)
}

/// The text before and after the ID, which is the last claim.
const BEFORE_ID: &str = ",\"jti\":\"";
const AFTER_ID: &str = "\"}";
/// The number of characters of an ID.
const ID_LEN: usize = 16;

/// Splits the body into the claims that the ID covers, and the ID.
fn split_id(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (claims, id) = body.strip_suffix(AFTER_ID.as_bytes())?.split_last_chunk::<ID_LEN>()?;
    Some((claims.strip_suffix(BEFORE_ID.as_bytes())?, id))
}

/// A verified access token: its signature, its time, its issuer and its audience are valid.
pub struct Access {
    pub name: String,
    /// The session's token.
    pub handle: String,
    pub generation: u32,
    pub thumbprint: Option<String>,
    pub payload: Payload,
    pub expires: Millis,
}

impl Access {
    /// Verifies an access token. `None` if anything is wrong with it.
    ///
    /// 1. The header must equal that of one of the keys. It is never parsed, so it cannot choose an algorithm or a key (RFC
    ///    8725, section 3.1).
    /// 2. The ID must be the MAC of the claims. A MAC is cheaper than a signature (docs/performance.md), so junk is cheap to
    ///    refuse, and the next step signs only claims that a server with this secret has signed before.
    /// 3. The signature must be valid. The claims are parsed after that.
    pub fn verify(text: &[u8], ring: &Ring, audience: &Audience, now: Millis) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let end_of_message = text.iter().rposition(|&byte| byte == b'.')?;
        let (message, signature) = (&text[..end_of_message], from_base64url(&text[end_of_message + 1..])?);
        let end_of_header = message.iter().position(|&byte| byte == b'.')?;
        let (header, body) = (&message[..end_of_header], &message[end_of_header + 1..]);
        let verifier = ring.verifiers(now).find(|verifier| verifier.signer.header.as_bytes() == header)?;
        let body = from_base64url(body)?;
        let (claims, id) = split_id(&body)?;
        if !verifier.is_token_id(id, claims) || !verifier.signer.verifies(message, &signature) {
            return None;
        }
        Self::read(&body, audience, now)
    }

    fn read(body: &[u8], audience: &Audience, now: Millis) -> Option<Self> {
        let claims = Object::parse_value(body).ok()?;
        let text = |name| json::string(claims.get(name)?, name).ok().map(std::borrow::Cow::into_owned);
        let number = |name| claims.get(name)?.get().parse::<u64>().ok();
        let expires = Millis(number("exp")?.checked_mul(1_000)?);
        let as_configured = |name, configured: &Option<String>| configured.is_none() || text(name) == *configured;
        if expires <= now || !as_configured("iss", &audience.issuer) || !as_configured("aud", &audience.audience) {
            return None;
        }
        let thumbprint = claims.get("cnf").and_then(|cnf| {
            let cnf = json::object(cnf, "cnf").ok()?;
            json::string(cnf.get("jkt")?, "jkt").ok().map(std::borrow::Cow::into_owned)
        });
        Some(Self {
            name: text("sub")?,
            handle: text("sid").filter(|handle| Token::parse(handle.as_bytes()).is_some())?,
            generation: number("gen")?.try_into().ok()?,
            thumbprint,
            payload: Payload::of_claims(&claims).ok()?,
            expires,
        })
    }

    /// The token of the session.
    pub fn token(&self) -> Option<Token<'_>> {
        Token::parse(self.handle.as_bytes())
    }
}

/// The value of BIND, if it is the thumbprint of a key: a SHA-256 in base64url (RFC 7638, section 3).
pub fn thumbprint(bind: &[u8]) -> Option<&str> {
    let is_thumbprint = from_base64url(bind).is_some_and(|hash| hash.len() == 32);
    std::str::from_utf8(bind).ok().filter(|_| is_thumbprint)
}

#[cfg(test)]
mod tests;
