//! What in a file says that it is protected, and what in it points to places.

use mp4_atom::{Decode, Sidx, Tfra};

use crate::{
    boxes::{BoxAt, walk},
    frames,
};

/// PIFF's `tenc`, `senc` and `pssh`.
const PIFF: [&str; 3] = [
    "8974dbce7be74c5184f97148f9882554",
    "a2394f525a9b4f14a2446c427c648df4",
    "d08a4f1810f34a82b6c832d8aba183d3",
];

/// Whether a box is there for the sake of protection only.
pub(crate) fn is_protection(boxed: &BoxAt, file: &[u8]) -> bool {
    let body = &file[boxed.body..boxed.end];
    match &boxed.kind {
        b"sinf" | b"senc" | b"pssh" => true,
        b"uuid" => PIFF.contains(&boxed.name()),
        b"sgpd" | b"sbgp" => &body[4..8] == b"seig",
        b"saiz" | b"saio" => {
            let has_type = body[3] & 1 != 0;
            !has_type || matches!(&body[4..8], b"cenc" | b"cens" | b"cbc1" | b"cbcs" | b"piff")
        }
        _ => false,
    }
}

/// Whether a box is a protected sample entry.
pub(crate) fn is_protected_entry(boxed: &BoxAt) -> bool {
    boxed.path.contains("/stsd/enc") && boxed.name().starts_with("enc")
}

/// Whether nothing in the file says that it is protected.
pub(crate) fn is_clear(file: &[u8]) -> bool {
    if frames::is_webm(file) {
        return frames::is_clear(file);
    }
    !walk(file).iter().any(|boxed| is_protection(boxed, file) || is_protected_entry(boxed))
}

/// Where an index leads: the entry, and which of the boxes at the top of the file begins there.
pub(crate) type Target = (String, Option<usize>);

/// All that `sidx` and `mfra` point to.
pub(crate) fn targets(file: &[u8]) -> Vec<Target> {
    let boxes = walk(file);
    let tops: Vec<_> = boxes.iter().filter(|boxed| boxed.is_top()).collect();
    let top = |at: u64| tops.iter().position(|top| top.at as u64 == at);
    let mut targets = Vec::new();
    for boxed in &boxes {
        let bytes = &mut &file[boxed.at..boxed.end];
        match &boxed.kind {
            b"sidx" => {
                let sidx = Sidx::decode(bytes).unwrap();
                let mut at = boxed.end as u64 + sidx.first_offset;
                for reference in sidx.references {
                    targets.push(("sidx".to_owned(), top(at)));
                    at += u64::from(reference.referenced_size);
                }
                // The file ends behind the last segment, or another box follows.
                let end = if at == file.len() as u64 { Some(tops.len()) } else { top(at) };
                targets.push(("sidx, end".to_owned(), end));
            }
            b"tfra" => {
                for entry in Tfra::decode(bytes).unwrap().entries {
                    targets.push((format!("tfra at {}", entry.time), top(entry.moof_offset)));
                }
            }
            b"mfro" => {
                let size = u32::from_be_bytes(file[boxed.body + 4..][..4].try_into().unwrap());
                targets.push(("mfro".to_owned(), top((boxed.end - size as usize) as u64)));
            }
            _ => {}
        }
    }
    targets
}
