//! Finds the bytes of a sample that a cipher has to touch, and leads it over them.
//!
//! The walk knows schemes and patterns but no AES, so it is tested with a cipher that leaves
//! footprints one can read.

use crate::aes::BLOCK;
use crate::{Error, Pattern, SampleEncryption};

/// What the walk leads over a sample. It keeps its counter or chain from call to call.
pub(crate) trait Cipher {
    /// Goes back to the IV.
    fn restart(&mut self);

    /// Decrypts or encrypts the next protected bytes. They are whole blocks, except in a keystream
    /// without a pattern.
    fn apply(&mut self, bytes: &mut [u8]);
}

/// Leads `cipher` over the protected runs of `sample`, in order, in one call for each run of
/// neighbouring bytes (ISO/IEC 23001-7, 9.4 to 9.7).
///
/// ```text
/// sample    |clear| protected range  |clear| protected range |
/// cenc, cens 0:0  |eeeeeeeeeeeeeeeeee|     |eeeeeeeeeeeeeeeee|    the last byte included
/// cbc1, cbcs 0:0  |E|E|E|E|E|E|E|E|..|     |E|E|E|E|E|E|E|...|    whole blocks
/// 1:2             |E|s|s|E|s|s|E|s|..|     |E|s|s|E|s|s|E|...|
/// ```
///
/// # Errors
///
/// [`Error::InvalidSubsamples`] if the subsamples do not cover the sample. Nothing has been
/// touched then.
pub(crate) fn walk(
    encryption: &SampleEncryption<'_>,
    cipher: &mut impl Cipher,
    sample: &mut [u8],
) -> Result<(), Error> {
    encryption.check(sample.len())?;
    let Some(subsamples) = encryption.subsamples else {
        walk_range(encryption, cipher, sample);
        return Ok(());
    };
    let mut rest = sample;
    for subsample in subsamples {
        let range;
        (_, rest) = rest.split_at_mut(usize::from(subsample.clear));
        (range, rest) = rest.split_at_mut(subsample.protected as usize);
        walk_range(encryption, cipher, range);
    }
    Ok(())
}

fn walk_range(encryption: &SampleEncryption<'_>, cipher: &mut impl Cipher, range: &mut [u8]) {
    if encryption.scheme.restarts_per_range() {
        cipher.restart();
    }
    if encryption.scheme.protects_partial_blocks(encryption.pattern) {
        cipher.apply(range);
    } else {
        walk_blocks(encryption.pattern, cipher, range);
    }
}

fn walk_blocks(pattern: Pattern, cipher: &mut impl Cipher, range: &mut [u8]) {
    let (blocks, _clear) = range.as_chunks_mut::<BLOCK>();
    let crypt = usize::from(pattern.crypt_byte_block());
    let skip = usize::from(pattern.skip_byte_block());
    match (crypt, skip) {
        (_, 0) => cipher.apply(blocks.as_flattened_mut()),
        (0, _) => {}
        _ => {
            for turn in blocks.chunks_mut(crypt + skip) {
                let run = turn.len().min(crypt);
                cipher.apply(turn[..run].as_flattened_mut());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Iv, Scheme, Subsample, naive};

    /// Writes an `A` on each byte of the first block it is given since the last restart, a `B` on
    /// each of the second and so on, so a test can see where it has been and in which order.
    /// It adds to the dot it expects, so a byte touched twice becomes something else.
    #[derive(Default)]
    struct Footprints {
        at: usize,
        calls: usize,
    }

    impl Cipher for Footprints {
        fn restart(&mut self) {
            self.at = 0;
        }

        fn apply(&mut self, bytes: &mut [u8]) {
            self.calls += 1;
            for byte in bytes {
                *byte += letter(self.at) - b'.';
                self.at += 1;
            }
        }
    }

    fn letter(at: usize) -> u8 {
        b'A' + u8::try_from(at / BLOCK % 26).unwrap()
    }

    /// Walks a sample of dots.
    fn footprints(
        scheme: Scheme,
        pattern: Pattern,
        subsamples: Option<&[Subsample]>,
        len: usize,
    ) -> (Vec<u8>, usize) {
        let iv = Iv::new(&[0; 16]).unwrap();
        let encryption = SampleEncryption::new(scheme, iv, pattern, subsamples).unwrap();
        let mut sample = vec![b'.'; len];
        let mut cipher = Footprints::default();
        walk(&encryption, &mut cipher, &mut sample).unwrap();
        (sample, cipher.calls)
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
    fn neighbouring_blocks_are_one_call() {
        let calls = |scheme, pattern, len| footprints(scheme, pattern, None, len).1;
        let pattern = |crypt, skip| Pattern::new(crypt, skip).unwrap();
        assert_eq!(calls(Scheme::Cenc, Pattern::NONE, 1000), 1);
        assert_eq!(calls(Scheme::Cbc1, Pattern::NONE, 1000), 1);
        assert_eq!(calls(Scheme::Cbcs, Pattern::NONE, 1000), 1);
        assert_eq!(calls(Scheme::Cbcs, pattern(1, 0), 1000), 1);
        assert_eq!(calls(Scheme::Cbcs, pattern(4, 1), 160), 2);
        assert_eq!(calls(Scheme::Cbcs, pattern(0, 1), 1000), 0);
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
