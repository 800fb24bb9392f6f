//! BLAKE2b with 32 bytes and without a key (RFC 7693), for the `Hash` of Consul's tokens.
//!
//! The hash is a fingerprint that clients compare; it protects nothing. The cryptographic library does not have it.

/// Hashes texts, one after the other.
pub(crate) fn hash(parts: &[&str]) -> [u8; 32] {
    let message: Vec<u8> = parts.iter().flat_map(|part| part.bytes()).collect();
    let mut state = IV;
    // The parameters: 32 bytes, no key, sequential.
    state[0] ^= 0x0101_0020;
    let mut blocks: Vec<_> = message.chunks(128).collect();
    let last = blocks.pop().unwrap_or_default();
    let mut length: u128 = 0;
    for block in blocks {
        length += 128;
        compress(&mut state, block, length, false);
    }
    compress(&mut state, last, message.len() as u128, true);
    let mut out = [0; 32];
    for (to, word) in out.chunks_mut(8).zip(state) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    out
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "the length is split into two words; every index is below 16 by the tables"
)]
fn compress(state: &mut [u64; 8], block: &[u8], length: u128, is_last: bool) {
    let mut padded = [0; 128];
    padded.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
    let mut words = [0_u64; 16];
    for (word, bytes) in words.iter_mut().zip(padded.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let mut v = [0; 16];
    v.iter_mut()
        .zip(state.iter().chain(&IV))
        .for_each(|(to, from)| *to = *from);
    v[12] ^= length as u64;
    v[13] ^= (length >> 64) as u64;
    if is_last {
        v[14] = !v[14];
    }
    for round in 0..12 {
        let order = SIGMA[round % 10];
        for (index, [a, b, c, d]) in MIXED.into_iter().enumerate() {
            let (x, y) = (words[order[2 * index]], words[order[2 * index + 1]]);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
            v[d] = (v[d] ^ v[a]).rotate_right(32);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(24);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
            v[d] = (v[d] ^ v[a]).rotate_right(16);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(63);
        }
    }
    let (low, high) = v.split_at(8);
    for (word, (low, high)) in state.iter_mut().zip(low.iter().zip(high)) {
        *word ^= low ^ high;
    }
}

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn hashes_are_those_of_other_implementations() {
        // From Python: hashlib.blake2b(text, digest_size=32).
        for (length, expected) in TABLE {
            let text = "x".repeat(length);
            let hex: String = hash(&[&text]).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected, "{length} bytes");
        }
        assert_eq!(hash(&["a", "bc"]), hash(&["abc"]));
    }

    const TABLE: [(usize, &str); 5] = [
        (
            0,
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
        ),
        (
            3,
            "dab76a5c8c187eeb17583e1326ac81cdfdd093ed55d024ec46efe79741c4661b",
        ),
        (
            128,
            "164ffb7089bae6f5a62fb0795e751dc9e88eac92e1a5b2fafe93a25abf2d9c3b",
        ),
        (
            129,
            "03b0758fa71d249c846c2304a2b9996e6ae66ffa7e5528f9e612e089a360fc8d",
        ),
        (
            1000,
            "ab75119ede14ef06ebf31f745fb655ed006cccfe8054c635308a557f7c9beaba",
        ),
    ];
}
