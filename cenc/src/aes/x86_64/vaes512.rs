//! Four blocks in a register: VAES with AVX-512.

use std::arch::x86_64::{
    __m512i, __mmask64, _mm512_aesdec_epi128, _mm512_aesdeclast_epi128, _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128, _mm512_alignr_epi64, _mm512_broadcast_i32x4, _mm512_loadu_si512,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_storeu_si512, _mm512_xor_si512,
};

use super::block::load;
use super::isa::Isa;
use super::vaes256::Vaes256;
use crate::aes::Block;

/// The CPU has AVX-512F and AVX-512BW, and what [`Vaes256`] needs.
#[derive(Clone, Copy)]
pub(super) struct Vaes512(Vaes256);

/// Which bytes of a vector are there.
#[inline(always)]
fn mask(len: usize) -> __mmask64 {
    assert!((1..=64).contains(&len), "a vector at most");
    u64::MAX >> (64 - len)
}

impl Isa for Vaes512 {
    type Vector = __m512i;
    const BLOCKS: usize = 4;
    type Narrow = Vaes256;

    fn detect() -> Option<Self> {
        let narrow = Vaes256::detect()?;
        let is_there = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512f");
        is_there.then_some(Self(narrow))
    }

    fn narrow(self) -> Vaes256 {
        self.0
    }

    fn vectorize<A, T>(self, argument: A, algorithm: impl FnOnce(A) -> T) -> T {
        #[target_feature(enable = "aes,avx512bw,avx512f,vaes")]
        fn with_features<A, T>(argument: A, algorithm: impl FnOnce(A) -> T) -> T {
            algorithm(argument)
        }
        // SAFETY: `detect` found these features.
        unsafe { with_features(argument, algorithm) }
    }

    #[inline(always)]
    fn load(self, blocks: &[Block]) -> __m512i {
        let blocks = &blocks[..Self::BLOCKS];
        // SAFETY: `detect` found AVX-512F; `blocks` has 64 bytes.
        unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512i, blocks: &mut [Block]) {
        let blocks = &mut blocks[..Self::BLOCKS];
        // SAFETY: `detect` found AVX-512F; `blocks` has 64 bytes.
        unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), vector) }
    }

    #[inline(always)]
    fn load_part(self, bytes: &[u8]) -> __m512i {
        // SAFETY: `detect` found AVX-512BW; the mask selects bytes of `bytes` only.
        unsafe { _mm512_maskz_loadu_epi8(mask(bytes.len()), bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_part(self, vector: __m512i, bytes: &mut [u8]) {
        // SAFETY: `detect` found AVX-512BW; the mask selects bytes of `bytes` only.
        unsafe { _mm512_mask_storeu_epi8(bytes.as_mut_ptr().cast(), mask(bytes.len()), vector) }
    }

    #[inline(always)]
    fn splat(self, block: &Block) -> __m512i {
        // SAFETY: `detect` found AVX-512F.
        unsafe { _mm512_broadcast_i32x4(load(block)) }
    }

    #[inline(always)]
    fn shift(self, first: __m512i, vector: __m512i) -> __m512i {
        // SAFETY: `detect` found AVX-512F.
        unsafe { _mm512_alignr_epi64::<6>(vector, first) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `detect` found AVX-512F.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn encrypt(self, state: __m512i, key: __m512i) -> __m512i {
        // SAFETY: `detect` found VAES and AVX-512F.
        unsafe { _mm512_aesenc_epi128(state, key) }
    }

    #[inline(always)]
    fn encrypt_last(self, state: __m512i, key: __m512i) -> __m512i {
        // SAFETY: `detect` found VAES and AVX-512F.
        unsafe { _mm512_aesenclast_epi128(state, key) }
    }

    #[inline(always)]
    fn decrypt(self, state: __m512i, key: __m512i) -> __m512i {
        // SAFETY: `detect` found VAES and AVX-512F.
        unsafe { _mm512_aesdec_epi128(state, key) }
    }

    #[inline(always)]
    fn decrypt_last(self, state: __m512i, key: __m512i) -> __m512i {
        // SAFETY: `detect` found VAES and AVX-512F.
        unsafe { _mm512_aesdeclast_epi128(state, key) }
    }
}
