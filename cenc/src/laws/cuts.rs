//! What holds when the same protected bytes are cut into other subsamples.
//!
//! ```text
//! whole     |protected bytes in a row                    |
//! cut       |clr|prot.|clear|protected bytes  |prot.|clr|...
//! ```
//!
//! | scheme | does not care about |
//! |---|---|
//! | `cenc`, and `cens` without a pattern | any cut |
//! | `cens` | cuts where the pattern begins again; and the keystream does not care which bytes it picks |
//! | `cbc1` | cuts between blocks, and there are no others |
//! | `cbcs` | nothing: every range is a sample of its own |

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use super::case::{Case, DIRECTIONS, case_of, together};
use super::noise;
use crate::aes::BLOCK;
use crate::naive::{self, Direction};
use crate::{Kernel, Pattern, Scheme, Subsample};

/// Where to cut, in units that are for the test to choose, and how many clear bytes come in there.
type Cuts = Vec<(usize, u16)>;

fn cuts() -> impl Strategy<Value = Cuts> {
    vec((0..2000_usize, 0..40_u16), 0..8)
}

/// A sample that is protected whole.
fn whole(scheme: Scheme) -> impl Strategy<Value = Case> {
    case_of(scheme).prop_map(|case| Case { subsamples: None, ..case })
}

/// The same bytes, cut at multiples of so many.
fn cut(whole: &Case, cuts: &Cuts, unit: usize) -> Case {
    let len = whole.sample.len();
    let mut cuts: Vec<_> =
        cuts.iter().map(|(at, clear)| (at % (len / unit + 1) * unit, *clear)).collect();
    cuts.sort_unstable();
    let ends = cuts.iter().map(|(at, _)| *at).chain([len]);
    let starts = [(0, 0)].into_iter().chain(cuts.iter().copied());
    let (mut sample, mut table) = (Vec::new(), Vec::new());
    for ((start, clear), end) in starts.zip(ends) {
        sample.extend(noise(clear.into(), clear.into()));
        sample.extend_from_slice(&whole.sample[start..end]);
        table.push(Subsample::new(clear, u32::try_from(end - start).unwrap()));
    }
    Case { subsamples: Some(table), sample, ..whole.clone() }
}

/// Where the protected ranges of a case are.
fn ranges(case: &Case) -> Vec<Range<usize>> {
    let mut at = 0;
    let range = |subsample: &Subsample| {
        let start = at + usize::from(subsample.clear);
        at = start + subsample.protected as usize;
        start..at
    };
    case.subsamples.iter().flatten().map(range).collect()
}

/// The protected ranges of a sample that was a case, put together again.
fn joined(case: &Case, sample: &[u8]) -> Vec<u8> {
    ranges(case).into_iter().flat_map(|range| sample[range].to_vec()).collect()
}

/// What becomes of cases, each alone, and then all of them in one batch.
fn both_ways(direction: Direction, kernel: Kernel, cases: &[Case]) -> [Vec<Vec<u8>>; 2] {
    let alone = cases.iter().map(|case| case.alone(direction, kernel)).collect();
    let (batched, done) = together(direction, kernel, cases);
    assert_eq!(done, Ok(()));
    [alone, batched]
}

/// The protected bytes become the same, on every kernel and both ways.
fn assert_indifferent(whole: &Case, cut: &Case) -> Result<(), TestCaseError> {
    let cases = [whole.clone(), cut.clone()];
    for direction in DIRECTIONS {
        for kernel in Kernel::all() {
            for after in both_ways(direction, kernel, &cases) {
                let joined = joined(cut, &after[1]);
                prop_assert_eq!(&joined, &after[0], "{}: {:?}", kernel, direction);
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn cenc_does_not_care_about_cuts(whole in whole(Scheme::Cenc), cuts in cuts()) {
        assert_indifferent(&whole, &cut(&whole, &cuts, 1))?;
    }

    #[test]
    fn nor_does_cens_without_a_pattern(whole in whole(Scheme::Cens), cuts in cuts()) {
        let whole = Case { pattern: Pattern::NONE, ..whole };
        assert_indifferent(&whole, &cut(&whole, &cuts, 1))?;
    }

    #[test]
    fn cens_does_not_care_about_cuts_where_its_pattern_begins(
        whole in whole(Scheme::Cens),
        cuts in cuts(),
    ) {
        let turn = whole.pattern.crypt_byte_block() + whole.pattern.skip_byte_block();
        let unit = BLOCK * usize::from(turn.max(1));
        // Only the last range may end inside of a block; elsewhere whole blocks are all that is left.
        assert_indifferent(&whole, &cut(&whole, &cuts, unit))?;
    }

    /// Whatever bytes its pattern picks, they are ciphered as `cenc` would in a row.
    #[test]
    fn the_keystream_of_cens_runs_over_what_is_picked(case in case_of(Scheme::Cens)) {
        let picked: Vec<_> =
            naive::chains(case.scheme, case.pattern, case.subsamples.as_deref(), case.sample.len())
                .concat();
        let pick = |sample: &[u8]| -> Vec<u8> { picked.iter().map(|&at| sample[at]).collect() };
        let in_a_row = Case {
            scheme: Scheme::Cenc,
            pattern: Pattern::NONE,
            subsamples: None,
            sample: pick(&case.sample),
            ..case.clone()
        };
        for direction in DIRECTIONS {
            for kernel in Kernel::all() {
                for after in both_ways(direction, kernel, &[in_a_row.clone(), case.clone()]) {
                    prop_assert_eq!(pick(&after[1]), &after[0][..], "{}: {:?}", kernel, direction);
                }
            }
        }
    }

    #[test]
    fn cbc1_does_not_care_about_cuts_between_blocks(whole in whole(Scheme::Cbc1), cuts in cuts()) {
        let mut whole = whole;
        whole.sample.truncate(whole.sample.len() / BLOCK * BLOCK);
        assert_indifferent(&whole, &cut(&whole, &cuts, BLOCK))?;
    }

    #[test]
    fn every_range_of_cbcs_is_a_sample_of_its_own(whole in whole(Scheme::Cbcs), cuts in cuts()) {
        let cut = cut(&whole, &cuts, 1);
        let parts = ranges(&cut).into_iter().map(|range| {
            Case { subsamples: None, sample: cut.sample[range].to_vec(), ..cut.clone() }
        });
        let cases: Vec<_> = [cut.clone()].into_iter().chain(parts).collect();
        for direction in DIRECTIONS {
            for kernel in Kernel::all() {
                for after in both_ways(direction, kernel, &cases) {
                    let joined = joined(&cut, &after[0]);
                    prop_assert_eq!(joined, after[1..].concat(), "{}: {:?}", kernel, direction);
                }
            }
        }
    }

    /// So it cares: the block behind a cut is chained to the IV, and was chained to the block before it.
    #[test]
    fn cbcs_cares_about_a_cut(whole in whole(Scheme::Cbcs), at in 1..100_usize) {
        let whole = Case { pattern: Pattern::NONE, sample: noise(7, 100 * BLOCK + 5), ..whole };
        let cut = cut(&whole, &vec![(at, 3)], BLOCK);
        for direction in DIRECTIONS {
            for kernel in Kernel::all() {
                for after in both_ways(direction, kernel, &[whole.clone(), cut.clone()]) {
                    let [whole, cut] = [after[0].clone(), joined(&cut, &after[1])];
                    let place = at * BLOCK;
                    prop_assert_eq!(&whole[..place], &cut[..place]);
                    prop_assert_ne!(&whole[place..place + BLOCK], &cut[place..place + BLOCK]);
                }
            }
        }
    }
}
