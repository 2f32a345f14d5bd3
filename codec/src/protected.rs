//! Which bytes of a sample were protected.

use std::ops::Range;

/// The bytes of a sample that a cipher has changed: with a pattern, the crypt blocks alone.
///
/// Only they tell anything about a key.
#[derive(Clone, Copy, Debug)]
pub struct Protected<'p> {
    ranges: &'p [Range<usize>],
}

impl<'p> Protected<'p> {
    /// Byte ranges of the sample, sorted, apart from each other, none empty.
    #[must_use]
    pub fn new(ranges: &'p [Range<usize>]) -> Self {
        Self { ranges }
    }

    /// Bytes in all ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    /// Whether nothing was protected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> &'p [Range<usize>] {
        self.ranges
    }

    /// Whether the byte at `at` was protected.
    #[must_use]
    pub fn contains(&self, at: usize) -> bool {
        let behind = self.ranges.partition_point(|range| range.end <= at);
        self.ranges.get(behind).is_some_and(|range| range.start <= at)
    }

    /// Whether any byte of `range` was protected.
    #[must_use]
    pub fn touches(&self, range: &Range<usize>) -> bool {
        let behind = self.ranges.partition_point(|found| found.end <= range.start);
        !range.is_empty() && self.ranges.get(behind).is_some_and(|found| found.start < range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_in_ranges() {
        let ranges = [2..4, 4..5, 9..12];
        let protected = Protected::new(&ranges);
        let found: Vec<_> = (0..14).filter(|&at| protected.contains(at)).collect();
        assert_eq!(found, [2, 3, 4, 9, 10, 11]);
        assert_eq!((protected.len(), protected.is_empty()), (6, false));
        for start in 0..14 {
            for end in start..14 {
                let any = (start..end).any(|at| protected.contains(at));
                assert_eq!(protected.touches(&(start..end)), any, "{start}..{end}");
            }
        }
        assert!(Protected::new(&[]).is_empty());
    }
}
