//! What a decrypted sample shows of its key.

use std::borrow::Cow;

use super::{Config, is_slice, sets::Sets, slice::Header, unit_type};
use crate::{
    Error, Protected, Rule, Tally,
    nal::{Rbsp, rules},
};

/// Bytes of a NAL unit in which a header with its entry points is looked for.
const PREFIX: usize = 4096;

/// How often random bytes are no slice segment header, at the least: most fields have few values.
const HEADER: f64 = 0.5;

/// How many headers of random bits are not allowed: forbidden_zero_bit, the types of table 7-1 that are
/// reserved, nuh_temporal_id_plus1 of 0, and IRAP pictures in a higher sub-layer.
const HEADER_CHANCE: f64 = 1.0 - 0.5 * (35.0 * 7.0 + 6.0) / (64.0 * 8.0);

/// Looks at the bytes of `sample` that were protected.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let form = rules::Form {
        length_size: config.length_size,
        header: 2,
        allows: is_header,
        chance: HEADER_CHANCE,
    };
    // What the sample brings itself; none when it cannot be read.
    let mut sets = Some(Cow::Borrowed(&config.sets));
    rules::walk(&form, sample, protected, tally, |tally, place| {
        let nal = sample.get(place.clone()).unwrap_or_default();
        match unit_type(nal) {
            Some((unit_type, 0)) if is_slice(unit_type) => {
                if let Some(sets) = &sets {
                    slice(sets, sample, place.start, nal, protected, tally);
                }
            }
            Some((33 | 34, 0)) => {
                sets = sets.take().and_then(|mut sets| {
                    sets.to_mut().update(nal).ok()?;
                    Some(sets)
                });
            }
            _ => {}
        }
    });
}

/// Looks at the slice segment at `start`.
fn slice(
    sets: &Sets,
    sample: &[u8],
    start: usize,
    nal: &[u8],
    protected: &Protected<'_>,
    tally: &mut Tally,
) {
    let read = |rbsp: &Rbsp| Header::read(rbsp, sets).map(|header| (rbsp.end(header.bits), header));
    let header = Rbsp::read(nal.get(..PREFIX).unwrap_or(nal), read);
    let header_end = header.as_ref().map_or(nal.len().min(PREFIX), |(end, _)| *end);
    if protected.touches(&(start + 2..start + header_end)) {
        match &header {
            Err(Error::Truncated { .. }) if nal.len() > PREFIX => {}
            header => tally.test(Rule::Header, HEADER, header.is_ok()),
        }
        // The data behind are where a wrong header says.
        return;
    }
    let Ok((data, header)) = header else { return };
    // Each part of the data starts and ends as slice data do (7.3.8.1).
    let end = start + nal.len();
    let mut at = start + data;
    rules::entropy(sample, at, protected, tally);
    for offset in header.entry_points {
        let next = at.saturating_add(offset as usize);
        if next >= end {
            break;
        }
        rules::trailing(sample, &(at..next), protected, tally);
        rules::entropy(sample, next, protected, tally);
        at = next;
    }
}

/// Whether a NAL unit may begin with these bytes (7.4.2.2, table 7-1). Types 48 to 63 are what others make
/// of them.
fn is_header(header: &[u8]) -> bool {
    let [first, second, ..] = *header else { return false };
    let is_known = match first >> 1 & 0x3f {
        // IRAP pictures.
        16..=21 => second & 7 == 1,
        0..=9 | 32..=40 | 48..=63 => second & 7 != 0,
        _ => false,
    };
    first & 0x80 == 0 && is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_headers_that_are_not_allowed_is_as_counted() {
        let illegal = (0..=u16::MAX).filter(|header| !is_header(&header.to_be_bytes())).count();
        assert!((illegal as f64 / 65536.0 - HEADER_CHANCE).abs() < 1e-9, "{illegal}");
    }
}
