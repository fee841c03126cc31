//! Payloads: writing one anew changes no meaning, and nothing more when it is written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sessions_core::credentials::Payload;
use sessions_core::credentials::payload::is_reserved;

fuzz_target!(|text: &[u8]| {
    let Ok(payload) = Payload::parse(text, 65_536) else { return };
    let written = payload.as_str();
    assert_eq!(Payload::parse(written.as_bytes(), usize::MAX).as_ref(), Ok(&payload));
    // serde_json's own type of values refuses some numbers, and text that is nested very deeply.
    if let Ok(given) = serde_json::from_slice::<Value>(text) {
        assert_eq!(serde_json::from_str::<Value>(written).expect("JSON"), given);
        assert!(given.as_object().expect("an object").keys().all(|member| !is_reserved(member)));
    }
});
