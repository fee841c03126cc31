//! Numbers as clients, operators and hashes write them.

use std::str::FromStr;

/// The number in digits alone: no sign, no blank, no unit.
pub fn of_digits<N: FromStr>(text: &[u8]) -> Option<N> {
    let digits = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_make_a_number() {
        assert_eq!(of_digits(b"0"), Some(0_u32));
        assert_eq!(of_digits(b"4294967295"), Some(u32::MAX));
        for wrong in ["", "-1", "+1", "4294967296", "1.0", "1e3", " 1", "1 ", "0x10", "\u{661}", "99999999999999999999"]
        {
            assert_eq!(of_digits::<u32>(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
