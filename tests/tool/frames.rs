//! The frames of a clear WebM file, as the crate `matroska-demuxer` reads them, and where its indexes lead.
//! It refuses encrypted files, whose key ids it takes for numbers.

use std::{collections::BTreeMap, io::Cursor, ops::Range};

use matroska_demuxer::{Frame, MatroskaFile, TrackType};

use crate::samples::digest;

/// What of a frame does not depend on where it lies: track, timestamp, length, whether it is a key frame.
pub(crate) type Timing = (u64, u64, usize, Option<bool>);

pub(crate) fn is_webm(file: &[u8]) -> bool {
    file.starts_with(&[0x1a, 0x45, 0xdf, 0xa3])
}

fn open(file: &[u8]) -> MatroskaFile<Cursor<&[u8]>> {
    MatroskaFile::open(Cursor::new(file)).unwrap()
}

/// All frames in the order of the file.
pub(crate) fn read(file: &[u8]) -> Vec<Frame> {
    let mut reader = open(file);
    let next = || {
        let mut frame = Frame::default();
        reader.next_frame(&mut frame).unwrap().then_some(frame)
    };
    std::iter::from_fn(next).collect()
}

/// The MD5 of each track's frames, by what the track is.
pub(crate) fn md5(file: &[u8]) -> BTreeMap<String, String> {
    let frames = read(file);
    let tracks = open(file).tracks().to_vec();
    tracks
        .iter()
        .map(|track| {
            let name = match track.track_type() {
                TrackType::Video => "video",
                TrackType::Audio => "audio",
                _ => "other",
            };
            let of_track = frames.iter().filter(|frame| frame.track == track.track_number().get());
            let data: Vec<u8> = of_track.flat_map(|frame| frame.data.iter().copied()).collect();
            (name.to_owned(), digest(&data))
        })
        .collect()
}

pub(crate) fn timings(file: &[u8]) -> Vec<Timing> {
    let timing =
        |frame: &Frame| (frame.track, frame.timestamp, frame.data.len(), frame.is_keyframe);
    read(file).iter().map(timing).collect()
}

/// Whether no track says that it is encoded.
pub(crate) fn is_clear(file: &[u8]) -> bool {
    open(file).tracks().iter().all(|track| track.content_encodings().is_none())
}

/// The positions in the segment that `SeekHead` and `Cues` tell, each with the id of the element there.
pub(crate) fn targets(file: &[u8]) -> Vec<u32> {
    let elements = walk(file, 0..file.len());
    let segment = elements.iter().find(|(id, _)| *id == SEGMENT).unwrap().1.start;
    let positions =
        elements.iter().filter(|(id, _)| [SEEK_POSITION, CLUSTER_POSITION].contains(id));
    let target = |(_, body): &(u32, Range<usize>)| {
        let position = number(&file[body.clone()]);
        walk(file, segment + position..file.len())[0].0
    };
    positions.map(target).collect()
}

/// The elements of the segment: their ids, and where they lie with their headers.
pub(crate) fn top(file: &[u8]) -> Vec<(u32, Range<usize>)> {
    let elements = walk(file, 0..file.len());
    let segment = elements.into_iter().find(|(id, _)| *id == SEGMENT).unwrap().1;
    let (mut at, mut found) = (segment.start, Vec::new());
    while at < segment.end {
        let (id, body) = walk(file, at..segment.end).into_iter().next().unwrap();
        found.push((id, at..body.end));
        at = body.end;
    }
    found
}

pub(crate) const CUES: u32 = 0x1c53_bb6b;
const SEGMENT: u32 = 0x1853_8067;
pub(crate) const CLUSTER: u32 = 0x1f43_b675;
const SEEK_POSITION: u32 = 0x53ac;
const CLUSTER_POSITION: u32 = 0xf1;
/// `Segment`, `SeekHead`, `Seek`, `Cues`, `CuePoint` and `CueTrackPositions`.
const MASTERS: [u32; 6] = [SEGMENT, 0x114d_9b74, 0x4dbb, 0x1c53_bb6b, 0xbb, 0xb7];

/// The ids and bodies of all elements in `range`, each before those in it.
fn walk(file: &[u8], range: Range<usize>) -> Vec<(u32, Range<usize>)> {
    let (mut at, mut found) = (range.start, Vec::new());
    while at < range.end {
        let id_len = file[at].leading_zeros() as usize + 1;
        let id = number(&file[at..at + id_len]) as u32;
        at += id_len;
        let width = file[at].leading_zeros() as usize + 1;
        let size = number(&file[at..at + width]) & ((1 << (7 * width)) - 1);
        let body = at + width..at + width + size;
        at = body.end;
        found.push((id, body.clone()));
        if MASTERS.contains(&id) {
            found.extend(walk(file, body));
        }
    }
    found
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}
