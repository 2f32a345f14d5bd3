//! One block in a register: AES-NI, which every x86-64 CPU since about 2011 has.

use std::arch::x86_64::{
    __m128i, _mm_aesdec_si128, _mm_aesdeclast_si128, _mm_aesenc_si128, _mm_aesenclast_si128,
    _mm_xor_si128,
};

use super::block::{load, store};
use super::isa::{self, Isa, Narrow};
use crate::aes::Block;

/// The CPU has AES-NI and AVX, whose instructions with three operands save moves.
#[derive(Clone, Copy)]
pub(super) struct Aesni(());

impl Isa for Aesni {
    type Vector = __m128i;
    const BLOCKS: usize = 1;
    type Narrow = Self;

    fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx");
        is_there.then_some(Self(()))
    }

    fn narrow(self) -> Self {
        self
    }

    fn vectorize<A, T>(self, argument: A, algorithm: impl FnOnce(A) -> T) -> T {
        #[target_feature(enable = "aes,avx")]
        fn with_features<A, T>(argument: A, algorithm: impl FnOnce(A) -> T) -> T {
            algorithm(argument)
        }
        // SAFETY: `detect` found these features.
        unsafe { with_features(argument, algorithm) }
    }

    #[inline(always)]
    fn load(self, blocks: &[Block]) -> __m128i {
        load(&blocks[0])
    }

    #[inline(always)]
    fn store(self, vector: __m128i, blocks: &mut [Block]) {
        blocks[0] = store(vector);
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
    fn splat(self, block: &Block) -> __m128i {
        load(block)
    }

    #[inline(always)]
    fn shift(self, first: __m128i, _vector: __m128i) -> __m128i {
        first
    }

    #[inline(always)]
    fn xor(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { _mm_xor_si128(a, b) }
    }

    #[inline(always)]
    fn encrypt(self, state: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` found AES-NI.
        unsafe { _mm_aesenc_si128(state, key) }
    }

    #[inline(always)]
    fn encrypt_last(self, state: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` found AES-NI.
        unsafe { _mm_aesenclast_si128(state, key) }
    }

    #[inline(always)]
    fn decrypt(self, state: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` found AES-NI.
        unsafe { _mm_aesdec_si128(state, key) }
    }

    #[inline(always)]
    fn decrypt_last(self, state: __m128i, key: __m128i) -> __m128i {
        // SAFETY: `detect` found AES-NI.
        unsafe { _mm_aesdeclast_si128(state, key) }
    }
}

impl Narrow for Aesni {
    #[inline(always)]
    fn gather<'b>(self, block: impl Fn(usize) -> &'b Block) -> __m128i {
        load(block(0))
    }

    #[inline(always)]
    fn scatter(self, vector: __m128i, mut put: impl FnMut(usize, Block)) {
        put(0, store(vector));
    }
}
