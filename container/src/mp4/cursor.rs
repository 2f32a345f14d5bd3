//! Big-endian fields of a box, each with its name for the error that says it is missing.

use crate::{Error, Place, mp4::boxes::Mp4Box};

/// Reads the body of a box field by field and knows where in the input it stands.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'d, 'a> {
    owner: &'a Mp4Box<'d, 'a>,
    rest: &'d [u8],
}

impl<'d, 'a> Cursor<'d, 'a> {
    pub(crate) fn new(owner: &'a Mp4Box<'d, 'a>) -> Self {
        Self { owner, rest: owner.body }
    }

    /// The bytes that have not been read.
    pub(crate) fn rest(&self) -> &'d [u8] {
        self.rest
    }

    /// Offset in the input of the next field.
    pub(crate) fn at(&self) -> u64 {
        self.owner.end() - self.rest.len() as u64
    }

    /// Where the next field stands.
    pub(crate) fn place(&self) -> Place {
        Place { path: self.owner.path(), at: self.at() }
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::MalformedBox { place: self.place(), what: what.into() }
    }

    pub(crate) fn bytes(&mut self, len: usize, name: &str) -> Result<&'d [u8], Error> {
        let (found, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| self.ends_inside(name))?;
        self.rest = rest;
        Ok(found)
    }

    pub(crate) fn array<const N: usize>(&mut self, name: &str) -> Result<[u8; N], Error> {
        let (found, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ends_inside(name))?;
        self.rest = rest;
        Ok(*found)
    }

    pub(crate) fn u8(&mut self, name: &str) -> Result<u8, Error> {
        self.array::<1>(name).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, name: &str) -> Result<u16, Error> {
        self.array(name).map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self, name: &str) -> Result<u32, Error> {
        self.array(name).map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self, name: &str) -> Result<u32, Error> {
        self.array(name).map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, name: &str) -> Result<i32, Error> {
        self.array(name).map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, name: &str) -> Result<u64, Error> {
        self.array(name).map(u64::from_be_bytes)
    }

    /// A field that is 32 bits wide, or 64 if `wide`.
    pub(crate) fn u32_or_u64(&mut self, wide: bool, name: &str) -> Result<u64, Error> {
        if wide { self.u64(name) } else { self.u32(name).map(u64::from) }
    }

    /// The head of a full box: version and flags.
    pub(crate) fn version_and_flags(&mut self) -> Result<(u8, u32), Error> {
        Ok((self.u8("version")?, self.u24("flags")?))
    }

    /// `count` entries of `size` bytes each, checked against the box before anyone loops over them.
    pub(crate) fn table(&mut self, count: u32, size: usize, name: &str) -> Result<&'d [u8], Error> {
        let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
        let fits = len.filter(|&len| len <= self.rest.len());
        let what = || {
            self.malformed(format!(
                "{count} entries of {name}, {size} bytes each, in {} bytes",
                self.rest.len()
            ))
        };
        self.bytes(fits.ok_or_else(what)?, name)
    }

    fn ends_inside(&self, name: &str) -> Error {
        self.malformed(format!("the box ends inside its field {name}"))
    }
}
