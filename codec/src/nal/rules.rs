//! What every NAL unit keeps: lengths that tile the sample, headers of known types, no start codes,
//! no zero at the end.

use std::ops::Range;

use super::unit;
use crate::{Protected, Rule, Tally};

/// Three-byte sequences looked at in a sample, at most.
const TRIPLES: usize = 4096;

/// Of random bytes, how many times in 2^24 a triple is 000000, 000001 or 000002, or is 000003 with a byte
/// behind it that is not 00 to 03.
const FORBIDDEN: f64 = (3.0 + 252.0 / 256.0) / 16_777_216.0;

/// How one of the two codecs begins its NAL units.
pub(crate) struct Form {
    /// Bytes of NALUnitLength.
    pub(crate) length_size: usize,
    /// Bytes of the NAL unit header.
    pub(crate) header: usize,
    /// Whether a NAL unit may begin with such a header.
    pub(crate) allows: fn(&[u8]) -> bool,
    /// How many headers of random bits are not allowed.
    pub(crate) chance: f64,
}

/// Goes through the NAL units of `sample` and notes what they all show. `visit` gets the place of each,
/// header included; the walk ends where a unit does not fit.
pub(crate) fn walk(
    form: &Form,
    sample: &[u8],
    protected: &Protected<'_>,
    tally: &mut Tally,
    mut visit: impl FnMut(&mut Tally, Range<usize>),
) {
    let mut at = 0;
    let mut triples = Triples { looked_at: 0, holds: true };
    while at < sample.len() {
        let place = unit(sample, at, form.length_size);
        let field = at..at + form.length_size;
        if is_within(protected, &field) {
            let left = sample.len().saturating_sub(field.end) as f64;
            let values = 256_f64.powi(i32::try_from(form.length_size).unwrap_or(4));
            // Lengths from 1 to what is left.
            let holds = place.as_ref().is_ok_and(|place| !place.is_empty());
            tally.test(Rule::Length, 1.0 - (left / values).min(1.0), holds);
        }
        let Ok(place) = place else { break };
        at = place.end;
        if place.is_empty() {
            continue;
        }
        let header = place.start..place.start + form.header;
        if is_within(protected, &header) {
            let holds = sample.get(header).is_some_and(form.allows);
            tally.test(Rule::Header, form.chance, holds);
            if !holds {
                break;
            }
        }
        trailing(sample, &place, protected, tally);
        triples.look(sample, &place, protected);
        visit(tally, place);
    }
    if triples.looked_at > 0 {
        let chance = -f64::exp_m1(triples.looked_at as f64 * f64::ln_1p(-FORBIDDEN));
        tally.test(Rule::Emulation, chance, triples.holds);
    }
}

/// Notes whether the bytes at `place`, which end with a one and zeros to fill the byte, end so
/// (rbsp_trailing_bits(), byte_alignment(); a cabac_zero_word has a 03 at its end).
pub(crate) fn trailing(
    sample: &[u8],
    place: &Range<usize>,
    protected: &Protected<'_>,
    tally: &mut Tally,
) {
    if let Some(last) = place.end.checked_sub(1)
        && last >= place.start
        && protected.contains(last)
        && let Some(&byte) = sample.get(last)
    {
        tally.test(Rule::Trailing, 1.0 / 256.0, byte != 0);
    }
}

/// Notes whether an arithmetic decoder can start with the byte at `at`: its first nine bits are not 510
/// or 511 (ISO/IEC 14496-10, 9.3.1.2; ISO/IEC 23008-2, 9.3.2.5), so the first eight are not all ones.
pub(crate) fn entropy(sample: &[u8], at: usize, protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(at)
        && let Some(&byte) = sample.get(at)
    {
        tally.test(Rule::Entropy, 1.0 / 256.0, byte != 0xff);
    }
}

/// Whether all of `range` was protected.
pub(crate) fn is_within(protected: &Protected<'_>, range: &Range<usize>) -> bool {
    let ranges = protected.ranges();
    let found = ranges.partition_point(|found| found.end < range.end);
    ranges.get(found).is_some_and(|found| found.start <= range.start && range.end <= found.end)
}

struct Triples {
    looked_at: usize,
    holds: bool,
}

impl Triples {
    /// Looks at the protected bytes of a NAL unit.
    fn look(&mut self, sample: &[u8], place: &Range<usize>, protected: &Protected<'_>) {
        let ranges = protected.ranges();
        let first = ranges.partition_point(|range| range.end <= place.start);
        for range in ranges.iter().skip(first).take_while(|range| range.start < place.end) {
            let start = range.start.max(place.start);
            let end = range.end.min(place.end);
            let count = (end - start).saturating_sub(2).min(TRIPLES - self.looked_at);
            if count > 0 {
                self.looked_at += count;
                self.holds &= !is_forbidden(
                    sample.get(start..start + count + 2).unwrap_or_default(),
                    sample.get(start + count + 2..place.end).and_then(<[u8]>::first),
                );
            }
        }
    }
}

/// Whether a sequence that may not occur in a NAL unit does in `bytes`, which `next` follows.
fn is_forbidden(bytes: &[u8], next: Option<&u8>) -> bool {
    let mut at = 0;
    while let Some(&[first, second, third]) = bytes.get(at..at + 3) {
        if third > 3 {
            // No triple with this byte can be forbidden.
            at += 3;
            continue;
        }
        if first == 0 && second == 0 {
            match bytes.get(at + 3).or(next) {
                _ if third < 3 => return true,
                Some(4..) => return true,
                _ => {}
            }
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn forbidden_sequences_are_found_wherever_they_are(
            bytes in proptest::collection::vec(prop_oneof![4 => Just(0_u8), 2 => 1..5_u8, 1 => any::<u8>()], 0..40),
            next in proptest::option::of(0..6_u8),
        ) {
            let mut all = bytes.clone();
            all.extend(next);
            let expected = (0..bytes.len().saturating_sub(2)).any(|at| {
                all[at..at + 2] == [0, 0]
                    && (all[at + 2] < 3 || all[at + 2] == 3 && all.get(at + 3).is_some_and(|&byte| byte > 3))
            });
            prop_assert_eq!(is_forbidden(&bytes, next.as_ref()), expected);
        }
    }

    #[test]
    fn a_range_is_within_when_all_its_bytes_are() {
        let ranges = [2..6, 8..10];
        let protected = Protected::new(&ranges);
        assert!(is_within(&protected, &(2..6)));
        assert!(is_within(&protected, &(3..5)));
        for range in [1..3, 5..7, 5..9, 8..11, 0..1, 12..14] {
            assert!(!is_within(&protected, &range), "{range:?}");
        }
    }
}
