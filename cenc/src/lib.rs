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
//! # Limits
//!
//! Common Encryption does not authenticate: a wrong key, a wrong IV or a damaged sample decrypts
//! to noise without an error.

mod aes;
mod batch;
mod chains;
mod error;
mod gather;
mod iv;
mod key;
mod pattern;
mod pending;
mod runs;
mod sample;
mod scheme;
mod subsample;

#[cfg(test)]
mod laws;
#[cfg(test)]
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
