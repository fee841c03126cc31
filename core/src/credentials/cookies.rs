//! Cookies (RFC 6265bis) and response headers, ready to copy into a response.

use serde::Serialize;

/// The attribute SameSite: on which requests from other sites a browser sends the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    Strict,
    Lax,
    None,
}

impl SameSite {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// The prefix of a cookie's name. Browsers enforce what it says (RFC 6265bis, section 4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    None,
    /// The cookie is set over HTTPS alone.
    Secure,
    /// The cookie is set over HTTPS alone, for one host and all its paths.
    Host,
}

impl Prefix {
    /// The prefix as text; empty for none.
    pub const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Secure => "__Secure-",
            Self::Host => "__Host-",
        }
    }
}

/// The attributes that the settings give to all cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    pub domain: Option<String>,
    pub secure: bool,
    pub same_site: SameSite,
    pub prefix: Prefix,
    pub access_path: String,
    pub refresh_path: String,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            domain: None,
            secure: true,
            same_site: SameSite::Lax,
            prefix: Prefix::None,
            access_path: "/".to_owned(),
            refresh_path: "/session/refresh".to_owned(),
        }
    }
}

impl Attributes {
    /// Checks that browsers accept cookies with these attributes. The error names the settings that contradict.
    pub fn check(&self) -> Result<(), String> {
        if self.same_site == SameSite::None && !self.secure {
            return Err("sh.cookie-same-site none needs sh.cookie-secure yes: browsers reject the cookies".to_owned());
        }
        if self.prefix != Prefix::None && !self.secure {
            return Err(format!("sh.cookie-prefix {} needs sh.cookie-secure yes", self.prefix.text()));
        }
        if self.prefix == Prefix::Host && self.domain.is_some() {
            return Err("sh.cookie-prefix __Host- goes without sh.cookie-domain".to_owned());
        }
        Ok(())
    }

    /// The path of a cookie.
    pub fn path(&self, cookie: Cookie) -> &str {
        match cookie {
            Cookie::Refresh => &self.refresh_path,
            Cookie::Access | Cookie::IdRefresh | Cookie::Session => &self.access_path,
        }
    }

    /// The value of a Set-Cookie header. `max_age` is in seconds. Under `__Host-`, a cookie with a path of its own gets
    /// `__Secure-`: the browser would reject it.
    pub fn set_cookie(&self, cookie: Cookie, value: &str, max_age: u64) -> String {
        let path = self.path(cookie);
        let prefix = if self.prefix == Prefix::Host && path != "/" { Prefix::Secure } else { self.prefix };
        let mut text = format!("{}{}={value}; Max-Age={max_age}; Path={path}", prefix.text(), cookie.name());
        if let Some(domain) = &self.domain {
            text += &format!("; Domain={domain}");
        }
        text += "; HttpOnly";
        if self.secure {
            text += "; Secure";
        }
        text + "; SameSite=" + self.same_site.attribute()
    }
}

/// The longest Max-Age that browsers accept, in seconds: 400 days (RFC 6265bis, section 5.5).
pub const MAX_AGE: u64 = 400 * 24 * 3_600;

/// The cookies that carry credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    Access,
    Refresh,
    IdRefresh,
    /// The cookie token of a session made with COOKIE.
    Session,
}

impl Cookie {
    pub const ALL: [Self; 4] = [Self::Access, Self::Refresh, Self::IdRefresh, Self::Session];

    const fn name(self) -> &'static str {
        match self {
            Self::Access => "sAccessToken",
            Self::Refresh => "sRefreshToken",
            Self::IdRefresh => "sIdRefreshToken",
            Self::Session => "sCookieToken",
        }
    }
}

/// The headers of a response that sets credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    anti_csrf: Option<String>,
    /// `<token>;<expiry in ms, or never>`, or `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_refresh_token: Option<String>,
    /// The headers above that a page of another origin may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_control_expose_headers: Option<&'static str>,
    /// No cache may keep a response that sets credentials.
    cache_control: &'static str,
}

impl Headers {
    pub fn new(anti_csrf: Option<String>, id_refresh_token: Option<String>) -> Self {
        let exposed = match (&anti_csrf, &id_refresh_token) {
            (Some(_), Some(_)) => Some("anti-csrf, id-refresh-token"),
            (Some(_), None) => Some("anti-csrf"),
            (None, Some(_)) => Some("id-refresh-token"),
            (None, None) => None,
        };
        Self { anti_csrf, id_refresh_token, access_control_expose_headers: exposed, cache_control: "no-store" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_the_attributes_of_the_settings() {
        let mut attributes = Attributes::default();
        let cookie = attributes.set_cookie(Cookie::Refresh, "v", 60);
        assert_eq!(cookie, "sRefreshToken=v; Max-Age=60; Path=/session/refresh; HttpOnly; Secure; SameSite=Lax");
        attributes.domain = Some("example.com".to_owned());
        attributes.same_site = SameSite::None;
        attributes.prefix = Prefix::Secure;
        let cookie = attributes.set_cookie(Cookie::Access, "v", 60);
        let expected =
            "__Secure-sAccessToken=v; Max-Age=60; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=None";
        assert_eq!(cookie, expected);
    }

    #[test]
    fn a_host_cookie_has_no_path_of_its_own() {
        let attributes = Attributes { prefix: Prefix::Host, ..Attributes::default() };
        assert!(attributes.set_cookie(Cookie::Access, "v", 60).starts_with("__Host-sAccessToken=v; "));
        assert!(attributes.set_cookie(Cookie::Refresh, "v", 60).starts_with("__Secure-sRefreshToken=v; "));
    }

    #[test]
    fn attributes_that_browsers_reject_are_refused() {
        let valid = Attributes::default;
        assert!(valid().check().is_ok());
        assert!(Attributes { secure: false, ..valid() }.check().is_ok(), "for development");
        assert!(Attributes { secure: false, same_site: SameSite::None, ..valid() }.check().is_err());
        assert!(Attributes { secure: false, prefix: Prefix::Secure, ..valid() }.check().is_err());
        assert!(Attributes { secure: false, prefix: Prefix::Host, ..valid() }.check().is_err());
        let domain = Some("example.com".to_owned());
        assert!(Attributes { domain, prefix: Prefix::Host, ..valid() }.check().is_err());
    }
}
