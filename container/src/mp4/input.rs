//! The planner's view of its input.

use std::ops::Range;

use crate::{
    Error, Place, ReadAt, limits,
    mp4::boxes::{Header, LONGEST_HEADER, Mp4Box},
    stop::Stop,
};

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
                // An end beyond all offsets is no end.
                value: (end - at).max(header.size.unwrap_or_default()),
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

    /// Why this is not MP4 at all, if one can tell from how it begins. A wrong box size means little
    /// where there are no boxes.
    pub(crate) fn not_mp4(&self) -> Option<Error> {
        self.odd_start().map(|what| Error::UnknownFormat { what })
    }

    /// How the input begins, if no MP4 file begins so.
    pub(crate) fn odd_start(&self) -> Option<String> {
        let mut bytes = [0; 8];
        Some(match self.end() {
            0 => "it is empty".to_owned(),
            1..8 => format!("it has {} bytes", self.end()),
            _ => {
                self.source.read_exact_at(0, &mut bytes).ok()?;
                if FIRST_BOXES.iter().any(|kind| bytes.ends_with(*kind)) {
                    return None;
                }
                format!("it begins with `{}`", bytes.escape_ascii())
            }
        })
    }

    pub(crate) fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<(), Stop> {
        Ok(self.source.fill(at, buffer)?)
    }
}

/// The boxes that a file or a segment may begin with.
const FIRST_BOXES: [&[u8; 4]; 16] = [
    b"emsg", b"free", b"ftyp", b"mdat", b"meta", b"moof", b"moov", b"pdin", b"pnot", b"prft",
    b"sidx", b"skip", b"ssix", b"styp", b"uuid", b"wide",
];

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{
        Window,
        mp4::testing::{opened, plain},
    };

    fn failed<T>(result: Result<T, Stop>) -> String {
        match result {
            Err(Stop::Failed(error)) => error.to_string(),
            Err(stop) => panic!("{stop:?}"),
            Ok(_) => panic!("no error"),
        }
    }

    /// Runs a test over bytes that stand at offset 100 of an input.
    fn over<T>(bytes: &[u8], whole: bool, test: impl FnOnce(&Input<'_>) -> T) -> T {
        test(&Input::new(&Window::new(100, bytes), whole, 100))
    }

    #[test]
    fn a_header_is_there_or_waited_for_or_wrong() {
        let large = plain(b"uuid").u64(32).zeros(16).stating(1);
        for end in 1..32 {
            let bytes = &large.as_ref()[..end];
            let stopped = over(bytes, false, |input| input.header(100).map(drop));
            assert!(matches!(stopped, Err(Stop::More(132))), "{end}");
            assert_eq!(
                failed(over(bytes, true, |input| input.header(100))),
                format!(
                    "`top level` at byte 100: the input ends with {end} bytes that hold no box"
                )
            );
        }
        let header = over(large.as_ref(), false, |input| input.header(100)).unwrap();
        assert_eq!((header.len, header.size), (32, Some(32)));
        for whole in [false, true] {
            assert_eq!(
                failed(over(plain(b"moov").stating(5).as_ref(), whole, |input| input.header(100))),
                "`top level` at byte 100: a box size of 5, less than its own header"
            );
        }
    }

    #[test]
    fn a_box_ends_inside_of_a_whole_input() {
        let end = |size: u32, whole| {
            let bytes = plain(b"moov").zeros(12).stating(size);
            over(bytes.as_ref(), whole, |input| {
                let header = input.header(100)?;
                input.box_end(&header, 100)
            })
        };
        for (size, expected) in [(8, 108), (20, 120)] {
            assert_eq!(end(size, true).unwrap(), expected);
            assert_eq!(end(size, false).unwrap(), expected);
        }
        assert_eq!(end(0, true).unwrap(), 120);
        assert!(matches!(end(0, false), Err(Stop::Everything)));
        assert_eq!(end(21, false).unwrap(), 121);
        assert_eq!(end(u32::MAX, false).unwrap(), 100 + u64::from(u32::MAX));
        assert_eq!(
            failed(end(21, true)),
            "`moov` at byte 100: a size of 21 bytes, but only 20 are left"
        );
        let widest = plain(b"moov").u64(u64::MAX).stating(1);
        let end = over(widest.as_ref(), false, |input| input.box_end(&input.header(100)?, 100));
        assert_eq!(end.unwrap(), u64::MAX);
    }

    #[test]
    fn a_body_is_read_when_it_is_there() {
        let bytes = plain(b"moov").put([1, 2, 3, 4]);
        let body =
            |end| over(bytes.as_ref(), false, |input| input.body(&input.header(100)?, 100, end));
        assert_eq!(body(112).unwrap(), [1, 2, 3, 4]);
        assert!(matches!(body(113), Err(Stop::More(113))));
        assert!(matches!(body(100 + limits::HEADER), Err(Stop::More(_))));
        let limit = limits::HEADER;
        assert_eq!(limit, 536_870_912);
        for size in [limit + 1, u64::MAX - 100] {
            assert_eq!(
                failed(body(100 + size)),
                format!(
                    "`moov` at byte 100: the size of a header box is {size}, the limit is {limit}"
                )
            );
        }
        // Where such a box would end is beyond all offsets, and its size is told all the same.
        let widest = plain(b"moov").u64(u64::MAX - 10).stating(1);
        let widest = over(widest.as_ref(), false, |input| {
            let header = input.header(100)?;
            input.body(&header, 100, input.box_end(&header, 100)?)
        });
        let size = u64::MAX - 10;
        assert_eq!(
            failed(widest),
            format!("`moov` at byte 100: the size of a header box is {size}, the limit is {limit}")
        );
    }

    #[test]
    fn what_the_system_says_is_passed_on() {
        struct Broken;
        impl ReadAt for Broken {
            fn available(&self) -> Range<u64> {
                0..1000
            }
            fn read_exact_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
                Err(io::Error::other("the disk is on fire"))
            }
        }
        let mut input = Input::new(&Broken, true, 0);
        let message = "reading at byte 7";
        assert_eq!(failed(input.header(7)), message);
        let saio = plain(b"saio");
        assert_eq!(failed(input.read(7..9, &opened(&saio), &mut Vec::new())), message);
    }

    #[test]
    fn auxiliary_information_is_appended() {
        let bytes: Vec<u8> = (0..100).collect();
        let window = Window::new(100, &bytes);
        let mut input = Input::new(&window, true, 110);
        let (saio, mut data) = (plain(b"saio"), vec![0xff]);
        let saio = opened(&saio);
        input.read(110..112, &saio, &mut data).unwrap();
        input.read(199..200, &saio, &mut data).unwrap();
        input.read(150..150, &saio, &mut data).unwrap();
        assert_eq!(data, [0xff, 10, 11, 99]);
        let message = "`saio` at byte 1000: auxiliary information at bytes";
        assert_eq!(
            failed(input.read(109..111, &saio, &mut data)),
            format!("{message} 109..111 lies before its fragment")
        );
        assert_eq!(
            failed(input.read(199..201, &saio, &mut data)),
            format!("{message} 199..201 lies beyond the end of the input")
        );
        assert_eq!(data.len(), 4);
        // Twice what there is, of which three bytes have been read.
        for _ in 0..2 {
            input.read(110..200, &saio, &mut data).unwrap();
        }
        input.read(110..127, &saio, &mut data).unwrap();
        assert_eq!(
            failed(input.read(110..111, &saio, &mut data)),
            format!("{message} 110..111 was read too often")
        );
    }
}
