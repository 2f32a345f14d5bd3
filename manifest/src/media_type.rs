//! The media type of a whole file, as MediaSource and `<source type>` want to hear it.

use std::fmt;

use container::{Description, FileFormat, ReadAt, TrackDescription};

use crate::Error;

/// A media type with its codecs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// Video, if any track is.
    pub kind: Kind,
    /// Such as `video/mp4`.
    pub mime: &'static str,
    /// Those of all tracks by the names of RFC 6381, each once.
    pub codecs: Vec<String>,
    /// Whether the file can be fed to a MediaSource as it is.
    pub is_fragmented: bool,
}

/// What a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl Kind {
    /// `video` or `audio`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    /// `None`: something else, such as text.
    pub(crate) fn of(track: &TrackDescription) -> Option<Self> {
        match &track.handler.0 {
            b"vide" => Some(Self::Video),
            b"soun" => Some(Self::Audio),
            _ => None,
        }
    }
}

impl MediaType {
    /// Reads what [`Description::read`] does, and nothing else of the file. No index is needed.
    ///
    /// # Errors
    /// What is wrong with the headers; a file without video and audio; a codec without a name.
    pub fn read(input: &dyn ReadAt) -> Result<Self, Error> {
        Self::of(&Description::read(input)?)
    }

    pub(crate) fn of(description: &Description) -> Result<Self, Error> {
        let kinds = description.tracks.iter().filter_map(Kind::of);
        let kind = kinds.min().ok_or(Error::NoMedia)?;
        let mime = match (description.format, kind) {
            (FileFormat::Mp4, Kind::Video) => "video/mp4",
            (FileFormat::Mp4, Kind::Audio) => "audio/mp4",
            (FileFormat::WebM, Kind::Video) => "video/webm",
            (FileFormat::WebM, Kind::Audio) => "audio/webm",
            (FileFormat::Matroska, Kind::Video) => "video/x-matroska",
            (FileFormat::Matroska, Kind::Audio) => "audio/x-matroska",
        };
        let mut codecs: Vec<String> = Vec::new();
        for track in &description.tracks {
            for codec in names(track, description.format)? {
                if !codecs.contains(&codec) {
                    codecs.push(codec);
                }
            }
        }
        Ok(Self { kind, mime, codecs, is_fragmented: description.is_fragmented })
    }
}

/// The codecs of a track, by its sample entries. Of MP4 the type of an entry is a name by itself.
fn names(track: &TrackDescription, format: FileFormat) -> Result<Vec<String>, Error> {
    let id = track.id;
    let names = track.entries.iter().map(|entry| match &entry.codec {
        Ok(Some(named)) => Ok(named.codecs.clone()),
        Ok(None) if format == FileFormat::Mp4 => Ok(entry.summary.format.clone()),
        Ok(None) => Err(Error::UnknownCodec { track: id, format: entry.summary.format.clone() }),
        Err(reason) => Err(Error::Codec { track: id, reason: *reason }),
    });
    names.collect()
}

/// As `video/mp4; codecs="avc1.64000c, mp4a.40.2"`.
impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; codecs=\"{}\"", self.mime, self.codecs.join(", "))
    }
}
