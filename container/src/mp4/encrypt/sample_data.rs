//! The bytes of samples, read in pieces that are much longer than a sample.

use crate::{mp4::input::Input, stop::Stop};

/// Bytes that are read at a time.
const PIECE: u64 = 1 << 20;

/// What has been read last.
#[derive(Clone, Debug, Default)]
pub(super) struct SampleData {
    at: u64,
    len: usize,
    buffer: Vec<u8>,
}

impl SampleData {
    /// The bytes of a sample, which lies inside of the input.
    pub(super) fn fetch(&mut self, at: u64, len: u32, input: &Input<'_>) -> Result<&[u8], Stop> {
        let end = at.saturating_add(len.into());
        if at < self.at || end > self.at + self.len as u64 {
            let until = end.max(at.saturating_add(PIECE).min(input.end()));
            let len = usize::try_from(until - at).unwrap_or(usize::MAX);
            // A buffer that shrinks would be cleared when it grows again.
            if self.buffer.len() < len {
                self.buffer.resize(len, 0);
            }
            (self.at, self.len) = (at, 0);
            input.fill(at, &mut self.buffer[..len])?;
            self.len = len;
        }
        let start = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        Ok(&self.buffer[start..start + len as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Window;

    #[test]
    fn samples_are_found_forwards_and_backwards() {
        let bytes: Vec<_> = (0..3 << 20).map(|at: u32| (at % 251).to_le_bytes()[0]).collect();
        let window = Window::new(0, &bytes);
        let (input, mut data) = (Input::new(&window, true, 0), SampleData::default());
        for (at, len) in [(0, 10), (10, 5000), (1 << 20, 7), (5, 2 << 20), (0, 3 << 20), (9, 0)] {
            let start = usize::try_from(at).unwrap();
            let found = data.fetch(at, len, &input).unwrap();
            assert!(found == &bytes[start..start + len as usize], "{at} {len}");
        }
        assert!(data.fetch(1, 3 << 20, &input).is_err());
        // What failed is not taken for what was asked for.
        assert_eq!(data.fetch(0, 2, &input).unwrap(), &bytes[..2]);
    }
}
