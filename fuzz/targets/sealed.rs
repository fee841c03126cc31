//! Sealed tokens: only what the secret seals opens, and in one spelling.
//!
//! The input is a token of 60 characters, and after it what the session is bound to.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sessions_core::credentials::{Algorithm, Ring, Sealed, Secret, sealed};
use sessions_core::session::{Credentials, Seconds, Token};

fuzz_target!(|input: &[u8]| {
    let (text, bind) = input.split_at(sealed::LEN.min(input.len()));
    let bind = (!bind.is_empty()).then_some(bind);
    let Some(presented) = Sealed::parse(text) else { return };
    let token = Token::parse(&text[..Token::LEN]).expect("a sealed token begins with a session's token");
    let secret = Secret::new(&[b'a'; Secret::MIN_LEN]).expect("long enough");
    let ring = Ring::new(&[secret], 0, Algorithm::EdDsa, Seconds(3_600), Seconds(3_600));
    for kind in [Credentials::Tokens, Credentials::Cookie] {
        if let Some(generation) = presented.open(&ring, kind, token, bind) {
            assert_eq!(sealed::seal(&ring, kind, token, generation, bind).as_bytes(), text);
        }
    }
});
