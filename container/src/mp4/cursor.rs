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

/// The value of an entry of a table whose width is known when it is read: at most 8 bytes.
pub(crate) fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::testing::{opened, plain, told};

    #[test]
    fn fields_are_big_endian_and_know_their_place() {
        let bytes: Vec<u8> = (1..=40).collect();
        let boxed = plain(b"abcd").put(&bytes);
        let boxed = opened(&boxed);
        let mut fields = boxed.fields();
        assert_eq!(fields.at(), 1008);
        assert_eq!(fields.u8("a").unwrap(), 1);
        assert_eq!(fields.u16("b").unwrap(), 0x0203);
        assert_eq!(fields.u24("c").unwrap(), 0x0004_0506);
        assert_eq!(fields.u32("d").unwrap(), 0x0708_090a);
        assert_eq!(fields.u64("e").unwrap(), 0x0b0c_0d0e_0f10_1112);
        assert_eq!(fields.at(), 1026);
        assert_eq!(fields.u32_or_u64(false, "f").unwrap(), 0x1314_1516);
        assert_eq!(fields.u32_or_u64(true, "g").unwrap(), 0x1718_191a_1b1c_1d1e);
        assert_eq!(fields.version_and_flags().unwrap(), (0x1f, 0x0020_2122));
        assert_eq!(fields.array("h").unwrap(), [0x23, 0x24]);
        assert_eq!(fields.table(2, 1, "i").unwrap(), [0x25, 0x26]);
        assert_eq!(fields.rest(), [0x27, 0x28]);
        assert_eq!(fields.place(), Place { path: "abcd".to_owned(), at: 1046 });
        let negative = plain(b"abcd").put((-5_i32).to_be_bytes());
        assert_eq!(opened(&negative).fields().i32("j").unwrap(), -5);
    }

    #[test]
    fn a_missing_field_is_named_and_nothing_is_read() {
        let boxed = plain(b"abcd").put([1, 2, 3]);
        let boxed = opened(&boxed);
        let mut fields = boxed.fields();
        fields.u8("version").unwrap();
        let ends = |name| format!("`abcd` at byte 1009: the box ends inside its field {name}");
        assert_eq!(told(fields.u24("flags")), ends("flags"));
        assert_eq!(told(fields.u32("count")), ends("count"));
        assert_eq!(told(fields.i32("offset")), ends("offset"));
        assert_eq!(told(fields.u64("time")), ends("time"));
        assert_eq!(told(fields.array::<3>("KID")), ends("KID"));
        assert_eq!(told(fields.bytes(3, "iv")), ends("iv"));
        assert_eq!(
            told(fields.version_and_flags()),
            "`abcd` at byte 1010: the box ends inside its field flags"
        );
    }

    #[test]
    fn a_table_is_not_larger_than_its_box() {
        let boxed = plain(b"abcd").zeros(24);
        let boxed = opened(&boxed);
        for (count, size, fits) in [
            (0, 12, true),
            (2, 12, true),
            (3, 12, false),
            (24, 1, true),
            (u32::MAX, 0, true),
            (25, 1, false),
            (u32::MAX, 12, false),
            (u32::MAX, usize::MAX, false),
        ] {
            let found = boxed.fields().table(count, size, "entry");
            if fits {
                assert_eq!(found.unwrap().len(), count as usize * size);
            } else {
                let what = format!("{count} entries of entry, {size} bytes each, in 24 bytes");
                assert_eq!(told(found), format!("`abcd` at byte 1008: {what}"));
            }
        }
    }
}
