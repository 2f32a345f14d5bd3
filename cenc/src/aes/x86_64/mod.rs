//! Kernels for x86-64: the same algorithms over registers of one, two and four blocks.
//!
//! The algorithms are generic over an [`Isa`] and have no `unsafe`; its implementations have.

mod aesni;
mod block;
mod cbc;
mod ctr;
mod isa;
mod rounds;
mod schedule;
mod tail;
mod vaes256;
mod vaes512;

use self::isa::Isa;
use self::schedule::Schedule;
use super::{Block, Cipher, Counter, GATHER, Lane, Stage, kernel};

pub(super) static VAES512: kernel::Row = row::<vaes512::Vaes512>("vaes512");
pub(super) static VAES256: kernel::Row = row::<vaes256::Vaes256>("vaes256");
pub(super) static AESNI: kernel::Row = row::<aesni::Aesni>("aesni");

/// The kernel of an [`Isa`].
const fn row<I: Isa + 'static>(name: &'static str) -> kernel::Row {
    kernel::Row { name, detect: || I::detect().is_some(), expand: expand::<I> }
}

/// A key for an [`Isa`].
///
/// What is handed to its kernels goes by value: lengths lie beside the addresses of secrets, not behind
/// them, which `conformance/kernels/flow` relies on. A counter goes in registers: in memory it would be
/// stored by halves and loaded as a whole, and that load would wait for both, which short samples notice.
struct Expanded<I> {
    isa: I,
    schedule: Schedule,
}

/// # Panics
///
/// If the CPU has not what the kernel needs.
fn expand<I: Isa + 'static>(key: &Block) -> Box<dyn Cipher> {
    let isa = I::detect().expect("only kernels that were detected are chosen");
    let mut expanded = Box::new(Expanded::<I> { isa, schedule: Schedule::EMPTY });
    isa.vectorize(
        (),
        #[inline(always)]
        |()| expanded.schedule.expand(isa, key),
    );
    expanded
}

impl<I: Isa> Cipher for Expanded<I> {
    fn ctr(&self, counter: Counter, bytes: &mut [u8]) {
        self.isa.vectorize(
            counter,
            #[inline(always)]
            move |counter| ctr::apply(self.isa, &self.schedule, counter, bytes),
        );
    }

    fn ctr_gathered(&self, counters: &[Block; GATHER], blocks: &mut [Block; GATHER], count: usize) {
        let count = count.next_multiple_of(I::BLOCKS);
        self.isa.vectorize(
            (),
            #[inline(always)]
            move |()| {
                ctr::gathered(self.isa, &self.schedule, &counters[..count], &mut blocks[..count])
            },
        );
    }

    fn cbc_decrypt(&self, chain: &Block, blocks: &mut [Block]) {
        self.isa.vectorize(
            (),
            #[inline(always)]
            move |()| cbc::decrypt(self.isa, &self.schedule, chain, blocks),
        );
    }

    fn cbc_decrypt_gathered(
        &self,
        before: &[Block; GATHER],
        blocks: &mut [Block; GATHER],
        count: usize,
    ) {
        let count = count.next_multiple_of(I::BLOCKS);
        self.isa.vectorize(
            (),
            #[inline(always)]
            move |()| {
                let (before, blocks) = (&before[..count], &mut blocks[..count]);
                cbc::decrypt_gathered(self.isa, &self.schedule, before, blocks);
            },
        );
    }

    fn cbc_encrypt(&self, chain: &mut Block, blocks: &mut [Block]) {
        let isa = self.isa.narrow();
        isa.vectorize(
            (),
            #[inline(always)]
            move |()| cbc::encrypt(isa, &self.schedule, chain, blocks),
        );
    }

    fn cbc_encrypt_lanes(&self, stage: &mut Stage, lanes: &mut [Lane<'_>]) {
        let isa = self.isa.narrow();
        isa.vectorize(
            (),
            #[inline(always)]
            move |()| {
                stage.encrypt(
                    lanes,
                    #[inline(always)]
                    |chains, stretches, count| {
                        cbc::encrypt_lanes(isa, &self.schedule, chains, stretches, count);
                    },
                );
            },
        );
    }
}
