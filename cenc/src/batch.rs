//! Many samples in one call, which keep the CPU busy together.
//!
//! Long runs of protected bytes fill the pipeline by themselves and go to the kernel as they are.
//! Short ones are [gathered](crate::gather). Chains that are encrypted go [side by
//! side](crate::chains).

use thiserror::Error;

use crate::aes::{BLOCK, Cipher, Counter};
use crate::chains::Chains;
use crate::gather::{Gather, Mode};
use crate::pending::PerKey;
use crate::runs::{Layout, Ranges};
use crate::stack::wipe_below;
use crate::{Error, Key, SampleEncryption, Scheme};

/// One of many samples.
#[derive(Debug)]
pub struct Sample<'a> {
    /// Its key. Neighbours with the same one are best: the same value, that is, behind the same
    /// reference.
    pub key: &'a Key,
    /// How it is protected.
    pub encryption: SampleEncryption<'a>,
    /// Its bytes.
    pub data: &'a mut [u8],
}

/// A sample of a batch is not what its encryption says.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("sample {index}: {error}")]
pub struct BatchError {
    /// Which one it is, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub error: Error,
}

/// Decrypts many samples in place. They may differ in everything, keys included.
///
/// Faster than [`decrypt_sample`](crate::decrypt_sample) for each: short samples, and short runs of
/// a pattern, are decrypted together. Nothing is allocated.
///
/// # Errors
///
/// [`BatchError`] for the first sample whose subsamples do not cover it exactly. That sample and
/// those behind it have not been touched; those before it are decrypted.
pub fn decrypt_batch<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Result<(), BatchError> {
    let done = decrypt_all(samples);
    wipe_below();
    done
}

#[inline(never)]
fn decrypt_all<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Result<(), BatchError> {
    let mut decryption = Decryption::default();
    let done =
        add_all(samples, |sample| decryption.add(sample.key, &sample.encryption, sample.data));
    decryption.finish();
    done
}

/// Encrypts many samples in place, so that [`decrypt_batch`] undoes it. They may differ in
/// everything, keys included.
///
/// Faster than [`encrypt_sample`](crate::encrypt_sample) for each, and with AES-CBC many times so:
/// a chain of blocks is serial, but those of many samples go side by side. Nothing is allocated.
///
/// # Errors
///
/// [`BatchError`] for the first sample whose subsamples do not cover it exactly. That sample and
/// those behind it have not been touched; those before it are encrypted.
pub fn encrypt_batch<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Result<(), BatchError> {
    let done = encrypt_all(samples);
    wipe_below();
    done
}

#[inline(never)]
fn encrypt_all<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Result<(), BatchError> {
    let mut encryption = Encryption::default();
    let done =
        add_all(samples, |sample| encryption.add(sample.key, &sample.encryption, sample.data));
    encryption.finish();
    done
}

#[inline]
fn add_all<'a>(
    samples: impl IntoIterator<Item = Sample<'a>>,
    mut add: impl FnMut(Sample<'a>) -> Result<(), Error>,
) -> Result<(), BatchError> {
    for (index, sample) in samples.into_iter().enumerate() {
        add(sample).map_err(|error| BatchError { index, error })?;
    }
    Ok(())
}

/// Samples on their way through decryption.
#[derive(Default)]
pub(crate) struct Decryption<'a> {
    gather: Option<Gather<'a>>,
}

impl<'a> Decryption<'a> {
    /// Decrypts a sample, or some of it; the rest waits for others.
    #[inline]
    pub(crate) fn add(
        &mut self,
        key: &'a Key,
        encryption: &SampleEncryption<'a>,
        sample: &'a mut [u8],
    ) -> Result<(), Error> {
        encryption.check(sample.len())?;
        match encryption.scheme {
            Scheme::Cenc | Scheme::Cens => self.ctr(key, encryption, sample),
            Scheme::Cbc1 | Scheme::Cbcs => self.cbc_decrypt(key, encryption, sample),
        }
        Ok(())
    }

    pub(crate) fn ctr(
        &mut self,
        key: &'a Key,
        encryption: &SampleEncryption<'a>,
        sample: &'a mut [u8],
    ) {
        let start = Counter::new(&encryption.iv);
        let layout = Layout::new(encryption);
        // Octets of the keystream that are spent.
        let mut spent = 0;
        for range in Ranges::new(encryption, sample) {
            for run in layout.runs(range) {
                let (counter, skip) = (start.plus(spent / BLOCK), spent % BLOCK);
                spent += run.len();
                if skip > 0 {
                    ctr_within_block(key.cipher(), counter, skip, run);
                } else if layout.is_gathered() {
                    let gather = self.gather(key, Mode::Ctr);
                    for (at, block) in run.as_chunks_mut().0.iter_mut().enumerate() {
                        gather.add(&counter.plus(at).block(), block);
                    }
                } else {
                    key.cipher().ctr(counter, run);
                }
            }
        }
    }

    fn cbc_decrypt(
        &mut self,
        key: &'a Key,
        encryption: &SampleEncryption<'a>,
        sample: &'a mut [u8],
    ) {
        let layout = Layout::new(encryption);
        let mut chain = *encryption.iv.as_bytes();
        for range in Ranges::new(encryption, sample) {
            if encryption.scheme.restarts_per_range() {
                chain = *encryption.iv.as_bytes();
            }
            for run in layout.runs(range) {
                let (blocks, _) = run.as_chunks_mut();
                let next = blocks.last().copied().unwrap_or(chain);
                if layout.is_gathered() {
                    let gather = self.gather(key, Mode::CbcDecrypt);
                    for block in blocks {
                        let cipher = *block;
                        gather.add(&chain, block);
                        chain = cipher;
                    }
                } else {
                    key.cipher().cbc_decrypt(&chain, blocks);
                }
                chain = next;
            }
        }
    }

    /// Where short runs are gathered. Those of another key or mode are finished first.
    #[inline]
    fn gather(&mut self, key: &'a Key, mode: Mode) -> &mut Gather<'a> {
        let cipher = key.cipher();
        if self.gather.as_ref().is_some_and(|gather| !gather.is_for(cipher, mode)) {
            self.finish();
        }
        self.gather.get_or_insert_with(|| Gather::new(cipher, mode))
    }

    /// Decrypts what waits.
    #[inline]
    pub(crate) fn finish(&mut self) {
        if let Some(mut gather) = self.gather.take() {
            gather.finish();
        }
    }
}

/// XORs a run that begins behind the first `skip` bytes of the block for `counter`.
fn ctr_within_block(cipher: &dyn Cipher, counter: Counter, skip: usize, run: &mut [u8]) {
    let (head, rest) = run.split_at_mut(run.len().min(BLOCK - skip));
    let mut block = [0; BLOCK];
    let place = skip..skip + head.len();
    block[place.clone()].copy_from_slice(head);
    cipher.ctr(counter, &mut block);
    head.copy_from_slice(&block[place]);
    cipher.ctr(counter.plus(1), rest);
}

/// Samples on their way through encryption.
#[derive(Default)]
pub(crate) struct Encryption<'a> {
    /// For AES-CTR, which is the same both ways.
    keystream: Decryption<'a>,
    chains: PerKey<Chains<'a>>,
}

impl<'a> Encryption<'a> {
    /// Encrypts a sample, or some of it; the rest waits for others.
    pub(crate) fn add(
        &mut self,
        key: &'a Key,
        encryption: &SampleEncryption<'a>,
        sample: &'a mut [u8],
    ) -> Result<(), Error> {
        encryption.check(sample.len())?;
        match encryption.scheme {
            Scheme::Cenc | Scheme::Cens => self.keystream.ctr(key, encryption, sample),
            Scheme::Cbc1 | Scheme::Cbcs => self.chains(key).add(encryption, sample),
        }
        Ok(())
    }

    /// Where chains go side by side.
    fn chains(&mut self, key: &'a Key) -> &mut Chains<'a> {
        let cipher = key.cipher();
        self.chains.find(|chains| chains.is_for(cipher), || Chains::new(cipher))
    }

    /// Encrypts what waits.
    pub(crate) fn finish(&mut self) {
        self.keystream.finish();
        self.chains.finish();
    }
}
