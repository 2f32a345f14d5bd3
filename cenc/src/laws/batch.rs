//! What holds for every batch, tried on random ones and against the naive oracle.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::case::{Case, DIRECTIONS, case, together};
use crate::naive::Direction;
use crate::{BatchError, Error, Kernel};

proptest! {
    #[test]
    fn a_batch_is_its_samples_one_by_one(cases in batch()) {
        for direction in DIRECTIONS {
            let naive: Vec<_> = cases.iter().map(|case| case.naive(direction)).collect();
            for kernel in Kernel::all() {
                let alone: Vec<_> =
                    cases.iter().map(|case| case.alone(direction, kernel)).collect();
                prop_assert_eq!(&alone, &naive, "{}: {:?} one by one", kernel, direction);
                let (after, done) = together(direction, kernel, &cases);
                prop_assert_eq!(done, Ok(()));
                prop_assert_eq!(&after, &naive, "{}: {:?} together", kernel, direction);
            }
        }
    }

    #[test]
    fn decrypting_and_encrypting_undo_each_other(cases in batch()) {
        for kernel in Kernel::all() {
            for (there, back) in [
                (Direction::Encrypt, Direction::Decrypt),
                (Direction::Decrypt, Direction::Encrypt),
            ] {
                let (after, _) = together(there, kernel, &cases);
                let cases_after: Vec<_> = cases
                    .iter()
                    .zip(after)
                    .map(|(case, sample)| Case { sample, ..case.clone() })
                    .collect();
                let (after, _) = together(back, kernel, &cases_after);
                for (case, after) in cases.iter().zip(after) {
                    prop_assert_eq!(&after, &case.sample, "{}: {:?} comes first", kernel, there);
                }
            }
        }
    }

    #[test]
    fn clear_bytes_stay(cases in batch()) {
        for direction in DIRECTIONS {
            for kernel in Kernel::all() {
                let (after, _) = together(direction, kernel, &cases);
                for (case, after) in cases.iter().zip(after) {
                    prop_assert_eq!(after.len(), case.sample.len());
                    for at in case.clear_bytes() {
                        prop_assert_eq!(after[at], case.sample[at], "{}: byte {}", kernel, at);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_sample_that_does_not_fit_ends_the_batch(
        cases in batch(),
        misfits in vec((case(), any::<Index>()), 1..4),
    ) {
        let mut cases = cases;
        let mut places: Vec<_> = misfits.iter().map(|(_, at)| at.index(cases.len() + 1)).collect();
        places.sort_unstable();
        for ((case, _), at) in misfits.into_iter().zip(&places).rev() {
            cases.insert(*at, misfit(case));
        }
        let index = places[0];
        let Case { subsamples, sample, .. } = &cases[index];
        let sum = subsamples.iter().flatten().map(|s| u64::from(s.clear) + u64::from(s.protected));
        let sum = sum.sum();
        let error = Error::InvalidSubsamples { sum, size: sample.len() };
        for direction in DIRECTIONS {
            let naive = cases[..index].iter().map(|case| case.naive(direction));
            let expected: Vec<_> =
                naive.chain(cases[index..].iter().map(|case| case.sample.clone())).collect();
            for kernel in Kernel::all() {
                let (after, done) = together(direction, kernel, &cases);
                prop_assert_eq!(done, Err(BatchError { index, error: error.clone() }));
                prop_assert_eq!(&after, &expected, "{}: {:?}", kernel, direction);
            }
        }
    }
}

/// Samples of all kinds, under a few keys that come in any order.
fn batch() -> impl Strategy<Value = Vec<Case>> {
    let keys = vec(any::<[u8; 16]>(), 1..=6);
    (keys, vec((case(), any::<Index>()), 0..=40)).prop_map(|(keys, cases)| {
        cases.into_iter().map(|(case, at)| Case { key: *at.get(&keys), ..case }).collect()
    })
}

/// The same with a byte that no subsample covers.
fn misfit(case: Case) -> Case {
    let mut case = case;
    case.subsamples.get_or_insert_default();
    case.sample.push(0);
    case
}

#[test]
fn an_error_says_which_sample_it_is() {
    let error = BatchError { index: 3, error: Error::InvalidSubsamples { sum: 1002, size: 24 } };
    assert_eq!(error.to_string(), "sample 3: subsamples cover 1002 bytes of a 24-byte sample");
}
