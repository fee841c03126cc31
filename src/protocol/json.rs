//! JSON objects as options (RFC 8259), read member by member so that each mistake gets the status it deserves.

use super::args::{self, unknown_member};
use super::status::{Error, Status, quoted};
use crate::session::Seconds;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The members of a JSON object, in order, each once; their values are still JSON text.
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A field of a session's data, and its value.
pub type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// A string that is borrowed from the text if it holds no escapes.
#[derive(serde::Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads an object member by member, and no further than the first that it must not have.
struct Reader<'k> {
    known: Option<&'k [&'k str]>,
    /// That member.
    unknown: &'k mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Object<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            if self.known.is_some_and(|known| !known.contains(&name.as_ref())) {
                *self.unknown = Some(name.into_owned());
                return Err(de::Error::custom("an unknown member"));
            }
            if !seen.insert(name.clone()) {
                return Err(de::Error::custom("a member is given twice"));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Object(members))
    }
}

/// What options in JSON may be, so that no more of them is read than has to be.
pub struct Options<'k> {
    /// The members that they may have.
    pub known: &'k [&'k str],
    /// Whether a session's data is among them, which may be long.
    pub hold_data: bool,
}

impl Options<'_> {
    /// How long they are at most where they hold no data, in bytes.
    pub const MAX_LEN: usize = 65_536;
}

impl<'a> Object<'a> {
    /// The options in `text`: a member that is given twice is an option that is given twice.
    pub fn parse(text: &'a [u8], options: &Options<'_>) -> Result<Self, Error> {
        if !options.hold_data && text.len() > Options::MAX_LEN {
            let reason = format!("the JSON is too long; here it has at most {} bytes", Options::MAX_LEN);
            return Err(Status::ValueSize.because(reason));
        }
        Self::parse_as(text, Status::CommandSyntax, Some(options.known))
    }

    /// The value in `text`, which must be an object with each member once.
    pub fn parse_value(text: &'a [u8]) -> Result<Self, Error> {
        Self::parse_as(text, Status::ValueTypeInvalid, None)
    }

    fn parse_as(text: &'a [u8], other_than_expected: Status, known: Option<&[&str]>) -> Result<Self, Error> {
        let mut unknown = None;
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let object = Reader { known, unknown: &mut unknown }.deserialize(&mut deserializer);
        let object = object.and_then(|object| deserializer.end().map(|()| object));
        if let Some(member) = unknown {
            return Err(unknown_member(&member));
        }
        object.map_err(|error| {
            let what = error.classify();
            let (line, column) = (error.line(), error.column());
            match what {
                serde_json::error::Category::Data => other_than_expected.because(format!(
                    "a JSON object with each member once was expected (line {line}, column {column})"
                )),
                _ => Status::CommandSyntax.because(format!("malformed JSON at line {line}, column {column}")),
            }
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.iter().find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    /// The members as fields of a session's data: strings as they are, all else as its JSON text.
    pub fn into_fields(self) -> Result<Vec<Field<'a>>, Error> {
        let field = |(name, value): (Cow<'a, str>, &'a RawValue)| {
            args::data_field(name.as_bytes())?;
            let text = value.get();
            let value = if text.starts_with('"') { string(value, &name)? } else { Cow::Borrowed(text) };
            Ok((name, value))
        };
        self.0.into_iter().map(field).collect()
    }
}

fn wrong_type(member: &str, expected: &str, value: &RawValue) -> Error {
    Status::ValueTypeInvalid.because(format!(
        "{} takes {expected}, not {}",
        quoted(member.as_bytes()),
        quoted(value.get().as_bytes())
    ))
}

pub fn boolean(value: &RawValue, member: &str) -> Result<bool, Error> {
    serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "true or false", value))
}

pub fn string<'a>(value: &'a RawValue, member: &str) -> Result<Cow<'a, str>, Error> {
    let Key(string) = serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "a string", value))?;
    Ok(string)
}

pub fn strings(value: &RawValue, member: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "an array of strings", value))
}

pub fn object<'a>(value: &'a RawValue, member: &str) -> Result<Object<'a>, Error> {
    if value.get().starts_with('{') {
        Object::parse_value(value.get().as_bytes())
    } else {
        Err(wrong_type(member, "an object", value))
    }
}

pub fn seconds(value: &RawValue, member: &str) -> Result<Seconds, Error> {
    args::seconds(value.get().as_bytes(), member)
}

/// `expiry`: `{"duration": seconds, "deleteSession": boolean}`, both required.
pub fn expiry(value: &RawValue) -> Result<(Seconds, bool), Error> {
    let (mut duration, mut delete) = (None, None);
    if !value.get().starts_with('{') {
        return Err(wrong_type("expiry", "an object", value));
    }
    let known = ["duration", "deleteSession"];
    let object = Object::parse_as(value.get().as_bytes(), Status::ValueTypeInvalid, Some(&known))?;
    for (member, value) in object.iter() {
        match member {
            "duration" => duration = Some(seconds(value, member)?),
            "deleteSession" => delete = Some(boolean(value, member)?),
            _ => return Err(unknown_member(member)),
        }
    }
    let missing = |member: &str| Status::ValueMissing.because(format!("'expiry' has no '{member}'"));
    Ok((duration.ok_or_else(|| missing("duration"))?, delete.ok_or_else(|| missing("deleteSession"))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(text: &str) -> Result<Vec<(String, String)>, Status> {
        let fields =
            Object::parse_value(text.as_bytes()).and_then(Object::into_fields).map_err(|error| error.status)?;
        Ok(fields.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn strings_are_stored_as_they_are_and_all_else_as_its_text() {
        let text =
            r#"{"s":"a\"b\u0000\n","n":12345678901234567890123,"f":1.10,"b":true,"z":null,"a":[1, 2],"o":{"x": "y"}}"#;
        let expected = [
            pair("s", "a\"b\0\n"),
            pair("n", "12345678901234567890123"),
            pair("f", "1.10"),
            pair("b", "true"),
            pair("z", "null"),
            pair("a", "[1, 2]"),
            pair("o", r#"{"x": "y"}"#),
        ];
        assert_eq!(fields(text), Ok(expected.to_vec()));
    }

    #[test]
    fn an_escaped_name_is_the_name_it_says() {
        assert_eq!(fields(r#"{"\u0061":"1"}"#), Ok(vec![pair("a", "1")]));
        assert_eq!(fields(r#"{"\u002ename":"1"}"#), Err(Status::ValueTypeInvalid));
        assert_eq!(fields(r#"{"a":1,"\u0061":2}"#), Err(Status::ValueTypeInvalid));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "{", "{}x", r#"{"a"}"#, r#"{"a":}"#, r#"{'a':1}"#, "{\"a\":1,}"] {
            assert_eq!(fields(text), Err(Status::CommandSyntax), "{text}");
        }
        for text in ["[]", "1", "null", "\"{}\""] {
            assert_eq!(fields(text), Err(Status::ValueTypeInvalid), "{text}");
        }
        assert!(Object::parse_value(b"{\"a\":\"\xFF\"}").is_err());
        assert!(Object::parse_value(b"{\"a\":\"\0\"}").is_err());
    }

    #[test]
    fn options_are_read_no_further_than_their_first_unknown_member() {
        let options = Options { known: &["a", "b"], hold_data: true };
        let parse = |text: &str| Object::parse(text.as_bytes(), &options).map(|object| object.0.len());
        assert_eq!(parse(r#"{"a":1,"b":[2]}"#), Ok(2));
        // What follows is no JSON, and nobody comes to see it.
        assert_eq!(parse(r#"{"a":1,"c":?"#), Err(unknown_member("c")));
        assert_eq!(parse(r#"{"\u0063"?"#), Err(unknown_member("c")));
        assert!(parse(r#"{"a":?"#).is_err_and(|error| error.to_string().contains("malformed")));
        assert!(parse(r#"{"a":1,"a":?"#).is_err_and(|error| error.to_string().contains("each member once")));
        let value: &RawValue = serde_json::from_str(r#"{"x":1,"duration":"?"}"#).expect("JSON");
        assert_eq!(expiry(value), Err(unknown_member("x")));
    }

    #[test]
    fn options_without_data_are_short() {
        let text = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        let parse = |length, hold_data| {
            let text = text(length);
            let options = Options { known: &[], hold_data };
            Object::parse(text.as_bytes(), &options).map(drop).map_err(|error| error.status)
        };
        assert_eq!(parse(Options::MAX_LEN, false), Ok(()));
        assert_eq!(parse(Options::MAX_LEN + 1, false), Err(Status::ValueSize));
        assert_eq!(parse(Options::MAX_LEN + 1, true), Ok(()));
    }

    #[test]
    fn depth_does_not_overflow_the_stack() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(fields(&deep).is_ok());
        let open = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
        assert_eq!(fields(&open), Err(Status::CommandSyntax));
    }

    #[test]
    fn an_expiry_needs_both_members_of_the_right_type() {
        let expiry = |text: &str| {
            let value: &RawValue = serde_json::from_str(text).expect("JSON");
            super::expiry(value).map_err(|error| error.status)
        };
        assert_eq!(expiry(r#"{"duration":60,"deleteSession":true}"#), Ok((Seconds(60), true)));
        assert_eq!(expiry(r#"{"deleteSession":false,"duration":0}"#), Ok((Seconds(0), false)));
        assert_eq!(expiry(r#"{"duration":60}"#), Err(Status::ValueMissing));
        assert_eq!(expiry(r#"{"deleteSession":true}"#), Err(Status::ValueMissing));
        assert_eq!(expiry(r#"{"duration":60,"deleteSession":true,"x":1}"#), Err(Status::CommandSyntax));
        for wrong in [
            "1",
            "null",
            "[]",
            r#"{"duration":"60","deleteSession":true}"#,
            r#"{"duration":6.0,"deleteSession":true}"#,
            r#"{"duration":-1,"deleteSession":true}"#,
            r#"{"duration":60,"deleteSession":1}"#,
            r#"{"duration":60,"deleteSession":null}"#,
        ] {
            assert_eq!(expiry(wrong), Err(Status::ValueTypeInvalid), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Object::parse_value(&bytes).and_then(Object::into_fields);
        }

        #[test]
        fn no_almost_json_makes_it_panic(text in r#"[{}\[\]":,a0.\\u\-e ]{0,40}"#) {
            let _ = Object::parse_value(text.as_bytes()).and_then(Object::into_fields);
        }
    }
}
