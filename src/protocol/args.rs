//! Arguments to a request: Redis-style keywords, or one JSON object that says the same.

use crate::redis::Bytes;
use crate::store::Field;
use sessions_core::json::{self, Allowed, Object, unknown_member};
use sessions_core::session::{NAME_MAX, Seconds, Token, meta};
use sessions_core::status::{Error, Status};
use smallvec::SmallVec;
use std::borrow::Cow;

/// How the reply is to be written. Who asks in JSON is answered in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Resp,
    Json,
}

/// A command's arguments, taken from the front.
#[derive(Clone, Copy)]
pub struct Args<'a>(&'a [Bytes<'a>]);

/// Pairs of a field of the session's data and its value.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a [Bytes<'a>]);

impl<'a> Fields<'a> {
    pub fn iter(self) -> impl Iterator<Item = (Field<'a>, Bytes<'a>)> {
        self.0.chunks_exact(2).map(|pair| (Field::Data(pair[0]), pair[1]))
    }
}

/// A credential that was presented, and what was presented with it.
pub struct Credential<'a> {
    pub text: Bytes<'a>,
    /// The anti-CSRF token, if it is to be checked. An empty one is a failed check.
    pub csrf: Option<Cow<'a, [u8]>>,
    /// What the session's sealed tokens are bound to.
    pub bind: Option<Cow<'a, [u8]>>,
    /// The fields of the session's data to answer.
    pub get: Option<Vec<Cow<'a, [u8]>>>,
    pub no_grace: bool,
}

/// What may be said beside a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    Csrf,
    Bind,
    /// Comes last, with field names up to the end.
    Get,
    NoGrace,
}

impl Verification {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Csrf => "CSRF",
            Self::Bind => "BIND",
            Self::Get => "GET",
            Self::NoGrace => "NOGRACE",
        }
    }

    /// The member that says it in JSON.
    const fn member(self) -> &'static str {
        match self {
            Self::Csrf => "antiCsrfToken",
            Self::Bind => "bind",
            Self::Get => "get",
            Self::NoGrace => "noGrace",
        }
    }
}

fn words(allowed: &[Verification], word: fn(Verification) -> &'static str) -> SmallVec<[&'static str; 4]> {
    allowed.iter().map(|option| word(*option)).collect()
}

impl<'a> Credential<'a> {
    pub fn new(text: Bytes<'a>) -> Self {
        Self { text, csrf: None, bind: None, get: None, no_grace: false }
    }

    fn keywords(mut self, mut args: Args<'a>, allowed: &[Verification]) -> Result<Self, Error> {
        let mut no_grace = None;
        while let Some(word) = args.next() {
            let option = allowed.iter().find(|option| word.eq_ignore_ascii_case(option.keyword().as_bytes()));
            let option = option.ok_or_else(|| unknown_option(&words(allowed, Verification::keyword)))?;
            let value = |bytes: Bytes<'a>| Cow::Borrowed(bytes.as_bytes());
            match option {
                Verification::Csrf => once(&mut self.csrf, value(args.required("the value of CSRF")?), "CSRF")?,
                Verification::Bind => once(&mut self.bind, value(args.required("the value of BIND")?), "BIND")?,
                Verification::NoGrace => once(&mut no_grace, (), "NOGRACE")?,
                Verification::Get => {
                    self.get = Some(args.field_names()?.iter().map(|name| value(*name)).collect());
                    break;
                }
            }
        }
        self.no_grace = no_grace.is_some();
        Ok(self)
    }

    fn json(mut self, object: &Object<'a>, allowed: &[Verification]) -> Result<Self, Error> {
        for (member, value) in object.iter() {
            let option = allowed.iter().find(|option| option.member() == member);
            let option = option.ok_or_else(|| unknown_member(&words(allowed, Verification::member)))?;
            let member = option.member();
            let bytes = |value| Ok(json::string(value, member)?.into_owned().into_bytes().into());
            match option {
                // A wrapper that passes on a missing header fails closed.
                Verification::Csrf if value.get() == "null" => self.csrf = Some(Cow::Borrowed(b"")),
                Verification::Csrf => self.csrf = Some(bytes(value)?),
                Verification::Bind => self.bind = Some(bytes(value)?),
                Verification::NoGrace => self.no_grace = json::boolean(value, member)?,
                Verification::Get => {
                    let names = json::strings(value, member)?;
                    names.iter().try_for_each(|name| data_field(name.as_bytes()))?;
                    self.get = Some(names.into_iter().map(|name| name.into_bytes().into()).collect());
                }
            }
        }
        Ok(self)
    }
}

/// The options at the end of a command, in one of their two spellings.
pub enum Options<'a> {
    Keywords(Args<'a>),
    Json(Object<'a>),
}

impl Options<'_> {
    pub fn form(&self) -> Form {
        match self {
            Self::Keywords(_) => Form::Resp,
            Self::Json(_) => Form::Json,
        }
    }
}

impl<'a> Args<'a> {
    pub fn new(args: &'a [Bytes<'a>]) -> Self {
        Self(args)
    }

    pub fn next(&mut self) -> Option<Bytes<'a>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next argument, which the command cannot do without.
    pub fn required(&mut self, what: &'static str) -> Result<Bytes<'a>, Error> {
        self.next().ok_or_else(|| Status::ValueMissing.because(format!("{what} is missing")))
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), Error> {
        self.0.first().map_or(Ok(()), |_| Err(unknown_option(&[])))
    }

    /// The next argument, which must be a well-formed token.
    pub fn token(&mut self) -> Result<Bytes<'a>, Error> {
        let bytes = self.required("the session's token")?;
        token(&bytes)?;
        Ok(bytes)
    }

    /// All arguments that are left, which must be well-formed tokens.
    pub fn tokens(self) -> Result<&'a [Bytes<'a>], Error> {
        self.0.iter().try_for_each(|bytes| token(bytes))?;
        Ok(self.0)
    }

    /// The next argument as a name.
    pub fn name(&mut self) -> Result<Bytes<'a>, Error> {
        let name = self.required("the name")?;
        match name.len() {
            0 => Err(Status::ValueSize.because("the name is empty; it has 1 to 512 bytes")),
            1..=NAME_MAX => Ok(name),
            _ => Err(Status::ValueSize.because("the name is too long; it has 1 to 512 bytes")),
        }
    }

    /// The options, in whichever spelling: a JSON object, alone, or keywords.
    pub fn options(self, in_json: &Allowed<'_>) -> Result<Options<'a>, Error> {
        match self.0 {
            [only] if only.trim_ascii_start().starts_with(b"{") => {
                Object::parse_options(only.as_bytes(), in_json).map(Options::Json)
            }
            _ => Ok(Options::Keywords(self)),
        }
    }

    /// A credential with the options that its command allows.
    pub fn credential(self, text: Bytes<'a>, allowed: &[Verification]) -> Result<(Credential<'a>, Form), Error> {
        let members = words(allowed, Verification::member);
        let options = self.options(&Allowed { members: &members, data: false })?;
        let form = options.form();
        let credential = Credential::new(text);
        let credential = match options {
            Options::Keywords(args) => credential.keywords(args, allowed)?,
            Options::Json(object) => credential.json(&object, allowed)?,
        };
        Ok((credential, form))
    }

    /// No options: nothing at all, or an empty JSON object to be answered in JSON.
    pub fn no_options(self) -> Result<Form, Error> {
        let options = self.options(&Allowed { members: &[], data: false })?;
        match &options {
            Options::Keywords(Args([_, ..])) => Err(unknown_option(&["{}"])),
            Options::Keywords(_) | Options::Json(_) => Ok(options.form()),
        }
    }

    /// Names of fields of the session's data, at least one, to the last argument.
    pub fn field_names(self) -> Result<&'a [Bytes<'a>], Error> {
        if self.0.is_empty() {
            return Err(Status::ValueMissing.because("a field is missing"));
        }
        self.any_field_names()
    }

    /// Names of fields of the session's data, or none at all, to the last argument.
    pub fn any_field_names(self) -> Result<&'a [Bytes<'a>], Error> {
        self.0.iter().try_for_each(|name| data_field(name))?;
        Ok(self.0)
    }

    /// Pairs of a field of the session's data and its value, to the last argument.
    pub fn fields(self) -> Result<Fields<'a>, Error> {
        if self.0.is_empty() {
            return Err(Status::ValueMissing.because("a field and its value are missing"));
        }
        if !self.0.len().is_multiple_of(2) {
            return Err(Status::ValueMissing.because("the last field has no value"));
        }
        self.0.iter().step_by(2).try_for_each(|field| data_field(field))?;
        Ok(Fields(self.0))
    }
}

fn token(bytes: &[u8]) -> Result<(), Error> {
    match Token::parse(bytes) {
        Some(_) => Ok(()),
        None => Err(Status::SessionTokenInvalid.because("not a token; a token is 'sh:' and 25 base64url characters")),
    }
}

/// The name of a field of the session's data, which may be any but the reserved ones.
pub fn data_field(name: &[u8]) -> Result<(), Error> {
    if meta::is_reserved(name) {
        return Err(Status::ValueTypeInvalid.because("fields whose names begin with a dot are reserved"));
    }
    Ok(())
}

/// A duration in seconds: digits, at most 2^32 - 1.
pub fn seconds(text: &[u8], option: &'static str) -> Result<Seconds, Error> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.map(Seconds).ok_or_else(|| {
        Status::ValueTypeInvalid.because(format!("{option} takes a number of seconds from 0 to 4294967295"))
    })
}

/// A keyword as it is matched; no keyword is so long that this takes memory.
pub fn uppercase(keyword: &[u8]) -> SmallVec<[u8; 16]> {
    let mut keyword = SmallVec::from_slice(keyword);
    keyword.make_ascii_uppercase();
    keyword
}

/// Sets an option that may be given once.
pub fn once<T>(slot: &mut Option<T>, value: T, option: &'static str) -> Result<(), Error> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Status::CommandSyntax.because(format!("{option} is given twice"))),
    }
}

/// The error for an argument that is none of these options.
pub fn unknown_option(options: &[&'static str]) -> Error {
    Status::CommandSyntax.because(match options {
        [] => "too many arguments".to_owned(),
        [only] => format!("unknown option; the only one is {only}"),
        options => format!("unknown option; the options are {}", options.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(result: Result<T, Error>) -> Option<Status> {
        result.err().map(|error| error.status)
    }

    #[test]
    fn a_duration_is_an_unsigned_32_bit_integer_and_nothing_else() {
        assert_eq!(seconds(b"0", "IDLE"), Ok(Seconds(0)));
        assert_eq!(seconds(b"4294967295", "IDLE"), Ok(Seconds(u32::MAX)));
        for wrong in ["", "-1", "+1", "4294967296", "1.0", "1e3", " 1", "1 ", "0x10", "\u{661}", "99999999999999999999"]
        {
            assert_eq!(status(seconds(wrong.as_bytes(), "IDLE")), Some(Status::ValueTypeInvalid), "{wrong:?}");
        }
    }

    #[test]
    fn an_option_is_given_once() {
        let mut slot = None;
        assert_eq!(once(&mut slot, 1, "IDLE"), Ok(()));
        assert_eq!(status(once(&mut slot, 2, "IDLE")), Some(Status::CommandSyntax));
    }

    #[test]
    fn a_name_has_1_to_512_bytes() {
        let name = |length: usize| {
            let bytes = vec![0xFF; length];
            status(Args::new(&[Bytes::from(bytes.as_slice())]).name())
        };
        assert_eq!(name(0), Some(Status::ValueSize));
        assert_eq!(name(1), None);
        assert_eq!(name(512), None);
        assert_eq!(name(513), Some(Status::ValueSize));
        assert_eq!(status(Args::new(&[]).name()), Some(Status::ValueMissing));
    }

    #[test]
    fn fields_come_in_pairs_and_are_not_reserved() {
        let fields = |args: &[&'static str]| {
            let args: Vec<_> = args.iter().map(|arg| Bytes::from(arg.as_bytes())).collect();
            status(Args::new(&args).fields().map(drop))
        };
        assert_eq!(fields(&["a", ".b", "", "d"]), None);
        assert_eq!(fields(&[]), Some(Status::ValueMissing));
        assert_eq!(fields(&["a"]), Some(Status::ValueMissing));
        assert_eq!(fields(&["a", "b", ".name", "d"]), Some(Status::ValueTypeInvalid));
    }

    #[test]
    fn one_json_object_alone_asks_for_json() {
        let form = |args: &[&'static str]| {
            let args: Vec<_> = args.iter().map(|arg| Bytes::from(arg.as_bytes())).collect();
            Args::new(&args).no_options()
        };
        assert_eq!(form(&[]), Ok(Form::Resp));
        assert_eq!(form(&["{}"]), Ok(Form::Json));
        assert_eq!(form(&[" { }\n"]), Ok(Form::Json));
        for wrong in [&["{} {}"][..], &["{}", "{}"], &["x"], &["[]"], &["{\"x\":1}"], &["{"], &[""]] {
            assert_eq!(status(form(wrong)), Some(Status::CommandSyntax), "{wrong:?}");
        }
    }
}
