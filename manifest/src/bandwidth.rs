//! How many bits a second a stream takes.

use container::{Segment, SegmentIndex};

/// The bit rates of a stream, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bandwidth {
    /// Of any run of segments that lasts between 0.5 and 1.5 times as long as the longest segment, the highest
    /// (RFC 8216, 4.1, "peak segment bit rate"). A player that loads so much in a second, and has a longest
    /// segment in hand, does not stall.
    pub(crate) peak: u64,
    /// Of all segments together.
    pub(crate) average: u64,
}

impl Bandwidth {
    pub(crate) fn of(index: &SegmentIndex) -> Self {
        let timescale = u128::from(index.timescale);
        let rate = |bytes: u64, duration: u64| {
            let rate = (u128::from(bytes) * 8 * timescale).div_ceil(u128::from(duration.max(1)));
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        let segments = &index.segments;
        let average = rate(bytes(segments), duration(segments));
        let longest = segments.iter().map(|segment| segment.duration).max().unwrap_or(0);
        let runs = (0..segments.len()).flat_map(|first| {
            let mut run = (0_u64, 0_u64);
            segments[first..].iter().map_while(move |segment| {
                run = (run.0 + len(segment), run.1.saturating_add(segment.duration));
                (u128::from(run.1) * 2 <= u128::from(longest) * 3).then_some(run)
            })
        });
        let mut peak = average;
        for (count, (bytes, lasts)) in runs.enumerate() {
            if count == MOST_RUNS {
                // No run takes more than its largest segment.
                let each = segments.iter().map(|segment| rate(len(segment), segment.duration));
                peak = each.max().unwrap_or(average);
                break;
            }
            if lasts.saturating_mul(2) >= longest {
                peak = peak.max(rate(bytes, lasts));
            }
        }
        Self { peak, average }
    }
}

/// Runs that are looked at. Only a file of very uneven segments has more.
const MOST_RUNS: usize = 1 << 22;

fn len(segment: &Segment) -> u64 {
    segment.range.end - segment.range.start
}

fn bytes(segments: &[Segment]) -> u64 {
    segments.iter().map(len).sum()
}

pub(crate) fn duration(segments: &[Segment]) -> u64 {
    segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes and milliseconds of segments.
    fn bandwidth(segments: &[(u64, u64)]) -> (u64, u64) {
        let mut at = 0;
        let segments = segments.iter().map(|&(len, duration)| {
            let range = at..at + len;
            at += len;
            Segment { range, duration, access: Some(1) }
        });
        let segments = segments.collect();
        let index = SegmentIndex { range: 0..0, timescale: 1000, start: 0, segments };
        let Bandwidth { peak, average } = Bandwidth::of(&index);
        (peak, average)
    }

    #[test]
    fn the_largest_segment_is_the_peak() {
        assert_eq!(bandwidth(&[(1000, 1000), (3000, 1000), (2000, 1000)]), (24_000, 16_000));
        assert_eq!(bandwidth(&[(1000, 4000)]), (2000, 2000));
    }

    #[test]
    fn a_short_segment_counts_with_its_neighbors() {
        // 20 ms at the end would be 200 kbit/s by themselves.
        assert_eq!(bandwidth(&[(1000, 1000), (1000, 1000), (500, 20)]), (11_765, 9901));
    }

    #[test]
    fn a_file_cannot_make_this_take_long() {
        let mut segments = vec![(1, 0); 20_000];
        segments.push((1, 1_000_000));
        assert_eq!(bandwidth(&segments).0, 8000);
    }

    #[test]
    fn a_fraction_of_a_bit_is_one() {
        assert_eq!(bandwidth(&[(1, 3000)]), (3, 3));
        assert_eq!(bandwidth(&[(1, 0)]).1, 8000);
    }
}
