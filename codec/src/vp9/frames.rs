//! The frames of a superframe (VP9 Bitstream, Annex B).

use std::ops::Range;

use crate::Error;

/// Where the frames of a sample are. Without a superframe index it is one frame.
///
/// # Errors
/// The frames of the index are longer than the sample.
pub(super) fn split(sample: &[u8]) -> Result<Frames, Error> {
    let Some(index) = index(sample) else {
        let count = usize::from(!sample.is_empty());
        return Ok(Frames { ends: [sample.len(); MOST], count, index: sample.len()..sample.len() });
    };
    let magnitude = usize::from(sample[index.start] >> 3 & 3) + 1;
    let sizes = &sample[index.start + 1..index.end - 1];
    let mut frames = Frames { ends: [0; MOST], count: 0, index };
    let mut end = 0_usize;
    for (size, slot) in sizes.chunks_exact(magnitude).zip(&mut frames.ends) {
        let size = size.iter().rev().fold(0, |size, &byte| size << 8 | usize::from(byte));
        end = end.saturating_add(size);
        if end > frames.index.start {
            return Err(Error::Truncated {
                what: "a frame of a superframe",
                at: frames.index.start,
            });
        }
        *slot = end;
        frames.count += 1;
    }
    Ok(frames)
}

/// Frames in a superframe.
const MOST: usize = 8;

/// The frames of a sample.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    ends: [usize; MOST],
    count: usize,
    /// The superframe index; empty if there is none.
    pub(super) index: Range<usize>,
}

impl Frames {
    /// The frames, in order. None is empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let ends = self.ends.iter().take(self.count);
        ends.scan(0, |start, &end| Some(std::mem::replace(start, end)..end))
            .filter(|frame| !frame.is_empty())
    }
}

/// Whether a byte marks the ends of a superframe index. No frame ends with such a byte.
pub(super) fn is_marker(byte: u8) -> bool {
    byte >> 5 == 0b110
}

/// Both marker bytes and the sizes between.
fn index(sample: &[u8]) -> Option<Range<usize>> {
    let &marker = sample.last().filter(|&&byte| is_marker(byte))?;
    let (magnitude, frames) = (usize::from(marker >> 3 & 3) + 1, usize::from(marker & 7) + 1);
    let start = sample.len().checked_sub(2 + magnitude * frames)?;
    (sample.get(start) == Some(&marker)).then_some(start..sample.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(sample: &[u8]) -> Vec<Range<usize>> {
        split(sample).unwrap().iter().collect()
    }

    #[test]
    fn a_sample_without_an_index_is_a_frame() {
        assert_eq!(frames(&[]), []);
        assert!(frames(&[0x82, 1, 2]).into_iter().eq(std::iter::once(0..3)));
        // A marker, but none where the index would begin.
        assert!(frames(&[0x82, 1, 2, 0xc0]).into_iter().eq(std::iter::once(0..4)));
        assert!(frames(&[0xc9]).into_iter().eq(std::iter::once(0..1)));
    }

    #[test]
    fn an_index_gives_the_sizes_of_frames() {
        // Two frames, sizes in one byte: 3 and 1.
        assert_eq!(frames(&[0x82, 1, 2, 0x88, 0xc1, 3, 1, 0xc1]), [0..3, 3..4]);
        // Two bytes each, little-endian; an empty frame is none, and what is left belongs to nobody.
        let sample = [0x82, 1, 2, 0x88, 0xca, 3, 0, 0, 0, 0, 0, 0xca];
        let found = split(&sample).unwrap();
        assert!(found.iter().eq(std::iter::once(0..3)));
        assert_eq!(found.index, 4..12);
    }

    #[test]
    fn frames_that_are_longer_than_the_sample_are_refused() {
        assert!(split(&[0x82, 1, 2, 0x88, 0xc1, 3, 2, 0xc1]).is_err());
        let mut sample = vec![0xdf];
        sample.extend([0xff; 32]);
        sample.push(0xdf);
        assert!(split(&sample).is_err());
    }
}
