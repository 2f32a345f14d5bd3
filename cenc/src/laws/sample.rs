//! What holds for every sample, tried on random ones and against the naive oracle.

use proptest::prelude::*;

use super::case::{Case, DIRECTIONS, case};
use crate::naive::Direction;
use crate::{Iv, Kernel, Pattern, Scheme};

proptest! {
    #[test]
    fn decrypting_and_encrypting_undo_each_other(case in case()) {
        for kernel in Kernel::all() {
            for (there, back) in [
                (Direction::Encrypt, Direction::Decrypt),
                (Direction::Decrypt, Direction::Encrypt),
            ] {
                let after = case.alone(there, kernel);
                prop_assert_eq!(after.len(), case.sample.len());
                let after = Case { sample: after, ..case.clone() }.alone(back, kernel);
                prop_assert_eq!(&after, &case.sample, "{}: {:?} comes first", kernel, there);
            }
        }
    }

    #[test]
    fn both_directions_agree_with_the_oracle(case in case()) {
        for direction in DIRECTIONS {
            let naive = case.naive(direction);
            for kernel in Kernel::all() {
                prop_assert_eq!(&case.alone(direction, kernel), &naive, "{}", kernel);
            }
        }
    }

    #[test]
    fn clear_bytes_stay(case in case()) {
        for direction in DIRECTIONS {
            for kernel in Kernel::all() {
                let after = case.alone(direction, kernel);
                for at in case.clear_bytes() {
                    prop_assert_eq!(after[at], case.sample[at], "{}: byte {}", kernel, at);
                }
            }
        }
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
                for direction in DIRECTIONS {
                    let after = case.alone(direction, Kernel::chosen());
                    assert_eq!(after, case.naive(direction), "{case:?}");
                }
            }
        }
    }
}
