//! Frames in a second, as a fraction.

use std::fmt;

/// A rate in frames a second, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Not 0.
    numerator: u64,
    /// Not 0.
    denominator: u64,
}

impl Rate {
    /// So many frames in a time of `duration` units, of which a second has `timescale`. `None`: one of them is
    /// 0.
    ///
    /// Times in files are rounded: what is as good as a whole number, or as one over 1.001, is that.
    #[must_use]
    pub fn new(frames: u64, duration: u64, timescale: u32) -> Option<Self> {
        let numerator = u128::from(frames) * u128::from(timescale);
        let denominator = u128::from(duration);
        if numerator == 0 || denominator == 0 {
            return None;
        }
        let whole = (numerator + denominator / 2) / denominator;
        let usual = [(whole, 1), (whole * 1000, 1001)];
        let near = usual.into_iter().find(|&(n, d)| is_near((numerator, denominator), (n, d)));
        let (numerator, denominator) = near.unwrap_or((numerator, denominator));
        let divisor = greatest_common_divisor(numerator, denominator);
        Some(Self {
            numerator: u64::try_from(numerator / divisor).ok()?,
            denominator: u64::try_from(denominator / divisor).ok()?,
        })
    }

    /// As a decimal number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

/// Whether the second fraction, which is not 0, differs from the first by less than one in 5000. The two
/// usual ones differ by one in 1000.
fn is_near((a, b): (u128, u128), (c, d): (u128, u128)) -> bool {
    c != 0 && (a * d).abs_diff(c * b) * 5000 < c * b
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// As `25` or `30000/1001`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(frames: u64, duration: u64, timescale: u32) -> String {
        Rate::new(frames, duration, timescale).unwrap().to_string()
    }

    #[test]
    fn rates_are_in_lowest_terms() {
        assert_eq!(rate(100, 51_200, 12_800), "25");
        assert_eq!(rate(25, 100, 10), "5/2");
        assert_eq!(rate(300, 300_300, 30_000), "30000/1001");
        assert_eq!(rate(1, 66_733, 1_000_000), "15000/1001");
    }

    #[test]
    fn rounded_times_make_no_odd_rates() {
        // DefaultDuration of WebM, in nanoseconds.
        for (nanos, expected) in [
            (33_366_666, "30000/1001"),
            (33_366_667, "30000/1001"),
            (33_333_333, "30"),
            (41_708_333, "24000/1001"),
            (16_683_333, "60000/1001"),
            (40_000_000, "25"),
        ] {
            assert_eq!(rate(1, nanos, 1_000_000_000), expected, "{nanos}");
        }
        // 12.5 is not nearly 12 or 13.
        assert_eq!(rate(1, 80_000_000, 1_000_000_000), "25/2");
        // 96 frames of 24000/1001, in milliseconds.
        assert_eq!(rate(96, 4004, 1000), "24000/1001");
    }

    #[test]
    fn nothing_has_no_rate() {
        assert_eq!(Rate::new(0, 1, 1), None);
        assert_eq!(Rate::new(1, 0, 1), None);
        assert_eq!(Rate::new(1, 1, 0), None);
        assert!(Rate::new(u64::MAX, 1, u32::MAX).is_none());
        assert!((Rate::new(1, 2, 1).unwrap().as_f64() - 0.5).abs() < 1e-9);
    }
}
