//! Issues all credentials of one generation of a session, with the cookies and headers that carry them.

use super::access::{self, Access, Audience, Claims};
use super::cookies::{Attributes, Cookie, Headers, MAX_AGE, SameSite};
use super::payload::Payload;
use super::ring::Ring;
use super::sealed;
use crate::session::{Credentials, Millis, Seconds, Token};
use crate::status::Error;
use serde::Serialize;
use serde::ser::SerializeStruct;

/// The settings that credentials depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long an access token is valid.
    pub access_validity: Seconds,
    /// Whether credentials include an anti-CSRF token.
    pub anti_csrf: bool,
    pub audience: Audience,
    pub cookies: Attributes,
}

/// The session that credentials are issued for.
pub struct Holder<'a> {
    pub token: Token<'a>,
    pub name: &'a str,
    pub kind: Credentials,
    pub generation: u32,
    pub bind: Option<&'a [u8]>,
    pub payload: Payload,
    /// The expiry of the session. `None`: the session never expires.
    pub ends: Option<Millis>,
    /// The latest expiry that a touch sets. `None`: no limit.
    pub limit: Option<Millis>,
    pub now: Millis,
}

/// The member `session` of a reply.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    pub handle: String,
    pub user_id: String,
    #[serde(rename = "userDataInJWT")]
    pub payload: Payload,
}

/// A credential in a reply, with the attributes of its cookie.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    token: String,
    /// Missing if the credential never expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Millis>,
    created_time: Millis,
    cookie_path: String,
    cookie_secure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    same_site: SameSite,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct IdRefreshView {
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Millis>,
    created_time: Millis,
}

/// The members of a reply that hold credentials. They stand beside the command's own members.
#[derive(Debug, Clone)]
pub struct Issued {
    session: SessionView,
    access_token: Option<TokenView>,
    refresh_token: Option<TokenView>,
    id_refresh_token: Option<IdRefreshView>,
    cookie_token: Option<TokenView>,
    anti_csrf_token: Option<String>,
    set_cookie: Vec<String>,
    headers: Headers,
}

/// Issues the credentials of a session's generation. VALUESIZE if the access token would be too long.
pub fn issue(ring: &Ring, policy: &Policy, holder: &Holder<'_>) -> Result<Issued, Error> {
    let Holder { token, name, generation, ends, now, .. } = *holder;
    let anti_csrf = policy.anti_csrf.then(|| ring.anti_csrf(token, generation));
    let sealed = sealed::seal(ring, holder.kind, token, generation, holder.bind);
    let mut carrier = Carrier { policy, now, set_cookie: Vec::new() };
    let mut issued = Issued {
        session: SessionView {
            handle: String::from_utf8_lossy(token.as_bytes()).into_owned(),
            user_id: name.to_owned(),
            payload: holder.payload.clone(),
        },
        access_token: None,
        refresh_token: None,
        id_refresh_token: None,
        cookie_token: None,
        anti_csrf_token: anti_csrf.clone(),
        set_cookie: Vec::new(),
        headers: Headers::new(anti_csrf.clone(), None),
    };
    match holder.kind {
        // SH.RESUME prolongs the session but sets no cookie. So the cookie lives until the session's limit.
        Credentials::Cookie => {
            issued.cookie_token = Some(carrier.carry_until(Cookie::Session, sealed, ends, holder.limit));
        }
        Credentials::Tokens => {
            let (access, expires) = sign(ring, policy, holder, anti_csrf.clone())?;
            issued.access_token = Some(carrier.carry(Cookie::Access, access, Some(expires)));
            issued.refresh_token = Some(carrier.carry(Cookie::Refresh, sealed, ends));
            let id_refresh = ring.id_refresh(token, generation);
            let expiry = ends.map_or_else(|| "never".to_owned(), |ends| ends.0.to_string());
            issued.headers = Headers::new(anti_csrf, Some(format!("{id_refresh};{expiry}")));
            carrier.carry(Cookie::IdRefresh, id_refresh.clone(), ends);
            issued.id_refresh_token = Some(IdRefreshView { token: id_refresh, expiry: ends, created_time: now });
        }
    }
    issued.set_cookie = carrier.set_cookie;
    Ok(issued)
}

fn sign(ring: &Ring, policy: &Policy, holder: &Holder<'_>, csrf: Option<String>) -> Result<(String, Millis), Error> {
    let expires = holder.ends.into_iter().fold(holder.now.after(policy.access_validity), Millis::min);
    // The times of a JWT are in seconds.
    let expires = Millis(expires.0 / 1_000 * 1_000);
    let claims = Claims {
        name: holder.name,
        token: holder.token,
        generation: holder.generation,
        csrf,
        thumbprint: holder.bind.and_then(access::thumbprint),
        payload: &holder.payload,
        issued: holder.now,
        expires,
    };
    Ok((access::sign(ring, &policy.audience, &claims)?, expires))
}

/// Issues an access token with another payload in place of a verified one. All other claims but `iat` stay, the expiry
/// included. VALUESIZE if the token would be too long.
pub fn reissue(ring: &Ring, policy: &Policy, access: Access, payload: Payload, now: Millis) -> Result<Issued, Error> {
    let token = access.token().ok_or_else(Error::not_a_session)?;
    let anti_csrf = policy.anti_csrf.then(|| ring.anti_csrf(token, access.generation));
    let claims = Claims {
        name: &access.name,
        token,
        generation: access.generation,
        csrf: anti_csrf.clone(),
        thumbprint: access.thumbprint.as_deref(),
        payload: &payload,
        issued: now,
        expires: access.expires,
    };
    let text = access::sign(ring, &policy.audience, &claims)?;
    let mut carrier = Carrier { policy, now, set_cookie: Vec::new() };
    let access_token = carrier.carry(Cookie::Access, text, Some(access.expires));
    Ok(Issued {
        session: SessionView { handle: access.handle.clone(), user_id: access.name.clone(), payload },
        access_token: Some(access_token),
        refresh_token: None,
        id_refresh_token: None,
        cookie_token: None,
        anti_csrf_token: anti_csrf.clone(),
        set_cookie: carrier.set_cookie,
        headers: Headers::new(anti_csrf, None),
    })
}

/// Collects the Set-Cookie values of a response.
struct Carrier<'a> {
    policy: &'a Policy,
    now: Millis,
    set_cookie: Vec<String>,
}

impl Carrier<'_> {
    /// Adds a cookie that lives as long as its token.
    fn carry(&mut self, cookie: Cookie, token: String, expiry: Option<Millis>) -> TokenView {
        self.carry_until(cookie, token, expiry, expiry)
    }

    /// Adds a cookie that lives until `cookie_goes`. `None`: as long as browsers allow.
    fn carry_until(
        &mut self,
        cookie: Cookie,
        token: String,
        expiry: Option<Millis>,
        cookie_goes: Option<Millis>,
    ) -> TokenView {
        let cookies = &self.policy.cookies;
        // Rounded up: at Max-Age=0 the browser deletes the cookie at once.
        let max_age = cookie_goes.map_or(MAX_AGE, |goes| goes.since(self.now).div_ceil(1_000).min(MAX_AGE));
        self.set_cookie.push(cookies.set_cookie(cookie, &token, max_age));
        TokenView {
            token,
            expiry,
            created_time: self.now,
            cookie_path: cookies.path(cookie).to_owned(),
            cookie_secure: cookies.secure,
            domain: cookies.domain.clone(),
            same_site: cookies.same_site,
        }
    }
}

impl Issued {
    /// The number of members that [`Self::serialize_into`] writes.
    pub fn members(&self) -> usize {
        let optional = [
            self.access_token.is_some(),
            self.refresh_token.is_some(),
            self.id_refresh_token.is_some(),
            self.cookie_token.is_some(),
            self.anti_csrf_token.is_some(),
        ];
        3 + optional.into_iter().filter(|there| *there).count()
    }

    /// Writes the members into a reply with other members.
    pub fn serialize_into<S: SerializeStruct>(&self, reply: &mut S) -> Result<(), S::Error> {
        reply.serialize_field("session", &self.session)?;
        if let Some(token) = &self.access_token {
            reply.serialize_field("accessToken", token)?;
        }
        if let Some(token) = &self.refresh_token {
            reply.serialize_field("refreshToken", token)?;
        }
        if let Some(token) = &self.id_refresh_token {
            reply.serialize_field("idRefreshToken", token)?;
        }
        if let Some(token) = &self.cookie_token {
            reply.serialize_field("cookieToken", token)?;
        }
        if let Some(token) = &self.anti_csrf_token {
            reply.serialize_field("antiCsrfToken", token)?;
        }
        reply.serialize_field("setCookie", &self.set_cookie)?;
        reply.serialize_field("headers", &self.headers)
    }
}

impl Serialize for Issued {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut reply = serializer.serialize_struct("Issued", self.members())?;
        self.serialize_into(&mut reply)?;
        reply.end()
    }
}
