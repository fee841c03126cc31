//! The options of SH.NEW: keywords or JSON to one request.

use crate::protocol::values::{self, json_expiry, json_seconds, once, seconds, unknown_option, uppercase};
use crate::protocol::{Args, Error, Options, Status};
use crate::redis::Bytes;
use crate::settings::{MAX_SESSIONS, Settings};
use sessions_core::json::{self, Allowed, Object, unknown_member};
use sessions_core::number;
use sessions_core::session::{Credentials, Expiry, Lifetime, Seconds};
use std::borrow::Cow;

/// The members of the options in JSON.
pub const IN_JSON: Allowed<'_> = Allowed {
    members: &[
        "name",
        "shared",
        "expiry",
        "idle",
        "sessionData",
        "jwtPayload",
        "credentials",
        "bind",
        "listed",
        "limit",
    ],
    data: true,
};

/// The keywords.
const KEYWORDS: [&str; 10] =
    ["SHARED", "EXPIRY", "IDLE", "DATA", "PAYLOAD", "TOKENS", "COOKIE", "BIND", "LISTED", "LIMIT"];

/// The parsed options.
pub struct Request<'a> {
    pub name: Bytes<'a>,
    pub shared: bool,
    pub lifetime: Lifetime,
    pub data: Vec<values::Field<'a>>,
    /// Whether IDLE was given; 0 means no idle time.
    pub idle_given: bool,
    pub credentials: Option<Credentials>,
    pub payload: Option<Cow<'a, [u8]>>,
    pub bind: Option<Cow<'a, [u8]>>,
    pub listed: bool,
    pub limit: Option<u32>,
}

impl<'a> Request<'a> {
    /// Parses the options, given as keywords or in JSON.
    pub fn parse(name: Bytes<'a>, options: Options<'a>) -> Result<Self, Error> {
        match options {
            Options::Keywords(args) => Given::keywords(args)?.request(name),
            Options::Json(object) => Given::json(object, name)?.request(name),
        }
    }

    /// The session's lifetime: what was asked for, and the settings where nothing was.
    pub fn lifetime(&self, settings: &Settings) -> Lifetime {
        let refreshable = self.credentials == Some(Credentials::Tokens) && !self.idle_given;
        let idle = if refreshable { Some(settings.refresh_validity) } else { self.lifetime.idle };
        Lifetime { idle, max: settings.max_lifetime, ..self.lifetime }
    }
}

/// The options as given, each at most once.
#[derive(Default)]
struct Given<'a> {
    shared: Option<bool>,
    /// The duration, and whether the session itself ends (DELETE) or its data alone (CLEAR).
    expiry: Option<(Seconds, bool)>,
    idle: Option<Seconds>,
    data: Option<Object<'a>>,
    payload: Option<Cow<'a, [u8]>>,
    credentials: Option<Credentials>,
    bind: Option<Cow<'a, [u8]>>,
    listed: Option<bool>,
    limit: Option<u32>,
}

impl<'a> Given<'a> {
    fn keywords(mut args: Args<'a>) -> Result<Self, Error> {
        let mut given = Self::default();
        while let Some(word) = args.next() {
            match uppercase(&word).as_slice() {
                b"SHARED" => once(&mut given.shared, true, "SHARED")?,
                b"EXPIRY" => {
                    let duration = seconds(&args.required("the duration of EXPIRY")?, "EXPIRY")?;
                    let action = args.required("the action of EXPIRY, DELETE or CLEAR,")?;
                    let delete = match uppercase(&action).as_slice() {
                        b"DELETE" => true,
                        b"CLEAR" => false,
                        _ => return Err(Status::CommandSyntax.because("EXPIRY takes DELETE or CLEAR")),
                    };
                    once(&mut given.expiry, (duration, delete), "EXPIRY")?;
                }
                b"IDLE" => once(&mut given.idle, seconds(&args.required("the duration of IDLE")?, "IDLE")?, "IDLE")?,
                b"DATA" => {
                    let object = Object::parse_value(args.required("the object of DATA")?.as_bytes())?;
                    once(&mut given.data, object, "DATA")?;
                }
                b"PAYLOAD" => {
                    let text = args.required("the object of PAYLOAD")?;
                    once(&mut given.payload, text.as_bytes().into(), "PAYLOAD")?;
                }
                b"TOKENS" => once(&mut given.credentials, Credentials::Tokens, "TOKENS or COOKIE")?,
                b"COOKIE" => once(&mut given.credentials, Credentials::Cookie, "TOKENS or COOKIE")?,
                b"BIND" => once(&mut given.bind, args.required("the value of BIND")?.as_bytes().into(), "BIND")?,
                b"LISTED" => once(&mut given.listed, true, "LISTED")?,
                b"LIMIT" => once(&mut given.limit, limit(&args.required("the count of LIMIT")?)?, "LIMIT")?,
                _ => return Err(unknown_option(&KEYWORDS)),
            }
        }
        Ok(given)
    }

    fn json(object: Object<'a>, name: Bytes<'a>) -> Result<Self, Error> {
        let mut given = Self::default();
        for (member, value) in object.iter() {
            match member {
                "name" => {
                    if json::string(value, "name")?.as_bytes() != name.as_bytes() {
                        return Err(Status::CommandSyntax.because("'name' differs from the argument"));
                    }
                }
                "shared" => given.shared = Some(json::boolean(value, "shared")?),
                "expiry" => given.expiry = Some(json_expiry(value)?),
                "idle" => given.idle = Some(json_seconds(value, "idle")?),
                "sessionData" => given.data = Some(json::object(value, "sessionData")?),
                "jwtPayload" => given.payload = Some(value.get().as_bytes().into()),
                "credentials" => {
                    let word = json::string(value, "credentials")?;
                    let unknown = || Status::CommandSyntax.because("'credentials' is \"tokens\" or \"cookie\"");
                    given.credentials = Some(Credentials::of_word(&word).ok_or_else(unknown)?);
                }
                "bind" => given.bind = Some(json::string(value, "bind")?.into_owned().into_bytes().into()),
                "listed" => given.listed = Some(json::boolean(value, "listed")?),
                "limit" => given.limit = Some(limit(value.get().as_bytes())?),
                _ => return Err(unknown_member(IN_JSON.members)),
            }
        }
        Ok(given)
    }

    /// The request, unless the options contradict each other.
    fn request(self, name: Bytes<'a>) -> Result<Request<'a>, Error> {
        let shared = self.shared.unwrap_or(false);
        let listed = self.listed.unwrap_or(false) || self.credentials.is_some() || self.limit.is_some();
        if listed && self.listed == Some(false) {
            return Err(Status::CommandSyntax.because("what has credentials or a limit is listed"));
        }
        if shared && listed {
            let reason = "a SHARED session goes without TOKENS, COOKIE, LISTED and LIMIT";
            return Err(Status::CommandSyntax.because(reason));
        }
        if self.credentials.is_none() && (self.payload.is_some() || self.bind.is_some()) {
            return Err(Status::CommandSyntax.because("PAYLOAD and BIND go with TOKENS or COOKIE"));
        }
        if self.bind.as_ref().is_some_and(|bind| bind.is_empty()) {
            return Err(Status::ValueSize.because("the value of BIND is empty: it would bind the session to nothing"));
        }
        if self.credentials.is_some() && !is_printable(&name) {
            return Err(unprintable_name());
        }
        let expiry = self.expiry.filter(|(duration, _)| *duration != Seconds(0));
        let expiry =
            expiry.map(|(duration, delete)| if delete { Expiry::Delete(duration) } else { Expiry::Clear(duration) });
        let idle = self.idle.filter(|idle| *idle != Seconds(0));
        Ok(Request {
            name,
            shared,
            lifetime: Lifetime { expiry, idle, max: None },
            data: self.data.map(values::json_fields).transpose()?.unwrap_or_default(),
            idle_given: self.idle.is_some(),
            credentials: self.credentials,
            payload: self.payload,
            bind: self.bind,
            listed,
            limit: self.limit,
        })
    }
}

/// The value of LIMIT, from 1 to [`MAX_SESSIONS`]: SH.NEW looks at that many sessions.
fn limit(text: &[u8]) -> Result<u32, Error> {
    number::of_digits(text).filter(|count| (1..=MAX_SESSIONS).contains(count)).ok_or_else(|| {
        let reason = format!("LIMIT takes a number of sessions from 1 to {MAX_SESSIONS}");
        Status::ValueTypeInvalid.because(reason)
    })
}

/// Whether a name is text without control characters, fit for a credential and a log.
fn is_printable(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| !name.chars().any(char::is_control))
}

pub fn unprintable_name() -> Error {
    Status::ValueTypeInvalid.because("with credentials the name must be UTF-8 without control characters")
}
