//! A walker over the elements of a WebM file that shares no code with the program: it keeps where each
//! size is written, and knows names only.

use std::ops::Range;

use crate::tree::{Node, Size, largest, number};

/// Elements with others in them.
const MASTERS: [(u32, &str); 21] = [
    (0x1a45_dfa3, "EBML"),
    (0x1853_8067, "Segment"),
    (0x114d_9b74, "SeekHead"),
    (0x4dbb, "Seek"),
    (0x1549_a966, "Info"),
    (0x1654_ae6b, "Tracks"),
    (0xae, "TrackEntry"),
    (0xe0, "Video"),
    (0x55b0, "Colour"),
    (0xe1, "Audio"),
    (0x6d80, "ContentEncodings"),
    (0x6240, "ContentEncoding"),
    (0x5034, "ContentCompression"),
    (0x5035, "ContentEncryption"),
    (0x47e7, "ContentEncAESSettings"),
    (0x1f43_b675, "Cluster"),
    (0xa0, "BlockGroup"),
    (0x1c53_bb6b, "Cues"),
    (0xbb, "CuePoint"),
    (0xb7, "CueTrackPositions"),
    (0x1254_c367, "Tags"),
];

/// Elements whose body is a number.
const NUMBERS: [(u32, &str); 33] = [
    (0x4286, "EBMLVersion"),
    (0x42f7, "EBMLReadVersion"),
    (0x42f2, "EBMLMaxIDLength"),
    (0x42f3, "EBMLMaxSizeLength"),
    (0x4287, "DocTypeVersion"),
    (0x4285, "DocTypeReadVersion"),
    (0x53ac, "SeekPosition"),
    (0x53ab, "SeekID"),
    (0x002a_d7b1, "TimestampScale"),
    (0xd7, "TrackNumber"),
    (0x73c5, "TrackUID"),
    (0x83, "TrackType"),
    (0x9c, "FlagLacing"),
    (0x0023_e383, "DefaultDuration"),
    (0x56aa, "CodecDelay"),
    (0x56bb, "SeekPreRoll"),
    (0xb0, "PixelWidth"),
    (0xba, "PixelHeight"),
    (0x9f, "Channels"),
    (0x6264, "BitDepth"),
    (0x5031, "ContentEncodingOrder"),
    (0x5032, "ContentEncodingScope"),
    (0x5033, "ContentEncodingType"),
    (0x47e1, "ContentEncAlgo"),
    (0x47e8, "AESSettingsCipherMode"),
    (0xe7, "Timestamp"),
    (0xa7, "Position"),
    (0xab, "PrevSize"),
    (0xb3, "CueTime"),
    (0xf7, "CueTrack"),
    (0xf1, "CueClusterPosition"),
    (0xf0, "CueRelativePosition"),
    (0xb2, "CueDuration"),
];

/// Elements that are looked into by others.
const OTHERS: [(u32, &str); 8] = [
    (0x4282, "DocType"),
    (0x86, "CodecID"),
    (0x63a2, "CodecPrivate"),
    (0x47e2, "ContentEncKeyID"),
    (0xa3, "SimpleBlock"),
    (0xa1, "Block"),
    (0xec, "Void"),
    (0x75a1, "BlockAdditions"),
];

fn find(list: &[(u32, &'static str)], id: u32) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

/// Whether the body of an element with this name is a number.
pub(crate) fn is_number(name: &str) -> bool {
    NUMBERS.iter().any(|(_, known)| *known == name)
}

/// All elements of a file, each before those in it.
pub(crate) fn walk(file: &[u8]) -> Vec<Node> {
    let mut found = Vec::new();
    inside(file, 0..file.len(), None, &mut found);
    found
}

fn inside(file: &[u8], range: Range<usize>, parent: Option<usize>, found: &mut Vec<Node>) {
    let mut at = range.start;
    while at < range.end {
        let start = at;
        let id_len = file[at].leading_zeros() as usize + 1;
        let id = u32::try_from(number(&file[at..at + id_len])).unwrap_or_default();
        at += id_len;
        let width = file[at].leading_zeros() as usize + 1;
        let stated = number(&file[at..at + width]) & largest(width);
        let body = at + width;
        let end = match stated == largest(width) {
            true => range.end,
            false => body + usize::try_from(stated).unwrap_or(usize::MAX),
        };
        assert!(end <= range.end, "the element at byte {start} ends beyond its parent");
        let master = find(&MASTERS, id);
        let name = master.or_else(|| find(&NUMBERS, id)).or_else(|| find(&OTHERS, id));
        let name = name.map_or_else(|| format!("{id:x}"), str::to_owned);
        let path = match parent {
            Some(parent) => format!("{}/{name}", found[parent].path),
            None => name,
        };
        let is_container = master.is_some();
        let size = Size::Element(at, width);
        found.push(Node { path, at: start, body, end, parent, size, is_container });
        if is_container {
            let number = found.len() - 1;
            inside(file, body..end, Some(number), found);
        }
        at = end;
    }
}
