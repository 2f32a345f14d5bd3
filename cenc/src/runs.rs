//! Finds the bytes of a sample that a cipher has to touch.
//!
//! Nothing here knows AES, so it is tested with a cipher that leaves footprints one can read.
//!
//! ```text
//! sample    |clear| protected range  |clear| protected range |
//! cenc, cens 0:0  |eeeeeeeeeeeeeeeeee|     |eeeeeeeeeeeeeeeee|    one run, the last byte included
//! cbc1, cbcs 0:0  |E|E|E|E|E|E|E|E|..|     |E|E|E|E|E|E|E|...|    one run of whole blocks
//! 1:2             |E|s|s|E|s|s|E|s|..|     |E|s|s|E|s|s|E|...|    a run for each turn
//! ```

use std::ops::Range;
use std::slice;

use crate::aes::BLOCK;
use crate::gather::Gather;
use crate::{SampleEncryption, Subsample};

/// Neighbouring bytes of a sample that can be cut: the bytes themselves, or just their places.
pub(crate) trait Span: Default {
    /// How many there are.
    fn len(&self) -> usize;

    /// The first `at` of them, and the others. There are at least so many.
    fn split(self, at: usize) -> (Self, Self);

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Span for &mut [u8] {
    #[inline]
    fn len(&self) -> usize {
        (**self).len()
    }

    #[inline]
    fn split(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl Span for Range<usize> {
    fn len(&self) -> usize {
        self.end - self.start
    }

    fn split(self, at: usize) -> (Self, Self) {
        let middle = self.start + at;
        (self.start..middle, middle..self.end)
    }
}

/// The protected ranges of a sample, in order (ISO/IEC 23001-7, 9.4 and 9.5).
pub(crate) struct Ranges<'a, S> {
    /// `None`: the sample is one range.
    subsamples: Option<slice::Iter<'a, Subsample>>,
    /// What has not been looked at.
    rest: Option<S>,
}

impl<'a, S: Span> Ranges<'a, S> {
    /// Those of a sample that the encryption [fits](SampleEncryption::check).
    pub(crate) fn new(encryption: &SampleEncryption<'a>, sample: S) -> Self {
        Self { subsamples: encryption.subsamples.map(<[_]>::iter), rest: Some(sample) }
    }

    /// Whether there may be more of them.
    pub(crate) fn goes_on(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| !rest.is_empty())
    }
}

impl<S: Span> Iterator for Ranges<'_, S> {
    type Item = S;

    #[inline]
    fn next(&mut self) -> Option<S> {
        let Some(subsamples) = &mut self.subsamples else { return self.rest.take() };
        let Subsample { clear, protected } = subsamples.next()?;
        let (_, rest) = self.rest.take()?.split(usize::from(*clear));
        let (range, rest) = rest.split(*protected as usize);
        self.rest = Some(rest);
        Some(range)
    }
}

/// How the protected bytes of a range lie in it (9.6 and 9.7).
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Bytes of a run.
    crypt: usize,
    /// Bytes between two runs.
    skip: usize,
    whole_blocks: bool,
}

impl Layout {
    #[inline]
    pub(crate) fn new(encryption: &SampleEncryption<'_>) -> Self {
        let SampleEncryption { scheme, pattern, .. } = encryption;
        let whole_blocks = !scheme.protects_partial_blocks(*pattern);
        let [crypt, skip] = match (pattern.crypt_byte_block(), pattern.skip_byte_block()) {
            // All of it is one run.
            (_, 0) => [usize::MAX, 0],
            (crypt, skip) => [crypt, skip].map(|blocks| usize::from(blocks) * BLOCK),
        };
        Self { crypt, skip, whole_blocks }
    }

    /// Whether runs are so short that their blocks are better gathered.
    #[inline]
    pub(crate) fn is_gathered(self) -> bool {
        self.crypt <= Gather::SHORT * BLOCK
    }

    /// The runs of a protected range.
    #[inline]
    pub(crate) fn runs<S: Span>(self, range: S) -> Runs<S> {
        let partial = if self.whole_blocks { range.len() % BLOCK } else { 0 };
        let whole = range.len() - partial;
        Runs { layout: self, rest: range.split(whole).0 }
    }
}

/// Runs of neighbouring protected bytes, in order, none of them empty.
pub(crate) struct Runs<S> {
    layout: Layout,
    rest: S,
}

impl<S: Span> Runs<S> {
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<S: Span> Iterator for Runs<S> {
    type Item = S;

    #[inline]
    fn next(&mut self) -> Option<S> {
        let rest = std::mem::take(&mut self.rest);
        let crypt = self.layout.crypt.min(rest.len());
        let (run, rest) = rest.split(crypt);
        let skip = self.layout.skip.min(rest.len());
        self.rest = rest.split(skip).1;
        (!run.is_empty()).then_some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Iv, Pattern, Scheme, naive};

    /// Goes over a sample of dots as a cipher does: writes an `A` on each byte of the first block since
    /// the last restart, a `B` on each of the second and so on, so a test can see where it has been
    /// and in which order. It adds to the dot it expects, so a byte touched twice becomes something
    /// else. Counts the runs, too.
    fn footprints(
        scheme: Scheme,
        pattern: Pattern,
        subsamples: Option<&[Subsample]>,
        len: usize,
    ) -> (Vec<u8>, usize) {
        let iv = Iv::new(&[0; 16]).unwrap();
        let encryption = SampleEncryption::new(scheme, iv, pattern, subsamples).unwrap();
        encryption.check(len).unwrap();
        let mut sample = vec![b'.'; len];
        let (mut at, mut runs) = (0, 0);
        for range in Ranges::new(&encryption, sample.as_mut_slice()) {
            if scheme.restarts_per_range() {
                at = 0;
            }
            for run in Layout::new(&encryption).runs(range) {
                assert!(!run.is_empty());
                runs += 1;
                for byte in run {
                    *byte += letter(at) - b'.';
                    at += 1;
                }
            }
        }
        let places: Vec<_> = encryption.protected(len).unwrap().flatten().collect();
        let touched = (0..len).filter(|&at| sample[at] != b'.');
        assert!(touched.eq(places), "the places of the bytes are others than the bytes");
        (sample, runs)
    }

    fn letter(at: usize) -> u8 {
        b'A' + u8::try_from(at / BLOCK % 26).unwrap()
    }

    /// The trail over some subsamples, runs of equal bytes counted: `5. 16A 16B 3.`
    fn trail(scheme: Scheme, (crypt, skip): (u8, u8), subsamples: &[(u16, u32)]) -> String {
        let subsamples: Vec<_> =
            subsamples.iter().map(|&(clear, protected)| Subsample::new(clear, protected)).collect();
        let len = subsamples.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
        let pattern = Pattern::new(crypt, skip).unwrap();
        let (sample, _) = footprints(scheme, pattern, Some(&subsamples), len);
        counted(&sample)
    }

    fn whole_trail(scheme: Scheme, (crypt, skip): (u8, u8), len: usize) -> String {
        counted(&footprints(scheme, Pattern::new(crypt, skip).unwrap(), None, len).0)
    }

    fn counted(sample: &[u8]) -> String {
        let runs = sample.chunk_by(|a, b| a == b);
        let runs: Vec<_> = runs.map(|run| format!("{}{}", run.len(), char::from(run[0]))).collect();
        runs.join(" ")
    }

    #[test]
    fn cenc_touches_every_protected_byte_and_runs_on_inside_a_block() {
        use Scheme::Cenc;
        assert_eq!(whole_trail(Cenc, (0, 0), 40), "16A 16B 8C");
        assert_eq!(trail(Cenc, (0, 0), &[(8, 29), (3, 35)]), "8. 16A 13B 3. 3B 16C 16D");
        assert_eq!(trail(Cenc, (0, 0), &[(4, 1), (0, 9), (2, 0), (1, 20)]), "4. 10A 3. 6A 14B");
        assert_eq!(trail(Cenc, (0, 0), &[(7, 0), (8, 0)]), "15.");
    }

    #[test]
    fn cens_starts_the_pattern_anew_and_runs_on() {
        use Scheme::Cens;
        assert_eq!(trail(Cens, (1, 1), &[(4, 48), (4, 32)]), "4. 16A 16. 16B 4. 16C 16.");
        assert_eq!(trail(Cens, (2, 1), &[(0, 63), (0, 17)]), "16A 16B 31. 16C 1.");
        assert_eq!(whole_trail(Cens, (1, 0), 40), "16A 16B 8.");
    }

    /// GPAC writes audio so, and GPAC and FFmpeg read it.
    #[test]
    fn cens_without_a_pattern_is_cenc() {
        use Scheme::Cens;
        assert_eq!(whole_trail(Cens, (0, 0), 40), "16A 16B 8C");
        assert_eq!(trail(Cens, (0, 0), &[(8, 29), (3, 35)]), "8. 16A 13B 3. 3B 16C 16D");
    }

    #[test]
    fn cbc1_chains_through_the_sample() {
        use Scheme::Cbc1;
        assert_eq!(trail(Cbc1, (0, 0), &[(5, 16), (3, 32), (7, 0)]), "5. 16A 3. 16B 16C 7.");
        assert_eq!(whole_trail(Cbc1, (0, 0), 53), "16A 16B 16C 5.");
        assert_eq!(whole_trail(Cbc1, (0, 0), 15), "15.");
    }

    #[test]
    fn cbcs_starts_anew_in_every_range() {
        use Scheme::Cbcs;
        assert_eq!(trail(Cbcs, (1, 0), &[(0, 16), (2, 32)]), "16A 2. 16A 16B");
        assert_eq!(trail(Cbcs, (1, 1), &[(3, 50), (0, 16)]), "3. 16A 16. 16B 2. 16A");
        assert_eq!(trail(Cbcs, (1, 9), &[(9, 15), (1, 17)]), "25. 16A 1.");
    }

    #[test]
    fn cbcs_protects_the_whole_blocks_of_a_run_cut_short() {
        use Scheme::Cbcs;
        assert_eq!(trail(Cbcs, (8, 2), &[(0, 40)]), "16A 16B 8.");
        assert_eq!(trail(Cbcs, (2, 1), &[(16, 70)]), "16. 16A 16B 16. 16C 6.");
    }

    #[test]
    fn patterns_with_a_zero_mean_all_or_nothing() {
        assert_eq!(whole_trail(Scheme::Cbcs, (0, 0), 35), "16A 16B 3.");
        for scheme in [Scheme::Cens, Scheme::Cbcs] {
            assert_eq!(whole_trail(scheme, (1, 0), 35), "16A 16B 3.");
            assert_eq!(whole_trail(scheme, (15, 0), 35), "16A 16B 3.");
            assert_eq!(whole_trail(scheme, (0, 1), 35), "35.");
            assert_eq!(whole_trail(scheme, (0, 15), 35), "35.");
        }
    }

    #[test]
    fn neighbouring_blocks_are_one_run() {
        let runs = |scheme, pattern, len| footprints(scheme, pattern, None, len).1;
        let pattern = |crypt, skip| Pattern::new(crypt, skip).unwrap();
        assert_eq!(runs(Scheme::Cenc, Pattern::NONE, 1000), 1);
        assert_eq!(runs(Scheme::Cbc1, Pattern::NONE, 1000), 1);
        assert_eq!(runs(Scheme::Cbcs, Pattern::NONE, 1000), 1);
        assert_eq!(runs(Scheme::Cbcs, pattern(1, 0), 1000), 1);
        assert_eq!(runs(Scheme::Cbcs, pattern(4, 1), 160), 2);
        assert_eq!(runs(Scheme::Cbcs, pattern(0, 1), 1000), 0);
    }

    #[test]
    fn every_pattern_leaves_the_naive_trail() {
        for scheme in [Scheme::Cens, Scheme::Cbcs] {
            for (crypt, skip) in (0..16).flat_map(|crypt| (0..16).map(move |skip| (crypt, skip))) {
                let pattern = Pattern::new(crypt, skip).unwrap();
                for len in 0..=600 {
                    let (sample, _) = footprints(scheme, pattern, None, len);
                    let expected = naive_trail(scheme, pattern, None, len);
                    assert_eq!(sample, expected, "{scheme} {pattern}, {len} bytes");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_sample_has_the_naive_trail(case in crate::laws::case()) {
            let len = case.sample.len();
            let subsamples = case.subsamples.as_deref();
            let (sample, _) = footprints(case.scheme, case.pattern, subsamples, len);
            let expected = naive_trail(case.scheme, case.pattern, subsamples, len);
            assert_eq!(sample, expected);
        }
    }

    fn naive_trail(
        scheme: Scheme,
        pattern: Pattern,
        subsamples: Option<&[Subsample]>,
        len: usize,
    ) -> Vec<u8> {
        let mut sample = vec![b'.'; len];
        for chain in naive::chains(scheme, pattern, subsamples, len) {
            for (at, byte) in chain.into_iter().enumerate() {
                sample[byte] = letter(at);
            }
        }
        sample
    }
}
