//! What may be protected in a sample of a codec, and whether a plaintext looks right.
//!
//! Its users, and one reading of each codec:
//! - Who encrypts asks a [`Mapper`] which bytes of a sample may be protected: the headers that a demuxer
//!   reads stay clear (ISO/IEC 23001-7, 9.5; AV1 Codec ISO Media File Format Binding, "Subsample
//!   encryption"; VP Codec ISO Media File Format Binding).
//! - Who has decrypted lets [`Codec::check`] look at the samples. What the syntax demands and random
//!   bytes would break is counted in a [`Tally`], which says whether the key looks wrong.
//!
//! Who describes a file has a codec [`Named`] as manifests and pages do.
//!
//! Nothing here decrypts, and nothing knows a container.
#![forbid(unsafe_code)]

mod bits;
mod bool_decoder;
mod codec;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod mapper;
mod protected;
#[cfg(test)]
mod random;
mod rfc6381;
mod tally;

mod aac;
mod ac3;
mod av1;
mod avc;
mod esds;
mod flac;
mod hevc;
mod mp3;
mod nal;
mod opus;
mod vorbis;
mod vp8;
mod vp9;

#[cfg(test)]
mod tests;

pub use {
    codec::{Codec, Rounding},
    error::Error,
    mapper::Mapper,
    protected::Protected,
    rfc6381::{Named, Sound},
    tally::{Rule, Tally, Verdict},
};
