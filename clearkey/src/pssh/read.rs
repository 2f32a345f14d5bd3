//! Reading boxes.

use super::{Pssh, PsshBox, SystemId};
use crate::cursor::Cursor;
use crate::{Error, KeyId};

/// Reads boxes that stand one after the other, with nothing between or after them.
///
/// After an error there is nothing more to read: where the next box would start is not known. No
/// data are no boxes.
#[must_use]
pub fn boxes(bytes: &[u8]) -> Boxes<'_> {
    Boxes { cursor: Some(Cursor::new(bytes)) }
}

/// The boxes that [`boxes`] finds.
pub struct Boxes<'a> {
    /// `None` after the last box, or after an error.
    cursor: Option<Cursor<'a>>,
}

impl Iterator for Boxes<'_> {
    type Item = Result<PsshBox, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = self.cursor.take().filter(|cursor| cursor.left() > 0)?;
        let read = next(&mut cursor);
        if read.is_ok() {
            self.cursor = Some(cursor);
        }
        Some(read)
    }
}

pub(super) fn single(bytes: &[u8]) -> Result<PsshBox, Error> {
    let mut cursor = Cursor::new(bytes);
    let found = next(&mut cursor)?;
    cursor.finish()?;
    Ok(found)
}

/// Reads the header of a box (ISO/IEC 14496-12) and the box.
fn next(cursor: &mut Cursor<'_>) -> Result<PsshBox, Error> {
    let (at, most) = (cursor.at(), cursor.left());
    let short = cursor.u32("box size")?;
    let found = cursor.array("box type")?;
    if &found != b"pssh" {
        return Err(Error::BoxType { at, found });
    }
    let size = match short {
        0 => most as u64,
        1 => cursor.u64("64-bit box size")?,
        size => u64::from(size),
    };
    let least = most - cursor.left();
    let content = usize::try_from(size)
        .ok()
        .and_then(|size| size.checked_sub(least))
        .and_then(|len| cursor.split(len))
        .ok_or(Error::BoxSize { at, size, least, most })?;
    content_of(content)
}

fn content_of(mut cursor: Cursor<'_>) -> Result<PsshBox, Error> {
    let [version, high, middle, low] = cursor.array("version and flags")?;
    let flags = u32::from_be_bytes([0, high, middle, low]);
    if version > 1 || flags != 0 {
        return Ok(PsshBox::Opaque { version, flags, rest: cursor.take_rest().to_vec() });
    }
    let system_id = SystemId::new(cursor.array("SystemID")?);
    let kids = if version == 1 { Some(kids(&mut cursor)?) } else { None };
    let len = cursor.u32("DataSize")?;
    let data = cursor.take(len.into(), "Data")?.to_vec();
    cursor.finish()?;
    Ok(PsshBox::Known(Pssh { kids, system_id, data }))
}

fn kids(cursor: &mut Cursor<'_>) -> Result<Vec<KeyId>, Error> {
    let count = cursor.u32("KID_count")?;
    // Taken before anything is allocated, so the list is no longer than the data.
    let (kids, _) = cursor.take(u64::from(count) * 16, "KID list")?.as_chunks::<16>();
    Ok(kids.iter().copied().map(KeyId::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: [u8; 16] = *b"0123456789abcdef";

    fn example() -> (Pssh, Vec<u8>) {
        let pssh = Pssh::v1(SystemId::WIDEVINE, vec![KeyId::from(KID)], vec![1, 2, 3]).unwrap();
        let bytes = pssh.to_bytes();
        (pssh, bytes)
    }

    /// `bytes` with `patch` written over it from `at` on.
    fn patched(bytes: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at..at + patch.len()].copy_from_slice(patch);
        bytes
    }

    #[test]
    fn a_box_has_any_of_three_sizes() {
        let (pssh, bytes) = example();
        let to_the_end = patched(&bytes, 0, &[0; 4]);
        let mut large = vec![0, 0, 0, 1];
        large.extend_from_slice(b"pssh");
        large.extend_from_slice(&(bytes.len() as u64 + 8).to_be_bytes());
        large.extend_from_slice(&bytes[8..]);
        for form in [&bytes, &to_the_end, &large] {
            assert_eq!(PsshBox::parse(form), Ok(PsshBox::Known(pssh.clone())));
        }
        let all: Result<Vec<_>, _> = boxes(&[large, bytes, to_the_end].concat()).collect();
        assert_eq!(all, Ok(vec![PsshBox::Known(pssh); 3]));
    }

    #[test]
    fn a_later_version_or_flags_need_only_a_size() {
        let mut bytes = vec![0, 0, 0, 13];
        bytes.extend_from_slice(b"pssh\x02\x00\x00\x00\xee");
        let opaque = PsshBox::parse(&bytes).unwrap();
        assert_eq!(opaque, PsshBox::Opaque { version: 2, flags: 0, rest: vec![0xee] });
        assert_eq!(opaque.to_bytes(), bytes);
        assert_eq!(opaque.to_base64(), "AAAADXBzc2gCAAAA7g==");
        let flagged = PsshBox::parse(&patched(&bytes, 8, &[1, 1, 2, 3])).unwrap();
        assert_eq!(flagged, PsshBox::Opaque { version: 1, flags: 0x01_0203, rest: vec![0xee] });
        assert_eq!((flagged.pssh(), flagged.version()), (None, 1));
    }

    #[test]
    fn errors_tell_the_place_in_all_the_data() {
        let (_, bytes) = example();
        let len = bytes.len();
        let second = |broken: &[u8]| boxes(&[&bytes, broken].concat()).nth(1).unwrap().unwrap_err();
        assert_eq!(
            second(&bytes[..7]),
            Error::BoxTruncated { at: len + 4, field: "box type", needed: 4, left: 3 }
        );
        assert_eq!(
            second(&bytes[..len - 1]),
            Error::BoxSize { at: len, size: len as u64, least: 8, most: len - 1 }
        );
        assert_eq!(
            second(&patched(&bytes, 0, &[0, 0, 0, 7])),
            Error::BoxSize { at: len, size: 7, least: 8, most: len }
        );
        assert_eq!(
            second(&patched(&bytes, 4, b"moov")),
            Error::BoxType { at: len, found: *b"moov" }
        );
        assert_eq!(
            second(&patched(&bytes, 28, &[0xff; 4])),
            Error::BoxTruncated {
                at: len + 32,
                field: "KID list",
                needed: 0xf_ffff_fff0,
                left: len - 32
            }
        );
        assert_eq!(
            second(&patched(&bytes, 48, &[0, 0, 0, 2])),
            Error::BoxTrailing { at: len + 54, extra: 1 }
        );
    }

    #[test]
    fn a_large_size_must_hold_its_own_header() {
        for size in [0_u64, 1, 8, 15, 29, u64::MAX] {
            let mut bytes = b"\0\0\0\x01pssh".to_vec();
            bytes.extend_from_slice(&size.to_be_bytes());
            bytes.extend_from_slice(&[2; 12]);
            assert_eq!(
                PsshBox::parse(&bytes),
                Err(Error::BoxSize { at: 0, size, least: 16, most: 28 })
            );
        }
    }

    #[test]
    fn a_single_box_is_alone() {
        let (_, bytes) = example();
        assert_eq!(
            PsshBox::parse(&[&bytes[..], &bytes].concat()),
            Err(Error::BoxTrailing { at: bytes.len(), extra: bytes.len() })
        );
        assert!(PsshBox::parse(&[]).is_err());
    }

    #[test]
    fn nothing_is_read_after_an_error() {
        let (pssh, bytes) = example();
        let data = [&bytes[..], &patched(&bytes, 4, b"free"), &bytes].concat();
        let mut found = boxes(&data);
        assert_eq!(found.next(), Some(Ok(PsshBox::Known(pssh))));
        assert!(matches!(found.next(), Some(Err(Error::BoxType { .. }))));
        assert_eq!(found.next(), None);
        assert_eq!(boxes(&[]).next(), None);
    }
}
