//! The fields of boxes, by ISO/IEC 14496-12, 14496-14 and 23001-7.

use super::{Field, Reader, Role};
use crate::tree::{Node, Size, Tree};

/// PIFF's `pssh`, `tenc` and `senc`.
const PIFF: [(&str, &[u8; 4]); 3] = [
    ("d08a4f1810f34a82b6c832d8aba183d3", b"pssh"),
    ("8974dbce7be74c5184f97148f9882554", b"tenc"),
    ("a2394f525a9b4f14a2446c427c648df4", b"senc"),
];

/// Octets of a decoder's configuration that are changed one by one.
const CONFIGURATION: usize = 32;

pub(super) fn all(file: &[u8], tree: &Tree) -> Vec<Field> {
    let mut found = Vec::new();
    for (index, node) in tree.nodes.iter().enumerate() {
        let header = if node.size == Size::Long {
            ("largesize", node.at + 8, 8)
        } else {
            ("size", node.at, 4)
        };
        let (name, at, width) = header;
        found.push(Field { node: index, name, at, width, role: Role::Number });
        let (at, end) = (node.body, node.end);
        let mut reader = Reader { file, node: index, at, end, found: &mut found };
        body(&mut reader, node, kind(node, file));
    }
    found
}

/// What a box is: of those that have a user type, what PIFF means by it.
fn kind<'f>(node: &Node, file: &'f [u8]) -> &'f [u8] {
    let piff = PIFF.iter().find(|(name, _)| *name == node.name());
    piff.map_or(node.kind(file), |(_, kind)| kind.as_slice())
}

/// Version and flags; the version and the flags that stand there.
fn full(reader: &mut Reader<'_>) -> (u64, u64) {
    let all = reader.peek(0, 4);
    reader.take("version", 1, Role::Version);
    reader.take("flags", 3, Role::Flags);
    (all >> 24, all & 0xff_ffff)
}

fn body(reader: &mut Reader<'_>, node: &Node, kind: &[u8]) {
    let is_entry = node.path.ends_with(&format!("stsd/{}", node.name()));
    if is_entry {
        return entry(reader, node);
    }
    if node.path.contains("/stsd/") && !node.path.contains("/sinf") {
        return configuration(reader);
    }
    match kind {
        b"mvhd" | b"mdhd" | b"tkhd" | b"tfdt" | b"mehd" => header(reader, kind),
        b"elst" | b"stts" | b"ctts" | b"stss" | b"stsc" | b"stsz" | b"stz2" | b"stco" | b"co64"
        | b"sdtp" => {
            table(reader, kind);
        }
        b"stsd" | b"dref" => {
            full(reader);
            reader.number("entry_count", 4);
        }
        b"hdlr" => {
            full(reader);
            reader.numbers(&[("pre_defined", 4), ("handler_type", 4)]);
        }
        b"vmhd" | b"smhd" | b"nmhd" | b"url " | b"meta" | b"elng" | b"mfhd" | b"mfro" => {
            full(reader);
            reader.number("first field", 4);
        }
        b"trex" => {
            full(reader);
            reader.numbers(&[
                ("track_ID", 4),
                ("default_sample_description_index", 4),
                ("default_sample_duration", 4),
                ("default_sample_size", 4),
            ]);
            reader.take("default_sample_flags", 4, Role::Flags);
        }
        b"tfhd" => {
            let (_, flags) = full(reader);
            reader.number("track_ID", 4);
            optional(
                reader,
                flags,
                &[
                    (0x1, "base_data_offset", 8),
                    (0x2, "sample_description_index", 4),
                    (0x8, "default_sample_duration", 4),
                    (0x10, "default_sample_size", 4),
                    (0x20, "default_sample_flags", 4),
                ],
            );
        }
        b"trun" => run(reader),
        b"sidx" | b"tfra" => index(reader, kind),
        b"sgpd" | b"sbgp" => groups(reader, kind),
        b"saiz" | b"saio" | b"senc" => aux_info(reader, kind),
        b"tenc" | b"schm" | b"pssh" | b"frma" => protection(reader, kind),
        b"ftyp" | b"styp" => reader.number("major_brand", 4),
        _ => {}
    }
}

/// Fields that flags say are there.
fn optional(reader: &mut Reader<'_>, flags: u64, fields: &[(u64, &'static str, usize)]) {
    for (bit, name, width) in fields {
        if flags & bit != 0 {
            reader.number(name, *width);
        }
    }
}

/// Of a sample entry what stands before its boxes.
fn entry(reader: &mut Reader<'_>, node: &Node) {
    let start = reader.at;
    reader.skip(6);
    reader.number("data_reference_index", 2);
    // What is 70 octets in a picture's entry is 20 in that of sound; each is changed as both.
    if node.is_container {
        reader.numbers(&[("version", 2), ("revision", 2), ("vendor", 4)]);
        reader.numbers(&[("channelcount", 2), ("samplesize", 2), ("compression", 2)]);
        reader.numbers(&[("packet_size", 2), ("samplerate", 4)]);
        reader.at = start + 42;
        reader.number("compressorname", 1);
    }
}

/// A box that tells a decoder what it needs: octets, since each codec has its own.
fn configuration(reader: &mut Reader<'_>) {
    for _ in 0..CONFIGURATION {
        reader.number("octet", 1);
    }
}

fn header(reader: &mut Reader<'_>, kind: &[u8]) {
    let (version, _) = full(reader);
    let time = if version == 1 { 8 } else { 4 };
    match kind {
        b"tkhd" => reader.numbers(&[
            ("creation_time", time),
            ("modification_time", time),
            ("track_ID", 4),
            ("reserved", 4),
            ("duration", time),
        ]),
        b"tfdt" => reader.number("baseMediaDecodeTime", time),
        b"mehd" => reader.number("fragment_duration", time),
        _ => reader.numbers(&[
            ("creation_time", time),
            ("modification_time", time),
            ("timescale", 4),
            ("duration", time),
        ]),
    }
}

fn table(reader: &mut Reader<'_>, kind: &[u8]) {
    let (version, _) = full(reader);
    let count = |reader: &mut Reader<'_>| {
        let count = reader.peek(0, 4);
        reader.number("entry_count", 4);
        count
    };
    match kind {
        b"elst" => {
            let time = if version == 1 { 8 } else { 4 };
            let count = count(reader);
            let fields = [("segment_duration", time), ("media_time", time), ("media_rate", 4)];
            reader.entries(count, 2 * time + 4, &fields);
        }
        b"stts" | b"ctts" => {
            let count = count(reader);
            reader.entries(count, 8, &[("sample_count", 4), ("sample_delta", 4)]);
        }
        b"stss" => {
            let count = count(reader);
            reader.entries(count, 4, &[("sample_number", 4)]);
        }
        b"stsc" => {
            let count = count(reader);
            let fields =
                [("first_chunk", 4), ("samples_per_chunk", 4), ("sample_description_index", 4)];
            reader.entries(count, 12, &fields);
        }
        b"stsz" | b"stz2" => {
            reader.number("sample_size", 4);
            let count = count(reader);
            reader.entries(count, 4, &[("entry_size", 4)]);
        }
        b"stco" => {
            let count = count(reader);
            reader.entries(count, 4, &[("chunk_offset", 4)]);
        }
        b"co64" => {
            let count = count(reader);
            reader.entries(count, 8, &[("chunk_offset", 8)]);
        }
        _ => {}
    }
}

fn run(reader: &mut Reader<'_>) {
    let (_, flags) = full(reader);
    let count = reader.peek(0, 4);
    reader.number("sample_count", 4);
    optional(reader, flags, &[(0x1, "data_offset", 4), (0x4, "first_sample_flags", 4)]);
    let fields = [
        (0x100, "sample_duration"),
        (0x200, "sample_size"),
        (0x400, "sample_flags"),
        (0x800, "sample_composition_time_offset"),
    ];
    let there = fields.iter().filter(|(bit, _)| flags & bit != 0);
    let fields: Vec<_> = there.map(|(_, name)| (*name, 4)).collect();
    reader.entries(count, 4 * fields.len(), &fields);
}

fn index(reader: &mut Reader<'_>, kind: &[u8]) {
    let (version, _) = full(reader);
    let time = if version == 0 { 4 } else { 8 };
    if kind == b"sidx" {
        reader.numbers(&[("reference_ID", 4), ("timescale", 4)]);
        reader.numbers(&[("earliest_presentation_time", time), ("first_offset", time)]);
        reader.skip(2);
        let count = reader.peek(0, 2);
        reader.number("reference_count", 2);
        let fields = [("referenced_size", 4), ("subsegment_duration", 4), ("SAP", 4)];
        return reader.entries(count, 12, &fields);
    }
    reader.number("track_ID", 4);
    let lengths = usize::try_from(reader.peek(3, 1)).unwrap_or_default();
    reader.number("lengths of numbers", 4);
    let count = reader.peek(0, 4);
    reader.number("number_of_entry", 4);
    let fields = [
        ("time", time),
        ("moof_offset", time),
        ("traf_number", (lengths >> 4 & 3) + 1),
        ("trun_number", (lengths >> 2 & 3) + 1),
        ("sample_number", (lengths & 3) + 1),
    ];
    reader.entries(count, fields.iter().map(|(_, width)| width).sum(), &fields);
}

fn groups(reader: &mut Reader<'_>, kind: &[u8]) {
    let (version, _) = full(reader);
    reader.number("grouping_type", 4);
    if kind == b"sbgp" {
        if version == 1 {
            reader.number("grouping_type_parameter", 4);
        }
        let count = reader.peek(0, 4);
        reader.number("entry_count", 4);
        let fields = [("sample_count", 4), ("group_description_index", 4)];
        return reader.entries(count, 8, &fields);
    }
    let length = reader.peek(0, 4);
    if version == 1 {
        reader.number("default_length", 4);
    }
    if version >= 2 {
        reader.number("default_sample_description_index", 4);
    }
    let count = reader.peek(0, 4);
    reader.number("entry_count", 4);
    let entry = [
        ("reserved", 1),
        ("crypt_byte_block and skip_byte_block", 1),
        ("isProtected", 1),
        ("Per_Sample_IV_Size", 1),
        ("KID", 8),
        ("KID", 8),
        ("constant_IV_size", 1),
    ];
    match usize::try_from(length).unwrap_or_default() {
        0 => {
            for _ in 0..count {
                let length = usize::try_from(reader.peek(0, 4)).unwrap_or_default();
                reader.number("description_length", 4);
                let next = reader.at + length;
                reader.numbers(if length > 20 { &entry } else { &entry[..6] });
                reader.at = next;
            }
        }
        length if length >= 20 => {
            reader.entries(count, length, if length > 20 { &entry } else { &entry[..6] });
        }
        length => reader.entries(count, length, &[("entry", length.min(2))]),
    }
}

fn aux_info(reader: &mut Reader<'_>, kind: &[u8]) {
    let (version, flags) = full(reader);
    if kind == b"senc" {
        return senc(reader, flags);
    }
    if flags & 1 != 0 {
        reader.numbers(&[("aux_info_type", 4), ("aux_info_type_parameter", 4)]);
    }
    if kind == b"saiz" {
        let default = reader.peek(0, 1);
        reader.number("default_sample_info_size", 1);
        let count = reader.peek(0, 4);
        reader.number("sample_count", 4);
        if default == 0 {
            reader.entries(count, 1, &[("sample_info_size", 1)]);
        }
        return;
    }
    let width = if version == 0 { 4 } else { 8 };
    let count = reader.peek(0, 4);
    reader.number("entry_count", 4);
    reader.entries(count, width, &[("offset", width)]);
}

/// The length of IVs stands elsewhere; it is the one with which the samples come out even.
fn senc(reader: &mut Reader<'_>, flags: u64) {
    if flags & 1 != 0 {
        reader.numbers(&[("AlgorithmID and IV_size", 4), ("KID", 8), ("KID", 8)]);
    }
    let count = usize::try_from(reader.peek(0, 4)).unwrap_or_default();
    reader.number("sample_count", 4);
    let has_subsamples = flags & 2 != 0;
    let starts = |iv: usize| {
        let (mut at, mut starts) = (reader.at, Vec::new());
        for _ in 0..count.min(reader.end) {
            starts.push(at);
            at += iv;
            if has_subsamples {
                let count = reader.file.get(at..at + 2).map_or(0, crate::tree::number);
                at += 2 + 6 * usize::try_from(count).unwrap_or_default();
            }
        }
        (at == reader.end).then_some((iv, starts))
    };
    let Some((iv, starts)) = [8, 16, 0].into_iter().find_map(starts) else { return };
    for sample in super::picked(starts.len()) {
        reader.at = starts[sample];
        if iv > 0 {
            reader.number("InitializationVector", 8);
            reader.skip(iv - 8);
        }
        if has_subsamples {
            let count = reader.peek(0, 2);
            reader.number("subsample_count", 2);
            let fields = [("BytesOfClearData", 2), ("BytesOfProtectedData", 4)];
            reader.entries(count, 6, &fields);
        }
    }
}

fn protection(reader: &mut Reader<'_>, kind: &[u8]) {
    if kind == b"frma" {
        return reader.number("data_format", 4);
    }
    let (version, _) = full(reader);
    match kind {
        b"tenc" => reader.numbers(&[
            ("reserved", 1),
            ("default_crypt_byte_block and default_skip_byte_block", 1),
            ("default_isProtected", 1),
            ("default_Per_Sample_IV_Size", 1),
            ("default_KID", 8),
            ("default_KID", 8),
            ("default_constant_IV_size", 1),
            ("default_constant_IV", 8),
        ]),
        b"schm" => reader.numbers(&[("scheme_type", 4), ("scheme_version", 4)]),
        _ => {
            reader.numbers(&[("SystemID", 8), ("SystemID", 8)]);
            if version > 0 {
                let count = reader.peek(0, 4);
                reader.number("KID_count", 4);
                reader.entries(count, 16, &[("KID", 8)]);
            }
            reader.number("DataSize", 4);
        }
    }
}
