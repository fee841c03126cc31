//! Slot steering: a suffix puts each key that the module makes up into the slot of the argument that routes the command.
//!
//! Redis Cluster puts a key into slot CRC16(key) mod 16384. CRC16 is linear over XOR: a changed bit of the suffix changes the
//! same bits of the slot, whatever the prefix is. Three base64url characters therefore reach every slot, and two look-ups in
//! small tables find them.

/// The number of hash slots of a Redis Cluster.
pub const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: usize = 14;
const HALF: usize = SLOT_BITS / 2;

/// The number of characters that steer a key into a slot.
pub const SUFFIX_LEN: usize = 3;

/// The URL-safe base64 alphabet (RFC 4648, section 5).
pub const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Whether a byte is a character of [`BASE64URL`].
pub const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The number of bytes that one step looks up. Their look-ups do not depend on each other.
const AT_ONCE: usize = 4;

/// `CRC16[n][b]`: the checksum of byte `b` followed by `n` zero bytes. It is CRC-16/XMODEM, as the Redis Cluster
/// specification says.
static CRC16: [[u16; 256]; AT_ONCE] = {
    let mut tables = [[0; 256]; AT_ONCE];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut table = 0;
        while table < AT_ONCE {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
};

/// The checksum of `bytes` after bytes whose checksum is `start`.
const fn crc16(start: u16, bytes: &[u8]) -> u16 {
    const fn of(byte: u8, zeros: usize) -> u16 {
        CRC16[zeros][byte as usize]
    }
    let (mut crc, mut rest) = (start, bytes);
    // The checksum is linear: it is the XOR of the checksums of each byte with zeros after it. The checksum so far is XORed
    // into the next two bytes.
    while let [a, b, c, d, others @ ..] = rest {
        let [high, low] = crc.to_be_bytes();
        crc = of(*a ^ high, 3) ^ of(*b ^ low, 2) ^ of(*c, 1) ^ of(*d, 0);
        rest = others;
    }
    let [high, low] = crc.to_be_bytes();
    match rest {
        [] => crc,
        [a] => of(*a ^ high, 0) ^ (low as u16) << 8,
        [a, b] => of(*a ^ high, 1) ^ of(*b ^ low, 0),
        [a, b, c, ..] => of(*a ^ high, 2) ^ of(*b ^ low, 1) ^ of(*c, 0),
    }
}

/// The hash slot of a key, hash tags (`{...}`) included, as the Redis Cluster specification defines it.
pub fn of(key: &[u8]) -> u16 {
    let hashed = match key.iter().position(|&byte| byte == b'{') {
        None => key,
        Some(open) => match key[open + 1..].iter().position(|&byte| byte == b'}') {
            None | Some(0) => key,
            Some(length) => &key[open + 1..][..length],
        },
    };
    crc16(0, hashed) % SLOTS as u16
}

/// The suffix that `steer` starts from. Its bits are arbitrary.
const START: [u8; SUFFIX_LEN] = [b'H'; SUFFIX_LEN];

/// The changes of a character that are free to choose. Every combination of them turns `H` into a letter: one of `H` to `O`,
/// `P` to `W`, `h` to `o` and `p` to `w`.
const FREE: [u8; 5] = [0x01, 0x02, 0x04, 0x18, 0x20];

/// `CHANGES[bit]`: XORed into a suffix, it changes this bit of the slot alone. There are 15 free bits for 14 bits of a slot, so
/// the last row is not used.
const CHANGES: [[u8; SUFFIX_LEN]; SUFFIX_LEN * FREE.len()] = {
    let mut changes = [[0; SUFFIX_LEN]; SUFFIX_LEN * FREE.len()];
    let mut effects = [0; SUFFIX_LEN * FREE.len()];
    let mut row = 0;
    while row < changes.len() {
        changes[row][row / FREE.len()] = FREE[row % FREE.len()];
        effects[row] = crc16(0, &changes[row]);
        row += 1;
    }
    // Gauss-Jordan elimination: afterwards row n changes bit n alone.
    let mut bit = 0;
    while bit < SLOT_BITS {
        let mut pivot = bit;
        while effects[pivot] >> bit & 1 == 0 {
            pivot += 1;
        }
        (effects[bit], effects[pivot]) = (effects[pivot], effects[bit]);
        (changes[bit], changes[pivot]) = (changes[pivot], changes[bit]);
        let mut row = 0;
        while row < changes.len() {
            if row != bit && effects[row] >> bit & 1 == 1 {
                effects[row] ^= effects[bit];
                changes[row] = xor(changes[row], changes[bit]);
            }
            row += 1;
        }
        bit += 1;
    }
    changes
};

/// `CHANGES_OF_HALF[half][value]`: the change of all bits that are set in `value`. Half 0 is the lower seven bits of a slot,
/// half 1 the upper seven.
static CHANGES_OF_HALF: [[[u8; SUFFIX_LEN]; 1 << HALF]; 2] = {
    let mut changes = [[[0; SUFFIX_LEN]; 1 << HALF]; 2];
    let mut value: usize = 1;
    while value < 1 << HALF {
        let bit = value.trailing_zeros() as usize;
        let others = value & (value - 1);
        changes[0][value] = xor(changes[0][others], CHANGES[bit]);
        changes[1][value] = xor(changes[1][others], CHANGES[HALF + bit]);
        value += 1;
    }
    changes
};

const fn xor(one: [u8; SUFFIX_LEN], other: [u8; SUFFIX_LEN]) -> [u8; SUFFIX_LEN] {
    [one[0] ^ other[0], one[1] ^ other[1], one[2] ^ other[2]]
}

/// The suffix that puts `prefix + suffix` into `slot`.
///
/// If the prefix holds a hash tag, no suffix moves the key: `slot` must be that of the name in the prefix.
pub fn steer(prefix: &[u8], slot: u16) -> [u8; SUFFIX_LEN] {
    let unsteered = crc16(crc16(0, prefix), &START);
    let away = usize::from(unsteered ^ slot) % SLOTS;
    let (upper, lower) = (away >> HALF, away & ((1 << HALF) - 1));
    xor(START, xor(CHANGES_OF_HALF[0][lower], CHANGES_OF_HALF[1][upper]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        assert_eq!(crc16(0, b"123456789"), 0x31C3);
        // Answers of CLUSTER KEYSLOT.
        assert_eq!(of(b"somekey"), 11_058);
        assert_eq!(of(b"foo{hash_tag}"), 2_515);
        assert_eq!(of(b"{hash_tag}bar"), 2_515);
        assert_eq!(of(b"foo{}{bar}"), 8_363);
    }

    /// The checksum by its definition, bit by bit.
    fn defined(bytes: &[u8]) -> u16 {
        bytes.iter().fold(0, |crc, &byte| {
            let shift = |crc: u16, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
            (0..8).fold(crc ^ u16::from(byte) << 8, shift)
        })
    }

    #[test]
    fn three_characters_reach_every_slot() {
        for slot in 0..SLOTS as u16 {
            let key = [b"sh:anything".as_slice(), &steer(b"sh:anything", slot)].concat();
            assert_eq!(of(&key), slot);
            assert!(key[11..].iter().all(|byte| BASE64URL.contains(byte)));
        }
    }

    proptest! {
        #[test]
        fn the_tables_give_the_checksum_of_the_definition(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(crc16(0, &bytes), defined(&bytes));
        }

        #[test]
        fn a_key_made_of_a_name_shares_its_slot(name in proptest::collection::vec(any::<u8>(), 1..64)) {
            let prefix = [b"sh:s:", name.as_slice(), b":"].concat();
            let key = [prefix.as_slice(), &steer(&prefix, of(&name))].concat();
            prop_assert_eq!(of(&key), of(&name));
        }

        #[test]
        fn a_key_made_of_a_name_with_braces_shares_its_slot(name in "[{}ab]{1,12}") {
            let prefix = [b"sh:n:", name.as_bytes(), b":"].concat();
            let key = [prefix.as_slice(), &steer(&prefix, of(name.as_bytes()))].concat();
            prop_assert_eq!(of(&key), of(name.as_bytes()));
        }
    }
}
