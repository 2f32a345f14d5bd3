//! The planner's view of its input, and how a plan in the making stops when it is not enough.

use std::ops::Range;

use crate::{
    Error, Place, ReadAt, limits,
    mp4::boxes::{Header, LONGEST_HEADER, Mp4Box},
};

/// Why planning a unit stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The input up to this offset is needed.
    More(u64),
    /// The whole input is needed.
    Everything,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What has arrived of an input.
pub(crate) struct Input<'i> {
    source: &'i dyn ReadAt,
    /// Nothing comes after what is available.
    pub(crate) whole: bool,
    /// Where the unit begins that is being planned.
    unit: u64,
    /// Auxiliary information is read once or twice, but not as often as a file likes.
    aux_left: u64,
}

impl<'i> Input<'i> {
    pub(crate) fn new(source: &'i dyn ReadAt, whole: bool, unit: u64) -> Self {
        let Range { start, end } = source.available();
        Self { source, whole, unit, aux_left: 2 * (end - start) }
    }

    pub(crate) fn end(&self) -> u64 {
        self.source.available().end
    }

    /// Reads the header of the box at `at`, of which at least the first byte is there.
    pub(crate) fn header(&self, at: u64) -> Result<Header, Stop> {
        let mut bytes = [0; LONGEST_HEADER];
        let there = self.end().saturating_sub(at).min(LONGEST_HEADER as u64);
        let bytes = &mut bytes[..usize::try_from(there).unwrap_or(LONGEST_HEADER)];
        self.fill(at, bytes)?;
        let place = || Place { path: "top level".to_owned(), at };
        match Header::read(bytes) {
            Ok(Some(header)) => Ok(header),
            Ok(None) if !self.whole => Err(Stop::More(at + LONGEST_HEADER as u64)),
            Ok(None) => {
                let what = format!("the input ends with {there} bytes that hold no box");
                Err(Error::MalformedBox { place: place(), what }.into())
            }
            Err(size) => {
                let what = format!("a box size of {size}, less than its own header");
                Err(Error::MalformedBox { place: place(), what }.into())
            }
        }
    }

    /// Where the box at `at` ends; a size of 0 is for the last box of a whole input.
    pub(crate) fn box_end(&self, header: &Header, at: u64) -> Result<u64, Stop> {
        let available = self.end() - at;
        match header.size {
            None if self.whole => Ok(self.end()),
            None => Err(Stop::Everything),
            Some(size) if self.whole && size > available => {
                let place = Place { path: header.kind.to_string(), at };
                Err(Error::TruncatedBox { place, size, available }.into())
            }
            Some(size) => Ok(at.saturating_add(size)),
        }
    }

    /// Reads the body of a header box, which is small enough to be held in memory.
    pub(crate) fn body(&self, header: &Header, at: u64, end: u64) -> Result<Vec<u8>, Stop> {
        if end - at > limits::HEADER {
            return Err(Stop::Failed(Error::Limit {
                place: Place { path: header.kind.to_string(), at },
                what: "the size of a header box",
                value: end - at,
                limit: limits::HEADER,
            }));
        }
        if end > self.end() {
            return Err(Stop::More(end));
        }
        let start = at + header.len as u64;
        let mut body = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.fill(start, &mut body)?;
        Ok(body)
    }

    /// Appends the auxiliary information at `range`, to which `from` points.
    pub(crate) fn read(
        &mut self,
        range: Range<u64>,
        from: &Mp4Box<'_, '_>,
        data: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let out_of_range = |why| Error::SampleOutOfRange {
            place: from.place(),
            what: "auxiliary information".to_owned(),
            range: range.clone(),
            why,
        };
        if range.start < self.unit {
            return Err(out_of_range("lies before its fragment").into());
        }
        if range.end > self.end() {
            return Err(match self.whole {
                true => out_of_range("lies beyond the end of the input").into(),
                false => Stop::More(range.end),
            });
        }
        let len = range.end - range.start;
        let left = self.aux_left.checked_sub(len);
        self.aux_left = left.ok_or_else(|| out_of_range("was read too often"))?;
        let start = data.len();
        data.resize(start + usize::try_from(len).unwrap_or(usize::MAX), 0);
        self.fill(range.start, &mut data[start..])
    }

    fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<(), Stop> {
        let failed = |source| Stop::Failed(Error::Read { at, source });
        self.source.read_exact_at(at, buffer).map_err(failed)
    }
}
