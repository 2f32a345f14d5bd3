//! Samples as a host may pass them, and what should come of them.
//!
//! ```text
//! K N N N N …  key id; 0 clear, 1 cenc, 2 cbcs, 3 unknown; IV of 0: 8, 1: 16, 2: 0, 3: 9 octets; pattern, each
//!              of both 0 to 10; then clear and protected octets in turn, up to 8 subsamples, or one
//!              number for a sample without
//! ```

use cdm_abi::{EncryptionScheme, Pattern, SubsampleEntry};
use cenc::{Iv, Key, SampleEncryption, Scheme, decrypt_sample};

use super::script::Script;

/// A sample.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) data: Vec<u8>,
    pub(crate) kid: [u8; 16],
    pub(crate) scheme: EncryptionScheme,
    pub(crate) iv: Vec<u8>,
    pub(crate) subsamples: Vec<SubsampleEntry>,
    pub(crate) pattern: Pattern,
}

/// What should come of it.
#[derive(Debug)]
pub(crate) enum Expected {
    /// It needs no key.
    Clear,
    /// It makes no sense.
    Error,
    /// It needs a key.
    Key,
}

/// A run of clear octets that no subsample in a file has.
const LONG: u32 = 70_000;

impl Sample {
    pub(crate) fn read(what: &[u8]) -> Self {
        let mut script = Script { rest: what };
        let kid = [script.number(); 16];
        let scheme = EncryptionScheme(u32::from(script.number() & 3));
        let iv = (0..[8, 16, 0, 9][usize::from(script.number() & 3)]).collect();
        let mut blocks = || [0_u32, 1, 5, 9, 10, 15, 16, 255][usize::from(script.number())];
        let (crypt_byte_block, skip_byte_block) = (blocks(), blocks());
        let len = |octet: u8| if octet == b'~' { LONG } else { octet.into() };
        let lens: Vec<_> = script.rest.iter().take(16).map(|octet| len(*octet)).collect();
        let (pairs, odd) = lens.as_chunks::<2>();
        let entry = |&[clear_bytes, cipher_bytes]: &[u32; 2]| SubsampleEntry {
            clear_bytes,
            cipher_bytes: cipher_bytes.min(255),
        };
        let subsamples: Vec<_> = pairs.iter().map(entry).collect();
        // What has an odd number of lengths is longer than its subsamples say, unless it has none.
        let sum: u32 = subsamples.iter().map(|entry| entry.clear_bytes + entry.cipher_bytes).sum();
        let len = sum + odd.iter().sum::<u32>();
        Self {
            data: (0..len).map(|at| at.to_le_bytes()[0].wrapping_mul(7)).collect(),
            kid,
            scheme,
            iv,
            subsamples,
            pattern: Pattern { crypt_byte_block, skip_byte_block },
        }
    }

    pub(crate) fn expected(&self) -> Expected {
        let sums = self.subsamples.iter().map(|entry| entry.clear_bytes + entry.cipher_bytes);
        let is_covered =
            self.subsamples.is_empty() || sums.sum::<u32>() as usize == self.data.len();
        let is_clear = self.subsamples.iter().all(|entry| entry.cipher_bytes == 0);
        match self.scheme {
            EncryptionScheme::UNENCRYPTED => Expected::Clear,
            EncryptionScheme::CENC | EncryptionScheme::CBCS if !is_covered => Expected::Error,
            EncryptionScheme::CENC | EncryptionScheme::CBCS
                if self.iv.is_empty() && is_clear && !self.subsamples.is_empty() =>
            {
                Expected::Clear
            }
            EncryptionScheme::CENC | EncryptionScheme::CBCS if self.encryption().is_some() => {
                Expected::Key
            }
            _ => Expected::Error,
        }
    }

    /// How a protected range of it is encrypted, as if it were a sample of its own.
    fn encryption(&self) -> Option<SampleEncryption<'static>> {
        let scheme = match self.scheme {
            EncryptionScheme::CENC => Scheme::Cenc,
            EncryptionScheme::CBCS => Scheme::Cbcs,
            _ => return None,
        };
        let blocks = |number: u32| u8::try_from(number).ok();
        let (crypt, skip) =
            (blocks(self.pattern.crypt_byte_block)?, blocks(self.pattern.skip_byte_block)?);
        let pattern = cenc::Pattern::new(crypt, skip).ok()?;
        SampleEncryption::new(scheme, Iv::new(&self.iv).ok()?, pattern, None).ok()
    }

    /// What it is when it is clear. The protected ranges are taken out of it: those of `cenc` are one, those
    /// of `cbcs` each begin anew.
    pub(crate) fn clear(&self, key: &[u8; 16]) -> Vec<u8> {
        let (key, encryption) = (Key::new(key), self.encryption().expect("a key serves"));
        let mut clear = self.data.clone();
        if self.subsamples.is_empty() {
            decrypt_sample(&key, &encryption, &mut clear).unwrap();
            return clear;
        }
        let mut at = 0;
        let mut ranges = Vec::new();
        for entry in &self.subsamples {
            let start = at + entry.clear_bytes as usize;
            at = start + entry.cipher_bytes as usize;
            ranges.push(start..at);
        }
        if self.scheme == EncryptionScheme::CBCS {
            for range in ranges {
                decrypt_sample(&key, &encryption, &mut clear[range]).unwrap();
            }
            return clear;
        }
        let mut all: Vec<u8> =
            ranges.iter().flat_map(|range| clear[range.clone()].to_vec()).collect();
        decrypt_sample(&key, &encryption, &mut all).unwrap();
        for range in ranges {
            let rest = all.split_off(range.len());
            clear[range].copy_from_slice(&std::mem::replace(&mut all, rest));
        }
        clear
    }
}
