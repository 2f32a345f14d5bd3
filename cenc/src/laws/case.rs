//! Random samples with all that goes with them, and what the calls make of them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::noise;
use crate::naive::{self, Direction};
use crate::{
    BatchError, Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, Subsample,
    decrypt_batch, decrypt_sample, encrypt_batch, encrypt_sample,
};

pub(super) const DIRECTIONS: [Direction; 2] = [Direction::Decrypt, Direction::Encrypt];
pub(super) const SCHEMES: [Scheme; 4] = [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs];

/// A sample and all that goes with it. The subsamples fit.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) key: [u8; 16],
    pub(crate) scheme: Scheme,
    pub(crate) iv: Iv,
    pub(crate) pattern: Pattern,
    pub(crate) subsamples: Option<Vec<Subsample>>,
    pub(crate) sample: Vec<u8>,
}

impl Case {
    pub(super) fn encryption(&self) -> SampleEncryption<'_> {
        SampleEncryption::new(self.scheme, self.iv, self.pattern, self.subsamples.as_deref())
            .unwrap()
    }

    /// What becomes of it in a call of its own.
    pub(super) fn alone(&self, direction: Direction, kernel: Kernel) -> Vec<u8> {
        let key = Key::on(kernel, &self.key);
        let mut sample = self.sample.clone();
        let done = match direction {
            Direction::Decrypt => decrypt_sample(&key, &self.encryption(), &mut sample),
            Direction::Encrypt => encrypt_sample(&key, &self.encryption(), &mut sample),
        };
        done.unwrap();
        sample
    }

    /// What the oracle says.
    pub(super) fn naive(&self, direction: Direction) -> Vec<u8> {
        let how = (self.scheme, self.iv, self.pattern);
        naive::cipher(direction, &self.key, how, self.subsamples.as_deref(), &self.sample)
    }

    /// Where its clear bytes are: outside of protected ranges, those that a pattern skips, and those
    /// that fill no block.
    pub(super) fn clear_bytes(&self) -> Vec<usize> {
        let len = self.sample.len();
        let mut is_clear = vec![true; len];
        for at in naive::chains(self.scheme, self.pattern, self.subsamples.as_deref(), len).concat()
        {
            is_clear[at] = false;
        }
        (0..len).filter(|&at| is_clear[at]).collect()
    }
}

/// What becomes of cases in one call. Equal keys are one value.
pub(super) fn together(
    direction: Direction,
    kernel: Kernel,
    cases: &[Case],
) -> (Vec<Vec<u8>>, Result<(), BatchError>) {
    let mut keys = BTreeMap::new();
    for Case { key, .. } in cases {
        keys.entry(key).or_insert_with(|| Key::on(kernel, key));
    }
    let mut after: Vec<_> = cases.iter().map(|case| case.sample.clone()).collect();
    let samples = cases.iter().zip(&mut after).map(|(case, data)| Sample {
        key: &keys[&case.key],
        encryption: case.encryption(),
        data,
    });
    let done = batch(direction, samples);
    (after, done)
}

pub(super) fn batch<'a>(
    direction: Direction,
    samples: impl IntoIterator<Item = Sample<'a>>,
) -> Result<(), BatchError> {
    match direction {
        Direction::Decrypt => decrypt_batch(samples),
        Direction::Encrypt => encrypt_batch(samples),
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    select(&SCHEMES).prop_flat_map(case_of)
}

pub(super) fn case_of(scheme: Scheme) -> impl Strategy<Value = Case> {
    let extent = prop_oneof![
        (0..2000_usize).prop_map(|len| (None, len)),
        vec(subsample(scheme), 0..6).prop_map(|table| {
            let len = table.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
            (Some(table), len)
        }),
    ];
    (any::<[u8; 16]>(), iv(), pattern(scheme), extent, any::<u64>()).prop_map(
        move |(key, iv, pattern, (subsamples, len), seed)| Case {
            key,
            scheme,
            iv,
            pattern,
            subsamples,
            sample: noise(seed, len),
        },
    )
}

/// Any IV, and often one whose counter is about to wrap.
fn iv() -> impl Strategy<Value = Iv> {
    let octets = prop_oneof![
        any::<[u8; 16]>(),
        (any::<[u8; 8]>(), 0..64_u64).prop_map(|(nonce, left)| {
            let mut octets = [0; 16];
            octets[..8].copy_from_slice(&nonce);
            octets[8..].copy_from_slice(&(u64::MAX - left).to_be_bytes());
            octets
        }),
    ];
    octets.prop_map(|octets| Iv::new(&octets).unwrap())
}

/// Any pattern that the scheme takes, and often one of short runs.
fn pattern(scheme: Scheme) -> impl Strategy<Value = Pattern> {
    let takes_it = scheme.takes_pattern();
    let crypt = prop_oneof![0..16_u8, 1..4_u8];
    (crypt, 0..16_u8).prop_map(move |(crypt, skip)| match takes_it {
        true => Pattern::new(crypt, skip).unwrap(),
        false => Pattern::NONE,
    })
}

fn subsample(scheme: Scheme) -> impl Strategy<Value = Subsample> {
    (0..40_u16, 0..600_u32).prop_map(move |(clear, protected)| match scheme {
        Scheme::Cbc1 => Subsample::new(clear, protected / 16 * 16),
        _ => Subsample::new(clear, protected),
    })
}
