//! The rounds of AES over several vectors at once, so that none waits for another.

use super::isa::Isa;
use super::schedule::{Keys, ROUND_KEYS};

/// Vectors that are worked on at once. Eight fill the pipeline of every CPU there is, and leave
/// registers for round keys.
pub(super) const GROUP: usize = 8;

/// Does the rounds in the middle, from round `first` on: all but the last.
#[inline(always)]
pub(super) fn encrypt<I: Isa, const N: usize>(
    isa: I,
    keys: &Keys,
    first: usize,
    states: &mut [I::Vector; N],
) {
    for key in &keys[first..ROUND_KEYS - 1] {
        let key = isa.load(key);
        for state in &mut *states {
            *state = isa.encrypt(*state, key);
        }
    }
}

/// The same of the inverse cipher, from round 1 on.
#[inline(always)]
pub(super) fn decrypt<I: Isa, const N: usize>(isa: I, keys: &Keys, states: &mut [I::Vector; N]) {
    for key in &keys[1..ROUND_KEYS - 1] {
        let key = isa.load(key);
        for state in &mut *states {
            *state = isa.decrypt(*state, key);
        }
    }
}

/// Something to be done with a number of vectors that is known to the compiler.
pub(super) trait Work {
    fn run<const N: usize>(self);
}

/// Does it with `vectors` vectors, at most [`GROUP`].
#[inline(always)]
pub(super) fn with_vectors(vectors: usize, work: impl Work) {
    match vectors {
        0 => {}
        1 => work.run::<1>(),
        2 => work.run::<2>(),
        3 => work.run::<3>(),
        4 => work.run::<4>(),
        5 => work.run::<5>(),
        6 => work.run::<6>(),
        7 => work.run::<7>(),
        _ => work.run::<GROUP>(),
    }
}
