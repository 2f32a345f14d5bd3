//! What a player is told of an MP4 file: `moov`, and where the fragments begin.

use crate::{
    Description, Error, FileFormat, FourCc, ReadAt, TrackDescription,
    mp4::{
        boxes::Mp4Box,
        input::Input,
        movie::{handler, timescale, track_id},
        planner::NO_MOVIE,
        sample_entry, sample_table,
    },
    stop::Stop,
};

/// Reads the headers of a file.
///
/// # Errors
/// What is wrong with them, or that there is no `moov`.
pub(crate) fn describe(source: &dyn ReadAt) -> Result<Description, Error> {
    let input = Input::new(source, true, 0);
    let found = read(&input);
    found.map_err(|stop| input.not_mp4().unwrap_or_else(|| stop.of_whole(0)))
}

fn read(input: &Input<'_>) -> Result<Description, Stop> {
    let (mut found, mut has_media, mut at): (Option<Description>, _, _) = (None, false, 0);
    while at < input.end() {
        let header = input.header(at)?;
        // The media, or another movie: nothing that counts comes behind.
        if found.is_some() && matches!(&header.kind.0, b"moof" | b"mdat" | b"moov") {
            break;
        }
        let end = input.box_end(&header, at)?;
        match (&header.kind.0, &mut found) {
            (b"moov", None) => {
                let body = input.body(&header, at, end)?;
                let (tracks, is_fragmented) = movie(&Mp4Box::top(&header, at, &body))?;
                let is_fragmented = is_fragmented && !has_media;
                found = Some(Description {
                    format: FileFormat::Mp4,
                    is_fragmented,
                    init: 0..end,
                    indexes: Vec::new(),
                    tracks,
                });
            }
            (b"sidx", Some(description)) => description.indexes.push(at..end),
            (b"moof" | b"mdat", None) => has_media = true,
            _ => {}
        }
        at = end;
    }
    found.ok_or(NO_MOVIE.into())
}

/// The tracks, and whether all samples are in fragments.
fn movie(moov: &Mp4Box<'_, '_>) -> Result<(Vec<TrackDescription>, bool), Error> {
    let (mut tracks, mut samples) = (Vec::new(), 0);
    for trak in moov.children() {
        let trak = trak?;
        if trak.kind == *b"trak" {
            let (description, in_table) = track(&trak)?;
            tracks.push(description);
            samples += in_table;
        }
    }
    Ok((tracks, moov.child(b"mvex")?.is_some() && samples == 0))
}

/// A track, and how many samples its table has.
fn track(trak: &Mp4Box<'_, '_>) -> Result<(TrackDescription, u64), Error> {
    let mdia = trak.need(b"mdia")?;
    let minf = mdia.need(b"minf")?;
    let stbl = minf.need(b"stbl")?;
    let description = TrackDescription {
        id: track_id(&trak.need(b"tkhd")?)?,
        handler: handler(&mdia)?,
        language: language(&mdia)?,
        timescale: timescale(&mdia)?,
        frame_duration: None,
        entries: sample_entry::descriptions(&stbl.need(b"stsd")?)?,
    };
    Ok((description, sample_table::count(&stbl)?))
}

/// The tag in `elng` (8.4.6), or else the three letters in `mdhd` (8.4.2); `und` is none.
fn language(mdia: &Mp4Box<'_, '_>) -> Result<Option<String>, Error> {
    if let Some(elng) = mdia.child(b"elng")? {
        let mut fields = elng.fields();
        fields.version_and_flags()?;
        let tag = fields.rest().split(|&byte| byte == 0).next().unwrap_or_default();
        return Ok(Some(tag.escape_ascii().to_string()).filter(|tag| is_language(tag)));
    }
    let mdhd = mdia.need(b"mdhd")?;
    let mut fields = mdhd.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "creation_time")?;
    fields.u32_or_u64(version == 1, "modification_time")?;
    fields.u32("timescale")?;
    fields.u32_or_u64(version == 1, "duration")?;
    let packed = fields.u16("language")?;
    // Five bits a letter, less 0x60; QuickTime's numbers are no letters.
    let letter = |shift: u16| char::from(0x60 + u8::try_from(packed >> shift & 31).unwrap_or(0));
    let code = String::from_iter([letter(10), letter(5), letter(0)]);
    Ok(Some(code).filter(|code| is_language(code)))
}

/// Whether this is a language tag, and says something.
pub(crate) fn is_language(tag: &str) -> bool {
    let is_well_formed = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag != "und"
        && tag.split('-').all(is_well_formed)
        && !tag.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a segment may begin with a box of that type.
pub(super) fn begins_segment(kind: FourCc) -> bool {
    matches!(&kind.0, b"moof" | b"styp" | b"emsg" | b"prft")
}
