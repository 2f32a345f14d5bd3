//! EBML (RFC 8794): element headers, elements in memory, and how to write both.
//!
//! ```text
//! id 1..4 bytes | size 1..8 bytes | body
//! ```
//! Leading zero bits of the first byte say how long a number is. A size of all ones is unknown.

use crate::{Error, Place, limits, webm::ids};

/// The longest header: four bytes of id, eight of size.
pub(crate) const LONGEST_HEADER: usize = 12;

/// A number and the bytes it takes, its length marker left out.
pub(crate) fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let width = first.leading_zeros() as usize + 1;
    let found = bytes.get(..width)?;
    let marked = found.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
    Some((marked & unknown(width), width))
}

/// All ones, in a number of `width` bytes: the size that says that it is unknown.
pub(crate) fn unknown(width: usize) -> u64 {
    (1 << (7 * width)) - 1
}

/// Writes a size in `width` bytes, which have to be enough.
pub(crate) fn size(size: u64, width: usize) -> Vec<u8> {
    let marked = size | 1 << (7 * width);
    marked.to_be_bytes()[8 - width..].to_vec()
}

/// Writes an id.
pub(crate) fn id(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The header of a `Void` element that is `len` bytes long, of which there are two at least.
pub(crate) fn void(len: u64) -> Vec<u8> {
    let body = |width: usize| len.saturating_sub(1 + width as u64);
    let width = (1..8).find(|&width| body(width) < unknown(width)).unwrap_or(8);
    [id(ids::VOID), size(body(width), width)].concat()
}

/// What the first bytes of an element say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: u32,
    /// Bytes up to the body.
    pub(crate) len: usize,
    /// Bytes that the size takes.
    pub(crate) width: usize,
    /// Bytes of the body; `None` is unknown.
    pub(crate) size: Option<u64>,
}

impl Header {
    /// Reads a header from the start of `bytes`; `Ok(None)` if they end inside of it.
    ///
    /// The error is what cannot be.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        let Some(first) = bytes.first() else { return Ok(None) };
        let id_len = first.leading_zeros() as usize + 1;
        if id_len > 4 {
            return Err("an element id of more than 4 bytes");
        }
        let Some((id, rest)) = bytes.split_at_checked(id_len) else { return Ok(None) };
        let id = id.iter().fold(0, |id: u32, byte| id << 8 | u32::from(*byte));
        if rest.first() == Some(&0) {
            return Err("an element size of more than 8 bytes");
        }
        let Some((size, width)) = vint(rest) else { return Ok(None) };
        let size = (size != unknown(width)).then_some(size);
        Ok(Some(Self { id, len: id_len + width, width, size }))
    }
}

/// An element in memory, and the way down to it.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d, 'p> {
    pub(crate) id: u32,
    /// Offset of its header in the input.
    pub(crate) at: u64,
    pub(crate) header_len: usize,
    /// Bytes that its size takes.
    pub(crate) width: usize,
    pub(crate) body: &'d [u8],
    parent: Parent<'d, 'p>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Parent<'d, 'p> {
    /// Not in memory, but of this path.
    Path(&'p str),
    Element(&'p Element<'d, 'p>),
}

impl<'d, 'p> Element<'d, 'p> {
    /// An element of which `body` has been read. `parent` is the path of the one around it; empty at the
    /// top.
    pub(crate) fn new(header: &Header, at: u64, body: &'d [u8], parent: &'p str) -> Self {
        let Header { id, len: header_len, width, .. } = *header;
        Self { id, at, header_len, width, body, parent: Parent::Path(parent), depth: 0 }
    }

    pub(crate) fn body_at(&self) -> u64 {
        self.at + self.header_len as u64
    }

    pub(crate) fn end(&self) -> u64 {
        self.body_at() + self.body.len() as u64
    }

    pub(crate) fn path(&self) -> String {
        match self.parent {
            Parent::Path(path) => join(path, self.id),
            Parent::Element(parent) => join(&parent.path(), self.id),
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place { path: self.path(), at: self.at }
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::MalformedBox { place: self.place(), what: what.into() }
    }

    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { place: self.place(), what: what.into() }
    }

    /// Its body as an unsigned integer; no bytes are 0.
    pub(crate) fn unsigned(&self) -> Result<u64, Error> {
        match self.body.len() {
            0..=8 => Ok(self.body.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
            len => Err(self.malformed(format!("an integer of {len} bytes"))),
        }
    }

    /// Its body as a floating-point number; no bytes are 0.
    pub(crate) fn float(&self) -> Result<f64, Error> {
        match self.body {
            [] => Ok(0.0),
            &[a, b, c, d] => Ok(f32::from_be_bytes([a, b, c, d]).into()),
            &[a, b, c, d, e, f, g, h] => Ok(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
            body => Err(self.malformed(format!("a floating-point number of {} bytes", body.len()))),
        }
    }

    /// Its body as a string, which zero bytes may follow.
    pub(crate) fn text(&self) -> String {
        let text = self.body.split(|byte| *byte == 0).next().unwrap_or_default();
        text.escape_ascii().to_string()
    }

    /// The elements in the body.
    pub(crate) fn children<'a>(&'a self) -> Children<'d, 'a>
    where
        'p: 'a,
    {
        Children { parent: self, rest: self.body, at: self.body_at() }
    }

    /// The only child with that id; two of them are an error, none is not.
    pub(crate) fn child<'a>(&'a self, id: u32) -> Result<Option<Element<'d, 'a>>, Error> {
        let mut found = None;
        for child in self.children() {
            let child = child?;
            if child.id == id && found.replace(child).is_some() {
                return Err(child.malformed("a second one of this element"));
            }
        }
        Ok(found)
    }

    /// The only child with that id, which has to be there.
    pub(crate) fn need<'a>(&'a self, id: u32) -> Result<Element<'d, 'a>, Error> {
        let missing = || self.malformed(format!("has no `{}` element", ids::name(id)));
        self.child(id)?.ok_or_else(missing)
    }

    /// The integer in the only child with that id.
    pub(crate) fn unsigned_of(&self, id: u32) -> Result<Option<u64>, Error> {
        self.child(id)?.map(|child| child.unsigned()).transpose()
    }
}

/// The path of an element in another one.
pub(crate) fn join(parent: &str, id: u32) -> String {
    match parent {
        "" => ids::name(id),
        _ => format!("{parent}/{}", ids::name(id)),
    }
}

/// The elements in an element, in order. Ends after the first error.
pub(crate) struct Children<'d, 'a> {
    parent: &'a Element<'d, 'a>,
    rest: &'d [u8],
    at: u64,
}

impl<'d, 'a> Children<'d, 'a> {
    fn next_element(&mut self) -> Result<Element<'d, 'a>, Error> {
        let parent = self.parent;
        let malformed = |what: String| Error::MalformedBox {
            place: Place { path: parent.path(), at: self.at },
            what,
        };
        let depth = parent.depth + 1;
        if depth > limits::DEPTH {
            return Err(Error::Limit {
                place: parent.place(),
                what: "the depth of nested elements",
                value: depth as u64,
                limit: limits::DEPTH as u64,
            });
        }
        let header = Header::read(self.rest)
            .map_err(|what| malformed(what.to_owned()))?
            .ok_or_else(|| malformed(format!("{} bytes that hold no element", self.rest.len())))?;
        let Header { id, len, width, .. } = header;
        let place = || Place { path: join(&parent.path(), id), at: self.at };
        let size = header.size.ok_or_else(|| Error::MalformedBox {
            place: place(),
            what: "its size is unknown, which only segments and clusters may have".to_owned(),
        })?;
        let truncated = || Error::TruncatedBox {
            place: place(),
            size: size.saturating_add(len as u64),
            available: self.rest.len() as u64,
        };
        let whole = usize::try_from(size).ok().and_then(|size| size.checked_add(len));
        let split = whole.and_then(|whole| self.rest.split_at_checked(whole));
        let (whole, rest) = split.ok_or_else(truncated)?;
        let at = self.at;
        (self.rest, self.at) = (rest, at + whole.len() as u64);
        let parent = Parent::Element(parent);
        Ok(Element { id, at, header_len: len, width, body: &whole[len..], parent, depth })
    }
}

impl<'d, 'a> Iterator for Children<'d, 'a> {
    type Item = Result<Element<'d, 'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let next = self.next_element();
        if next.is_err() {
            self.rest = &[];
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard() {
        // RFC 8794, 4.3: the number 2 in one to four bytes.
        for bytes in [&[0x82][..], &[0x40, 2], &[0x20, 0, 2], &[0x10, 0, 0, 2]] {
            assert_eq!(vint(bytes), Some((2, bytes.len())));
            assert_eq!(size(2, bytes.len()), bytes);
            assert_eq!(vint(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(vint(&[1, 0, 0, 0, 0, 0, 0, 9]), Some((9, 8)));
        assert_eq!(size(unknown(8), 8), [1, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn a_header_is_there_or_not_or_wrong() {
        let segment = [0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255];
        let header = Header { id: ids::SEGMENT, len: 12, width: 8, size: None };
        assert_eq!(Header::read(&segment), Ok(Some(header)));
        for end in 0..12 {
            assert_eq!(Header::read(&segment[..end]), Ok(None), "{end}");
        }
        assert!(Header::read(&[0x08]).is_err() && Header::read(&[0xEC, 0]).is_err());
    }

    #[test]
    fn padding_has_any_length_from_two_on() {
        for len in (2..400).chain(16_300..16_500).chain([1 << 21, (1 << 21) + 3, 1 << 40]) {
            let header = void(len);
            let read = Header::read(&header).unwrap().unwrap();
            assert_eq!((read.id, read.len), (ids::VOID, header.len()), "{len}");
            assert_eq!(read.len as u64 + read.size.unwrap(), len);
        }
    }

    #[test]
    fn children_lie_inside_of_their_parent() {
        let read = |body: &[u8]| {
            let header = Header { id: ids::TRACKS, len: 5, width: 1, size: None };
            let tracks = Element::new(&header, 1000, body, "Segment");
            let found: Result<Vec<_>, _> =
                tracks.children().map(|child| child.map(|child| (child.id, child.at))).collect();
            found.map_err(|error| error.to_string())
        };
        assert_eq!(read(&[0xEC, 0x81, 7, 0xAE, 0x80]), Ok(vec![(0xEC, 1005), (0xAE, 1008)]));
        for (body, message) in [
            (
                &[0xAE, 0x82, 0][..],
                "`Segment/Tracks/TrackEntry` at byte 1005: a size of 4 bytes, but only 3 are left",
            ),
            (&[0xAE], "`Segment/Tracks` at byte 1005: 1 bytes that hold no element"),
            (
                &[0xAE, 0xFF],
                "`Segment/Tracks/TrackEntry` at byte 1005: its size is unknown, which only segments and clusters may have",
            ),
            (&[0x01], "`Segment/Tracks` at byte 1005: an element id of more than 4 bytes"),
        ] {
            assert_eq!(read(body).unwrap_err(), message);
        }
    }
}
