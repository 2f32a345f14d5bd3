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

    /// Whether its size stands in 64 bits.
    pub(crate) fn has_large_size(&self) -> bool {
        let user_type = self.user_type.map_or(0, |user_type| user_type.len());
        self.header_len - user_type > 8
    }

    /// Refuses a box that only the top of a file has: a wrong size took it into the box around it,
    /// where nobody would look for it.
    pub(crate) fn refuse_top_level(&self) -> Result<(), Error> {
        match &self.kind.0 {
            b"moov" | b"moof" | b"mdat" => Err(self.malformed("is inside of another box")),
            _ => Ok(()),
        }
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

    /// Where the last of the boxes behind the first `skip` bytes of the body ends: some writers end a
    /// list of boxes with zeros.
    pub(crate) fn children_end(&self, skip: usize) -> Result<u64, Error> {
        let mut end = self.end() - self.body.len().saturating_sub(skip) as u64;
        for child in self.children_from(skip) {
            end = child?.end();
        }
        Ok(end)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::testing::{Written, full, opened, plain, told, uuid};

    fn header(size: u32, kind: &[u8; 4], large_size: Option<u64>) -> Vec<u8> {
        let large_size = large_size.map_or(Vec::new(), |size| size.to_be_bytes().to_vec());
        [&size.to_be_bytes(), kind.as_slice(), &large_size, &[9; 16]].concat()
    }

    #[test]
    fn a_size_is_not_less_than_its_header() {
        let free = |size| Header::read(&header(size, b"free", None)).map(Option::unwrap);
        for size in 2..8 {
            assert_eq!(free(size).err(), Some(size.into()));
        }
        for size in [8, 9, 1 << 31, u32::MAX] {
            let found = free(size).unwrap();
            assert_eq!(
                (found.kind, found.len, found.size),
                (FourCc(*b"free"), 8, Some(size.into()))
            );
        }
        assert_eq!(free(0).unwrap().size, None);

        let large = |size| Header::read(&header(1, b"free", Some(size))).map(Option::unwrap);
        for size in 0..16 {
            assert_eq!(large(size).err(), Some(size));
        }
        for size in [16, 1 << 31, 1 << 32, u64::MAX] {
            let found = large(size).unwrap();
            assert_eq!((found.len, found.size, found.user_type), (16, Some(size), None));
        }
    }

    #[test]
    fn a_user_type_belongs_to_the_header() {
        let short = |size| Header::read(&header(size, b"uuid", None)).map(Option::unwrap);
        let large = |size| Header::read(&header(1, b"uuid", Some(size))).map(Option::unwrap);
        assert_eq!(short(23).err(), Some(23));
        assert_eq!((short(24).unwrap().len, short(24).unwrap().user_type), (24, Some([9; 16])));
        assert_eq!(large(31).err(), Some(31));
        assert_eq!((large(32).unwrap().len, large(32).unwrap().user_type), (32, Some([9; 16])));
        assert_eq!(large(32).unwrap().len, LONGEST_HEADER);
    }

    #[test]
    fn no_part_of_a_header_is_a_header() {
        let headers = [
            (8, b"free", None, 8),
            (1, b"free", Some(99), 16),
            (99, b"uuid", None, 24),
            (1, b"uuid", Some(99), 32),
        ];
        for (size, kind, large, len) in headers {
            let bytes = header(size, kind, large);
            for end in 0..len {
                assert!(Header::read(&bytes[..end]).unwrap().is_none(), "{end} of {len}");
            }
            assert!(Header::read(&bytes[..len]).unwrap().is_some());
        }
    }

    #[test]
    fn children_know_their_place() {
        let inner = full(b"sgpd", 0, 0).u32(7);
        let outer = plain(b"moof").put(plain(b"free").zeros(3)).put(plain(b"traf").put(&inner));
        let moof = opened(&outer);
        let children: Vec<_> = moof.children().map(Result::unwrap).collect();
        let [free, traf] = &children[..] else { panic!("{} children", children.len()) };
        assert_eq!((free.at, free.len(), free.end()), (1008, 11, 1019));
        assert_eq!((traf.at, traf.end(), traf.header_len), (1019, moof.end(), 8));
        let sgpd = traf.need(b"sgpd").unwrap();
        assert_eq!(sgpd.place(), Place { path: "moof/traf/sgpd".to_owned(), at: 1027 });
        assert_eq!(sgpd.body, &inner.as_ref()[8..]);
        assert_eq!(
            told::<()>(Err(sgpd.unsupported("this"))),
            "`moof/traf/sgpd` at byte 1027: this is not supported"
        );
    }

    #[test]
    fn children_may_have_long_headers() {
        let large = plain(b"saio").u64(20).zeros(4).stating(1);
        let user = uuid([5; 16], 0).zeros(2);
        let parent = plain(b"traf").put(&large).put(&user);
        let traf = opened(&parent);
        let children: Vec<_> = traf.children().map(Result::unwrap).collect();
        assert_eq!(children[0].body, [0; 4]);
        assert!(children[0].has_large_size() && !children[1].has_large_size());
        assert!(children[1].is_uuid(&[5; 16]) && !children[1].is_uuid(&[6; 16]));
        assert_eq!((children[1].at, children[1].body), (1028, [0; 6].as_slice()));
    }

    #[test]
    fn a_child_that_cannot_be_ends_the_list() {
        let cases: [(Written, &str); 7] = [
            (
                plain(b"abcd").stating(7),
                "`moov` at byte 1019: a box size of 7, less than its own header",
            ),
            (
                plain(b"abcd").stating(0),
                "`moov` at byte 1019: box `abcd` has size 0 inside of another box",
            ),
            (
                plain(b"abcd").stating(9),
                "`moov/abcd` at byte 1019: a size of 9 bytes, but only 8 are left",
            ),
            (
                plain(b"abcd").stating(1 << 31),
                "`moov/abcd` at byte 1019: a size of 2147483648 bytes, but only 8 are left",
            ),
            (
                plain(b"abcd").u64(u64::MAX).stating(1),
                "`moov/abcd` at byte 1019: a size of 18446744073709551615 bytes, but only 16 are left",
            ),
            (
                plain(b"abcd").u64(15).stating(1),
                "`moov` at byte 1019: a box size of 15, less than its own header",
            ),
            (plain(b"uuid").zeros(15), "`moov` at byte 1019: 23 bytes that hold no box"),
        ];
        for (broken, message) in cases {
            let parent = plain(b"moov").put(plain(b"free").zeros(3)).put(broken);
            let moov = opened(&parent);
            let mut children = moov.children();
            assert_eq!(children.next().unwrap().unwrap().kind, *b"free");
            assert_eq!(told(children.next().unwrap()), message);
            assert!(children.next().is_none());
            assert_eq!(told(moov.child(b"none")), message);
            assert_eq!(told(moov.need(b"none")), message);
        }
    }

    #[test]
    fn up_to_seven_zero_bytes_end_a_list() {
        for len in 0..12 {
            let parent = plain(b"udta").put(plain(b"free")).zeros(len);
            let udta = opened(&parent);
            let last = udta.children().last().unwrap();
            match len {
                0..8 => assert_eq!(last.unwrap().kind, *b"free"),
                _ => assert_eq!(
                    told(last),
                    "`udta` at byte 1016: box `\\x00\\x00\\x00\\x00` has size 0 inside of another box"
                ),
            }
        }
        let parent = plain(b"udta").put(plain(b"free")).put([0, 0, 1]);
        assert_eq!(
            told(opened(&parent).children().last().unwrap()),
            "`udta` at byte 1016: 3 bytes that hold no box"
        );
    }

    #[test]
    fn the_only_child_of_a_type_is_found() {
        let parent =
            plain(b"traf").put(plain(b"tfhd").u8(1)).put(plain(b"trun")).put(plain(b"trun"));
        let traf = opened(&parent);
        assert_eq!(traf.child(b"tfhd").unwrap().unwrap().body, [1]);
        assert!(traf.child(b"senc").unwrap().is_none());
        assert_eq!(told(traf.need(b"senc")), "`traf` at byte 1000: has no `senc` box");
        assert_eq!(
            told(traf.child(b"trun")),
            "`traf/trun` at byte 1025: a second box of this type"
        );
    }

    #[test]
    fn boxes_nest_sixteen_deep() {
        /// How many levels of children there are, or why no more.
        fn descend(parent: &Mp4Box<'_, '_>) -> Result<usize, Error> {
            match parent.children().next() {
                Some(child) => Ok(1 + descend(&child?)?),
                None => Ok(0),
            }
        }
        let nested = |depth| (0..depth).fold(plain(b"udta"), |inner, _| plain(b"udta").put(inner));
        assert_eq!(descend(&opened(&nested(16))).unwrap(), 16);
        let path = ["udta"; 17].join("/");
        assert_eq!(
            told(descend(&opened(&nested(17)))),
            format!("`{path}` at byte 1128: the depth of nested boxes is 17, the limit is 16")
        );
    }

    #[test]
    fn children_can_start_behind_fields() {
        let parent = full(b"stsd", 0, 0).u32(1).put(plain(b"avc1"));
        let stsd = opened(&parent);
        assert_eq!(stsd.children_from(8).next().unwrap().unwrap().at, 1016);
        assert!(stsd.children_from(16).next().is_none());
        assert!(stsd.children_from(17).next().is_none());
    }
}
