//! What the algorithms need of a CPU: vectors of blocks, and AES over them.

use std::cmp::Ordering;

use super::tail;
use crate::aes::Block;

/// A proof that the CPU has a set of instructions, and those instructions.
///
/// A value exists only where [`detect`](Self::detect) has found them, and a CPU does not lose
/// features. So every method is safe to call; the algorithms over this trait have no `unsafe`.
///
/// Algorithms over it run inside of [`vectorize`](Self::vectorize) and are `#[inline(always)]`, or
/// every instruction would be a call.
pub(super) trait Isa: Copy + Send + Sync {
    /// Some blocks, in one register.
    type Vector: Copy;
    /// How many.
    const BLOCKS: usize;
    /// The instructions for vectors whose blocks come from many places, one by one: more than two of
    /// them in a register do not repay.
    type Narrow: Narrow;

    /// A value, if the CPU has the instructions.
    fn detect() -> Option<Self>;

    /// That the CPU has those, too.
    fn narrow(self) -> Self::Narrow;

    /// Runs an algorithm with all its calls inlined into a function that has the target features. Its
    /// argument comes in registers, if it fits into two; what it captures lies in memory.
    fn vectorize<A, T>(self, argument: A, algorithm: impl FnOnce(A) -> T) -> T;

    /// The first blocks of a slice. It must have as many.
    fn load(self, blocks: &[Block]) -> Self::Vector;

    /// Replaces the first blocks of a slice. It must have as many.
    fn store(self, vector: Self::Vector, blocks: &mut [Block]);

    /// Bytes, at most as many as a vector has; anything behind them.
    fn load_part(self, bytes: &[u8]) -> Self::Vector;

    /// Replaces bytes, at most as many as a vector has, by the first of the vector.
    fn store_part(self, vector: Self::Vector, bytes: &mut [u8]);

    /// One block, again and again.
    fn splat(self, block: &Block) -> Self::Vector;

    /// The blocks of a vector moved up by one; the last one falls out, the first is that of `first`.
    fn shift(self, first: Self::Vector, vector: Self::Vector) -> Self::Vector;

    /// Exclusive or.
    fn xor(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// A round of AES.
    fn encrypt(self, state: Self::Vector, key: Self::Vector) -> Self::Vector;

    /// The last round.
    fn encrypt_last(self, state: Self::Vector, key: Self::Vector) -> Self::Vector;

    /// A round of the equivalent inverse cipher.
    fn decrypt(self, state: Self::Vector, key: Self::Vector) -> Self::Vector;

    /// Its last round.
    fn decrypt_last(self, state: Self::Vector, key: Self::Vector) -> Self::Vector;
}

/// Vectors that are put together of blocks, and taken apart.
pub(super) trait Narrow: Isa {
    /// Blocks from anywhere, by their place in the vector.
    fn gather<'b>(self, block: impl Fn(usize) -> &'b Block) -> Self::Vector;

    /// Hands out the blocks of a vector, with their places.
    fn scatter(self, vector: Self::Vector, put: impl FnMut(usize, Block));
}

/// [`Isa::load_part`] where no instruction does it.
#[inline(always)]
pub(super) fn load_part<I: Narrow>(isa: I, bytes: &[u8]) -> I::Vector {
    let (whole, tail) = bytes.as_chunks();
    if whole.len() == I::BLOCKS {
        return isa.load(whole);
    }
    let tail = tail::load(tail);
    isa.gather(|at| whole.get(at).unwrap_or(&tail))
}

/// [`Isa::store_part`] where no instruction does it.
#[inline(always)]
pub(super) fn store_part<I: Narrow>(isa: I, vector: I::Vector, bytes: &mut [u8]) {
    let (whole, tail) = bytes.as_chunks_mut();
    if whole.len() == I::BLOCKS {
        return isa.store(vector, whole);
    }
    isa.scatter(vector, |at, block| match whole.len().cmp(&at) {
        Ordering::Greater => whole[at] = block,
        Ordering::Equal => tail::store(&block, tail),
        Ordering::Less => {}
    });
}

/// Blocks in the widest vector there is.
pub(super) const WIDEST: usize = 4;
