//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.

use crate::naive::{self, Direction};
use crate::{
    BatchError, Error, Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, Subsample,
    decrypt_batch, decrypt_sample, encrypt_batch, encrypt_sample,
};

/// Decrypts and encrypts samples of which bytes say all: alone and together, on every kernel of this CPU.
/// What comes of it is what the oracle says. Whether any sample fits its subsamples.
#[must_use]
pub fn samples(bytes: &[u8]) -> bool {
    let mut reader = Reader(bytes);
    let key = reader.array();
    let mut cases = Vec::new();
    while cases.len() < MOST
        && let Some(case) = Case::read(&mut reader, &key)
    {
        cases.push(case);
    }
    let mut got_through = false;
    for kernel in Kernel::all() {
        let keys = [Key::on(kernel, &key), Key::on(kernel, &key.map(|octet| !octet))];
        for direction in [Direction::Decrypt, Direction::Encrypt] {
            for case in &cases {
                got_through |= case.is_done_alone(direction, kernel, &keys);
            }
            are_done_together(direction, kernel, &keys, &cases);
        }
    }
    got_through
}

/// Samples in a batch: more than there are chains side by side.
const MOST: usize = 20;

/// Bytes of a sample: more than are gathered at a time.
const LONGEST: usize = 4096;

/// A sample and what is said of it, which may not fit.
struct Case {
    scheme: Scheme,
    iv: Iv,
    pattern: Pattern,
    subsamples: Option<Vec<Subsample>>,
    sample: Vec<u8>,
    /// Bytes of memory before it, so that it lies anywhere in a block, and behind it: where there are none,
    /// AddressSanitizer sees what is only read.
    offset: usize,
    behind: usize,
    is_other_key: bool,
    /// What the oracle says of it, decrypted and encrypted; nothing, if it does not fit.
    expected: Option<[Vec<u8>; 2]>,
}

impl Case {
    /// Reads a case; `None` at the end.
    fn read(reader: &mut Reader<'_>, key: &[u8; 16]) -> Option<Self> {
        let [kind, offset, pattern, seed, len @ ..] = reader.some::<6>()?;
        let scheme =
            [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs][usize::from(kind % 4)];
        let mut iv = reader.array::<16>();
        // A counter that is about to wrap.
        if kind & 0x20 != 0 {
            iv[8..15].fill(0xff);
        }
        let iv = if kind & 4 == 0 { Iv::from(iv) } else { Iv::new(&iv[..8]).ok()? };
        let pattern = Pattern::new(pattern >> 4, pattern & 15).ok()?;
        let mut subsamples = None;
        let mut len = usize::from(u16::from_be_bytes(len)) % LONGEST;
        if kind & 8 != 0 {
            let count = usize::from(reader.array::<1>()[0] % 16);
            let table: Vec<_> = (0..count).map(|_| reader.subsample(scheme)).collect();
            let sum = table.iter().fold(0_u64, |sum, subsample| {
                sum + u64::from(subsample.clear) + u64::from(subsample.protected)
            });
            // One that fits, as far as there is room for it.
            if kind & 0x10 == 0 {
                len = usize::try_from(sum).ok()?.min(LONGEST);
            }
            subsamples = Some(table);
        }
        let sample = (0..=u8::MAX).cycle().take(len);
        let sample = sample.map(|at| seed.wrapping_add(at).wrapping_mul(0x9d)).collect();
        let [offset, is_other_key] = [offset % 64, offset / 64 % 2].map(usize::from);
        let is_other_key = is_other_key == 1;
        let behind = if kind & 0x40 == 0 { 64 } else { 0 };
        let mut case = Self {
            scheme,
            iv,
            pattern,
            subsamples,
            sample,
            offset,
            behind,
            is_other_key,
            expected: None,
        };
        let key = if is_other_key { key.map(|octet| !octet) } else { *key };
        let directions = [Direction::Decrypt, Direction::Encrypt];
        case.expected = case.is_sound().then(|| directions.map(|there| case.oracle(there, &key)));
        Some(case)
    }

    fn encryption(&self) -> Result<SampleEncryption<'_>, Error> {
        SampleEncryption::new(self.scheme, self.iv, self.pattern, self.subsamples.as_deref())
    }

    /// What is wrong with it, told anew.
    fn is_sound(&self) -> bool {
        let table = self.subsamples.as_deref();
        let sum = table.map(|table| {
            let lens = table.iter().map(|entry| [entry.clear.into(), entry.protected]);
            lens.flatten().map(u64::from).sum::<u64>()
        });
        let is_cut = |entry: &Subsample| !entry.protected.is_multiple_of(16);
        sum.is_none_or(|sum| sum == self.sample.len() as u64)
            && (self.pattern == Pattern::NONE || self.scheme.takes_pattern())
            && !(self.scheme == Scheme::Cbc1 && table.is_some_and(|table| table.iter().any(is_cut)))
    }

    /// What the oracle says.
    fn oracle(&self, direction: Direction, key: &[u8; 16]) -> Vec<u8> {
        let how = (self.scheme, self.iv, self.pattern);
        naive::cipher(direction, key, how, self.subsamples.as_deref(), &self.sample)
    }

    /// What becomes of it; what does not fit stays as it is.
    fn expected(&self, direction: Direction) -> &[u8] {
        let index = usize::from(direction == Direction::Encrypt);
        self.expected.as_ref().map_or(&self.sample, |expected| &expected[index])
    }

    /// Whether it can be done in a call of its own. What cannot is left as it was.
    fn is_done_alone(&self, direction: Direction, kernel: Kernel, keys: &[Key; 2]) -> bool {
        let key = &keys[usize::from(self.is_other_key)];
        let Ok(encryption) = self.encryption() else {
            assert!(!self.is_sound());
            return false;
        };
        let mut memory = self.memory();
        let sample = self.place(&mut memory);
        let run = |direction, sample: &mut [u8]| match direction {
            Direction::Decrypt => decrypt_sample(key, &encryption, sample),
            Direction::Encrypt => encrypt_sample(key, &encryption, sample),
        };
        let done = run(direction, sample);
        assert_eq!(done, encryption.check(self.sample.len()));
        assert_eq!(done.is_ok(), self.is_sound());
        if done.is_err() {
            assert!(sample == self.sample);
            return false;
        }
        assert!(*sample == *self.expected(direction), "{kernel}: {direction:?}");
        self.stays_clear(&encryption, sample);
        let back = match direction {
            Direction::Decrypt => Direction::Encrypt,
            Direction::Encrypt => Direction::Decrypt,
        };
        assert_eq!(run(back, sample), Ok(()));
        assert!(sample == self.sample, "{kernel}: {direction:?} and back");
        self.is_alone(&memory);
        true
    }

    /// Nothing changes outside of what is said to be protected.
    fn stays_clear(&self, encryption: &SampleEncryption<'_>, after: &[u8]) {
        let runs = encryption.protected(after.len()).expect("it has been done");
        let mut at = 0;
        for run in runs.chain(std::iter::once(after.len()..after.len())) {
            assert!(at <= run.start && run.start <= run.end && run.end <= after.len());
            assert!(after[at..run.start] == self.sample[at..run.start], "a clear byte changes");
            at = run.end;
        }
    }

    /// The sample, with other bytes around it.
    fn memory(&self) -> Vec<u8> {
        [&vec![GUARD; self.offset], self.sample.as_slice(), &vec![GUARD; self.behind]].concat()
    }

    fn place<'m>(&self, memory: &'m mut [u8]) -> &'m mut [u8] {
        &mut memory[self.offset..self.offset + self.sample.len()]
    }

    fn is_alone(&self, memory: &[u8]) {
        let (before, rest) = memory.split_at(self.offset);
        let mut around = before.iter().chain(&rest[self.sample.len()..]);
        assert!(around.all(|byte| *byte == GUARD), "bytes around the sample change");
    }
}

const GUARD: u8 = 0xa5;

/// All that can be made of them in one call, up to the first that does not fit, which is left with all behind it.
fn are_done_together(direction: Direction, kernel: Kernel, keys: &[Key; 2], cases: &[Case]) {
    let cases: Vec<_> = cases.iter().filter(|case| case.encryption().is_ok()).collect();
    let mut memories: Vec<_> = cases.iter().map(|case| case.memory()).collect();
    let samples = cases.iter().zip(&mut memories).filter_map(|(case, memory)| {
        let key = &keys[usize::from(case.is_other_key)];
        Some(Sample { key, encryption: case.encryption().ok()?, data: case.place(memory) })
    });
    let done = match direction {
        Direction::Decrypt => decrypt_batch(samples),
        Direction::Encrypt => encrypt_batch(samples),
    };
    let broken = cases.iter().position(|case| !case.is_sound());
    assert_eq!(done.as_ref().err().map(|BatchError { index, .. }| *index), broken);
    for (index, (case, mut memory)) in cases.iter().zip(memories).enumerate() {
        let is_done = broken.is_none_or(|broken| index < broken);
        let expected = if is_done { case.expected(direction) } else { &case.sample };
        assert!(*case.place(&mut memory) == *expected, "{kernel}: {direction:?}, sample {index}");
        case.is_alone(&memory);
    }
}

/// Takes bytes; where there are none, zeros.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn some<const N: usize>(&mut self) -> Option<[u8; N]> {
        (!self.0.is_empty()).then(|| self.array())
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_at(N.min(self.0.len()));
        self.0 = rest;
        std::array::from_fn(|at| taken.get(at).copied().unwrap_or(0))
    }

    /// Mostly short ones; some that no sample has room for.
    fn subsample(&mut self, scheme: Scheme) -> Subsample {
        let [clear, kind, protected @ ..] = self.array::<4>();
        let protected = u32::from(u16::from_be_bytes(protected));
        let clear = if kind & 1 == 0 { u16::from(clear % 48) } else { u16::from(clear) << 8 };
        let protected = match kind >> 1 & 3 {
            0 => protected % 64 * 16,
            1 => protected % 1024,
            2 if scheme == Scheme::Cbc1 => protected % 64 * 16,
            2 => protected % 32,
            _ => protected << 16,
        };
        Subsample::new(clear, protected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds are few, since all that they hold is numbers: one for each scheme with and without subsamples.
    const SEEDS: &str = include_str!("../../fuzz/seeds/samples.txt");

    #[test]
    fn seeds_get_through() {
        let seeds = SEEDS.lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in seeds {
            let octets = line.split(' ').next().unwrap();
            let seed = data_encoding::HEXLOWER.decode(octets.as_bytes()).unwrap();
            assert!(samples(&seed), "{line}");
            count += 1;
        }
        assert!(count >= 8);
    }

    #[test]
    fn what_does_not_fit_is_left() {
        assert!(!samples(b""));
        // A pattern with `cenc`, and subsamples of another length.
        assert!(!samples(&[&[7; 16], &[0, 0, 0x19, 0, 0, 9][..], &[0; 16]].concat()));
        let misfit = [&[7; 16], &[0x18, 0, 0, 0, 0, 9][..], &[0; 16], &[1, 3, 0, 0, 1]].concat();
        assert!(!samples(&misfit));
    }
}
