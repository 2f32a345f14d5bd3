//! What a decrypted sample shows of its key.

use std::borrow::Cow;

use super::{Config, macroblock, sets::Sets, slice::Header};
use crate::{
    Error, Protected, Rule, Tally,
    nal::{Rbsp, rules},
};

/// Bytes of slice data that must be protected for their macroblock to say anything: nearly all of those
/// that the first one's modes take.
const MODES: usize = 8;

/// Bytes of a NAL unit that hold a header and the first macroblock's modes.
const PREFIX: usize = 128;

/// How often random bytes are no slice header, at the least: most fields have few values.
const HEADER: f64 = 0.5;

/// Looks at the bytes of `sample` that were protected.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let form = rules::Form {
        length_size: config.length_size,
        header: 1,
        allows: |header| matches!(header, [header, ..] if is_header(*header)),
        chance: HEADER_CHANCE,
    };
    // What the sample brings itself; none when it cannot be read.
    let mut sets = Some(Cow::Borrowed(&config.sets));
    rules::walk(&form, sample, protected, tally, |tally, place| {
        let nal = sample.get(place.clone()).unwrap_or_default();
        match nal.first().map(|header| header & 0x1f) {
            Some(1 | 5) => {
                if let Some(sets) = &sets {
                    slice(sets, sample, place.start, nal, protected, tally);
                }
            }
            Some(7 | 8) => {
                sets = sets.take().and_then(|mut sets| {
                    sets.to_mut().update(nal).ok()?;
                    Some(sets)
                });
            }
            _ => {}
        }
    });
}

/// Looks at the slice at `start`.
fn slice(
    sets: &Sets,
    sample: &[u8],
    start: usize,
    nal: &[u8],
    protected: &Protected<'_>,
    tally: &mut Tally,
) {
    let rbsp = Rbsp::new(nal, PREFIX);
    let header = Header::read(&rbsp, sets);
    let header_end = header.as_ref().map_or(nal.len().min(PREFIX), |header| rbsp.end(header.bits));
    if protected.touches(&(start + 1..start + header_end)) {
        match &header {
            Err(Error::Truncated { .. }) if nal.len() > PREFIX => {}
            header => tally.test(Rule::Header, HEADER, header.is_ok()),
        }
        // The data behind are where a wrong header says.
        return;
    }
    let Ok(header) = header else { return };
    let data = start + rbsp.place(header.bits.div_ceil(8));
    if header.pps.cabac {
        rules::entropy(sample, data, protected, tally);
    }
    if rules::is_within(protected, &(data..data + MODES))
        && let Some(Ok(holds)) = macroblock::is_legal(&rbsp, &header)
    {
        tally.test(Rule::Payload, macroblock::chance(&header), holds);
    }
}

/// Whether a NAL unit may begin with that byte (7.4.1, table 7-1). Types 24 to 31 are what others make of
/// them.
const fn is_header(header: u8) -> bool {
    let is_reference = header & 0x60 != 0;
    header & 0x80 == 0
        && match header & 0x1f {
            5 | 7 | 8 | 13 | 15 => is_reference,
            6 | 9..=12 => !is_reference,
            0 | 17 | 18 | 22 | 23 => false,
            _ => true,
        }
}

/// How many of all bytes are no header.
const HEADER_CHANCE: f64 = {
    let (mut header, mut illegal) = (0_u8, 0_u32);
    loop {
        if !is_header(header) {
            illegal += 1;
        }
        if header == u8::MAX {
            break;
        }
        header += 1;
    }
    illegal as f64 / 256.0
};
