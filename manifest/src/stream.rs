//! A file of one track with an index of its segments: what is on the other end of a manifest.

use container::{Description, Planner, ReadAt, SegmentIndex, Step, TrackDescription};

use crate::{
    Error, Kind, MediaType, Protection, Rate,
    bandwidth::{self, Bandwidth},
    language,
};

/// What a player is told of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Type and codecs.
    pub media_type: MediaType,
    /// Of video: what it looks like.
    pub video: Option<Video>,
    /// Of audio: what it sounds like.
    pub audio: Option<Audio>,
    /// A tag of BCP 47; `None`: undetermined.
    pub language: Option<String>,
    /// `None`: it is clear.
    pub protection: Option<Protection>,
    /// Bytes of the initialization segment, from the start of the file.
    pub init: u64,
    /// Where the segments are.
    pub index: SegmentIndex,
    /// Bits a second of its largest segments.
    pub peak_bandwidth: u64,
    /// Bits a second of all segments together.
    pub average_bandwidth: u64,
}

/// What a picture is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Video {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames in a second, on average.
    pub frame_rate: Option<Rate>,
}

/// What sound is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Samples in a second, in Hz; 0: not known.
    pub sampling_rate: u32,
    /// Channels; 0: not known.
    pub channels: u16,
}

/// A stream, and where it is found from the manifest.
#[derive(Clone, Copy, Debug)]
pub struct StreamAt<'s> {
    /// The URL of the file, or of its playlist: relative or not, and escaped as RFC 3986 wants it.
    pub url: &'s str,
    /// The stream.
    pub stream: &'s Stream,
}

impl Stream {
    /// Reads the headers, the index and what is before the samples in each segment.
    ///
    /// # Errors
    /// What is wrong with the file, and what it lacks: one track of video or audio, fragments, an index in
    /// front, a codec with a name, key ids of 16 octets.
    pub fn read(input: &dyn ReadAt) -> Result<Self, Error> {
        let description = Description::read(input)?;
        let [track] = description.tracks.as_slice() else {
            return Err(Error::SeveralTracks { tracks: description.tracks.len() });
        };
        let media_type = MediaType::of(&description)?;
        if !description.is_fragmented {
            return Err(Error::Progressive);
        }
        if description.format == container::FileFormat::Matroska {
            return Err(Error::Matroska);
        }
        let index = SegmentIndex::read(input, &description)?.ok_or(Error::NoIndex)?;
        let mut protection = Protection::of(&description)?;
        let mut frames = 0;
        let mut planner = Planner::new();
        while let Step::Unit(plan) = planner.next_unit(input, true)? {
            frames += plan.scopes().iter().map(|scope| scope.protected + scope.clear).sum::<u64>();
            if let Some(protection) = &mut protection {
                protection.add(&plan)?;
            }
        }
        let Bandwidth { peak, average } = Bandwidth::of(&index);
        let entry = track.entries.first();
        let is = |kind| entry.filter(|_| media_type.kind == kind);
        Ok(Self {
            video: is(Kind::Video).map(|entry| Video {
                width: entry.width,
                height: entry.height,
                frame_rate: frame_rate(track, frames, &index),
            }),
            audio: is(Kind::Audio).map(|entry| Audio {
                sampling_rate: entry.sampling_rate,
                channels: entry.channels,
            }),
            language: track.language.as_deref().map(language::tag),
            media_type,
            protection,
            init: description.init.end,
            index,
            peak_bandwidth: peak,
            average_bandwidth: average,
        })
    }

    /// How long it lasts, in units of the index's time scale.
    #[must_use]
    pub fn duration(&self) -> u64 {
        bandwidth::duration(&self.index.segments)
    }

    /// Whether each segment can be decoded by itself.
    #[must_use]
    pub fn is_independent(&self) -> bool {
        self.index.segments.iter().all(|segment| matches!(segment.access, Some(1 | 2)))
    }

    /// When it begins, in seconds.
    pub(crate) fn start_seconds(&self) -> f64 {
        self.seconds(self.index.start)
    }

    /// When it ends, in seconds.
    pub(crate) fn end_seconds(&self) -> f64 {
        self.seconds(self.index.start.saturating_add(self.duration()))
    }

    /// The duration of its longest segment, in seconds.
    pub(crate) fn longest_segment(&self) -> f64 {
        let durations = self.index.segments.iter().map(|segment| segment.duration);
        self.seconds(durations.max().unwrap_or(0))
    }

    #[expect(clippy::cast_precision_loss, reason = "times are shown with six digits")]
    pub(crate) fn seconds(&self, time: u64) -> f64 {
        time as f64 / f64::from(self.index.timescale)
    }
}

/// What the header says, or what there is.
fn frame_rate(track: &TrackDescription, frames: u64, index: &SegmentIndex) -> Option<Rate> {
    match track.frame_duration {
        Some(nanos) => Rate::new(1, nanos, 1_000_000_000),
        None => Rate::new(frames, bandwidth::duration(&index.segments), index.timescale),
    }
}
