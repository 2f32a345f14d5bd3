//! What a player is told of a WebM file: `Tracks`, where `Cues` and the clusters lie, and of VP9 what the first
//! frame tells.

use std::ops::Range;

use codec::Named;

use crate::{
    Description, EntryDescription, Error, FileFormat, ReadAt, Track, TrackDescription,
    mp4::is_language,
    stop::Stop,
    webm::{
        ebml::{Element, Header},
        first_frame::FirstFrame,
        ids,
        input::Input,
        planner::NO_TRACKS,
        tracks,
    },
};

const SEGMENT: &str = "Segment";
/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a tick, unless a file says otherwise (RFC 9559, 5.1.2.9).
const TICK: u64 = 1_000_000;

/// What is known of the first segment.
pub(super) struct Layout {
    is_webm: bool,
    /// Where its body begins.
    pub(super) data: u64,
    /// Where it ends, or the input.
    pub(super) end: u64,
    /// Nanoseconds of a tick.
    pub(super) tick: u64,
    /// Ticks that it lasts, where it says so.
    pub(super) duration: Option<f64>,
    tracks: Option<Range<u64>>,
    cues: Vec<Range<u64>>,
    first_cluster: Option<u64>,
}

/// Reads the headers of a file, and the start of a frame where they only say that it is VP9.
///
/// # Errors
/// What is wrong with them, or that there is no `Tracks`.
pub(crate) fn describe(source: &dyn ReadAt) -> Result<Description, Error> {
    let input = Input::new(source, true);
    read(&input).map_err(|stop| stop.of_whole(0))
}

fn read(input: &Input<'_>) -> Result<Description, Stop> {
    let layout = Layout::read(input)?;
    let range = layout.tracks.clone().ok_or(NO_TRACKS)?;
    let (header, body) = element(input, &range)?;
    let tracks = Element::new(&header, range.start, &body, SEGMENT);
    let (plan, _) = tracks::plan(&tracks)?;
    let entries = tracks
        .children()
        .filter(|child| !matches!(child, Ok(child) if child.id != ids::TRACK_ENTRY));
    let described =
        entries.zip(plan.tracks).map(|(entry, track)| layout.track(input, &entry?, track));
    let tracks = described.collect::<Result<_, Error>>()?;
    let media = layout.first_cluster.unwrap_or(layout.end);
    let init = 0..layout.cues.first().map_or(media, |cues| cues.start.min(media));
    Ok(Description {
        format: if layout.is_webm { FileFormat::WebM } else { FileFormat::Matroska },
        is_fragmented: true,
        init,
        indexes: layout.cues,
        tracks,
    })
}

/// An element of the segment that lies there.
pub(super) fn element(input: &Input<'_>, range: &Range<u64>) -> Result<(Header, Vec<u8>), Stop> {
    let header = input.header(range.start, SEGMENT)?;
    let body = input.body(&header, range.start, range.end, SEGMENT)?;
    Ok((header, body))
}

impl Layout {
    /// Goes over the elements of the first segment, up to a cluster of unknown size.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, Stop> {
        let (mut is_webm, mut at) = (false, 0);
        let mut layout = loop {
            if at >= input.end() {
                return Err(NO_TRACKS.into());
            }
            let header = input.header(at, "")?;
            let end = input.element_end(&header, at, "", None)?;
            let data = at + header.len as u64;
            match (header.id, end) {
                (ids::SEGMENT, _) => break Self::new(is_webm, data, end.unwrap_or(input.end())),
                (ids::EBML, Some(end)) => {
                    let body = input.body(&header, at, end, "")?;
                    let ebml = Element::new(&header, at, &body, "");
                    is_webm = ebml.child(ids::DOC_TYPE)?.is_some_and(|kind| kind.text() == "webm");
                }
                _ => {}
            }
            at = end.ok_or(NO_TRACKS)?;
        };
        layout.fill(input)?;
        Ok(layout)
    }

    fn new(is_webm: bool, data: u64, end: u64) -> Self {
        let (tick, duration, tracks, cues, first_cluster) = (TICK, None, None, Vec::new(), None);
        Self { is_webm, data, end, tick, duration, tracks, cues, first_cluster }
    }

    fn fill(&mut self, input: &Input<'_>) -> Result<(), Stop> {
        let mut at = self.data;
        while at < self.end {
            let header = input.header(at, SEGMENT)?;
            if header.id == ids::CLUSTER {
                self.first_cluster.get_or_insert(at);
            }
            let Some(end) = input.element_end(&header, at, SEGMENT, Some(self.end))? else { break };
            match header.id {
                ids::TRACKS => _ = self.tracks.get_or_insert(at..end),
                ids::CUES => self.cues.push(at..end),
                ids::INFO => {
                    let body = input.body(&header, at, end, SEGMENT)?;
                    self.info(&Element::new(&header, at, &body, SEGMENT))?;
                }
                _ => {}
            }
            at = end;
        }
        Ok(())
    }

    fn info(&mut self, info: &Element<'_, '_>) -> Result<(), Error> {
        self.tick = match info.unsigned_of(ids::TIMESTAMP_SCALE)? {
            Some(0) => return Err(info.malformed("the TimestampScale is 0")),
            tick => tick.unwrap_or(TICK),
        };
        self.duration = info.child(ids::DURATION)?.map(|duration| duration.float()).transpose()?;
        Ok(())
    }

    /// Units of time in a second, and how many of them a tick has.
    pub(super) fn timescale(&self) -> (u32, u64) {
        match u32::try_from(SECOND / self.tick) {
            Ok(timescale) if SECOND.is_multiple_of(self.tick) => (timescale, 1),
            _ => (1_000_000_000, self.tick),
        }
    }

    fn track(
        &self,
        input: &Input<'_>,
        entry: &Element<'_, '_>,
        track: Track,
    ) -> Result<TrackDescription, Error> {
        let Track { id, handler, entries } = track;
        let private = entry.child(ids::CODEC_PRIVATE)?.map_or(&[][..], |private| private.body);
        let size = tracks::size(entry)?;
        let sound = sound(entry)?;
        let frame_duration = entry.unsigned_of(ids::DEFAULT_DURATION)?.filter(|&nanos| nanos != 0);
        let described = entries.into_iter().map(|summary| {
            let mut codec = Named::from_webm(&summary.format, private);
            if let Ok(Some(named)) = &mut codec
                && named.is_vague_vp9()
            {
                let is_encrypted = summary.protection.is_some();
                let first = FirstFrame { track: id.into(), is_encrypted };
                if let Some(found) = self.vp9(input, first, frame_duration)? {
                    *named = found;
                }
            }
            Ok(EntryDescription::new(summary, codec, size, sound))
        });
        Ok(TrackDescription {
            id,
            handler,
            language: language(entry)?,
            timescale: self.timescale().0,
            frame_duration,
            entries: described.collect::<Result<_, Error>>()?,
        })
    }

    /// What the first frame of a track says, if it is there and can be read.
    fn vp9(
        &self,
        input: &Input<'_>,
        first: FirstFrame,
        frame_duration: Option<u64>,
    ) -> Result<Option<Named>, Error> {
        let Some(at) = self.first_cluster else { return Ok(None) };
        let frame = first.read(input, at, self.end)?;
        Ok(frame.and_then(|frame| Named::from_vp9_frame(&frame, frame_duration).ok().flatten()))
    }
}

/// The tag of BCP 47, or else the code of ISO 639-2, which is English where nothing is said (RFC 9559,
/// 5.1.4.1.19).
fn language(entry: &Element<'_, '_>) -> Result<Option<String>, Error> {
    let tag = match entry.child(ids::LANGUAGE_BCP47)? {
        Some(tag) => Some(tag),
        None => entry.child(ids::LANGUAGE)?,
    };
    let tag = tag.map_or_else(|| "eng".to_owned(), |tag| tag.text());
    Ok(Some(tag).filter(|tag| is_language(tag)))
}

/// Sampling rate and channels, which have defaults (RFC 9559, 5.1.4.1.29); 0 for video.
fn sound(entry: &Element<'_, '_>) -> Result<(u32, u16), Error> {
    let Some(audio) = entry.child(ids::AUDIO)? else { return Ok((0, 0)) };
    let output = audio.child(ids::OUTPUT_SAMPLING_FREQUENCY)?;
    let rate = match (output, audio.child(ids::SAMPLING_FREQUENCY)?) {
        (Some(rate), _) | (None, Some(rate)) => rate.float()?,
        (None, None) => 8000.0,
    };
    let channels = audio.unsigned_of(ids::CHANNELS)?.unwrap_or(1);
    Ok((whole(rate), u16::try_from(channels).unwrap_or(0)))
}

/// The nearest whole number; what is too large for it becomes the largest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Window,
        webm::testing::{KID, aes, element, encrypted, file, master, open, simple, told, track},
    };

    fn read(children: &[Vec<u8>]) -> Result<Description, Error> {
        Description::read(&Window::new(0, &file(children)))
    }

    fn tracks(rest: &[Vec<u8>]) -> Vec<u8> {
        master(ids::TRACKS, &[track(1, rest)])
    }

    fn cluster() -> Vec<u8> {
        master(ids::CLUSTER, &[element(ids::TIMESTAMP, &[0])])
    }

    #[test]
    fn a_track_is_described_behind_its_protection() {
        let video = master(
            ids::VIDEO,
            &[element(ids::PIXEL_WIDTH, &[1, 0x40]), element(ids::PIXEL_HEIGHT, &[180])],
        );
        let rest = [video, element(ids::DEFAULT_DURATION, &40_000_000_u32.to_be_bytes()), aes(KID)];
        let info = master(ids::INFO, &[element(ids::TIMESTAMP_SCALE, &[0x07, 0xa1, 0x20])]);
        let cues = master(ids::CUES, &[]);
        let found = read(&[info, tracks(&rest), cues.clone(), cluster()]).unwrap();
        assert_eq!((found.format, found.is_fragmented), (FileFormat::WebM, true));
        let index = found.indexes[0].clone();
        assert_eq!((found.indexes.len(), found.init), (1, 0..index.start));
        assert_eq!(index.end - index.start, cues.len() as u64);
        let track = &found.tracks[0];
        assert_eq!((track.timescale, track.frame_duration), (2000, Some(40_000_000)));
        // Nothing is said, which is English.
        assert_eq!(track.language.as_deref(), Some("eng"));
        let entry = &track.entries[0];
        assert_eq!((entry.width, entry.height, entry.sampling_rate), (320, 180, 0));
        assert_eq!(entry.codec.as_ref().unwrap().as_ref().unwrap().codecs, "vp8");
        assert_eq!(entry.summary.protection.as_ref().unwrap().kid.as_bytes(), KID);
    }

    /// What a VP9 track with one block is called.
    fn vp9(rest: &[Vec<u8>], frame: &[u8]) -> String {
        let fields = [element(ids::TRACK_NUMBER, &[1]), element(ids::CODEC_ID, b"V_VP9")];
        let entry = master(ids::TRACK_ENTRY, &[&fields, rest].concat());
        let cluster = master(ids::CLUSTER, &[element(ids::TIMESTAMP, &[0]), simple(1, frame)]);
        let found = read(&[master(ids::TRACKS, &[entry]), cluster]).unwrap();
        found.tracks[0].entries[0].codec.clone().unwrap().unwrap().codecs
    }

    #[test]
    fn vp9_is_called_by_its_first_frame_where_the_header_does_not_tell() {
        // A key frame of 320 × 180, profile 0, unknown colors.
        const KEY: &[u8] = b"\x82\x49\x83\x42\x00\x13\xf0\x0b\x30\x00\x00";
        const NAME: &str = "vp09.00.11.08.01.02.02.02.00";
        let nanos = |nanos: u32| element(ids::DEFAULT_DURATION, &nanos.to_be_bytes());
        assert_eq!(vp9(&[], KEY), NAME);
        assert_eq!(vp9(&[nanos(40_000_000)], KEY), NAME);
        assert_eq!(vp9(&[nanos(10_000_000)], KEY), "vp09.00.21.08.01.02.02.02.00");
        let features = element(ids::CODEC_PRIVATE, b"\x01\x01\x00\x02\x01\x0a\x03\x01\x08");
        assert_eq!(vp9(&[features], KEY), "vp09.00.10.08");
        // Clear up to the first partition; altogether encrypted; no key frame; nothing.
        let partitioned = [&b"\x03IV_OF_8_\x01\0\0\0\x0b"[..], KEY, b"rest"].concat();
        assert_eq!(vp9(&[aes(KID)], &partitioned), NAME);
        assert_eq!(vp9(&[aes(KID)], &encrypted(KEY)), "vp9");
        assert_eq!(vp9(&[], &[0x86, 0, 0x40, 0x92]), "vp9");
        assert_eq!(vp9(&[], &[]), "vp9");
    }

    #[test]
    fn sound_has_the_defaults_of_matroska() {
        let sound = |fields: &[Vec<u8>]| {
            let found = read(&[tracks(&[master(ids::AUDIO, fields)])]).unwrap();
            (found.tracks[0].entries[0].sampling_rate, found.tracks[0].entries[0].channels)
        };
        assert_eq!(sound(&[]), (8000, 1));
        let rate = element(ids::SAMPLING_FREQUENCY, &22_050_f32.to_be_bytes());
        let channels = element(ids::CHANNELS, &[6]);
        assert_eq!(sound(&[rate.clone(), channels.clone()]), (22_050, 6));
        let output = element(ids::OUTPUT_SAMPLING_FREQUENCY, &44_100_f64.to_be_bytes());
        assert_eq!(sound(&[rate, output, channels]), (44_100, 6));
        let odd = master(ids::AUDIO, &[element(ids::SAMPLING_FREQUENCY, &[1, 2])]);
        let message = told(read(&[tracks(&[odd])]));
        assert!(message.ends_with("a floating-point number of 2 bytes"), "{message}");
    }

    #[test]
    fn a_language_may_be_a_tag_or_a_code_or_undetermined() {
        let language = |rest: &[Vec<u8>]| read(&[tracks(rest)]).unwrap().tracks.remove(0).language;
        let code = |code: &[u8]| element(ids::LANGUAGE, code);
        assert_eq!(language(&[code(b"ger")]).as_deref(), Some("ger"));
        assert_eq!(language(&[code(b"und")]), None);
        let tag = element(ids::LANGUAGE_BCP47, b"de-AT");
        assert_eq!(language(&[code(b"ger"), tag]).as_deref(), Some("de-AT"));
    }

    #[test]
    fn cues_may_come_last_and_live_streams_have_none() {
        let (cues, header) = (master(ids::CUES, &[]), tracks(&[]));
        let found = read(&[header.clone(), cluster(), cluster(), cues]).unwrap();
        assert_eq!(found.indexes[0].start, found.init.end + 2 * cluster().len() as u64);
        let found = read(&[header, open(ids::CLUSTER, &[])]).unwrap();
        assert_eq!((found.indexes.len(), found.tracks.len()), (0, 1));
        let message = "no `Tracks` element: this is only a part of a WebM file";
        assert_eq!(told(read(&[cluster()])), message);
        let nothing = master(ids::INFO, &[element(ids::TIMESTAMP_SCALE, &[0])]);
        assert!(told(read(&[nothing])).ends_with("the TimestampScale is 0"));
    }
}
