//! The payload of an access token: a JSON object of the application.

use crate::json::{self, Object};
use crate::status::{Error, Status};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The claims that the module sets, and those that RFC 7519 registers (section 4.1).
const RESERVED: [&str; 11] = ["sub", "sid", "gen", "iat", "exp", "nbf", "jti", "iss", "aud", "cnf", "csrf"];

/// How deep objects and arrays of a payload may be nested, the payload itself included.
const MAX_DEPTH: usize = 16;

/// Whether a payload must not have this member.
pub fn is_reserved(member: &str) -> bool {
    RESERVED.contains(&member)
}

/// A JSON object without blanks and without reserved members, in which each member occurs once at every depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Cow<'static, str>);

impl Default for Payload {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl Payload {
    /// Reads a payload of at most `max` bytes and writes it anew. VALUESIZE if it is longer; COMMANDSYNTAX for malformed JSON;
    /// VALUETYPEINVALID for anything but an object, a reserved or repeated member, and too deep nesting.
    pub fn parse(text: &[u8], max: usize) -> Result<Self, Error> {
        if text.len() > max {
            return Err(Status::ValueSize.because(format!("the payload is too long; it has at most {max} bytes")));
        }
        let object = Object::parse_value(text)?;
        if let Some(reserved) = RESERVED.into_iter().find(|reserved| object.get(reserved).is_some()) {
            let reason = format!("the payload's member '{reserved}' is reserved");
            return Err(Status::ValueTypeInvalid.because(reason));
        }
        let mut written = String::with_capacity(text.len());
        write_object(&object, &mut written, MAX_DEPTH)?;
        Ok(Self(written.into()))
    }

    /// The payload of a verified access token: its claims without the reserved ones.
    pub fn of_claims(claims: &Object<'_>) -> Result<Self, Error> {
        let mut written = String::new();
        let own = claims.iter().filter(|(member, _)| !is_reserved(member));
        write_members(own, &mut written, MAX_DEPTH)?;
        Ok(Self(written.into()))
    }

    /// The payload as compact JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the payload has no members.
    pub fn is_empty(&self) -> bool {
        self.0 == "{}"
    }
}

/// An object in a JSON reply, a string in a RESP reply.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

fn write_object(object: &Object<'_>, to: &mut String, depth: usize) -> Result<(), Error> {
    write_members(object.iter(), to, depth)
}

fn write_members<'a>(
    members: impl Iterator<Item = (&'a str, &'a RawValue)>,
    to: &mut String,
    depth: usize,
) -> Result<(), Error> {
    to.push('{');
    for (position, (member, value)) in members.enumerate() {
        if position > 0 {
            to.push(',');
        }
        write_string(member, to)?;
        to.push(':');
        write_value(value, to, depth)?;
    }
    to.push('}');
    Ok(())
}

fn write_value(value: &RawValue, to: &mut String, depth: usize) -> Result<(), Error> {
    let deeper = || {
        let too_deep = || Status::ValueTypeInvalid.because(format!("the payload is nested deeper than {MAX_DEPTH}"));
        depth.checked_sub(1).filter(|&left| left > 0).ok_or_else(too_deep)
    };
    match value.get().as_bytes()[0] {
        b'{' => write_object(&Object::parse_value(value.get().as_bytes())?, to, deeper()?),
        b'[' => {
            let depth = deeper()?;
            let elements: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| not_json())?;
            to.push('[');
            for (position, element) in elements.into_iter().enumerate() {
                if position > 0 {
                    to.push(',');
                }
                write_value(element, to, depth)?;
            }
            to.push(']');
            Ok(())
        }
        b'"' => write_string(&json::string(value, "the payload")?, to),
        // A number, of which every digit is kept, or a literal.
        _ => {
            to.push_str(value.get());
            Ok(())
        }
    }
}

fn write_string(text: &str, to: &mut String) -> Result<(), Error> {
    to.push_str(&serde_json::to_string(text).map_err(|_| not_json())?);
    Ok(())
}

fn not_json() -> Error {
    Status::ValueTypeInvalid.because("the payload is not a JSON object")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<String, Status> {
        Payload::parse(text.as_bytes(), 2_048).map(|payload| payload.0.into_owned()).map_err(|error| error.status)
    }

    #[test]
    fn a_payload_is_written_anew() {
        let text = " { \"a\" : [ 1 , 2.50 , {\"b\":null} ] , \"\\u0063\" : \"\\u00e9\\/\" } ";
        assert_eq!(parsed(text), Ok("{\"a\":[1,2.50,{\"b\":null}],\"c\":\"\u{e9}/\"}".to_owned()));
        assert_eq!(
            parsed("{\"n\":123456789012345678901234567890}"),
            Ok("{\"n\":123456789012345678901234567890}".into())
        );
    }

    #[test]
    fn reserved_members_are_refused_however_they_are_spelled() {
        for member in RESERVED {
            assert_eq!(parsed(&format!("{{\"{member}\":1}}")), Err(Status::ValueTypeInvalid), "{member}");
        }
        assert_eq!(parsed(r#"{"\u0073ub":1}"#), Err(Status::ValueTypeInvalid));
        assert!(parsed(r#"{"user":{"sub":1},"Sub":1,"scope":"a"}"#).is_ok(), "only the members at the root are claims");
    }

    #[test]
    fn a_repeated_member_is_refused_at_every_depth() {
        assert_eq!(parsed(r#"{"a":1,"a":2}"#), Err(Status::ValueTypeInvalid));
        assert_eq!(parsed(r#"{"a":1,"\u0061":2}"#), Err(Status::ValueTypeInvalid));
        assert_eq!(parsed(r#"{"x":[{"a":1,"a":2}]}"#), Err(Status::ValueTypeInvalid));
    }

    #[test]
    fn a_payload_that_is_no_object_or_too_deep_or_too_long_is_refused() {
        for text in ["[]", "1", "null", "\"x\""] {
            assert_eq!(parsed(text), Err(Status::ValueTypeInvalid), "{text}");
        }
        for text in ["", "{", "{\"a\":}", "{} {}"] {
            assert_eq!(parsed(text), Err(Status::CommandSyntax), "{text}");
        }
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parsed(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parsed(&nested(MAX_DEPTH + 1)), Err(Status::ValueTypeInvalid));
        assert_eq!(parsed(&format!("{{\"a\":{}{}}}", "[".repeat(900), "]".repeat(900))), Err(Status::ValueTypeInvalid));
        assert_eq!(parsed(&format!("{{\"a\":\"{}\"}}", "x".repeat(2_048))), Err(Status::ValueSize));
    }

    proptest! {
        #[test]
        fn writing_anew_keeps_the_meaning(text in r#"\{("[a-c]{1,2}":(\[1,"x"\]|-?[1-9][0-9]{0,2}|"[a-z\u{e9}]{0,3}"|true),?){0,3}\}"#) {
            if let Ok(written) = parsed(&text) {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
                prop_assert_eq!(value(&written), value(&text));
                prop_assert_eq!(parsed(&written), Ok(written.clone()));
            }
        }
    }
}
