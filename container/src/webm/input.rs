//! The planner's view of its input.

use crate::{
    Error, Place, ReadAt, limits,
    stop::Stop,
    webm::ebml::{Header, LONGEST_HEADER, join},
};

/// What has arrived of an input.
#[derive(Clone, Copy)]
pub(crate) struct Input<'i> {
    source: &'i dyn ReadAt,
    /// Nothing comes after what is available.
    pub(crate) whole: bool,
}

impl<'i> Input<'i> {
    pub(crate) fn new(source: &'i dyn ReadAt, whole: bool) -> Self {
        Self { source, whole }
    }

    pub(crate) fn end(&self) -> u64 {
        self.source.available().end
    }

    /// Reads the header of the element at `at`, which is in an element with the path `parent`.
    pub(crate) fn header(&self, at: u64, parent: &str) -> Result<Header, Stop> {
        let there = self.end().saturating_sub(at).min(LONGEST_HEADER as u64);
        let bytes = self.peek(at, there)?;
        let malformed = |what| {
            let path = if parent.is_empty() { "top level" } else { parent };
            Stop::Failed(Error::MalformedBox { place: Place { path: path.to_owned(), at }, what })
        };
        match Header::read(&bytes) {
            Ok(Some(header)) => Ok(header),
            Ok(None) if !self.whole => Err(Stop::More(at + LONGEST_HEADER as u64)),
            Ok(None) => {
                Err(malformed(format!("the input ends with {there} bytes that hold no element")))
            }
            Err(what) => Err(malformed(what.to_owned())),
        }
    }

    /// Where the element at `at` ends, which has to be before `parent_end`; `None` if its size is unknown.
    pub(crate) fn element_end(
        &self,
        header: &Header,
        at: u64,
        parent: &str,
        parent_end: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let Some(size) = header.size else { return Ok(None) };
        let size = size + header.len as u64;
        let end = at.saturating_add(size);
        let last = match self.whole {
            true => Some(parent_end.map_or(self.end(), |parent_end| parent_end.min(self.end()))),
            false => parent_end,
        };
        match last {
            Some(last) if end > last => {
                let place = Place { path: join(parent, header.id), at };
                Err(Error::TruncatedBox { place, size, available: last.saturating_sub(at) })
            }
            _ => Ok(Some(end)),
        }
    }

    /// Reads the body of a header element, which is small enough to be held in memory.
    pub(crate) fn body(
        &self,
        header: &Header,
        at: u64,
        end: u64,
        parent: &str,
    ) -> Result<Vec<u8>, Stop> {
        if end - at > limits::HEADER {
            return Err(Stop::Failed(Error::Limit {
                place: Place { path: join(parent, header.id), at },
                what: "the size of a header element",
                value: end - at,
                limit: limits::HEADER,
            }));
        }
        if end > self.end() {
            return Err(Stop::More(end));
        }
        let start = at + header.len as u64;
        self.peek(start, end - start)
    }

    /// Reads `len` bytes, which are there.
    pub(crate) fn peek(&self, at: u64, len: u64) -> Result<Vec<u8>, Stop> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        self.source.fill(at, &mut bytes)?;
        Ok(bytes)
    }
}
