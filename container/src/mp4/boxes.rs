//! The box walker: headers, children, and the path down to each box (ISO/IEC 14496-12, 4.2).
//!
//! ```text
//! size u32 | type 4 | [size u64, if size = 1] | [user type 16, if type = uuid] | body
//! ```
//! A size of 0 means "to the end of the file" and is accepted at the top of a file only: further
//! down it would swallow the boxes behind it without a trace.

use crate::{Error, FourCc, Place, limits, mp4::cursor::Cursor};

/// The longest header: 64-bit size and user type.
pub(crate) const LONGEST_HEADER: usize = 32;

/// What the first bytes of a box say.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) kind: FourCc,
    /// Bytes up to the body.
    pub(crate) len: usize,
    /// Bytes of the whole box; `None` is "to the end of the file".
    pub(crate) size: Option<u64>,
    /// The user type of a `uuid` box.
    pub(crate) user_type: Option<[u8; 16]>,
}

impl Header {
    /// Reads a header from the start of `bytes`; `Ok(None)` if they end inside it.
    ///
    /// The error is the size that cannot be.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, u64> {
        let Some((size, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let Some((kind, mut rest)) = rest.split_first_chunk() else { return Ok(None) };
        let mut size = match u32::from_be_bytes(*size) {
            0 => None,
            size => Some(u64::from(size)),
        };
        let mut len = 8;
        if size == Some(1) {
            let Some((large, behind)) = rest.split_first_chunk() else { return Ok(None) };
            (size, rest, len) = (Some(u64::from_be_bytes(*large)), behind, 16);
        }
        let mut user_type = None;
        if kind == b"uuid" {
            let Some((found, _)) = rest.split_first_chunk() else { return Ok(None) };
            (user_type, len) = (Some(*found), len + 16);
        }
        match size {
            Some(size) if size < len as u64 => Err(size),
            _ => Ok(Some(Self { kind: FourCc(*kind), len, size, user_type })),
        }
    }
}

/// A box in memory, and the way down to it.
#[derive(Clone, Copy)]
pub(crate) struct Mp4Box<'d, 'p> {
    pub(crate) kind: FourCc,
    pub(crate) user_type: Option<[u8; 16]>,
    /// Offset of its header in the input.
    pub(crate) at: u64,
    header_len: usize,
    pub(crate) body: &'d [u8],
    parent: Option<&'p Mp4Box<'d, 'p>>,
    depth: usize,
}

impl<'d, 'p> Mp4Box<'d, 'p> {
    /// A box at the top of the file, of which `body` has been read.
    pub(crate) fn top(header: &Header, at: u64, body: &'d [u8]) -> Self {
        let Header { kind, user_type, len: header_len, .. } = *header;
        Self { kind, user_type, at, header_len, body, parent: None, depth: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        (self.header_len + self.body.len()) as u64
    }

    pub(crate) fn end(&self) -> u64 {
        self.at + self.len()
    }

    pub(crate) fn header_len(&self) -> u64 {
        self.header_len as u64
    }

    /// Whether its size stands in 64 bits.
    pub(crate) fn has_large_size(&self) -> bool {
        let user_type = self.user_type.map_or(0, |user_type| user_type.len());
        self.header_len - user_type > 8
    }

    pub(crate) fn is_uuid(&self, user_type: &[u8; 16]) -> bool {
        self.user_type.as_ref() == Some(user_type)
    }

    pub(crate) fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}/{}", parent.path(), self.kind),
            None => self.kind.to_string(),
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

    /// The fields of the body, from its start.
    pub(crate) fn fields<'a>(&'a self) -> Cursor<'d, 'a> {
        Cursor::new(self)
    }

    /// The boxes in the body.
    pub(crate) fn children<'a>(&'a self) -> Children<'d, 'a> {
        self.children_from(0)
    }

    /// The boxes in the body behind its first `skip` bytes.
    pub(crate) fn children_from<'a>(&'a self, skip: usize) -> Children<'d, 'a> {
        let rest = self.body.get(skip..).unwrap_or_default();
        Children { parent: self, rest, at: self.end() - rest.len() as u64 }
    }

    /// The only child of that type; two of them are an error, none is not.
    pub(crate) fn child<'a>(&'a self, kind: &[u8; 4]) -> Result<Option<Mp4Box<'d, 'a>>, Error> {
        let mut found = None;
        for child in self.children() {
            let child = child?;
            if child.kind == *kind && found.replace(child).is_some() {
                return Err(child.malformed("a second box of this type"));
            }
        }
        Ok(found)
    }

    /// The only child of that type, which has to be there.
    pub(crate) fn need<'a>(&'a self, kind: &[u8; 4]) -> Result<Mp4Box<'d, 'a>, Error> {
        let missing = || self.malformed(format!("has no `{}` box", FourCc(*kind)));
        self.child(kind)?.ok_or_else(missing)
    }
}

/// The boxes in a box, in order. Ends after the first error.
pub(crate) struct Children<'d, 'a> {
    parent: &'a Mp4Box<'d, 'a>,
    rest: &'d [u8],
    at: u64,
}

impl<'d, 'a> Children<'d, 'a> {
    fn next_box(&mut self) -> Result<Mp4Box<'d, 'a>, Error> {
        let malformed = |what: String| Error::MalformedBox {
            place: Place { path: self.parent.path(), at: self.at },
            what,
        };
        let depth = self.parent.depth + 1;
        if depth > limits::DEPTH {
            return Err(Error::Limit {
                place: self.parent.place(),
                what: "the depth of nested boxes",
                value: depth as u64,
                limit: limits::DEPTH as u64,
            });
        }
        let header = Header::read(self.rest)
            .map_err(|size| malformed(format!("a box size of {size}, less than its own header")))?
            .ok_or_else(|| malformed(format!("{} bytes that hold no box", self.rest.len())))?;
        let kind = header.kind;
        let size = header
            .size
            .ok_or_else(|| malformed(format!("box `{kind}` has size 0 inside of another box")))?;
        let truncated = || Error::TruncatedBox {
            place: Place { path: format!("{}/{kind}", self.parent.path()), at: self.at },
            size,
            available: self.rest.len() as u64,
        };
        let size = usize::try_from(size).map_err(|_| truncated())?;
        let (whole, rest) = self.rest.split_at_checked(size).ok_or_else(truncated)?;
        let (at, parent) = (self.at, self.parent);
        (self.rest, self.at) = (rest, at + size as u64);
        // `Header::read` has checked that `size` is not less than its header.
        let body = whole.get(header.len..).unwrap_or_default();
        let Header { user_type, len: header_len, .. } = header;
        Ok(Mp4Box { kind, user_type, at, header_len, body, parent: Some(parent), depth })
    }
}

impl<'d, 'a> Iterator for Children<'d, 'a> {
    type Item = Result<Mp4Box<'d, 'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // QuickTime ends some lists of boxes with four zero bytes.
        if self.rest.len() < 8 && self.rest.iter().all(|&byte| byte == 0) {
            return None;
        }
        let next = self.next_box();
        if next.is_err() {
            self.rest = &[];
        }
        Some(next)
    }
}
