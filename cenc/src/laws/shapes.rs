//! Batches of a shape that chance seldom makes, against the naive oracle.

use super::case::{Case, DIRECTIONS, SCHEMES, batch, together};
use super::noise;
use crate::aes::{BLOCK, GATHER, LANES, STRETCH};
use crate::{Iv, Kernel, Key, Pattern, Sample, Scheme, Subsample};

/// A sample without a table. What else there is to it is made from the seed.
fn whole(seed: u8, scheme: Scheme, (crypt, skip): (u8, u8), len: usize) -> Case {
    let mut iv = [seed; 16];
    // Four blocks before the counter wraps.
    iv[8..].copy_from_slice(&(u64::MAX - 3).to_be_bytes());
    Case {
        key: [7; 16],
        scheme,
        iv: Iv::new(&iv).unwrap(),
        pattern: Pattern::new(crypt, skip).unwrap(),
        subsamples: None,
        sample: noise(seed.into(), len),
    }
}

/// A sample with a table: clear bytes and protected ones, again and again.
fn cut(seed: u8, scheme: Scheme, pattern: (u8, u8), table: &[(u16, u32)]) -> Case {
    let table: Vec<_> =
        table.iter().map(|&(clear, protected)| Subsample::new(clear, protected)).collect();
    let len = table.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
    Case { subsamples: Some(table), ..whole(seed, scheme, pattern, len) }
}

/// Whole samples of so many blocks, and some bytes more.
fn of_blocks(scheme: Scheme, blocks: impl IntoIterator<Item = usize>) -> Vec<Case> {
    let sample = |(seed, blocks)| {
        whole(u8::try_from(seed).unwrap(), scheme, (0, 0), blocks * BLOCK + seed % BLOCK)
    };
    blocks.into_iter().enumerate().map(sample).collect()
}

/// Both ways and on every kernel, a batch does to each sample what the oracle does.
fn check(cases: &[Case]) {
    for direction in DIRECTIONS {
        let naive: Vec<_> = cases.iter().map(|case| case.naive(direction)).collect();
        for kernel in Kernel::all() {
            let (after, done) = together(direction, kernel, cases);
            assert_eq!(done, Ok(()));
            for (at, (after, naive)) in after.iter().zip(&naive).enumerate() {
                let case = &cases[at];
                assert!(after == naive, "{kernel}: {direction:?}, sample {at}: {case:?}");
            }
        }
    }
}

#[test]
fn a_batch_of_nothing_is_fine() {
    check(&[]);
}

#[test]
fn empty_samples_change_nothing_around_them() {
    for scheme in SCHEMES {
        let empty = || {
            let tables: [&[_]; 3] = [&[], &[(0, 0)], &[(0, 0); 3]];
            tables
                .map(|table| cut(1, scheme, (0, 0), table))
                .into_iter()
                .chain([whole(2, scheme, (0, 0), 0), cut(3, scheme, (0, 0), &[(9, 0), (4, 0)])])
        };
        check(&empty().collect::<Vec<_>>());
        let others = of_blocks(scheme, [3, 20]);
        check(&empty().chain(others.clone()).chain(empty()).chain(others).collect::<Vec<_>>());
    }
}

#[test]
fn any_number_of_chains_goes_side_by_side() {
    for count in 1..=2 * LANES + 2 {
        check(&of_blocks(Scheme::Cbcs, vec![2 * STRETCH + 3; count]));
        check(&of_blocks(Scheme::Cbc1, vec![STRETCH; count]));
    }
}

#[test]
fn chains_of_different_lengths_end_one_by_one() {
    let longest = 3 * STRETCH + 1;
    let up = || 0..=longest;
    let mixed = up().map(|at| at * 7 % (longest + 1));
    for scheme in [Scheme::Cbc1, Scheme::Cbcs] {
        check(&of_blocks(scheme, up()));
        check(&of_blocks(scheme, up().rev()));
        check(&of_blocks(scheme, mixed.clone()));
    }
}

#[test]
fn a_long_chain_outlives_the_others() {
    for place in [0, 1, 7, 15, 16, 20] {
        let lengths = (0..21).map(|at| if at == place { 300 } else { 1 + at % 3 });
        check(&of_blocks(Scheme::Cbcs, lengths));
    }
}

/// Samples at a distance of 4096 bytes lie in the same sets of a cache.
#[test]
fn lanes_at_the_same_cache_sets_stay_apart() {
    const DISTANCE: usize = 4096;
    let blocks = [200, 3, 8, 100, 64, 7, 9, 200, 256, 1, 30, 31, 32, 200, 16, 200, 200, 5, 200];
    let cases: Vec<_> = of_blocks(Scheme::Cbcs, blocks)
        .into_iter()
        .map(|case| {
            let len = case.sample.len().min(DISTANCE);
            Case { sample: case.sample[..len].to_vec(), ..case }
        })
        .collect();
    for (direction, kernel) in
        DIRECTIONS.into_iter().flat_map(|way| Kernel::all().map(move |kernel| (way, kernel)))
    {
        let key = Key::on(kernel, &cases[0].key);
        for start in [0, 1, 16, 48] {
            let mut memory = vec![0xaa; start + cases.len() * DISTANCE];
            let mut expected = memory.clone();
            for (at, case) in cases.iter().enumerate() {
                let place = start + at * DISTANCE..start + at * DISTANCE + case.sample.len();
                memory[place.clone()].copy_from_slice(&case.sample);
                expected[place].copy_from_slice(&case.naive(direction));
            }
            let places = memory[start..].chunks_mut(DISTANCE);
            let samples = cases.iter().zip(places).map(|(case, place)| Sample {
                key: &key,
                encryption: case.encryption(),
                data: &mut place[..case.sample.len()],
            });
            assert_eq!(batch(direction, samples), Ok(()));
            assert!(memory == expected, "{kernel}: {direction:?}, from {start}");
        }
    }
}

#[test]
fn a_chain_of_cbc1_runs_on_over_empty_ranges() {
    let tables: [&[_]; 6] = [
        &[(3, 0), (0, 0), (5, 16), (0, 0), (1, 0), (2, 160), (7, 0)],
        &[(0, 16), (0, 16), (0, 16), (0, 144), (0, 16)],
        &[(9, 0), (9, 0), (9, 320), (0, 0)],
        &[(1, 128), (1, 0), (1, 128), (1, 0), (1, 128), (1, 0)],
        &[(100, 0), (0, 0), (3, 0)],
        &[(0, 0), (0, 0), (0, 32)],
    ];
    for count in [1, 2, 15, 16, 17, 40] {
        let cases: Vec<_> = (0..count)
            .map(|at| {
                let seed = u8::try_from(at).unwrap();
                cut(seed, Scheme::Cbc1, (0, 0), tables[at % tables.len()])
            })
            .collect();
        check(&cases);
    }
}

#[test]
fn runs_of_a_pattern_are_short_or_long() {
    for scheme in [Scheme::Cens, Scheme::Cbcs] {
        for crypt in [1, 2, 3, 15] {
            for skip in [0, 1, 9, 15] {
                let pattern = (crypt, skip);
                let cases: Vec<_> = (0..20_u8)
                    .map(|seed| {
                        let by = u32::from(seed);
                        match seed % 3 {
                            0 => whole(seed, scheme, pattern, 70 * usize::from(seed)),
                            1 => cut(seed, scheme, pattern, &[(9, 100 + by), (0, 0), (3, 40 * by)]),
                            _ => cut(seed, scheme, pattern, &[(1, 15), (2, 17 * by), (0, 256)]),
                        }
                    })
                    .collect();
                check(&cases);
            }
        }
    }
}

#[test]
fn a_keystream_goes_on_inside_a_block() {
    for scheme in [Scheme::Cenc, Scheme::Cens] {
        let tables = (1..=40).map(|protected| [(2, protected), (0, 1), (1, protected)].repeat(6));
        let cases: Vec<_> =
            (0..).zip(tables).map(|(seed, table)| cut(seed, scheme, (0, 0), &table)).collect();
        check(&cases);
    }
}

#[test]
fn blocks_that_are_gathered_may_fill_it_or_not() {
    let counts = [1, GATHER - 1, GATHER, GATHER + 1, 2 * GATHER, 2 * GATHER + 1];
    for scheme in [Scheme::Cens, Scheme::Cbcs] {
        for count in counts {
            check(&[whole(1, scheme, (1, 1), 2 * count * BLOCK)]);
            let split = [count / 3, count - count / 3].map(|count| 2 * count * BLOCK);
            check(&[whole(1, scheme, (1, 1), split[0]), whole(2, scheme, (1, 1), split[1])]);
        }
    }
}

#[test]
fn keys_take_turns() {
    for scheme in SCHEMES {
        let pattern = if scheme.takes_pattern() { (1, 2) } else { (0, 0) };
        for keys in 1..=6 {
            // Each by turns; a few of each; and in no order.
            let orders: [fn(u8, u8) -> u8; 3] =
                [|at, keys| at % keys, |at, keys| at / 3 % keys, |at, keys| at * 5 % 31 % keys];
            for order in orders {
                let cases: Vec<_> = (0..40)
                    .map(|at| Case {
                        key: [order(at, keys); 16],
                        ..whole(at, scheme, pattern, 150 + 9 * usize::from(at))
                    })
                    .collect();
                check(&cases);
            }
        }
    }
}

/// Their octets are equal, but not their kernels, or not their place.
#[test]
fn equal_keys_do_not_get_in_each_others_way() {
    let case = |at: u8| {
        let scheme = if at < 20 { Scheme::Cbcs } else { Scheme::Cens };
        whole(at, scheme, (1 + at % 3, 1), 16 * usize::from(at))
    };
    let cases: Vec<_> = (0..40).map(case).collect();
    let kernels = Kernel::all().chain(Kernel::all());
    let keys: Vec<_> = kernels.map(|kernel| Key::on(kernel, &cases[0].key)).collect();
    for direction in DIRECTIONS {
        let mut after: Vec<_> = cases.iter().map(|case| case.sample.clone()).collect();
        let samples = cases.iter().zip(&mut after).zip(keys.iter().cycle());
        let samples =
            samples.map(|((case, data), key)| Sample { key, encryption: case.encryption(), data });
        assert_eq!(batch(direction, samples), Ok(()));
        for (case, after) in cases.iter().zip(after) {
            assert_eq!(after, case.naive(direction));
        }
    }
}

#[test]
fn schemes_take_turns_under_one_key() {
    let cases: Vec<_> = (0..40)
        .map(|at: u8| {
            let scheme = SCHEMES[usize::from(at) * 7 % 5 % 4];
            let pattern = if scheme.takes_pattern() { (1 + at % 3, 1) } else { (0, 0) };
            whole(at, scheme, pattern, 64 + 11 * usize::from(at))
        })
        .collect();
    check(&cases);
}

#[test]
fn a_sample_that_does_not_fit_is_left_with_all_behind_it() {
    for scheme in SCHEMES {
        let pattern = if scheme.takes_pattern() { (1, 2) } else { (0, 0) };
        for index in [0, 1, 16, 39] {
            let mut cases: Vec<_> =
                (0..40).map(|at| cut(at, scheme, pattern, &[(5, 320), (3, 160)])).collect();
            cases[index].sample.pop();
            for direction in DIRECTIONS {
                for kernel in Kernel::all() {
                    let (after, done) = together(direction, kernel, &cases);
                    assert_eq!(done.unwrap_err().index, index);
                    for (at, (case, after)) in cases.iter().zip(after).enumerate() {
                        let is_done = at < index;
                        let expected =
                            if is_done { case.naive(direction) } else { case.sample.clone() };
                        assert!(after == expected, "{kernel}: {direction:?}, sample {at}");
                    }
                }
            }
        }
    }
}
