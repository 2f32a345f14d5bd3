//! AES-CBC encryption of many chains side by side.
//!
//! Each block of a chain waits for the one before it, so one chain uses a small part of a CPU. As
//! many chains as there are lanes go together, and when one ends, the next takes its lane.

use crate::SampleEncryption;
use crate::aes::{Block, Cipher, LANES, Lane, Stage};
use crate::pending::Pending;
use crate::runs::{Layout, Ranges, Runs};

/// What is chained together: a protected range of `cbcs`, or all ranges of a `cbc1` sample.
struct Chain<'a> {
    runs: Runs<&'a mut [u8]>,
    /// Where the chain goes on: the ranges behind, and how runs lie in them.
    behind: Option<(Ranges<'a, &'a mut [u8]>, Layout)>,
}

impl<'a> Chain<'a> {
    /// The chains of a sample that the encryption fits. All of them begin at its IV.
    #[inline]
    fn all(
        encryption: &SampleEncryption<'a>,
        sample: &'a mut [u8],
    ) -> impl Iterator<Item = Self> + use<'a> {
        let layout = Layout::new(encryption);
        let is_one = !encryption.scheme.restarts_per_range();
        let mut ranges = Some(Ranges::new(encryption, sample));
        std::iter::from_fn(move || {
            let range = ranges.as_mut()?.next()?;
            let behind = if is_one { ranges.take() } else { None };
            let behind = behind.filter(Ranges::goes_on).map(|ranges| (ranges, layout));
            Some(Self { runs: layout.runs(range), behind })
        })
    }

    /// The next neighbouring blocks of the chain.
    #[inline]
    fn next_run(&mut self) -> Option<&'a mut [Block]> {
        loop {
            if let Some(run) = self.runs.next() {
                return Some(run.as_chunks_mut().0);
            }
            let (ranges, layout) = self.behind.as_mut()?;
            self.runs = layout.runs(ranges.next()?);
        }
    }

    /// Whether there may be more runs.
    fn goes_on(&self) -> bool {
        !self.runs.is_empty() || self.behind.is_some()
    }
}

/// Encrypts the chains of a sample that the encryption fits, one after the other.
pub(crate) fn encrypt_alone<'a>(
    cipher: &dyn Cipher,
    encryption: &SampleEncryption<'a>,
    sample: &'a mut [u8],
) {
    for mut chain in Chain::all(encryption, sample) {
        let mut before = *encryption.iv.as_bytes();
        while let Some(blocks) = chain.next_run() {
            cipher.cbc_encrypt(&mut before, blocks);
        }
    }
}

/// The chains of one key that are being encrypted.
pub(crate) struct Chains<'a> {
    cipher: &'a dyn Cipher,
    lanes: [Lane<'a>; LANES],
    /// The first lanes are busy: they have blocks.
    busy: usize,
    /// What comes behind the blocks of a busy lane; none behind those of the others.
    behind: [Option<Chain<'a>>; LANES],
    stage: Stage,
}

impl<'a> Chains<'a> {
    pub(crate) fn new(cipher: &'a dyn Cipher) -> Self {
        Self {
            cipher,
            lanes: Default::default(),
            busy: 0,
            behind: [const { None }; LANES],
            stage: Stage::new(),
        }
    }

    pub(crate) fn is_for(&self, cipher: &dyn Cipher) -> bool {
        std::ptr::addr_eq(self.cipher, cipher)
    }

    /// Adds the chains of a sample that the encryption fits. Some of them are encrypted at once, as
    /// lanes are needed.
    pub(crate) fn add(&mut self, encryption: &SampleEncryption<'a>, sample: &'a mut [u8]) {
        for chain in Chain::all(encryption, sample) {
            self.start(encryption.iv.as_bytes(), chain);
        }
    }

    #[inline]
    fn start(&mut self, iv: &Block, mut chain: Chain<'a>) {
        let Some(blocks) = chain.next_run() else { return };
        while self.busy == LANES {
            self.advance();
        }
        self.lanes[self.busy] = Lane { chain: *iv, blocks };
        if chain.goes_on() {
            self.behind[self.busy] = Some(chain);
        }
        self.busy += 1;
    }

    /// Encrypts some blocks of every lane, and finds new ones for those that have none left.
    fn advance(&mut self) {
        match &mut self.lanes[..self.busy] {
            [Lane { chain, blocks }] => {
                self.cipher.cbc_encrypt(chain, blocks);
                *blocks = &mut [];
            }
            lanes => self.cipher.cbc_encrypt_lanes(&mut self.stage, lanes),
        }
        for at in (0..self.busy).rev() {
            if self.lanes[at].blocks.is_empty() {
                self.move_on(at);
            }
        }
    }

    /// Gives a lane the next blocks of its chain, or closes it.
    fn move_on(&mut self, at: usize) {
        if let Some(blocks) = self.behind[at].as_mut().and_then(Chain::next_run) {
            self.lanes[at].blocks = blocks;
            return;
        }
        self.busy -= 1;
        self.behind[at] = None;
        self.behind.swap(at, self.busy);
        self.lanes.swap(at, self.busy);
    }
}

impl Pending for Chains<'_> {
    fn finish(&mut self) {
        while self.busy > 0 {
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Iv, Pattern, Scheme, Subsample};

    /// Whether each chain of a sample goes on, behind each of its runs.
    fn goes_on(scheme: Scheme, pattern: (u8, u8), table: &[(u16, u32)]) -> Vec<Vec<bool>> {
        let table: Vec<_> =
            table.iter().map(|&(clear, protected)| Subsample::new(clear, protected)).collect();
        let len = table.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
        let pattern = Pattern::new(pattern.0, pattern.1).unwrap();
        let iv = Iv::new(&[0; 16]).unwrap();
        let encryption = SampleEncryption::new(scheme, iv, pattern, Some(&table)).unwrap();
        let mut sample = vec![0; len];
        Chain::all(&encryption, &mut sample)
            .map(|mut chain| {
                let next = || chain.next_run().map(|_| chain.goes_on());
                std::iter::from_fn(next).collect()
            })
            .collect()
    }

    #[test]
    fn a_lane_is_free_when_its_last_run_is_encrypted() {
        let two = [(3, 48), (5, 64)];
        assert_eq!(goes_on(Scheme::Cbcs, (0, 0), &two), [[false], [false]]);
        assert_eq!(goes_on(Scheme::Cbcs, (1, 1), &two), [[true, false], [true, false]]);
        assert_eq!(goes_on(Scheme::Cbc1, (0, 0), &two[..1]), [[false]]);
        assert_eq!(goes_on(Scheme::Cbc1, (0, 0), &[two[0], (0, 0)]), [[false]]);
        assert!(goes_on(Scheme::Cbc1, (0, 0), &two)[0][0]);
    }
}
