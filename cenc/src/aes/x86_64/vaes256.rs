//! Two blocks in a register: VAES with AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_aesdec_epi128, _mm256_aesdeclast_epi128, _mm256_aesenc_epi128,
    _mm256_aesenclast_epi128, _mm256_broadcastsi128_si256, _mm256_castsi128_si256,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256,
    _mm256_permute2x128_si256, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::block::{load, store};
use super::isa::{self, Isa, Narrow};
use crate::aes::Block;

/// The CPU has AES-NI, VAES and AVX2.
#[derive(Clone, Copy)]
pub(super) struct Vaes256(());

impl Isa for Vaes256 {
    type Vector = __m256i;
    const BLOCKS: usize = 2;
    type Narrow = Self;

    fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("vaes");
        is_there.then_some(Self(()))
    }

    fn narrow(self) -> Self {
        self
    }

    fn vectorize<A, T>(self, argument: A, algorithm: impl FnOnce(A) -> T) -> T {
        #[target_feature(enable = "aes,avx2,vaes")]
        fn with_features<A, T>(argument: A, algorithm: impl FnOnce(A) -> T) -> T {
            algorithm(argument)
        }
        // SAFETY: `detect` found these features.
        unsafe { with_features(argument, algorithm) }
    }

    #[inline(always)]
    fn load(self, blocks: &[Block]) -> __m256i {
        let blocks = &blocks[..Self::BLOCKS];
        // SAFETY: `detect` found AVX2; `blocks` has 32 bytes.
        unsafe { _mm256_loadu_si256(blocks.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, vector: __m256i, blocks: &mut [Block]) {
        let blocks = &mut blocks[..Self::BLOCKS];
        // SAFETY: `detect` found AVX2; `blocks` has 32 bytes.
        unsafe { _mm256_storeu_si256(blocks.as_mut_ptr().cast(), vector) }
    }

    #[inline(always)]
    fn load_part(self, bytes: &[u8]) -> Self::Vector {
        isa::load_part(self, bytes)
    }

    #[inline(always)]
    fn store_part(self, vector: Self::Vector, bytes: &mut [u8]) {
        isa::store_part(self, vector, bytes);
    }

    #[inline(always)]
    fn splat(self, block: &Block) -> __m256i {
        // SAFETY: `detect` found AVX2.
        unsafe { _mm256_broadcastsi128_si256(load(block)) }
    }

    #[inline(always)]
    fn shift(self, first: __m256i, vector: __m256i) -> __m256i {
        // SAFETY: `detect` found AVX2.
        unsafe { _mm256_permute2x128_si256::<0x20>(first, vector) }
    }

    #[inline(always)]
    fn xor(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `detect` found AVX2.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn encrypt(self, state: __m256i, key: __m256i) -> __m256i {
        // SAFETY: `detect` found VAES and AVX2.
        unsafe { _mm256_aesenc_epi128(state, key) }
    }

    #[inline(always)]
    fn encrypt_last(self, state: __m256i, key: __m256i) -> __m256i {
        // SAFETY: `detect` found VAES and AVX2.
        unsafe { _mm256_aesenclast_epi128(state, key) }
    }

    #[inline(always)]
    fn decrypt(self, state: __m256i, key: __m256i) -> __m256i {
        // SAFETY: `detect` found VAES and AVX2.
        unsafe { _mm256_aesdec_epi128(state, key) }
    }

    #[inline(always)]
    fn decrypt_last(self, state: __m256i, key: __m256i) -> __m256i {
        // SAFETY: `detect` found VAES and AVX2.
        unsafe { _mm256_aesdeclast_epi128(state, key) }
    }
}

impl Narrow for Vaes256 {
    #[inline(always)]
    fn gather<'b>(self, block: impl Fn(usize) -> &'b Block) -> __m256i {
        let low = load(block(0));
        // SAFETY: `detect` found AVX2.
        unsafe { _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), load(block(1))) }
    }

    #[inline(always)]
    fn scatter(self, vector: __m256i, mut put: impl FnMut(usize, Block)) {
        // SAFETY: `detect` found AVX2.
        let (low, high) =
            unsafe { (_mm256_castsi256_si128(vector), _mm256_extracti128_si256::<1>(vector)) };
        put(0, store(low));
        put(1, store(high));
    }
}
