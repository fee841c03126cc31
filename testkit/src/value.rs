//! Replies of a server, as tests look at them.

use redis::Value;

/// A member of a map, or of the flat array that RESP2 has for it.
pub fn member(map: &Value, name: &str) -> Value {
    find(map, name).unwrap_or_else(|| panic!("no {name} in {map:?}"))
}

/// A member of a map, if it is there.
pub fn find(map: &Value, name: &str) -> Option<Value> {
    match map {
        Value::Map(entries) => entries.iter().find(|(key, _)| text(key) == name).map(|(_, value)| value.clone()),
        Value::Array(flat) => flat.chunks(2).find(|entry| text(&entry[0]) == name).map(|entry| entry[1].clone()),
        other => panic!("no map: {other:?}"),
    }
}

pub fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes.clone(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.clone().into_bytes(),
        Value::Okay => b"OK".to_vec(),
        Value::Int(integer) => integer.to_string().into_bytes(),
        other => panic!("no string: {other:?}"),
    }
}

pub fn text(value: &Value) -> String {
    String::from_utf8_lossy(&bytes(value)).into_owned()
}

pub fn int(value: &Value) -> i64 {
    match value {
        Value::Int(integer) => *integer,
        Value::Boolean(value) => i64::from(*value),
        other => panic!("no integer: {other:?}"),
    }
}

pub fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) | Value::Set(items) => items.iter().map(text).collect(),
        other => panic!("no array: {other:?}"),
    }
}

/// The elements of an array.
pub fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items.clone(),
        other => panic!("no array: {other:?}"),
    }
}

/// The names of a map's members, in order.
pub fn members(map: &Value) -> Vec<String> {
    match map {
        Value::Map(entries) => entries.iter().map(|(name, _)| text(name)).collect(),
        Value::Array(flat) => flat.chunks(2).map(|entry| text(&entry[0])).collect(),
        other => panic!("no map: {other:?}"),
    }
}
