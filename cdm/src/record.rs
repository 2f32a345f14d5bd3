//! What a persistent session stores: its license, or that it has destroyed it.
//!
//! ```text
//! "CKSR" | version u8 = 1 | kind u8 | 0 u16 | body length u32 | CRC-32 of all the rest u32 | body
//! body of a license (kind 0):             per key: length u16 | kid | key 16
//! body of a record of destruction (1):    per key: length u16 | kid
//! ```
//!
//! All numbers are big-endian. The checksum is there since not every host writes a record whole or
//! not at all.

use clearkey::{Jwk, KeyId, limits};
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

/// A record, of one key id at least, each once.
#[derive(Debug)]
pub(crate) enum Record {
    License(Vec<Jwk>),
    Destroyed(Vec<KeyId>),
}

/// Why octets are no record.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not one, or not one of this version.
    #[error("no record of this version")]
    Format,

    /// It is cut short or goes on too long.
    #[error("{found} octets instead of {expected}")]
    Length {
        /// What is there.
        found: usize,
        /// What it says.
        expected: u64,
    },

    /// It has been changed.
    #[error("the checksum is wrong")]
    Checksum,

    /// The checksum is right, but what is in it makes no sense.
    #[error("octet {at} of the body begins no key")]
    Body {
        /// Where the key should begin.
        at: usize,
    },
}

const MAGIC: &[u8; 4] = b"CKSR";
const VERSION: u8 = 1;
const LICENSE: u8 = 0;
const DESTROYED: u8 = 1;
pub(crate) const HEADER: usize = 16;

impl Record {
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let lens = |kids: &mut dyn Iterator<Item = usize>, key| kids.map(|kid| 2 + kid + key).sum();
        let (kind, len): (_, usize) = match self {
            Self::License(keys) => {
                let mut kids = keys.iter().map(|jwk| jwk.kid().as_bytes().len());
                (LICENSE, lens(&mut kids, limits::KEY))
            }
            Self::Destroyed(kids) => {
                (DESTROYED, lens(&mut kids.iter().map(|kid| kid.as_bytes().len()), 0))
            }
        };
        // Room for all from the start: a buffer that grows leaves keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + len));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, kind, 0, 0]);
        bytes.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        match self {
            Self::License(keys) => {
                for jwk in keys {
                    write_kid(&mut bytes, jwk.kid());
                    bytes.extend_from_slice(jwk.key());
                }
            }
            Self::Destroyed(kids) => kids.iter().for_each(|kid| write_kid(&mut bytes, kid)),
        }
        let checksum = checksum(&bytes);
        bytes[12..HEADER].copy_from_slice(&checksum);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let cut = RecordError::Length { found: bytes.len(), expected: HEADER as u64 };
        let (header, body) = bytes.split_first_chunk::<HEADER>().ok_or(cut)?;
        let [b'C', b'K', b'S', b'R', VERSION, kind, 0, 0, l0, l1, l2, l3, ..] = *header else {
            return Err(RecordError::Format);
        };
        let expected = u64::from(u32::from_be_bytes([l0, l1, l2, l3])) + HEADER as u64;
        if bytes.len() as u64 != expected {
            return Err(RecordError::Length { found: bytes.len(), expected });
        }
        if checksum(bytes) != header[12..] {
            return Err(RecordError::Checksum);
        }
        let mut body = Body { rest: body, at: 0 };
        let record = match kind {
            LICENSE => Self::License(body.all(Body::jwk)?),
            DESTROYED => Self::Destroyed(body.all(Body::kid)?),
            _ => return Err(RecordError::Format),
        };
        Ok(record)
    }
}

fn write_kid(bytes: &mut Vec<u8>, kid: &KeyId) {
    let kid = kid.as_bytes();
    bytes.extend_from_slice(&u16::try_from(kid.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(kid);
}

/// Over all but itself.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..12]);
    hasher.update(&bytes[HEADER..]);
    hasher.finalize().to_be_bytes()
}

struct Body<'a> {
    rest: &'a [u8],
    at: usize,
}

impl Body<'_> {
    /// One at least.
    fn all<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Result<Vec<T>, RecordError> {
        // Room for all from the start: a list that grows leaves keys behind. No key has less.
        let mut all = Vec::with_capacity(self.rest.len() / (2 + 1 + limits::KEY) + 1);
        while all.is_empty() || !self.rest.is_empty() {
            let at = self.at;
            all.push(read(self).ok_or(RecordError::Body { at })?);
        }
        Ok(all)
    }

    fn jwk(&mut self) -> Option<Jwk> {
        let kid = self.kid()?;
        let key = <&[u8; limits::KEY]>::try_from(self.take(limits::KEY)?).ok()?;
        Some(Jwk::with_key(kid, key))
    }

    fn kid(&mut self) -> Option<KeyId> {
        let len = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        KeyId::new(self.take(len.into())?).ok()
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.at += len;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn kid(octets: &[u8]) -> KeyId {
        KeyId::new(octets).unwrap()
    }

    fn license() -> Record {
        Record::License(vec![
            Jwk::new(kid(&[1]), *b"0123456789abcdef"),
            Jwk::new(kid(&[2; 16]), [0xee; 16]),
        ])
    }

    fn destroyed() -> Record {
        Record::Destroyed(vec![kid(&[1]), kid(&[2; 20])])
    }

    /// Key ids and keys; a record of destruction has no keys.
    fn pairs(record: &Record) -> Vec<(KeyId, Option<[u8; 16]>)> {
        match record {
            Record::License(keys) => {
                keys.iter().map(|jwk| (jwk.kid().clone(), Some(*jwk.key()))).collect()
            }
            Record::Destroyed(kids) => kids.iter().map(|kid| (kid.clone(), None)).collect(),
        }
    }

    #[test]
    fn the_fields_stand_where_the_drawing_has_them() {
        let bytes = Record::Destroyed(vec![kid(&[7, 8])]).to_bytes();
        assert_eq!(bytes[..12], *b"CKSR\x01\x01\0\0\0\0\0\x04");
        assert_eq!(bytes[16..], [0, 2, 7, 8]);
        // CRC-32 (IEEE) of the twelve octets and the body, by Python's zlib.
        assert_eq!(bytes[12..16], CRC.to_be_bytes());
        assert_eq!(license().to_bytes()[16..35], *b"\0\x01\x010123456789abcdef");
    }

    const CRC: u32 = 0x200b_4756;

    #[test]
    fn no_beginning_of_a_record_is_one_and_nothing_goes_behind_it() {
        for record in [license(), destroyed()] {
            let bytes = record.to_bytes();
            for len in 0..bytes.len() {
                assert!(Record::parse(&bytes[..len]).is_err(), "{len}");
            }
            for more in [&[0][..], &[0, 1, 9], &bytes] {
                let longer = [&bytes, more].concat();
                assert!(matches!(Record::parse(&longer), Err(RecordError::Length { .. })));
            }
        }
    }

    #[test]
    fn no_octet_can_change() {
        for record in [license(), destroyed()] {
            let bytes = record.to_bytes();
            for at in 0..bytes.len() {
                for value in (0..=255).filter(|value| *value != bytes[at]) {
                    let mut changed = bytes.to_vec();
                    changed[at] = value;
                    assert!(Record::parse(&changed).is_err(), "octet {at} as {value}");
                }
            }
        }
    }

    /// With the right length and checksum, so that the body itself is looked at.
    #[test]
    fn a_body_must_make_sense() {
        let made = |kind: u8, body: &[u8]| {
            let mut bytes = [MAGIC, &[VERSION, kind, 0, 0][..], &[0, 0, 0, 0], &[0; 4]].concat();
            bytes.extend_from_slice(body);
            bytes[11] = u8::try_from(body.len()).unwrap();
            let checksum = checksum(&bytes);
            bytes[12..16].copy_from_slice(&checksum);
            Record::parse(&bytes).map(|_| ())
        };
        let no_key = |at| Err(RecordError::Body { at });
        assert_eq!(made(DESTROYED, &[0, 1, 9]), Ok(()));
        assert_eq!(made(DESTROYED, &[]), no_key(0));
        assert_eq!(made(LICENSE, &[]), no_key(0));
        assert_eq!(made(DESTROYED, &[0, 0]), no_key(0));
        assert_eq!(made(DESTROYED, &[0, 1, 9, 0]), no_key(3));
        assert_eq!(made(DESTROYED, &[0, 1, 9, 0, 2, 9]), no_key(3));
        assert_eq!(made(LICENSE, &[0, 1, 9]), no_key(0));
        assert_eq!(made(2, &[0, 1, 9]), Err(RecordError::Format));
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_key() {
        let record = license();
        assert!(!format!("{record:?}").contains("238"), "{record:?}");
        let mut bytes = record.to_bytes().to_vec();
        bytes[20] ^= 1;
        assert_eq!(Record::parse(&bytes).unwrap_err().to_string(), "the checksum is wrong");
    }

    proptest! {
        #[test]
        fn a_record_comes_back(
            kids in vec(vec(any::<u8>(), 1..=512), 1..20),
            key in any::<[u8; 16]>(),
        ) {
            let kids: Vec<_> = kids.iter().map(|octets| kid(octets)).collect();
            let keys = kids.iter().map(|kid| Jwk::new(kid.clone(), key)).collect();
            for record in [Record::License(keys), Record::Destroyed(kids)] {
                let bytes = record.to_bytes();
                prop_assert_eq!(bytes.capacity(), bytes.len());
                prop_assert_eq!(pairs(&Record::parse(&bytes).unwrap()), pairs(&record));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..80)) {
            prop_assert!(Record::parse(&bytes).is_err());
        }
    }
}
