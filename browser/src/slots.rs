//! A license record in the host's files, whole or not at all.
//!
//! The host replaces a file not atomically: a write that is cut off leaves a part. So each record has two
//! files, its slots, `ID.a` and `ID.b`, and a new record goes into the slot that does not hold the
//! newest one. When it is written, the other slot is emptied, since what it holds may be keys that are to
//! be gone. An empty slot holds nothing.
//!
//! ```text
//! slot: "CKSL" | generation u32 | length of the record u32 | CRC-32 of the rest u32 | record
//! ```
//!
//! All numbers are big-endian. What is shorter than it says was cut off, and counts as nothing: its
//! record was never said to be stored. Anything else that is wrong was stored and has been damaged, and
//! is an error.

use cdm::{StoreAnswer, StoreOperation, store::StoreError};
use zeroize::Zeroizing;

use crate::files::{File, Files};

const MAGIC: &[u8; 4] = b"CKSL";
const HEADER: usize = 16;

/// Performs one step of `cdm`'s storage.
pub(crate) async fn perform(files: &Files, name: &str, operation: StoreOperation) -> StoreAnswer {
    let slots = [Slot::open(files, name, "a").await?, Slot::open(files, name, "b").await?];
    let [a, b] = &slots;
    let (newest, other) = if a.generation() >= b.generation() { (a, b) } else { (b, a) };
    match operation {
        StoreOperation::Get => {
            return Ok(newest.content.as_ref().map(|(_, record)| record.clone()));
        }
        StoreOperation::Put(record) => {
            let generation = newest.generation().map_or(0, |last| last.wrapping_add(1));
            other.file.write(&to_bytes(generation, &record)).await?;
            // The record is stored, whether or not this works.
            let _ = newest.empty().await;
        }
        StoreOperation::Delete => {
            // The newest last: what was replaced must not come back.
            other.empty().await?;
            newest.empty().await?;
        }
    }
    Ok(None)
}

struct Slot {
    file: File,
    is_empty: bool,
    content: Content,
}

/// A record and its generation, if there is one.
type Content = Option<(u32, Zeroizing<Vec<u8>>)>;

impl Slot {
    async fn open(files: &Files, name: &str, slot: &str) -> Result<Self, StoreError> {
        let file_name = format!("{name}.{slot}");
        let damaged = StoreError::new(format!("file {file_name} is damaged"));
        let file = files.open(file_name).await?;
        let bytes = file.read().await?;
        let content = parse(&bytes).map_err(|Damaged| damaged)?;
        Ok(Self { file, is_empty: bytes.is_empty(), content })
    }

    fn generation(&self) -> Option<u32> {
        self.content.as_ref().map(|(generation, _)| *generation)
    }

    async fn empty(&self) -> Result<(), StoreError> {
        if self.is_empty { Ok(()) } else { self.file.write(&[]).await }
    }
}

#[derive(Debug, Eq, PartialEq)]
struct Damaged;

fn to_bytes(generation: u32, record: &[u8]) -> Zeroizing<Vec<u8>> {
    // Room for all from the start: a buffer that grows leaves keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + record.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
    let checksum = checksum(&bytes, record);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes.extend_from_slice(record);
    bytes
}

/// The generation and the record; `None` of an empty slot, and of one whose writing was cut off.
fn parse(bytes: &[u8]) -> Result<Content, Damaged> {
    let Some((header, record)) = bytes.split_first_chunk::<HEADER>() else {
        return if MAGIC.iter().zip(bytes).all(|(a, b)| a == b) { Ok(None) } else { Err(Damaged) };
    };
    let [m0, m1, m2, m3, g0, g1, g2, g3, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if [m0, m1, m2, m3] != *MAGIC {
        return Err(Damaged);
    }
    let len = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
    if record.len() < len {
        return Ok(None);
    }
    if record.len() > len || checksum(&header[..12], record) != u32::from_be_bytes([c0, c1, c2, c3])
    {
        return Err(Damaged);
    }
    Ok(Some((u32::from_be_bytes([g0, g1, g2, g3]), Zeroizing::new(record.to_vec()))))
}

fn checksum(header: &[u8], record: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(header);
    checksum.update(record);
    checksum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        for record in [&b""[..], b"x", b"some record of a license"] {
            let bytes = to_bytes(7, record);
            let (generation, found) = parse(&bytes).unwrap().unwrap();
            assert_eq!((generation, &found[..]), (7, record));
        }
    }

    #[test]
    fn what_was_cut_off_is_nothing() {
        let bytes = to_bytes(1, b"some record of a license");
        for len in 0..bytes.len() {
            assert_eq!(parse(&bytes[..len]), Ok(None), "{len} octets");
        }
    }

    #[test]
    fn what_was_changed_is_no_record() {
        let bytes = to_bytes(1, b"some record of a license");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                // A length that is too great looks like a record that was cut off.
                let is_cut = (8..12).contains(&at) && changed[at] > bytes[at];
                assert_eq!(parse(&changed), if is_cut { Ok(None) } else { Err(Damaged) }, "{at}");
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(parse(&longer), Err(Damaged));
    }
}
