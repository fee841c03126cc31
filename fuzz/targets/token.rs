//! Session tokens: what is accepted is exactly what was given.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sessions_core::session::Token;

fuzz_target!(|text: &[u8]| {
    if let Some(token) = Token::parse(text) {
        assert_eq!(token.as_bytes(), text);
    }
});
