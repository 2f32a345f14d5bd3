//! `stsd` and its sample entries: what a track's samples are, and how they are protected
//! (ISO/IEC 14496-12, 8.5.2 and 8.12).

use std::ops::Range;

use crate::{
    Error, FourCc,
    mp4::{
        boxes::Mp4Box,
        protection::{Protection, scheme_type},
    },
};

/// Bytes of a sample entry before its boxes: reserved 6, data_reference_index 2.
const PLAIN: usize = 8;
/// The same for video (12.1.3) and for audio (12.2.3).
const VISUAL: usize = PLAIN + 70;
const AUDIO: usize = PLAIN + 20;

/// One entry of `stsd`.
#[derive(Clone, Debug)]
pub(crate) struct SampleEntry {
    /// What the samples are once they are clear: `frma` of a protected entry.
    pub(crate) format: FourCc,
    pub(crate) protected: Option<ProtectedEntry>,
}

/// What is to be changed in a protected entry, beside its samples.
#[derive(Clone, Debug)]
pub(crate) struct ProtectedEntry {
    pub(crate) protection: Protection,
    /// Where the entry's type stands.
    pub(crate) type_at: u64,
    /// Its `sinf` boxes.
    pub(crate) sinf: Vec<Range<u64>>,
}

/// Reads all entries of an `stsd` box.
pub(crate) fn sample_entries(stsd: &Mp4Box<'_, '_>) -> Result<Vec<SampleEntry>, Error> {
    let mut fields = stsd.fields();
    let (version, _) = fields.version_and_flags()?;
    let count = fields.u32("entry_count")?;
    let entries: Vec<_> = stsd
        .children_from(8)
        .map(|entry| sample_entry(&entry?, version))
        .collect::<Result<_, _>>()?;
    if u32::try_from(entries.len()) != Ok(count) {
        return Err(stsd.malformed(format!("entry_count is {count}, entries: {}", entries.len())));
    }
    Ok(entries)
}

fn sample_entry(entry: &Mp4Box<'_, '_>, stsd_version: u8) -> Result<SampleEntry, Error> {
    if !is_protected(entry.kind) {
        return Ok(SampleEntry { format: entry.kind, protected: None });
    }
    let (mut ours, mut foreign, mut ranges) = (None, None, Vec::new());
    for sinf in entry.children_from(fields_len(entry, stsd_version)?) {
        let sinf = sinf?;
        if sinf.kind != *b"sinf" {
            continue;
        }
        ranges.push(sinf.at..sinf.end());
        match Protection::sinf(&sinf)? {
            // Schemes can be layered or offered side by side: the first we know serves.
            Some(protection) if ours.is_none() => ours = Some((protection, format(&sinf)?)),
            Some(_) => {}
            None => foreign = Some((sinf.place(), scheme_type(&sinf)?)),
        }
    }
    match (ours, foreign) {
        (Some((protection, format)), _) => {
            let type_at = entry.at + 4;
            let protected = ProtectedEntry { protection, type_at, sinf: ranges };
            Ok(SampleEntry { format, protected: Some(protected) })
        }
        (None, Some((place, scheme))) => Err(Error::UnsupportedScheme { place, scheme }),
        (None, None) => Err(entry.malformed("a protected sample entry without a `sinf` box")),
    }
}

/// `encv`, `enca`, `enct`, `encs`…, and what QuickTime calls them.
fn is_protected(kind: FourCc) -> bool {
    kind.0.starts_with(b"enc") || matches!(&kind.0, b"drmi" | b"drms" | b"drmt")
}

fn format(sinf: &Mp4Box<'_, '_>) -> Result<FourCc, Error> {
    sinf.need(b"frma")?.fields().array("data_format").map(FourCc)
}

/// Where in the body of a sample entry its boxes begin.
fn fields_len(entry: &Mp4Box<'_, '_>, stsd_version: u8) -> Result<usize, Error> {
    Ok(match &entry.kind.0 {
        b"encv" | b"drmi" => VISUAL,
        b"enca" | b"drms" => {
            let mut fields = entry.fields();
            fields.bytes(PLAIN, "data_reference_index")?;
            // QuickTime's versions 1 and 2 have more fields; ISO's version 1 lives in `stsd` version 1.
            match (stsd_version, fields.u16("version")?) {
                (0, 1) => AUDIO + 16,
                (0, 2) => AUDIO + 36,
                _ => AUDIO,
            }
        }
        _ => after_strings(entry),
    })
}

/// Text and metadata entries may begin with up to three strings that end in a zero byte: the boxes
/// begin behind the first number of strings that makes them come out even.
fn after_strings(entry: &Mp4Box<'_, '_>) -> usize {
    let mut start = PLAIN;
    for _ in 0..=3 {
        if entry.children_from(start).all(|child| child.is_ok()) {
            return start;
        }
        let text = entry.body.get(start..).unwrap_or_default();
        match text.iter().position(|&byte| byte == 0) {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    PLAIN
}
