//! A block in the narrowest register, which every x86-64 CPU has.

use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};

use crate::aes::{BLOCK, Block};

#[inline(always)]
pub(super) fn load(block: &Block) -> __m128i {
    // SAFETY: SSE2 is part of x86-64; a block has 16 bytes.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store(vector: __m128i) -> Block {
    let mut block = [0; BLOCK];
    // SAFETY: SSE2 is part of x86-64; a block has 16 bytes.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), vector) };
    block
}
