//! AES-128 over the samples of ISO/IEC 23001-7 (Common Encryption), in place, both ways.
//!
//! A *sample* is what a container stores as one unit: a video picture, an audio frame. Some of its
//! bytes are protected; which, and how, a [`SampleEncryption`] says. This crate knows keys and
//! samples. It knows no key id, no license and no container.
//!
//! ```
//! use cenc::{Iv, Key, Pattern, SampleEncryption, Scheme, Subsample};
//!
//! let key = Key::new(&[0x3c; 16]);
//! let iv = Iv::new(&[0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27])?;
//! // Nine clear bytes of headers, then a slice of which every tenth block is protected.
//! let subsamples = [Subsample::new(9, 191)];
//! let encryption =
//!     SampleEncryption::new(Scheme::Cbcs, iv, Pattern::new(1, 9)?, Some(&subsamples))?;
//!
//! let clear = [0x55; 200];
//! let mut sample = clear;
//! cenc::encrypt_sample(&key, &encryption, &mut sample)?;
//! assert_ne!(sample[9..25], clear[9..25]);
//! assert_eq!(sample[25..169], clear[25..169]);
//!
//! cenc::decrypt_sample(&key, &encryption, &mut sample)?;
//! assert_eq!(sample, clear);
//! # Ok::<(), cenc::Error>(())
//! ```
//!
//! # The four schemes
//!
//! | scheme | cipher | pattern | counter or chain | last block, if partial |
//! |---|---|---|---|---|
//! | `cenc` | AES-CTR | none | runs on through the sample, also inside a block | protected |
//! | `cens` | AES-CTR | per protected range | runs on, counts protected blocks only | clear; without a pattern protected |
//! | `cbc1` | AES-CBC | none | runs on through the sample | clear; an error in a subsample |
//! | `cbcs` | AES-CBC | per protected range | starts anew in every range | clear |
//!
//! # Speed
//!
//! A [`Key`] is expanded for the fastest [`Kernel`] that the CPU has. [`decrypt_batch`] and
//! [`encrypt_batch`] take many samples, so that short and serial work fills the CPU, too: blocks of a
//! pattern are gathered, and chains of AES-CBC are encrypted side by side.
//!
//! ```
//! use cenc::{Iv, Key, Pattern, Sample, SampleEncryption, Scheme};
//!
//! let key = Key::new(&[0x3c; 16]);
//! let mut samples = vec![vec![0x55; 400]; 64];
//! let encryptions = (0..64u64).map(|number| {
//!     let iv = Iv::new(&number.to_be_bytes())?;
//!     SampleEncryption::new(Scheme::Cbcs, iv, Pattern::NONE, None)
//! });
//! let encryptions = encryptions.collect::<Result<Vec<_>, _>>()?;
//! cenc::encrypt_batch(samples.iter_mut().zip(&encryptions).map(|(data, encryption)| {
//!     Sample { key: &key, encryption: *encryption, data }
//! }))?;
//! assert_ne!(samples[63], samples[62]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! Common Encryption does not authenticate: a wrong key, a wrong IV or a damaged sample decrypts
//! to noise without an error.

mod aes;
mod batch;
mod chains;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod gather;
mod iv;
mod key;
mod pattern;
mod pending;
mod runs;
mod sample;
mod scheme;
mod stack;
mod subsample;

#[cfg(test)]
mod laws;
#[cfg(any(test, fuzzing))]
mod naive;

pub use crate::aes::Kernel;
pub use crate::batch::{BatchError, Sample, decrypt_batch, encrypt_batch};
pub use crate::error::Error;
pub use crate::iv::Iv;
pub use crate::key::Key;
pub use crate::pattern::Pattern;
pub use crate::sample::{SampleEncryption, decrypt_sample, encrypt_sample};
pub use crate::scheme::Scheme;
pub use crate::subsample::Subsample;
