//! A reply struct to RESP, through serde: a struct is a map (RESP3) or its flat array (RESP2), in the order of its fields.

mod rehearsal;
mod sink;

use rehearsal::Rehearsal;
use serde::Serialize;
use serde::ser::{self, Impossible};
use sink::{Sink, Unsupported};

/// Writes a whole reply or nothing. A client would take an error after the first byte for a part of the reply, and the
/// next reply for another one. So the reply is first written to a sink that only counts: errors and panics come before the
/// first byte.
pub fn write(sink: &mut impl Sink, reply: &impl Serialize) -> Result<(), Unsupported> {
    let mut rehearsal = Rehearsal::default();
    reply.serialize(Writer(&mut rehearsal))?;
    rehearsal.end()?;
    reply.serialize(Writer(sink))
}

/// Writes replies into a sink.
struct Writer<'s, S>(&'s mut S);

impl<S: Sink> Writer<'_, S> {
    fn again(&mut self) -> Writer<'_, S> {
        Writer(self.0)
    }
}

impl<'s, S: Sink> ser::Serializer for Writer<'s, S> {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Impossible<(), Unsupported>;
    type SerializeTupleVariant = Impossible<(), Unsupported>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unsupported>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unsupported> {
        self.0.boolean(value);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unsupported> {
        self.0.integer(value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unsupported> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unsupported> {
        self.serialize_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_char(self, value: char) -> Result<(), Unsupported> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unsupported> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unsupported> {
        self.0.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unsupported> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unsupported> {
        self.0.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsupported> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unsupported> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Unsupported> {
        self.0.array(length.ok_or(Unsupported)?);
        Ok(self)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self, Unsupported> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Unsupported> {
        self.0.map(length.ok_or(Unsupported)?);
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self, Unsupported> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsupported> {
        Err(Unsupported)
    }
}

impl<S: Sink> ser::SerializeSeq for Writer<'_, S> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

impl<S: Sink> ser::SerializeTuple for Writer<'_, S> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

impl<S: Sink> ser::SerializeMap for Writer<'_, S> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsupported> {
        key.serialize(self.again())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

impl<S: Sink> ser::SerializeStruct for Writer<'_, S> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unsupported> {
        self.0.bytes(key.as_bytes());
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Blob;
    use std::collections::BTreeMap;

    /// What was written, as RESP3 would look.
    #[derive(Default)]
    struct Written(String);

    impl Sink for Written {
        fn map(&mut self, entries: usize) {
            self.0 += &format!("%{entries} ");
        }
        fn array(&mut self, elements: usize) {
            self.0 += &format!("*{elements} ");
        }
        fn bytes(&mut self, bytes: &[u8]) {
            self.0 += &format!("${} ", bytes.escape_ascii());
        }
        fn integer(&mut self, integer: i64) {
            self.0 += &format!(":{integer} ");
        }
        fn boolean(&mut self, value: bool) {
            self.0 += if value { "#t " } else { "#f " };
        }
        fn null(&mut self) {
            self.0 += "_ ";
        }
    }

    fn written(reply: &impl Serialize) -> String {
        let mut sink = Written::default();
        write(&mut sink, reply).expect("a supported shape");
        sink.0
    }

    #[test]
    fn a_struct_is_a_map_in_order_without_what_does_not_apply() {
        #[derive(Serialize)]
        struct Reply {
            zulu: u8,
            alpha: Blob<&'static [u8]>,
            #[serde(skip_serializing_if = "Option::is_none")]
            gone: Option<u8>,
            there: Option<u8>,
            yes: bool,
        }
        let reply = Reply { zulu: 1, alpha: Blob(b"\0\r\n\xFF"), gone: None, there: Some(2), yes: true };
        assert_eq!(written(&reply), r"%4 $zulu :1 $alpha $\x00\r\n\xff $there :2 $yes #t ");
        let json = serde_json::to_string(&reply).expect("JSON");
        assert_eq!(json, "{\"zulu\":1,\"alpha\":\"\\u0000\\r\\n\u{FFFD}\",\"there\":2,\"yes\":true}");
    }

    #[test]
    fn lists_hold_values_and_nulls() {
        assert_eq!(written(&vec![Some("a"), None]), "*2 $a _ ");
        assert_eq!(written(&Vec::<u8>::new()), "*0 ");
        assert_eq!(written(&BTreeMap::from([("k", -1_i64)])), "%1 $k :-1 ");
        assert_eq!(written(&u64::MAX), format!(":{} ", i64::MAX));
    }
}
