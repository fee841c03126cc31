//! The names of the keys beside a session's own, each steered into the slot that routed the command.

use crate::redis::bytes::NameBytes;
use crate::redis::{Bytes, KeyName};
use sessions_core::session::Token;
use sessions_core::slot;
use sessions_core::status::Error;

/// `prefix`, and three characters that steer the key into the slot.
fn steered(prefix: &[&[u8]], slot: u16) -> KeyName {
    let length = prefix.iter().map(|part| part.len()).sum();
    let mut key = NameBytes::from_elem(0, length + slot::SUFFIX_LEN);
    let mut place = key.as_mut_slice();
    for part in prefix {
        let (start, rest) = place.split_at_mut(part.len());
        start.copy_from_slice(part);
        place = rest;
    }
    let steering = slot::steer(&key[..length], slot);
    key[length..].copy_from_slice(&steering);
    KeyName::from(key)
}

/// The data of a session made with CLEAR: `sh:d:<the token's 25>:<3>`.
pub fn data(token: Token<'_>) -> KeyName {
    steered(&[b"sh:d:", token.own(), b":"], slot::of(token.as_bytes()))
}

/// The key of the data of the session with this token. Fails if it is no token.
pub fn data_of(token: Bytes<'_>) -> Result<KeyName, Error> {
    Token::parse(token.as_bytes()).map(data).ok_or_else(Error::not_a_session)
}

/// The pointer to the shared session of a name: `sh:s:<name>:<3>`.
pub fn shared(name: &[u8]) -> KeyName {
    steered(&[b"sh:s:", name, b":"], slot::of(name))
}

/// The index of a name: `sh:n:<name>:<3>`.
pub fn index(name: &[u8]) -> KeyName {
    index_in(slot::of(name), name)
}

/// The index of a name whose slot is known.
pub fn index_in(slot: u16, name: &[u8]) -> KeyName {
    steered(&[b"sh:n:", name, b":"], slot)
}

/// Two keys of a slot that never exist.
pub fn unused(slot: u16) -> [KeyName; 2] {
    [b"sh:?:0:", b"sh:?:1:"].map(|prefix| steered(&[prefix], slot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sessions_core::session::NewToken;

    proptest! {
        #[test]
        fn all_keys_of_a_session_share_the_slot_of_its_name(random: [u8; 22], name in "[a-c{}\\x00:]{1,9}") {
            let home = slot::of(name.as_bytes());
            let new = NewToken::new(random, home);
            prop_assert_eq!(slot::of(new.token().as_bytes()), home);
            for key in [data(new.token()), shared(name.as_bytes()), index(name.as_bytes())] {
                prop_assert_eq!(slot::of(key.as_ref()), home);
                prop_assert!(Token::parse(key.as_ref()).is_none());
            }
        }
    }

    #[test]
    fn keys_are_what_operators_expect_to_see() {
        let new = NewToken::new([0; 22], 0);
        let own = String::from_utf8(new.token().own().to_vec()).expect("ASCII");
        let data = String::from_utf8(data(new.token()).as_ref().to_vec()).expect("ASCII");
        assert!(data.starts_with(&format!("sh:d:{own}:")) && data.len() == 34);
        let shared = String::from_utf8(shared(b"alice").as_ref().to_vec()).expect("ASCII");
        assert!(shared.starts_with("sh:s:alice:") && shared.len() == 14);
    }
}
