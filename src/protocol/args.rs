//! The arguments of a command: Redis-style keywords, or one JSON object in their place.

use super::values::{data_field, unknown_option};
use crate::redis::Bytes;
use sessions_core::json::{Allowed, Object};
use sessions_core::session::{NAME_MAX, Token};
use sessions_core::status::{Error, Status};

/// The form of the reply: a command with options in JSON gets JSON.
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
    pub fn iter(self) -> impl Iterator<Item = (Bytes<'a>, Bytes<'a>)> {
        self.0.chunks_exact(2).map(|pair| (pair[0], pair[1]))
    }
}

/// The options at the end of a command, as keywords or in JSON.
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

    /// The next argument, which is required.
    pub fn required(&mut self, what: &'static str) -> Result<Bytes<'a>, Error> {
        self.next().ok_or_else(|| Status::ValueMissing.because(format!("{what} is missing")))
    }

    /// Fails if arguments are left.
    pub fn end(self) -> Result<(), Error> {
        self.0.first().map_or(Ok(()), |_| Err(unknown_option(&[])))
    }

    /// The next argument, which must be a well-formed token.
    pub fn token(&mut self) -> Result<Bytes<'a>, Error> {
        let bytes = self.required("the session's token")?;
        token(&bytes)?;
        Ok(bytes)
    }

    /// All remaining arguments, which must be well-formed tokens.
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

    /// The options: one JSON object, or keywords.
    pub fn options(self, in_json: &Allowed<'_>) -> Result<Options<'a>, Error> {
        match self.0 {
            [only] if only.trim_ascii_start().starts_with(b"{") => {
                Object::parse_options(only.as_bytes(), in_json).map(Options::Json)
            }
            _ => Ok(Options::Keywords(self)),
        }
    }

    /// The form of the reply of a command without options: RESP, or JSON if the one argument left is `{}`.
    pub fn form_without_options(self) -> Result<Form, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(result: Result<T, Error>) -> Option<Status> {
        result.err().map(|error| error.status)
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
            Args::new(&args).form_without_options()
        };
        assert_eq!(form(&[]), Ok(Form::Resp));
        assert_eq!(form(&["{}"]), Ok(Form::Json));
        assert_eq!(form(&[" { }\n"]), Ok(Form::Json));
        for wrong in [&["{} {}"][..], &["{}", "{}"], &["x"], &["[]"], &["{\"x\":1}"], &["{"], &[""]] {
            assert_eq!(status(form(wrong)), Some(Status::CommandSyntax), "{wrong:?}");
        }
    }
}
