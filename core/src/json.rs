//! JSON objects (RFC 8259), read member by member, so that each mistake gets its own status.

use crate::status::{Error, Status};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The members of a JSON object, in their order, each once. A value is still JSON text.
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A string, borrowed from the text if it holds no escapes.
#[derive(serde::Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads an object up to its first unknown member.
struct Reader<'k> {
    /// The members that are allowed. `None`: all.
    known: Option<&'k [&'k str]>,
    /// Whether the reader has met an unknown member.
    unknown: &'k mut bool,
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
                *self.unknown = true;
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

/// What an object of options may hold. It bounds how much of the text is read.
pub struct Allowed<'k> {
    pub members: &'k [&'k str],
    /// Whether a session's data is among the members. Only then may the text be long.
    pub data: bool,
}

impl Allowed<'_> {
    /// The longest text without data, in bytes.
    pub const MAX_LEN_WITHOUT_DATA: usize = 65_536;
}

impl<'a> Object<'a> {
    /// Reads an object of options. Anything but an object of allowed members, each once, is COMMANDSYNTAX; a text that is too
    /// long is VALUESIZE.
    pub fn parse_options(text: &'a [u8], allowed: &Allowed<'_>) -> Result<Self, Error> {
        let max = Allowed::MAX_LEN_WITHOUT_DATA;
        if !allowed.data && text.len() > max {
            return Err(Status::ValueSize.because(format!("the JSON is too long; here it has at most {max} bytes")));
        }
        Self::parse_as(text, Status::CommandSyntax, Some(allowed.members))
    }

    /// Reads a value that must be an object of these members, each at most once. Another value, and a repeated member, are
    /// VALUETYPEINVALID; malformed JSON and an unknown member are COMMANDSYNTAX.
    pub fn parse_value_with(text: &'a [u8], members: &[&str]) -> Result<Self, Error> {
        Self::parse_as(text, Status::ValueTypeInvalid, Some(members))
    }

    /// Reads a value that must be an object with any members, each once. Another value, and a repeated member, are
    /// VALUETYPEINVALID; malformed JSON is COMMANDSYNTAX.
    pub fn parse_value(text: &'a [u8]) -> Result<Self, Error> {
        Self::parse_as(text, Status::ValueTypeInvalid, None)
    }

    fn parse_as(text: &'a [u8], wrong_value: Status, known: Option<&[&str]>) -> Result<Self, Error> {
        let mut unknown = false;
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let object = Reader { known, unknown: &mut unknown }.deserialize(&mut deserializer);
        let object = object.and_then(|object| deserializer.end().map(|()| object));
        if unknown {
            return Err(unknown_member(known.unwrap_or_default()));
        }
        object.map_err(|error| {
            let what = error.classify();
            let (line, column) = (error.line(), error.column());
            match what {
                serde_json::error::Category::Data => wrong_value.because(format!(
                    "a JSON object with each member once was expected (line {line}, column {column})"
                )),
                _ => Status::CommandSyntax.because(format!("malformed JSON at line {line}, column {column}")),
            }
        })
    }

    /// The members with their values, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The members with their values, in the order of the text.
    pub fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.0.into_iter()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.iter().find(|(member, _)| *member == name).map(|(_, value)| value)
    }
}

/// The error for a member whose value has the wrong type: VALUETYPEINVALID.
pub fn wrong_type(member: &'static str, expected: &str) -> Error {
    Status::ValueTypeInvalid.because(format!("'{member}' takes {expected}"))
}

/// Reads `true` or `false`. Any other value of the member is VALUETYPEINVALID.
pub fn boolean(value: &RawValue, member: &'static str) -> Result<bool, Error> {
    serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "true or false"))
}

/// Reads a string. Any other value of the member is VALUETYPEINVALID.
pub fn string<'a>(value: &'a RawValue, member: &'static str) -> Result<Cow<'a, str>, Error> {
    let Key(string) = serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "a string"))?;
    Ok(string)
}

/// Reads an array of strings. Any other value of the member is VALUETYPEINVALID.
pub fn strings(value: &RawValue, member: &'static str) -> Result<Vec<String>, Error> {
    serde_json::from_str(value.get()).map_err(|_| wrong_type(member, "an array of strings"))
}

/// Reads an object with any members, each once. Any other value of the member is VALUETYPEINVALID.
pub fn object<'a>(value: &'a RawValue, member: &'static str) -> Result<Object<'a>, Error> {
    if value.get().starts_with('{') {
        Object::parse_value(value.get().as_bytes())
    } else {
        Err(wrong_type(member, "an object"))
    }
}

/// The error for a member that is not one of these: COMMANDSYNTAX.
pub fn unknown_member(members: &[&str]) -> Error {
    Status::CommandSyntax.because(match members {
        [] => "unknown JSON member; the object has none here".to_owned(),
        [only] => format!("unknown JSON member; the only one is {only}"),
        members => format!("unknown JSON member; the members are {}", members.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn options_are_read_up_to_their_first_unknown_member() {
        let allowed = Allowed { members: &["a", "b"], data: true };
        let parse = |text: &str| Object::parse_options(text.as_bytes(), &allowed).map(|object| object.0.len());
        assert_eq!(parse(r#"{"a":1,"b":[2]}"#), Ok(2));
        // The text after the unknown member is not JSON, and is not read.
        assert_eq!(parse(r#"{"a":1,"c":?"#), Err(unknown_member(&["a", "b"])));
        assert_eq!(parse(r#"{"\u0063"?"#), Err(unknown_member(&["a", "b"])));
        assert!(parse(r#"{"a":?"#).is_err_and(|error| error.to_string().contains("malformed")));
        assert!(parse(r#"{"a":1,"a":?"#).is_err_and(|error| error.to_string().contains("each member once")));
    }

    #[test]
    fn options_without_data_are_short() {
        let text = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        let parse = |length, data| {
            let text = text(length);
            Object::parse_options(text.as_bytes(), &Allowed { members: &[], data })
                .map(drop)
                .map_err(|error| error.status)
        };
        assert_eq!(parse(Allowed::MAX_LEN_WITHOUT_DATA, false), Ok(()));
        assert_eq!(parse(Allowed::MAX_LEN_WITHOUT_DATA + 1, false), Err(Status::ValueSize));
        assert_eq!(parse(Allowed::MAX_LEN_WITHOUT_DATA + 1, true), Ok(()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Object::parse_value(&bytes);
            let _ = Object::parse_options(&bytes, &Allowed { members: &["a"], data: false });
        }
    }
}
