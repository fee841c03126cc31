//! Values of options, given as keywords or in JSON.

use serde_json::value::RawValue;
use sessions_core::json::{Object, boolean, string, unknown_member, wrong_type};
use sessions_core::number;
use sessions_core::session::{Seconds, meta};
use sessions_core::status::{Error, Status};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Fails if a field name is reserved: names that begin with a dot are the module's.
pub fn data_field(name: &[u8]) -> Result<(), Error> {
    if meta::is_reserved(name) {
        return Err(Status::ValueTypeInvalid.because("fields whose names begin with a dot are reserved"));
    }
    Ok(())
}

/// A duration in seconds: digits, at most 2^32 - 1.
pub fn seconds(text: &[u8], option: &'static str) -> Result<Seconds, Error> {
    number::of_digits(text).map(Seconds).ok_or_else(|| {
        Status::ValueTypeInvalid.because(format!("{option} takes a number of seconds from 0 to 4294967295"))
    })
}

/// A keyword in capitals, to be matched. The buffer holds the longest keyword without an allocation.
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

/// A field of a session's data, and its value.
pub type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The members of an object as fields of a session's data: strings as they are, all else as its JSON text.
pub fn json_fields(object: Object<'_>) -> Result<Vec<Field<'_>>, Error> {
    fn field<'a>((name, value): (Cow<'a, str>, &'a RawValue)) -> Result<Field<'a>, Error> {
        data_field(name.as_bytes())?;
        let text = value.get();
        let value = if text.starts_with('"') { string(value, "a field of the data")? } else { Cow::Borrowed(text) };
        Ok((name, value))
    }
    object.into_members().map(field).collect()
}

pub fn json_seconds(value: &RawValue, member: &'static str) -> Result<Seconds, Error> {
    seconds(value.get().as_bytes(), member)
}

/// `expiry`: `{"duration": seconds, "deleteSession": boolean}`, both required.
pub fn json_expiry(value: &RawValue) -> Result<(Seconds, bool), Error> {
    const MEMBERS: [&str; 2] = ["duration", "deleteSession"];
    let (mut duration, mut delete) = (None, None);
    if !value.get().starts_with('{') {
        return Err(wrong_type("expiry", "an object"));
    }
    let object = Object::parse_value_with(value.get().as_bytes(), &MEMBERS)?;
    for (member, value) in object.iter() {
        match member {
            "duration" => duration = Some(json_seconds(value, "duration")?),
            "deleteSession" => delete = Some(boolean(value, "deleteSession")?),
            _ => return Err(unknown_member(&MEMBERS)),
        }
    }
    let missing = |member: &str| Status::ValueMissing.because(format!("'expiry' has no '{member}'"));
    Ok((duration.ok_or_else(|| missing("duration"))?, delete.ok_or_else(|| missing("deleteSession"))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_is_an_unsigned_32_bit_integer_and_nothing_else() {
        assert_eq!(seconds(b"0", "IDLE"), Ok(Seconds(0)));
        assert_eq!(seconds(b"4294967295", "IDLE"), Ok(Seconds(u32::MAX)));
        for wrong in ["", "-1", "+1", "4294967296", "1.0", "1e3", " 1", "1 ", "0x10", "\u{661}", "99999999999999999999"]
        {
            assert_eq!(
                seconds(wrong.as_bytes(), "IDLE").map_err(|error| error.status),
                Err(Status::ValueTypeInvalid),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn an_option_is_given_once() {
        let mut slot = None;
        assert_eq!(once(&mut slot, 1, "IDLE"), Ok(()));
        assert_eq!(once(&mut slot, 2, "IDLE").map_err(|error| error.status), Err(Status::CommandSyntax));
    }

    fn fields(text: &str) -> Result<Vec<(String, String)>, Status> {
        let fields = Object::parse_value(text.as_bytes()).and_then(super::json_fields).map_err(|error| error.status)?;
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
            super::json_expiry(value).map_err(|error| error.status)
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
            let _ = Object::parse_value(&bytes).and_then(super::json_fields);
        }

        #[test]
        fn no_almost_json_makes_it_panic(text in r#"[{}\[\]":,a0.\\u\-e ]{0,40}"#) {
            let _ = Object::parse_value(text.as_bytes()).and_then(super::json_fields);
        }
    }
}
