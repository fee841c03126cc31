//! The credential that a client presents, with its options; and the checks that SH.REFRESH and SH.RESUME share.

use crate::protocol::values::{data_field, once, unknown_option};
use crate::protocol::{Args, Form, Options};
use crate::redis::Bytes;
use crate::settings::Settings;
use crate::store::grants::{self, Grant};
use crate::store::{Store, realm};
use sessions_core::credentials::Ring;
use sessions_core::json::{self, Allowed, Object, unknown_member};
use sessions_core::session::{Credentials, Flags, Token};
use sessions_core::status::Error;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::rc::Rc;

/// A credential and the options given with it.
pub struct Credential<'a> {
    pub text: Bytes<'a>,
    /// The anti-CSRF token to check, if one was given. An empty one fails the check.
    pub csrf: Option<Cow<'a, [u8]>>,
    /// The value that the session's sealed tokens are bound to.
    pub bind: Option<Cow<'a, [u8]>>,
    /// The fields of the session's data to return.
    pub get: Option<Vec<Cow<'a, [u8]>>>,
    pub no_grace: bool,
}

/// An option of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialOption {
    Csrf,
    Bind,
    /// Field names follow, up to the last argument.
    Get,
    NoGrace,
}

impl CredentialOption {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Csrf => "CSRF",
            Self::Bind => "BIND",
            Self::Get => "GET",
            Self::NoGrace => "NOGRACE",
        }
    }

    /// The option's member in JSON.
    const fn member(self) -> &'static str {
        match self {
            Self::Csrf => "antiCsrfToken",
            Self::Bind => "bind",
            Self::Get => "get",
            Self::NoGrace => "noGrace",
        }
    }
}

fn words(allowed: &[CredentialOption], word: fn(CredentialOption) -> &'static str) -> SmallVec<[&'static str; 4]> {
    allowed.iter().map(|option| word(*option)).collect()
}

impl<'a> Credential<'a> {
    pub fn new(text: Bytes<'a>) -> Self {
        Self { text, csrf: None, bind: None, get: None, no_grace: false }
    }

    /// The credential with the options that its command allows.
    pub fn parse(text: Bytes<'a>, args: Args<'a>, allowed: &[CredentialOption]) -> Result<(Self, Form), Error> {
        let members = words(allowed, CredentialOption::member);
        let options = args.options(&Allowed { members: &members, data: false })?;
        let form = options.form();
        let credential = match options {
            Options::Keywords(args) => Self::new(text).keywords(args, allowed)?,
            Options::Json(object) => Self::new(text).json(&object, allowed)?,
        };
        Ok((credential, form))
    }

    fn keywords(mut self, mut args: Args<'a>, allowed: &[CredentialOption]) -> Result<Self, Error> {
        let mut no_grace = None;
        while let Some(word) = args.next() {
            let option = allowed.iter().find(|option| word.eq_ignore_ascii_case(option.keyword().as_bytes()));
            let option = option.ok_or_else(|| unknown_option(&words(allowed, CredentialOption::keyword)))?;
            let value = |bytes: Bytes<'a>| Cow::Borrowed(bytes.as_bytes());
            match option {
                CredentialOption::Csrf => once(&mut self.csrf, value(args.required("the value of CSRF")?), "CSRF")?,
                CredentialOption::Bind => once(&mut self.bind, value(args.required("the value of BIND")?), "BIND")?,
                CredentialOption::NoGrace => once(&mut no_grace, (), "NOGRACE")?,
                CredentialOption::Get => {
                    self.get = Some(args.field_names()?.iter().map(|name| value(*name)).collect());
                    break;
                }
            }
        }
        self.no_grace = no_grace.is_some();
        Ok(self)
    }

    fn json(mut self, object: &Object<'a>, allowed: &[CredentialOption]) -> Result<Self, Error> {
        for (member, value) in object.iter() {
            let option = allowed.iter().find(|option| option.member() == member);
            let option = option.ok_or_else(|| unknown_member(&words(allowed, CredentialOption::member)))?;
            let member = option.member();
            let bytes = |value| Ok(json::string(value, member)?.into_owned().into_bytes().into());
            match option {
                // A client library passes null for a missing header: the check fails.
                CredentialOption::Csrf if value.get() == "null" => self.csrf = Some(Cow::Borrowed(b"")),
                CredentialOption::Csrf => self.csrf = Some(bytes(value)?),
                CredentialOption::Bind => self.bind = Some(bytes(value)?),
                CredentialOption::NoGrace => self.no_grace = json::boolean(value, member)?,
                CredentialOption::Get => {
                    let names = json::strings(value, member)?;
                    names.iter().try_for_each(|name| data_field(name.as_bytes()))?;
                    self.get = Some(names.into_iter().map(|name| name.into_bytes().into()).collect());
                }
            }
        }
        Ok(self)
    }
}

/// A genuine sealed token, and what the store knows of its session.
pub struct Opened<'a, R> {
    pub ring: Rc<Ring>,
    pub token: Token<'a>,
    /// The generation that the sealed token is of.
    pub generation: u32,
    pub grant: Grant,
    /// What `see` saw of the session.
    pub seen: R,
}

/// Checks a sealed token in this order: its form, its MAC, its session, and the anti-CSRF token if one was given. The error
/// does not tell which of the first three failed; `wrong_csrf` is the error of the last one.
pub fn open<'a, S: Store, R>(
    store: &mut S,
    settings: &Settings,
    (tkn, credential): (Bytes<'a>, &Credential<'_>),
    kinds: &[Credentials],
    wrong_csrf: impl FnOnce() -> Error,
    see: impl FnOnce(&S::Key<'_>, Flags) -> R,
) -> Result<Opened<'a, R>, Error> {
    let token = Token::parse(tkn.as_bytes()).ok_or_else(Error::unauthorised)?;
    let ring = realm::verifying(store, settings)?.ok_or_else(|| grants::no_session(store))?;
    let opened = grants::open_sealed(&ring, kinds, token, &credential.text, credential.bind.as_deref());
    let (kind, generation) = opened.ok_or_else(Error::unauthorised)?;
    let (grant, seen) = grants::find_with(store, tkn, see)?;
    if grant.kind != kind {
        return Err(Error::unauthorised());
    }
    if credential.csrf.as_ref().is_some_and(|csrf| !ring.is_anti_csrf(csrf, token, generation)) {
        return Err(wrong_csrf());
    }
    Ok(Opened { ring, token, generation, grant, seen })
}
