//! What the benches work on: samples shaped as streams have them.
#![forbid(unsafe_code)]

use cenc::{Error, Iv, Key, Pattern, SampleEncryption, Scheme, Subsample, encrypt_sample};

/// The key of all benches.
pub const KEY: [u8; 16] = *b"clearkey benches";
/// Its IV.
pub const IV: [u8; 16] = *b"initial vector\0\0";

/// A sample and the way it is protected.
#[derive(Clone, Debug)]
pub struct Workload {
    /// For the name of the bench: `video 64KiB`.
    pub name: &'static str,
    /// Scheme.
    pub scheme: Scheme,
    /// Pattern.
    pub pattern: Pattern,
    /// Subsamples; `None`: protected whole.
    pub subsamples: Option<Vec<Subsample>>,
    /// Length in bytes.
    pub len: usize,
}

impl Workload {
    /// A sample without subsamples, as audio has them.
    #[must_use]
    pub fn whole(name: &'static str, scheme: Scheme, len: usize) -> Self {
        Self { name, scheme, pattern: Pattern::NONE, subsamples: None, len }
    }

    /// A video sample of four slices: a few clear bytes at the head of each, the rest protected.
    ///
    /// # Errors
    /// If the pattern is none.
    pub fn slices(
        name: &'static str,
        scheme: Scheme,
        (crypt, skip): (u8, u8),
        slice: u32,
    ) -> Result<Self, Error> {
        const HEAD: u16 = 96;
        let subsamples = vec![Subsample::new(HEAD, slice); 4];
        let len = 4 * (usize::from(HEAD) + slice as usize);
        let pattern = Pattern::new(crypt, skip)?;
        Ok(Self { name, scheme, pattern, subsamples: Some(subsamples), len })
    }

    /// How the sample is encrypted.
    ///
    /// # Errors
    /// If scheme, pattern and subsamples do not go together.
    pub fn encryption(&self) -> Result<SampleEncryption<'_>, Error> {
        SampleEncryption::new(self.scheme, Iv::new(&IV)?, self.pattern, self.subsamples.as_deref())
    }

    /// The bytes of the clear sample.
    #[must_use]
    pub fn clear(&self) -> Vec<u8> {
        (0..=u8::MAX).cycle().take(self.len).collect()
    }

    /// The bytes of the encrypted sample.
    ///
    /// # Errors
    /// If scheme, pattern and subsamples do not go together.
    pub fn encrypted(&self) -> Result<Vec<u8>, Error> {
        let mut sample = self.clear();
        encrypt_sample(&Key::new(&KEY), &self.encryption()?, &mut sample)?;
        Ok(sample)
    }
}
