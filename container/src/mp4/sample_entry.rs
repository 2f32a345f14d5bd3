//! `stsd` and its sample entries: what a track's samples are, and how they are protected
//! (ISO/IEC 14496-12, 8.5.2 and 8.12).

use std::{ops::Range, sync::Arc};

use codec::{Codec, Named};

use crate::{
    EntryDescription, Error, FourCc,
    mp4::{
        boxes::Mp4Box,
        movie::summary,
        protection::{Protection, scheme_type},
    },
};

/// Bytes of a sample entry before its boxes: reserved 6, data_reference_index 2.
const PLAIN: usize = 8;
/// The same for video (12.1.3) and for audio (12.2.3).
const VISUAL: usize = PLAIN + 70;
const AUDIO: usize = PLAIN + 20;
/// The same for audio in QuickTime's version 1.
const AUDIO_V1: usize = AUDIO + 16;

/// One entry of `stsd`.
#[derive(Clone, Debug)]
pub(crate) struct SampleEntry {
    /// What the samples are once they are clear: `frma` of a protected entry.
    pub(crate) format: FourCc,
    pub(crate) protected: Option<ProtectedEntry>,
    /// What is known of its codec.
    pub(crate) codec: Result<Option<Arc<Codec>>, codec::Error>,
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
        let codec = codec(entry, entry.kind, stsd_version);
        return Ok(SampleEntry { format: entry.kind, protected: None, codec });
    }
    let (mut ours, mut foreign, mut ranges) = (None, None, Vec::new());
    for sinf in entry.children_from(fields_len(entry, entry.kind, stsd_version)?) {
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
            let codec = codec(entry, format, stsd_version);
            Ok(SampleEntry { format, protected: Some(protected), codec })
        }
        (None, Some((place, scheme))) => Err(Error::UnsupportedScheme { place, scheme }),
        (None, None) => Err(entry.malformed("a protected sample entry without a `sinf` box")),
    }
}

/// The codec of an entry whose samples are, once clear, of that format.
fn codec(
    entry: &Mp4Box<'_, '_>,
    format: FourCc,
    stsd_version: u8,
) -> Result<Option<Arc<Codec>>, codec::Error> {
    let Ok(fields) = fields_len(entry, format, stsd_version) else { return Ok(None) };
    let (width, height) = size(entry, fields);
    let find = |kind: &[u8; 4]| find(entry, fields, *kind);
    Ok(Codec::from_mp4(format.0, &find, (width, height))?.map(Arc::new))
}

/// Width and height, which stand behind 24 bytes of a visual entry (12.1.3.2).
fn size(entry: &Mp4Box<'_, '_>, fields: usize) -> (u16, u16) {
    match fields {
        VISUAL => (number(entry, 24), number(entry, 26)),
        _ => (0, 0),
    }
}

fn number(entry: &Mp4Box<'_, '_>, at: usize) -> u16 {
    let bytes = entry.body.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |&number| u16::from_be_bytes(number))
}

/// The body of the first box of that type behind the fields of an entry.
fn find<'d>(entry: &Mp4Box<'d, '_>, fields: usize, kind: [u8; 4]) -> Option<&'d [u8]> {
    let mut children = entry.children_from(fields).map_while(Result::ok);
    children.find(|child| child.kind == kind).map(|child| child.body)
}

/// What a player is told of all entries of an `stsd` box.
pub(crate) fn descriptions(stsd: &Mp4Box<'_, '_>) -> Result<Vec<EntryDescription>, Error> {
    let (version, _) = stsd.fields().version_and_flags()?;
    let entries = sample_entries(stsd)?;
    let described = stsd.children_from(8).zip(&entries);
    described.map(|(boxed, entry)| description(&boxed?, entry, version)).collect()
}

fn description(
    boxed: &Mp4Box<'_, '_>,
    entry: &SampleEntry,
    stsd_version: u8,
) -> Result<EntryDescription, Error> {
    let fields = fields_len(boxed, boxed.kind, stsd_version)?;
    let (width, height) = size(boxed, fields);
    // channelcount stands behind 16 bytes of an audio entry, samplerate behind 24, a fixed-point number
    // of which the first half counts (12.2.3.2). QuickTime's version 2 has other fields there.
    let sound = match fields {
        AUDIO | AUDIO_V1 => (u32::from(number(boxed, 24)), number(boxed, 16)),
        _ => (0, 0),
    };
    let codec = Named::from_mp4(entry.format.0, &|kind| find(boxed, fields, *kind));
    let size = (width.into(), height.into());
    Ok(EntryDescription::new(summary(entry), codec, size, sound))
}

/// `encv`, `enca`, `enct`, `encs`…, and what QuickTime calls them.
fn is_protected(kind: FourCc) -> bool {
    kind.0.starts_with(b"enc") || matches!(&kind.0, b"drmi" | b"drms" | b"drmt")
}

fn format(sinf: &Mp4Box<'_, '_>) -> Result<FourCc, Error> {
    sinf.need(b"frma")?.fields().array("data_format").map(FourCc)
}

/// Where in the body of a sample entry of that type its boxes begin.
pub(crate) fn fields_len(
    entry: &Mp4Box<'_, '_>,
    kind: FourCc,
    stsd_version: u8,
) -> Result<usize, Error> {
    Ok(match &kind.0 {
        b"encv" | b"drmi" => VISUAL,
        b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" | b"hvc1" | b"hev1" | b"hvc2"
        | b"hev2" | b"dvh1" | b"dvhe" | b"av01" | b"vp08" | b"vp09" => VISUAL,
        b"enca" | b"drms" | b"mp4a" | b"ac-3" | b"ec-3" | b"fLaC" | b"Opus" | b".mp3" => {
            let mut fields = entry.fields();
            fields.bytes(PLAIN, "data_reference_index")?;
            // QuickTime's versions 1 and 2 have more fields; ISO's version 1 lives in `stsd` version 1.
            match (stsd_version, fields.u16("version")?) {
                (0, 1) => AUDIO_V1,
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

#[cfg(test)]
mod tests {
    use cenc::Scheme;

    use super::*;
    use crate::mp4::testing::{
        AT, Written, avc1, encv, full, opened, plain, sinf, stsd, tenc, told, uuid,
    };

    fn only_entry(stsd: &Written) -> SampleEntry {
        let mut entries = sample_entries(&opened(stsd)).unwrap();
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    fn enca(version: u16, fields: usize) -> Written {
        plain(b"enca").zeros(8).u16(version).zeros(fields - 2).put(sinf(b"cenc", &tenc(8)))
    }

    #[test]
    fn a_clear_entry_is_what_its_type_says() {
        for kind in [b"avc1", b"mp4a", b"stpp", b"tx3g"] {
            // What is inside does not matter.
            let entry = only_entry(&stsd(&[plain(kind).put([1, 2, 3])]));
            assert_eq!(entry.format, *kind);
            assert!(entry.protected.is_none());
        }
    }

    #[test]
    fn the_boxes_of_an_entry_are_found_behind_its_fields() {
        let inner = sinf(b"cenc", &tenc(8));
        let before = |kind, fields: &[u8]| (plain(kind).put(fields).put(&inner), fields.len());
        let cases = [
            before(b"encv", &[0; 78]),
            before(b"drmi", &[0; 78]),
            before(b"enca", &[0; 28]),
            before(b"drms", &[0; 28]),
            before(b"enct", &[0; 8]),
            before(b"encs", b"\0\0\0\0\0\0\0\x01\0\0\0"),
            before(b"encs", b"\0\0\0\0\0\0\0\x01namespace\0"),
            before(b"enct", b"\0\0\0\0\0\0\0\x01namespace\0schema\0image/png\0"),
            before(b"encm", b"\0\0\0\0\0\0\0\x01\0text/html\0"),
        ];
        for (entry, fields) in cases {
            let kind = opened(&entry).kind;
            let protected = only_entry(&stsd(&[entry])).protected.unwrap();
            let start = AT + 16 + 8 + fields as u64;
            let sinf = start..start + inner.len();
            assert_eq!(protected.sinf, [sinf], "{kind}");
            assert_eq!(protected.type_at, AT + 16 + 4);
            assert_eq!(protected.protection.scheme, Scheme::Cenc);
        }
    }

    #[test]
    fn sound_entries_of_quicktime_are_longer() {
        for (stsd_version, version, fields) in
            [(0, 0, 20), (0, 1, 36), (0, 2, 56), (1, 0, 20), (1, 1, 20), (1, 2, 20)]
        {
            let stsd = |fields| full(b"stsd", stsd_version, 0).u32(1).put(enca(version, fields));
            assert_eq!(only_entry(&stsd(fields)).format, *b"avc1");
            assert!(
                sample_entries(&opened(&stsd(fields + 4))).is_err(),
                "{stsd_version} {version}"
            );
        }
    }

    #[test]
    fn all_entries_are_counted() {
        let entries = sample_entries(&opened(&stsd(&[avc1(), encv(b"cbc1", &tenc(16))]))).unwrap();
        assert!(entries[0].protected.is_none());
        assert_eq!(entries[1].protected.as_ref().unwrap().protection.scheme, Scheme::Cbc1);
        for count in [0, 2, u32::MAX] {
            let stsd = full(b"stsd", 0, 0).u32(count).put(avc1());
            let message = format!("`stsd` at byte 1000: entry_count is {count}, entries: 1");
            assert_eq!(told(sample_entries(&opened(&stsd))), message);
        }
    }

    #[test]
    fn the_first_scheme_that_is_known_serves() {
        let entry = plain(b"encv")
            .zeros(78)
            .put(sinf(b"adkm", &plain(b"free")))
            .put(sinf(b"cens", &tenc(8)))
            .put(plain(b"avcC").zeros(9))
            .put(sinf(b"cenc", &tenc(16)));
        let protected = only_entry(&stsd(&[entry])).protected.unwrap();
        assert_eq!(protected.protection.scheme, Scheme::Cens);
        // All are taken out: none of them is true of clear samples.
        assert_eq!(protected.sinf.len(), 3);
        assert_eq!(protected.sinf[0].end, protected.sinf[1].start);
        assert_eq!(protected.sinf[1].end + 17, protected.sinf[2].start);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let entry = |content: &Written| stsd(&[plain(b"encv").zeros(78).put(content)]);
        let schm = full(b"schm", 0, 0).put(b"cenc").u32(0x1_0000);
        let schi = plain(b"schi").put(tenc(8));
        let cases = [
            (
                entry(&sinf(b"adkm", &plain(b"free"))),
                "`stsd/encv/sinf` at byte 1102: unsupported protection scheme `adkm`",
            ),
            (
                entry(&plain(b"avcC")),
                "`stsd/encv` at byte 1016: a protected sample entry without a `sinf` box",
            ),
            (
                entry(&plain(b"sinf").put(schm).put(schi)),
                "`stsd/encv/sinf` at byte 1102: has no `frma` box",
            ),
            (
                stsd(&[plain(b"enca").zeros(9)]),
                "`stsd/enca` at byte 1032: the box ends inside its field version",
            ),
            (
                stsd(&[plain(b"encv").zeros(77)]),
                "`stsd/encv` at byte 1016: a protected sample entry without a `sinf` box",
            ),
            // One string more than any entry has.
            (
                stsd(&[plain(b"enct").zeros(8).put(b"a\0b\0c\0d\0").put(sinf(b"cenc", &tenc(8)))]),
                "`stsd/enct/c\\x00d\\x00` at byte 1032: a size of 1627415040 bytes, but only 88 are left",
            ),
            (full(b"stsd", 0, 0), "`stsd` at byte 1012: the box ends inside its field entry_count"),
            (
                full(b"stsd", 0, 0).u32(1).put(plain(b"avc1").stating(9)),
                "`stsd/avc1` at byte 1016: a size of 9 bytes, but only 8 are left",
            ),
        ];
        for (stsd, message) in cases {
            assert_eq!(told(sample_entries(&opened(&stsd))), message);
        }
    }

    #[test]
    fn piff_puts_a_user_box_into_schi() {
        let piff = uuid(crate::mp4::protection::PIFF_TRACK, 0).put([0, 0, 2, 8]).put([3; 16]);
        let protected = only_entry(&stsd(&[encv(b"piff", &piff)])).protected.unwrap();
        assert_eq!(protected.protection.scheme, Scheme::Cbc1);
        assert_eq!(protected.protection.scheme_type, *b"piff");
    }
}
