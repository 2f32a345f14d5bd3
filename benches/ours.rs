//! The kernels of `cenc`.

use cenc::{
    Key, Sample, SampleEncryption, decrypt_batch, decrypt_sample, encrypt_batch, encrypt_sample,
};

use crate::cases::Direction;
use crate::{Run, Stream};

/// How a sample is encrypted, and its length. Both come from a container, so both are made before
/// anything is timed.
type Part<'a> = (SampleEncryption<'a>, usize);

/// All samples in one call.
pub(crate) fn batch(key: Key, stream: &Stream, direction: Direction) -> Run<'_> {
    let parts = parts(stream);
    match direction {
        Direction::Decrypt => Box::new(move |data| {
            decrypt_batch(samples(&key, &parts, data)).expect("subsamples cover the samples");
        }),
        Direction::Encrypt => Box::new(move |data| {
            encrypt_batch(samples(&key, &parts, data)).expect("subsamples cover the samples");
        }),
    }
}

/// A call for each sample.
pub(crate) fn one_by_one(key: Key, stream: &Stream, direction: Direction) -> Run<'_> {
    let parts = parts(stream);
    match direction {
        Direction::Decrypt => Box::new(move |data| {
            for Sample { key, encryption, data } in samples(&key, &parts, data) {
                decrypt_sample(key, &encryption, data).expect("subsamples cover the sample");
            }
        }),
        Direction::Encrypt => Box::new(move |data| {
            for Sample { key, encryption, data } in samples(&key, &parts, data) {
                encrypt_sample(key, &encryption, data).expect("subsamples cover the sample");
            }
        }),
    }
}

fn parts(stream: &Stream) -> Vec<Part<'_>> {
    let lengths = stream.shapes.iter().map(|shape| shape.len);
    stream.encryptions().into_iter().zip(lengths).collect()
}

fn samples<'a>(
    key: &'a Key,
    parts: &'a [Part<'a>],
    mut rest: &'a mut [u8],
) -> impl Iterator<Item = Sample<'a>> {
    parts.iter().map(move |(encryption, len)| {
        let data;
        (data, rest) = std::mem::take(&mut rest).split_at_mut(*len);
        Sample { key, encryption: *encryption, data }
    })
}
