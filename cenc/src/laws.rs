//! What holds for every sample, tried on random ones and against the naive oracle.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::naive::{self, Direction};
use crate::{
    Iv, Key, Pattern, SampleEncryption, Scheme, Subsample, decrypt_sample, encrypt_sample,
};

proptest! {
    #[test]
    fn decrypting_undoes_encrypting(case in case()) {
        let encrypted = case.encrypted();
        prop_assert_eq!(encrypted.len(), case.sample.len());
        let back = Case { sample: encrypted, ..case.clone() }.decrypted();
        prop_assert_eq!(back, case.sample);
    }

    #[test]
    fn encrypting_undoes_decrypting(case in case()) {
        let decrypted = case.decrypted();
        prop_assert_eq!(decrypted.len(), case.sample.len());
        let back = Case { sample: decrypted, ..case.clone() }.encrypted();
        prop_assert_eq!(back, case.sample);
    }

    #[test]
    fn both_directions_agree_with_the_oracle(case in case()) {
        prop_assert_eq!(case.decrypted(), case.naive(Direction::Decrypt));
        prop_assert_eq!(case.encrypted(), case.naive(Direction::Encrypt));
    }

    #[test]
    fn clear_bytes_stay(case in case()) {
        let Some(subsamples) = &case.subsamples else { return Ok(()) };
        let after = [case.decrypted(), case.encrypted()];
        let mut at = 0;
        for subsample in subsamples {
            let clear = at..at + usize::from(subsample.clear);
            for after in &after {
                prop_assert_eq!(&after[clear.clone()], &case.sample[clear.clone()]);
            }
            at = clear.end + subsample.protected as usize;
        }
    }

    /// The keystream of `cenc` does not care how the protected bytes are cut into subsamples, nor
    /// which clear bytes lie between them.
    #[test]
    fn cenc_does_not_care_about_cuts(case in case_of(Scheme::Cenc)) {
        let subsamples = case.subsamples.clone().unwrap_or_default();
        let protected = |sample: &[u8]| -> Vec<u8> {
            naive::chains(Scheme::Cenc, Pattern::NONE, case.subsamples.as_deref(), sample.len())
                .concat()
                .into_iter()
                .map(|at| sample[at])
                .collect()
        };
        let in_one = Case { subsamples: None, sample: protected(&case.sample), ..case.clone() };
        prop_assert_eq!(protected(&case.decrypted()), in_one.decrypted(), "{:?}", subsamples);
    }
}

#[test]
fn every_pattern_agrees_with_the_oracle() {
    let iv = Iv::new(&[0xf0; 16]).unwrap();
    for (crypt, skip) in (0..16).flat_map(|crypt| (0..16).map(move |skip| (crypt, skip))) {
        let pattern = Pattern::new(crypt, skip).unwrap();
        for scheme in [Scheme::Cens, Scheme::Cbcs] {
            for len in [0, 15, 16, 17, 47, 160, 255, 256, 481, 600] {
                let sample = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
                let case = Case { key: [7; 16], scheme, iv, pattern, subsamples: None, sample };
                assert_eq!(case.decrypted(), case.naive(Direction::Decrypt), "{case:?}");
                assert_eq!(case.encrypted(), case.naive(Direction::Encrypt), "{case:?}");
            }
        }
    }
}

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
    fn decrypted(&self) -> Vec<u8> {
        let mut sample = self.sample.clone();
        decrypt_sample(&Key::new(&self.key), &self.encryption(), &mut sample).unwrap();
        sample
    }

    fn encrypted(&self) -> Vec<u8> {
        let mut sample = self.sample.clone();
        encrypt_sample(&Key::new(&self.key), &self.encryption(), &mut sample).unwrap();
        sample
    }

    fn encryption(&self) -> SampleEncryption<'_> {
        SampleEncryption::new(self.scheme, self.iv, self.pattern, self.subsamples.as_deref())
            .unwrap()
    }

    fn naive(&self, direction: Direction) -> Vec<u8> {
        let how = (self.scheme, self.iv, self.pattern);
        naive::cipher(direction, &self.key, how, self.subsamples.as_deref(), &self.sample)
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    prop_oneof![
        case_of(Scheme::Cenc),
        case_of(Scheme::Cens),
        case_of(Scheme::Cbc1),
        case_of(Scheme::Cbcs),
    ]
}

fn case_of(scheme: Scheme) -> impl Strategy<Value = Case> {
    let pattern = if scheme.takes_pattern() { 0..16u8 } else { 0..1 };
    let pattern =
        (pattern.clone(), pattern).prop_map(|(crypt, skip)| Pattern::new(crypt, skip).unwrap());
    let extent = prop_oneof![
        (0..2000_usize).prop_map(|len| (None, len)),
        vec(subsample(scheme), 0..6).prop_map(|table| {
            let len = table.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
            (Some(table), len)
        }),
    ];
    let extent = extent.prop_flat_map(|(table, len)| (Just(table), vec(any::<u8>(), len)));
    (any::<[u8; 16]>(), iv(), pattern, extent).prop_map(
        move |(key, iv, pattern, (subsamples, sample))| Case {
            key,
            scheme,
            iv,
            pattern,
            subsamples,
            sample,
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

fn subsample(scheme: Scheme) -> impl Strategy<Value = Subsample> {
    (0..40_u16, 0..600_u32).prop_map(move |(clear, protected)| match scheme {
        Scheme::Cbc1 => Subsample::new(clear, protected / 16 * 16),
        _ => Subsample::new(clear, protected),
    })
}
