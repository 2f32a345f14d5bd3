//! What no implementation of AES-128 can be faster than: its rounds, with nothing around them.
//!
//! Eight registers of the widest kind go through ten rounds for each block that they could hold.
//! They do not depend on each other, and nothing is loaded or stored.

use std::hint::black_box;

use aes::Block;
use aes::hazmat::{cipher_round, equiv_inv_cipher_round};

use crate::cases::Direction;
use crate::{KEY, Run};

/// Rounds of AES in registers.
#[derive(Clone, Copy)]
pub struct Bound {
    /// Width of a register, for people.
    pub name: &'static str,
    /// Blocks in a register.
    width: usize,
    encrypt: Rounds,
    decrypt: Rounds,
}

/// So many rounds in each register, with [`KEY`] for the key and for what is in the registers
/// before. Answers with the first block of the first register.
type Rounds = fn(usize) -> [u8; BLOCK];

impl Bound {
    /// That of the widest registers that the CPU can do AES in.
    #[must_use]
    pub fn widest() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return x86_64::widest();
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// As many rounds as so many bytes need. Bytes that it is given stay as they are.
    ///
    /// # Panics
    /// If the registers are not full at the end, or the rounds are not those of AES.
    #[must_use]
    pub fn run<'a>(self, direction: Direction, bytes: usize) -> Run<'a> {
        let (rounds, reference): (Rounds, fn(&mut Block, &Block)) = match direction {
            Direction::Decrypt => (self.decrypt, equiv_inv_cipher_round),
            Direction::Encrypt => (self.encrypt, cipher_round),
        };
        let group = REGISTERS * self.width * BLOCK;
        assert!(bytes.is_multiple_of(group), "registers hold {group} bytes");
        let count = bytes / group * ROUNDS;
        let mut expected = Block::from(KEY);
        (0..count).for_each(|_| reference(&mut expected, &KEY.into()));
        assert_eq!(rounds(count), expected.0);
        Box::new(move |_| {
            black_box(rounds(black_box(count)));
        })
    }
}

const BLOCK: usize = 16;
/// Rounds for a block.
const ROUNDS: usize = 10;
/// Registers that go side by side: enough for the latency of a round on all CPUs so far.
const REGISTERS: usize = 8;

// Vendor intrinsics run on some CPUs only.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86_64 {
    use std::arch::x86_64::{
        __m128i, _mm_aesdec_si128, _mm_aesenc_si128, _mm_loadu_si128, _mm_storeu_si128,
        _mm256_aesdec_epi128, _mm256_aesenc_epi128, _mm256_broadcastsi128_si256 as fill_256,
        _mm256_castsi256_si128 as first_256, _mm512_aesdec_epi128, _mm512_aesenc_epi128,
        _mm512_broadcast_i32x4 as fill_512, _mm512_castsi512_si128 as first_512,
    };
    use std::hint::black_box;

    use super::{BLOCK, Bound, REGISTERS, ROUNDS};
    use crate::KEY;

    pub(super) fn widest() -> Option<Bound> {
        let has_vaes = is_x86_feature_detected!("vaes");
        if has_vaes && is_x86_feature_detected!("avx512f") {
            Some(Bound { name: "512 bits", width: 4, encrypt: encrypt_512, decrypt: decrypt_512 })
        } else if has_vaes && is_x86_feature_detected!("avx2") {
            Some(Bound { name: "256 bits", width: 2, encrypt: encrypt_256, decrypt: decrypt_256 })
        } else if is_x86_feature_detected!("aes") {
            Some(Bound { name: "128 bits", width: 1, encrypt: encrypt_128, decrypt: decrypt_128 })
        } else {
            None
        }
    }

    /// A function from the features that it needs, and the instructions that fill a register with a
    /// block, do a round, and take the first block.
    macro_rules! rounds {
        ($name:ident, $features:literal, $fill:path, $round:path, $first:path) => {
            fn $name(rounds: usize) -> [u8; BLOCK] {
                #[target_feature(enable = $features)]
                fn with_features(rounds: usize) -> [u8; BLOCK] {
                    let key = $fill(load(&black_box(KEY)));
                    // That they are the same is not known to the compiler.
                    let mut states = black_box([key; REGISTERS]);
                    for _ in 0..rounds / ROUNDS {
                        for _ in 0..ROUNDS {
                            states.iter_mut().for_each(|state| *state = $round(*state, key));
                        }
                    }
                    store($first(black_box(states)[0]))
                }
                // SAFETY: `widest` takes this function only where the CPU has these features.
                unsafe { with_features(rounds) }
            }
        };
    }

    rounds!(encrypt_128, "aes", same, _mm_aesenc_si128, same);
    rounds!(decrypt_128, "aes", same, _mm_aesdec_si128, same);
    rounds!(encrypt_256, "avx2,vaes", fill_256, _mm256_aesenc_epi128, first_256);
    rounds!(decrypt_256, "avx2,vaes", fill_256, _mm256_aesdec_epi128, first_256);
    rounds!(encrypt_512, "avx512f,vaes", fill_512, _mm512_aesenc_epi128, first_512);
    rounds!(decrypt_512, "avx512f,vaes", fill_512, _mm512_aesdec_epi128, first_512);

    const fn same(block: __m128i) -> __m128i {
        block
    }

    fn load(block: &[u8; BLOCK]) -> __m128i {
        // SAFETY: SSE2 is part of x86-64; a block has 16 bytes.
        unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
    }

    fn store(state: __m128i) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        // SAFETY: SSE2 is part of x86-64; a block has 16 bytes.
        unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), state) };
        block
    }
}
