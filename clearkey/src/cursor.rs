//! Reading the big-endian fields of a box.

use crate::Error;

/// Reads fields and remembers where in the data it stands, so that errors can tell.
#[must_use = "call `finish`: unread octets are an error"]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Octets that are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, Error> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let (array, rest) =
            self.rest.split_first_chunk().ok_or_else(|| self.short(field, N as u64))?;
        self.rest = rest;
        self.at += N;
        Ok(*array)
    }

    /// The next `len` octets; `len` may be any number that a file says.
    pub(crate) fn take(&mut self, len: u64, field: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) = usize::try_from(len)
            .ok()
            .and_then(|len| self.rest.split_at_checked(len))
            .ok_or_else(|| self.short(field, len))?;
        self.rest = rest;
        self.at += taken.len();
        Ok(taken)
    }

    /// Everything that is left.
    pub(crate) fn take_rest(self) -> &'a [u8] {
        self.rest
    }

    /// A cursor over the next `len` octets, which this one skips. `None` if there are fewer.
    pub(crate) fn split(&mut self, len: usize) -> Option<Cursor<'a>> {
        let (part, rest) = self.rest.split_at_checked(len)?;
        let part = Cursor { rest: part, at: self.at };
        self.rest = rest;
        self.at += len;
        Some(part)
    }

    /// Ends the reading. Octets that nobody read mean that the data were misunderstood.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(Error::BoxTrailing { at: self.at, extra }),
        }
    }

    fn short(&self, field: &'static str, needed: u64) -> Error {
        Error::BoxTruncated { at: self.at, field, needed, left: self.rest.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order_and_the_place_is_known() {
        let mut cursor = Cursor::new(&[0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(cursor.u32("a"), Ok(0x102));
        let mut part = cursor.split(2).unwrap();
        assert_eq!(part.take(1, "b"), Ok(&[3][..]));
        assert_eq!(part.at(), 5);
        assert_eq!(part.take_rest(), [4]);
        assert_eq!(cursor.at(), 6);
        assert_eq!(cursor.finish(), Err(Error::BoxTrailing { at: 6, extra: 2 }));
    }

    #[test]
    fn a_short_field_is_an_error_and_moves_nothing() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        let short = |needed| Error::BoxTruncated { at: 0, field: "f", needed, left: 3 };
        assert_eq!(cursor.u32("f"), Err(short(4)));
        assert_eq!(cursor.u64("f"), Err(short(8)));
        assert_eq!(cursor.take(u64::MAX, "f"), Err(short(u64::MAX)));
        assert!(cursor.split(4).is_none());
        assert_eq!(cursor.left(), 3);
    }
}
