//! JSON options and values: both readers agree, and every value has at most one type.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sessions_core::json::{Allowed, Object, boolean, object, string, strings};

/// The members of SH.NEW's options.
const MEMBERS: &[&str] = &["name", "idle", "expiry", "shared", "listed", "limit", "sessionData", "credentials"];

fuzz_target!(|text: &[u8]| {
    let value = Object::parse_value(text);
    let options = Object::parse_options(text, &Allowed { members: MEMBERS, data: true });
    if let Ok(options) = &options {
        let value = value.as_ref().expect("options are an object");
        assert_eq!(options.iter().count(), value.iter().count());
        assert!(options.iter().all(|(member, _)| MEMBERS.contains(&member)));
    }
    for (member, value) in value.iter().flat_map(Object::iter) {
        assert!(value.get().len() < text.len(), "{member}");
        let types = [
            boolean(value, "x").is_ok(),
            string(value, "x").is_ok(),
            strings(value, "x").is_ok(),
            object(value, "x").is_ok(),
        ];
        assert!(types.into_iter().filter(|&is| is).count() <= 1, "{}", value.get());
    }
});
