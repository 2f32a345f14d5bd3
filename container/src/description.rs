//! What the headers of a file say to who plays it: its tracks, and where the media lie.

use std::ops::Range;

use codec::Named;

use crate::{EntrySummary, Error, FourCc, Place, ReadAt, mp4, planner::is_webm, webm};

/// What a file is, as its headers tell.
///
/// No sample is read, but for VP9 in WebM whose CodecPrivate does not tell profile and level: the first few
/// octets of the track's first frame do, if that is in the first cluster and they are clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it begins as.
    pub format: FileFormat,
    /// Whether the media come in fragments behind the header, as MediaSource wants them. WebM always does.
    pub is_fragmented: bool,
    /// The initialization segment: what comes before the media and their index.
    pub init: Range<u64>,
    /// Boxes or elements that index the media: `sidx` in front of the first fragment, or `Cues`.
    pub indexes: Vec<Range<u64>>,
    /// The tracks.
    pub tracks: Vec<TrackDescription>,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// ISO/IEC 14496-12.
    Mp4,
    /// WebM.
    WebM,
    /// Matroska, of which WebM is a part.
    Matroska,
}

/// A track as its header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackDescription {
    /// Track id.
    pub id: u32,
    /// Handler type of ISO/IEC 14496-12: `vide`, `soun`, `text`…
    pub handler: FourCc,
    /// The language: a tag of BCP 47 or a code of ISO 639-2, as the file has it; `None`: undetermined.
    pub language: Option<String>,
    /// Units of time in a second.
    pub timescale: u32,
    /// Nanoseconds that a frame lasts, where the header says so (WebM).
    pub frame_duration: Option<u64>,
    /// Its sample entries. A WebM track has one.
    pub entries: Vec<EntryDescription>,
}

/// A sample entry as its header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDescription {
    /// Its format once it is clear, and its protection.
    pub summary: EntrySummary,
    /// The name of its codec, and what that says of sound; `None`: a codec without one.
    pub codec: Result<Option<Named>, codec::Error>,
    /// Width in pixels; 0 for audio.
    pub width: u32,
    /// Height in pixels; 0 for audio.
    pub height: u32,
    /// Samples in a second, in Hz, by the codec's configuration or else the entry; 0 for video.
    pub sampling_rate: u32,
    /// Channels, likewise.
    pub channels: u16,
}

impl EntryDescription {
    /// What the configuration of the codec says counts: the fields of an entry are often constants.
    pub(crate) fn new(
        summary: EntrySummary,
        codec: Result<Option<Named>, codec::Error>,
        (width, height): (u32, u32),
        (sampling_rate, channels): (u32, u16),
    ) -> Self {
        let sound = codec.as_ref().ok().and_then(Option::as_ref).map(|named| named.sound);
        let sound = sound.unwrap_or_default();
        Self {
            summary,
            codec,
            width,
            height,
            sampling_rate: sound.sampling_rate.unwrap_or(sampling_rate),
            channels: sound.channels.unwrap_or(channels),
        }
    }
}

impl Description {
    /// Reads the headers of a file, and of VP9 in WebM the start of a frame where it must.
    ///
    /// # Errors
    /// What is wrong with them, or that there are none.
    pub fn read(input: &dyn ReadAt) -> Result<Self, Error> {
        match is_webm(input, true)? {
            Some(true) => webm::describe(input),
            _ => mp4::describe(input),
        }
    }
}

/// Where the segments of a file lie that has one track, by its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentIndex {
    /// The box or element itself.
    pub range: Range<u64>,
    /// Units of time in a second.
    pub timescale: u32,
    /// When the first segment is presented, in units of the time scale.
    pub start: u64,
    /// The segments, which follow each other; one at least.
    pub segments: Vec<Segment>,
}

/// A media segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its bytes.
    pub range: Range<u64>,
    /// How long it lasts, in units of the index's time scale.
    pub duration: u64,
    /// The type of the stream access point that it begins with (ISO/IEC 14496-12, annex I), at most: 1 or 2 for
    /// a sync sample. `None`: it cannot be decoded by itself.
    pub access: Option<u8>,
}

impl SegmentIndex {
    /// Reads the index that the description of a file has found. `Ok(None)`: it has none.
    ///
    /// # Errors
    /// What is wrong with the index, or where it leads; several indexes, and an index of indexes, are not
    /// supported.
    pub fn read(input: &dyn ReadAt, of: &Description) -> Result<Option<Self>, Error> {
        let is_mp4 = of.format == FileFormat::Mp4;
        match of.indexes.as_slice() {
            [] => Ok(None),
            [only] if is_mp4 => mp4::segment_index(input, of, only).map(Some),
            [only] => webm::segment_index(input, only).map(Some),
            [_, second, ..] => {
                let path = if is_mp4 { "sidx" } else { "Segment/Cues" };
                let place = Place { path: path.to_owned(), at: second.start };
                Err(Error::Unsupported { place, what: "a second index".to_owned() })
            }
        }
    }
}
