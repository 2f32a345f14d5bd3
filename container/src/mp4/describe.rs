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

#[cfg(test)]
mod tests {
    use codec::{Named, Sound};

    use super::*;
    use crate::{
        EntryDescription, Window,
        mp4::testing::{
            KID, Written, empty_table, encv, file, fragment, full, moof, mvex, plain, senc, sinf,
            tenc, tkhd, told, trun,
        },
    };

    fn read(boxes: &[Written]) -> Result<Description, Error> {
        Description::read(&Window::new(0, &file(boxes)))
    }

    fn mdhd(language: u16) -> Written {
        full(b"mdhd", 0, 0).u32(0).u32(0).u32(12_800).u32(0).u16(language).u16(0)
    }

    /// A track whose `mdia` begins with these.
    fn track(id: u32, handler: &[u8; 4], media: &[Written], entry: &Written) -> Written {
        let hdlr = full(b"hdlr", 0, 0).u32(0).put(handler);
        let minf = plain(b"minf").put(empty_table(std::slice::from_ref(entry)));
        let mdia = media.iter().fold(plain(b"mdia"), Written::put).put(hdlr).put(minf);
        plain(b"trak").put(tkhd(id)).put(mdia)
    }

    /// `eng`.
    const ENGLISH: u16 = (5 << 5 | 14) << 5 | 7;

    fn video(kind: &[u8; 4]) -> Written {
        plain(kind).zeros(24).u16(320).u16(180).zeros(50)
    }

    #[test]
    fn tracks_are_described_behind_their_protection() {
        let avcc = plain(b"avcC").put(b"\x01\x64\x00\x0c\xff");
        let video = video(b"encv").put(avcc).put(sinf(b"cenc", &tenc(8)));
        let audio = plain(b"ac-3").zeros(16).u16(2).u16(16).zeros(4).u32(44_100 << 16);
        let traks = [
            track(1, b"vide", &[mdhd(ENGLISH)], &video),
            track(2, b"soun", &[mdhd(0x55c4)], &audio),
            track(3, b"text", &[mdhd(0)], &plain(b"wvtt").zeros(8)),
        ];
        let moov = traks.iter().fold(plain(b"moov"), Written::put).put(mvex(1));
        let ftyp = plain(b"ftyp").put(b"iso6");
        let end = ftyp.len() + moov.len();
        let found = read(&[ftyp, moov]).unwrap();
        assert_eq!((found.format, found.is_fragmented), (FileFormat::Mp4, true));
        assert_eq!((found.init, found.indexes), (0..end, vec![]));
        let [video, audio, text] = found.tracks.as_slice() else { panic!("{:?}", found.tracks) };
        assert_eq!(
            (video.id, video.timescale, video.language.as_deref()),
            (1, 12_800, Some("eng"))
        );
        let EntryDescription { summary, codec, width, height, .. } = &video.entries[0];
        assert_eq!(summary.protection.as_ref().unwrap().kid, KID.into());
        let avc = Named { codecs: "avc1.64000c".to_owned(), sound: Sound::default() };
        assert_eq!((codec, width, height), (&Ok(Some(avc)), &320, &180));
        // `und`, and what the entry says where the codec does not.
        assert_eq!(audio.language, None);
        let EntryDescription { sampling_rate, channels, .. } = audio.entries[0];
        assert_eq!((sampling_rate, channels), (44_100, 2));
        assert_eq!((text.entries[0].codec.clone(), text.language.clone()), (Ok(None), None));
    }

    #[test]
    fn a_configuration_that_is_wrong_is_told_with_its_entry() {
        let moov = plain(b"moov").put(track(1, b"vide", &[mdhd(0)], &video(b"hvc1")));
        let codec = &read(&[moov]).unwrap().tracks[0].entries[0].codec;
        assert_eq!(*codec, Err(codec::Error::Missing { what: "hvcC", value: 0 }));
    }

    #[test]
    fn an_extended_language_counts_more() {
        let language = |tag: &[u8]| {
            let elng = full(b"elng", 0, 0).put(tag);
            let moov =
                plain(b"moov").put(track(1, b"vide", &[mdhd(ENGLISH), elng], &video(b"abcd")));
            read(&[moov]).unwrap().tracks.remove(0).language
        };
        assert_eq!(language(b"zh-Hant-TW\0").as_deref(), Some("zh-Hant-TW"));
        for not_one in [&b"\0"[..], b"und\0", b"a b\0", b"\xff\0", b"1234\0", b"en--US\0"] {
            assert_eq!(language(not_one), None, "{not_one:?}");
        }
    }

    #[test]
    fn media_in_front_or_in_the_table_are_not_fragments() {
        let movie = |table: Written| {
            let hdlr = full(b"hdlr", 0, 0).u32(0).put(b"vide");
            let mdia = plain(b"mdia").put(mdhd(0)).put(hdlr).put(plain(b"minf").put(table));
            plain(b"moov").put(plain(b"trak").put(tkhd(1)).put(mdia))
        };
        let empty = || movie(empty_table(&[video(b"abcd")]));
        let filled = plain(b"stbl")
            .put(crate::mp4::testing::stsd(&[video(b"abcd")]))
            .put(full(b"stsz", 0, 0).u32(5).u32(1))
            .put(full(b"stsc", 0, 0).u32(0))
            .put(full(b"stco", 0, 0).u32(0));
        let mdat = || plain(b"mdat").zeros(4);
        for (boxes, expected) in [
            (vec![empty().put(mvex(1)), mdat()], true),
            (vec![mdat(), empty().put(mvex(1))], false),
            (vec![empty(), mdat()], false),
            (vec![movie(filled).put(mvex(1)), mdat()], false),
        ] {
            assert_eq!(read(&boxes).unwrap().is_fragmented, expected);
        }
    }

    #[test]
    fn only_an_index_in_front_is_one() {
        let moov = || {
            plain(b"moov").put(track(1, b"vide", &[mdhd(0)], &encv(b"cenc", &tenc(8)))).put(mvex(1))
        };
        let sidx = || full(b"sidx", 0, 0).zeros(20);
        let media = fragment(|offset| moof(&[trun(offset, &[4]), senc(1)]), &[0; 4]);
        let bytes =
            [&file(&[sidx(), moov(), sidx(), plain(b"free"), sidx()])[..], &media, sidx().as_ref()]
                .concat();
        let found = Description::read(&Window::new(0, &bytes)).unwrap();
        let (start, len) = (32 + moov().len(), 32);
        assert_eq!(found.indexes, [start..start + len, start + len + 8..start + 2 * len + 8]);
        let error = crate::SegmentIndex::read(&Window::new(0, &bytes), &found).unwrap_err();
        let message =
            format!("`sidx` at byte {}: a second index is not supported", start + len + 8);
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn without_a_movie_there_is_nothing_to_describe() {
        let message = "no `moov` box: this is only a part of an MP4 file";
        assert_eq!(told(read(&[plain(b"ftyp")])), message);
        assert_eq!(told(read(&[plain(b"ftyp"), plain(b"mdat").zeros(9)])), message);
        let message = "this is neither an MP4 nor a WebM file: it is empty";
        assert_eq!(told(read(&[])), message);
    }
}
