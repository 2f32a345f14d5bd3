//! One sample: how it is protected, and the two calls that decrypt and encrypt it.

use std::ops::Range;

use crate::aes::BLOCK;
use crate::batch::Decryption;
use crate::chains::encrypt_alone;
use crate::runs::{Layout, Ranges};
use crate::{Error, Iv, Key, Pattern, Scheme, Subsample};

/// How one sample is protected.
///
/// Nothing invalid can be built, except that the subsamples may not fit the sample: its length is
/// not known here. [`check`](Self::check) asks, and [`decrypt_sample`] and [`encrypt_sample`] ask
/// by themselves. The table is borrowed, so a value is cheap to make and to copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampleEncryption<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) iv: Iv,
    pub(crate) pattern: Pattern,
    pub(crate) subsamples: Option<&'a [Subsample]>,
}

impl<'a> SampleEncryption<'a> {
    /// Puts together what the container says about a sample.
    ///
    /// `iv` is the sample's own IV, or else the track's constant one. `subsamples` is its table in
    /// order; `None` means that there is no table and the whole sample is one protected range.
    ///
    /// # Errors
    ///
    /// - [`Error::UnexpectedPattern`] for a pattern other than 0:0 with `cenc` or `cbc1`: the two
    ///   contradict each other, and either reading could be the wrong one.
    /// - [`Error::InvalidProtectedSize`] if a subsample of a `cbc1` sample protects something else
    ///   than a multiple of 16 bytes.
    pub fn new(
        scheme: Scheme,
        iv: Iv,
        pattern: Pattern,
        subsamples: Option<&'a [Subsample]>,
    ) -> Result<Self, Error> {
        if pattern != Pattern::NONE && !scheme.takes_pattern() {
            return Err(Error::UnexpectedPattern { scheme, pattern });
        }
        if scheme == Scheme::Cbc1 {
            whole_blocks(subsamples.unwrap_or_default())?;
        }
        Ok(Self { scheme, iv, pattern, subsamples })
    }

    /// Asks whether this fits a sample of `len` bytes: the subsamples must cover it exactly, none
    /// of them only an empty sample. Without a table every length fits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSubsamples`] if it does not fit.
    pub fn check(&self, len: usize) -> Result<(), Error> {
        let Some(subsamples) = self.subsamples else { return Ok(()) };
        // No sample has `u64::MAX` bytes, so a sum that saturates there cannot pass.
        let sum = subsamples
            .iter()
            .map(|subsample| u64::from(subsample.clear) + u64::from(subsample.protected))
            .fold(0, u64::saturating_add);
        if u64::try_from(len) != Ok(sum) {
            return Err(Error::InvalidSubsamples { sum, size: len });
        }
        Ok(())
    }

    /// Where the protected bytes of a sample of `len` bytes are, as runs of neighbours: in order, none
    /// empty, though one may begin where the one before it ends. What a pattern skips, and a last
    /// block that the scheme leaves clear, is not in any.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSubsamples`] if this does not fit such a sample.
    pub fn protected(
        &self,
        len: usize,
    ) -> Result<impl Iterator<Item = Range<usize>> + use<'a>, Error> {
        self.check(len)?;
        let layout = Layout::new(self);
        Ok(Ranges::new(self, 0..len).flat_map(move |range| layout.runs(range)))
    }
}

/// Decrypts a sample in place.
///
/// # Errors
///
/// [`Error::InvalidSubsamples`] if the subsamples do not cover the sample exactly. No byte has
/// been changed then.
pub fn decrypt_sample(
    key: &Key,
    encryption: &SampleEncryption<'_>,
    sample: &mut [u8],
) -> Result<(), Error> {
    let mut decryption = Decryption::default();
    decryption.add(key, encryption, sample)?;
    decryption.finish();
    Ok(())
}

/// Encrypts a sample in place, so that [`decrypt_sample`] with the same arguments undoes it.
///
/// An IV must not serve twice under one key, but for the constant IV of `cbcs`; that is the
/// caller's to see to.
///
/// # Errors
///
/// [`Error::InvalidSubsamples`] if the subsamples do not cover the sample exactly. No byte has
/// been changed then.
pub fn encrypt_sample(
    key: &Key,
    encryption: &SampleEncryption<'_>,
    sample: &mut [u8],
) -> Result<(), Error> {
    encryption.check(sample.len())?;
    match encryption.scheme {
        Scheme::Cenc | Scheme::Cens => {
            let mut keystream = Decryption::default();
            keystream.ctr(key, encryption, sample);
            keystream.finish();
        }
        Scheme::Cbc1 | Scheme::Cbcs => encrypt_alone(key.cipher(), encryption, sample),
    }
    Ok(())
}

/// A `cbc1` range cannot end within a block: the chain has no place to go on from.
fn whole_blocks(subsamples: &[Subsample]) -> Result<(), Error> {
    for (index, &Subsample { protected, .. }) in subsamples.iter().enumerate() {
        if !(protected as usize).is_multiple_of(BLOCK) {
            return Err(Error::InvalidProtectedSize { index, protected });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 4] = [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs];

    fn encryption<'a>(
        scheme: Scheme,
        pattern: Pattern,
        subsamples: Option<&'a [Subsample]>,
    ) -> Result<SampleEncryption<'a>, Error> {
        SampleEncryption::new(scheme, Iv::new(&[7; 8]).unwrap(), pattern, subsamples)
    }

    #[test]
    fn only_cens_and_cbcs_take_a_pattern() {
        for (crypt, skip) in [(1, 9), (10, 0), (0, 1)] {
            let pattern = Pattern::new(crypt, skip).unwrap();
            for scheme in [Scheme::Cenc, Scheme::Cbc1] {
                let error = encryption(scheme, pattern, None).unwrap_err();
                assert_eq!(error, Error::UnexpectedPattern { scheme, pattern });
            }
            for scheme in [Scheme::Cens, Scheme::Cbcs] {
                assert!(encryption(scheme, pattern, None).is_ok());
            }
        }
    }

    #[test]
    fn only_cbc1_insists_on_whole_blocks() {
        let table = [Subsample::new(5, 32), Subsample::new(0, 0), Subsample::new(3, 17)];
        for scheme in SCHEMES {
            match encryption(scheme, Pattern::NONE, Some(&table)) {
                Ok(_) => assert_ne!(scheme, Scheme::Cbc1),
                Err(error) => {
                    assert_eq!(scheme, Scheme::Cbc1);
                    assert_eq!(error, Error::InvalidProtectedSize { index: 2, protected: 17 });
                }
            }
        }
    }

    #[test]
    fn subsamples_must_cover_the_sample() {
        let table = [Subsample::new(2, 7), Subsample::new(3, 12)];
        let encryption = encryption(Scheme::Cenc, Pattern::NONE, Some(&table)).unwrap();
        for len in 0..40 {
            match encryption.check(len) {
                Ok(()) => assert_eq!(len, 24),
                Err(error) => assert_eq!(error, Error::InvalidSubsamples { sum: 24, size: len }),
            }
        }
        assert_eq!(encryption.check(24), Ok(()));
    }

    #[test]
    fn sums_do_not_overflow() {
        let table = [Subsample::new(u16::MAX, u32::MAX); 2];
        let encryption = encryption(Scheme::Cbcs, Pattern::NONE, Some(&table)).unwrap();
        let sum = 2 * (0xffff + 0xffff_ffff);
        // What the sum would be if it wrapped at 32 bits.
        let wrapped = 0x1_fffc;
        for size in [0, 16, wrapped] {
            assert_eq!(encryption.check(size), Err(Error::InvalidSubsamples { sum, size }));
        }
    }

    #[test]
    fn an_empty_table_fits_an_empty_sample_only() {
        for scheme in SCHEMES {
            let encryption = encryption(scheme, Pattern::NONE, Some(&[])).unwrap();
            assert_eq!(encryption.check(0), Ok(()));
            assert_eq!(encryption.check(1), Err(Error::InvalidSubsamples { sum: 0, size: 1 }));
        }
    }

    #[test]
    fn a_sample_that_does_not_fit_stays_as_it_is() {
        let key = Key::new(&[9; 16]);
        let table = [Subsample::new(0, 32), Subsample::new(4, 32)];
        for scheme in SCHEMES {
            let encryption = encryption(scheme, Pattern::NONE, Some(&table)).unwrap();
            for size in [0, 32, 67, 69, 200] {
                let mut sample = vec![0x11; size];
                let error = Err(Error::InvalidSubsamples { sum: 68, size });
                assert_eq!(decrypt_sample(&key, &encryption, &mut sample), error);
                assert_eq!(encrypt_sample(&key, &encryption, &mut sample), error);
                assert_eq!(sample, vec![0x11; size]);
            }
        }
    }

    #[test]
    fn an_empty_sample_is_fine() {
        let key = Key::new(&[9; 16]);
        for scheme in SCHEMES {
            for table in [None, Some([].as_slice()), Some(&[Subsample::new(0, 0)])] {
                let encryption = encryption(scheme, Pattern::NONE, table).unwrap();
                assert_eq!(decrypt_sample(&key, &encryption, &mut []), Ok(()));
                assert_eq!(encrypt_sample(&key, &encryption, &mut []), Ok(()));
            }
        }
    }
}
