//! A walker over the boxes of an MP4 file, for tests: it finds boxes and looks into no field.

use std::ops::Range;

/// A box in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoxAt {
    /// Types from the top down, such as `moov/trak/tkhd`.
    pub(crate) path: String,
    pub(crate) kind: [u8; 4],
    pub(crate) at: usize,
    /// Where its body begins.
    pub(crate) body: usize,
    pub(crate) end: usize,
}

impl BoxAt {
    pub(crate) fn is_top(&self) -> bool {
        !self.path.contains('/')
    }

    pub(crate) fn is(&self, kind: &[u8; 4]) -> bool {
        self.kind == *kind
    }

    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.at < other.at && other.end <= self.end
    }

    /// Its name in a path, which for `uuid` boxes is their user type.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// All boxes of a file, each before its children.
pub(crate) fn walk(file: &[u8]) -> Vec<BoxAt> {
    let mut found = Vec::new();
    assert!(children(file, 0..file.len(), "", &mut found), "the file is not made of boxes");
    found
}

/// The boxes with that path.
pub(crate) fn find(file: &[u8], path: &str) -> Vec<BoxAt> {
    walk(file).into_iter().filter(|boxed| boxed.path == path).collect()
}

/// Walks the boxes in `range`. Says whether they fill it.
fn children(file: &[u8], range: Range<usize>, parent: &str, found: &mut Vec<BoxAt>) -> bool {
    let mut at = range.start;
    while at < range.end {
        let Some(boxed) = read(file, at, range.end, parent) else {
            // QuickTime ends some lists of boxes with four zero bytes.
            return file[at..range.end] == [0; 4];
        };
        at = boxed.end;
        let inside = inside(file, &boxed);
        let path = boxed.path.clone();
        found.push(boxed);
        if let Some(inside) = inside {
            children(file, inside, &path, found);
        }
    }
    true
}

fn read(file: &[u8], at: usize, end: usize, parent: &str) -> Option<BoxAt> {
    let header = file[at..end].first_chunk::<8>()?;
    let [a, b, c, d, kind @ ..] = *header;
    let (mut size, mut body) = (u64::from(u32::from_be_bytes([a, b, c, d])), at + 8);
    if size == 1 {
        size = u64::from_be_bytes(*file[body..end].first_chunk()?);
        body += 8;
    } else if size == 0 && parent.is_empty() {
        size = (end - at) as u64;
    }
    let mut name = kind.escape_ascii().to_string();
    if kind == *b"uuid" {
        name = data_encoding::HEXLOWER.encode(file[body..end].first_chunk::<16>()?);
        body += 16;
    }
    let box_end = at.checked_add(usize::try_from(size).ok()?)?;
    let path = if parent.is_empty() { name } else { format!("{parent}/{name}") };
    let is_name = kind.iter().all(|&byte| byte == 0xa9 || (0x20..0x7f).contains(&byte));
    let fits = is_name && body <= box_end && box_end <= end;
    fits.then_some(BoxAt { path, kind, at, body, end: box_end })
}

/// Where in a box its children lie, if it has any.
fn inside(file: &[u8], boxed: &BoxAt) -> Option<Range<usize>> {
    let BoxAt { body, end, .. } = *boxed;
    match &boxed.kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" | b"edts" | b"mvex" | b"moof" | b"traf"
        | b"mfra" | b"sinf" | b"schi" | b"udta" => Some(body..end),
        b"stsd" => Some(body + 8..end),
        _ if boxed.path.ends_with(&format!("/stsd/{}", boxed.name())) => {
            entry_boxes(file, body..end)
        }
        _ => None,
    }
}

/// The boxes in a sample entry. Where they begin depends on what the samples are, so this tries: they
/// begin where they come out even.
fn entry_boxes(file: &[u8], body: Range<usize>) -> Option<Range<usize>> {
    // Text, audio, QuickTime's second kind of audio, video; and text behind each of its strings. The
    // least of them that fits, because behind it are boxes, whose insides would fit too.
    let mut starts = vec![8, 28, 44, 78];
    let strings = file.get(body.start + 8..body.end).unwrap_or_default();
    let ends = strings.iter().enumerate().filter(|(_, byte)| **byte == 0);
    starts.extend(ends.map(|(end, _)| 8 + end + 1).take(16));
    let starts = starts.into_iter().map(|start| body.start + start);
    let mut even = starts.filter(|&start| {
        start < body.end && children(file, start..body.end, "entry", &mut Vec::new())
    });
    even.next().map(|start| start..body.end)
}
