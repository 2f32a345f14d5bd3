//! `sidx`: where the segments of a file lie (ISO/IEC 14496-12, 8.16.3).

use std::ops::Range;

use crate::{
    Description, Error, Place, ReadAt, Segment, SegmentIndex,
    mp4::{
        boxes::Mp4Box,
        cursor::Cursor,
        describe::begins_segment,
        input::Input,
        movie::{TrackExtends, track_extends},
    },
    stop::Stop,
};

/// A `sidx` box.
pub(crate) struct Sidx {
    pub(crate) timescale: u32,
    pub(crate) start: u64,
    /// Where `first_offset` stands, and whether it takes 64 bits.
    pub(crate) first_offset: (u64, bool),
    /// Where the first of what is referred to begins.
    pub(crate) anchor: u64,
    pub(crate) references: Vec<Reference>,
}

/// One reference of a `sidx` box.
pub(crate) struct Reference {
    /// Where its first field stands.
    pub(crate) at: u64,
    /// It refers to another index.
    pub(crate) is_index: bool,
    /// Bytes.
    pub(crate) size: u32,
    pub(crate) duration: u32,
    /// The type of the stream access point that it begins with; 0: one that is not told. `None`: it does not
    /// begin with one.
    sap: Option<u8>,
}

impl Sidx {
    pub(crate) fn read(sidx: &Mp4Box<'_, '_>) -> Result<Self, Error> {
        let mut fields = sidx.fields();
        let (version, _) = fields.version_and_flags()?;
        let wide = version > 0;
        fields.u32("reference_ID")?;
        let timescale = fields.u32("timescale")?;
        let start = fields.u32_or_u64(wide, "earliest_presentation_time")?;
        let at = fields.at();
        let first_offset = fields.u32_or_u64(wide, "first_offset")?;
        fields.u16("reserved")?;
        let count = fields.u16("reference_count")?;
        let references =
            (0..count).map(|_| Reference::read(&mut fields)).collect::<Result<_, _>>()?;
        let anchor = sidx.end().saturating_add(first_offset);
        Ok(Self { timescale, start, first_offset: (at, wide), anchor, references })
    }
}

impl Reference {
    fn read(fields: &mut Cursor<'_, '_>) -> Result<Self, Error> {
        let at = fields.at();
        let reference = fields.u32("reference_type and referenced_size")?;
        let duration = fields.u32("subsegment_duration")?;
        let sap = fields.u32("starts_with_SAP, SAP_type and SAP_delta_time")?;
        let sap_type = u8::try_from(sap >> 28 & 7).unwrap_or(0);
        Ok(Self {
            at,
            is_index: reference >> 31 == 1,
            size: reference & !(1 << 31),
            duration,
            sap: (sap >> 31 == 1).then_some(sap_type),
        })
    }
}

/// Reads the index of a file at `range`, and looks whether it leads to its segments.
pub(crate) fn segment_index(
    source: &dyn ReadAt,
    of: &Description,
    range: &Range<u64>,
) -> Result<SegmentIndex, Error> {
    let input = Input::new(source, true, 0);
    read(&input, range, of).map_err(|stop| stop.of_whole(range.start))
}

fn read(input: &Input<'_>, range: &Range<u64>, of: &Description) -> Result<SegmentIndex, Stop> {
    let header = input.header(range.start)?;
    let body = input.body(&header, range.start, range.end)?;
    let boxed = Mp4Box::top(&header, range.start, &body);
    let Sidx { timescale, start, anchor, references, .. } = Sidx::read(&boxed)?;
    if timescale == 0 {
        return Err(boxed.malformed("timescale is 0").into());
    }
    let first_sync = first_sync(input, of)?;
    let (mut at, mut segments) = (anchor, Vec::new());
    for reference in references {
        if reference.is_index {
            return Err(boxed.unsupported("an index of indexes").into());
        }
        let end = at.saturating_add(reference.size.into());
        if reference.size == 0 || end > input.end() || !begins_segment(input.header(at)?.kind) {
            let what = format!("it leads to bytes {at}..{end}, which are no segment");
            return Err(boxed.malformed(what).into());
        }
        let is_sync = first_sync.of_segment(input, at..end)?;
        segments.push(Segment {
            range: at..end,
            duration: reference.duration.into(),
            access: match (is_sync, reference.sap) {
                (true, Some(1)) => Some(1),
                (true, _) => Some(2),
                (false, Some(3)) => Some(3),
                (false, _) => None,
            },
        });
        at = end;
    }
    if segments.is_empty() {
        return Err(boxed.malformed("it leads nowhere").into());
    }
    if at < input.end() && begins_segment(input.header(at)?.kind) {
        return Err(boxed.malformed(format!("it ends before the segment at byte {at}")).into());
    }
    Ok(SegmentIndex { range: range.clone(), timescale, start, segments })
}

/// Finds out whether segments begin with a sync sample.
struct FirstSync {
    /// What `moov` says of the samples of each track.
    defaults: Vec<TrackExtends>,
}

/// Reads the defaults that segments may leave to `moov`.
fn first_sync(input: &Input<'_>, of: &Description) -> Result<FirstSync, Stop> {
    let mut at = 0;
    while at < of.init.end {
        let header = input.header(at)?;
        let end = input.box_end(&header, at)?;
        if header.kind == *b"moov" {
            let body = input.body(&header, at, end)?;
            let moov = Mp4Box::top(&header, at, &body);
            let defaults = moov.child(b"mvex")?.map(|mvex| track_extends(&mvex)).transpose()?;
            return Ok(FirstSync { defaults: defaults.unwrap_or_default() });
        }
        at = end;
    }
    Ok(FirstSync { defaults: Vec::new() })
}

/// sample_is_non_sync_sample (8.8.3.1).
const NON_SYNC: u32 = 1 << 16;

impl FirstSync {
    fn of_segment(&self, input: &Input<'_>, segment: Range<u64>) -> Result<bool, Stop> {
        let mut at = segment.start;
        while at < segment.end {
            let header = input.header(at)?;
            let end = input.box_end(&header, at)?;
            if header.kind == *b"moof" {
                // All of the file could be claimed by every segment of it.
                if end > segment.end {
                    let what = format!(
                        "it is longer than its segment, which ends at byte {}",
                        segment.end
                    );
                    let place = Place { path: header.kind.to_string(), at };
                    return Err(Error::MalformedBox { place, what }.into());
                }
                let body = input.body(&header, at, end)?;
                let moof = Mp4Box::top(&header, at, &body);
                return Ok(self.flags(&moof.need(b"traf")?)? & NON_SYNC == 0);
            }
            at = end;
        }
        Ok(false)
    }

    /// The flags of the first sample of a track fragment (8.8.7 and 8.8.8).
    fn flags(&self, traf: &Mp4Box<'_, '_>) -> Result<u32, Error> {
        let tfhd = traf.need(b"tfhd")?;
        let mut fields = tfhd.fields();
        let (_, present) = fields.version_and_flags()?;
        let track = fields.u32("track_ID")?;
        let default = self.defaults.iter().find(|default| default.track == track);
        let mut flags = default.map_or(0, |default| default.sample_flags);
        for (bit, width) in [(0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4)] {
            if present & bit != 0 {
                fields.bytes(width, "default_sample_flags")?;
            }
        }
        if present & 0x20 != 0 {
            flags = fields.u32("default_sample_flags")?;
        }
        let Some(trun) =
            traf.children().find(|child| !matches!(child, Ok(child) if child.kind != *b"trun"))
        else {
            return Ok(flags);
        };
        let trun = trun?;
        let mut fields = trun.fields();
        let (_, present) = fields.version_and_flags()?;
        fields.u32("sample_count")?;
        if present & 0x1 != 0 {
            fields.u32("data_offset")?;
        }
        if present & 0x4 != 0 {
            return fields.u32("first_sample_flags");
        }
        if present & 0x400 != 0 {
            let before = usize::from(present & 0x100 != 0) + usize::from(present & 0x200 != 0);
            fields.bytes(4 * before, "sample_flags")?;
            return fields.u32("sample_flags");
        }
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FileFormat, Window,
        mp4::testing::{Written, file, full, plain, tfhd, told},
    };

    /// A reference: type, size, duration, SAP.
    fn sidx(version: u8, timescale: u32, first_offset: u32, references: &[[u32; 3]]) -> Written {
        let start = full(b"sidx", version, 0).u32(1).u32(timescale);
        let start = match version {
            0 => start.u32(7).u32(first_offset),
            _ => start.u64(7).u64(first_offset.into()),
        };
        let count = u16::try_from(references.len()).unwrap();
        references.iter().flatten().fold(start.u16(0).u16(count), |sidx, field| sidx.u32(*field))
    }

    /// `moof` with a run that begins with these flags, and its data.
    fn segment(flags: u32) -> Written {
        let trun = full(b"trun", 0, 0x5).u32(1).u32(0).u32(flags);
        plain(b"moof").put(plain(b"traf").put(tfhd(1)).put(trun))
    }

    /// Its length.
    const SEGMENT: u32 = 56;

    /// Reads the index of a file that begins with it.
    fn read(sidx: &Written, rest: &[Written]) -> Result<SegmentIndex, Error> {
        let bytes = [sidx.as_ref(), &file(rest)].concat();
        let of = Description {
            format: FileFormat::Mp4,
            is_fragmented: true,
            init: 0..0,
            indexes: Vec::from([Range { start: 0, end: sidx.len() }]),
            tracks: Vec::new(),
        };
        SegmentIndex::read(&Window::new(0, &bytes), &of).map(Option::unwrap)
    }

    /// Or each of thousands could have all that follow read.
    #[test]
    fn a_fragment_longer_than_its_segment_is_refused() {
        let first = segment(0).len();
        let long = plain(b"moof").put(plain(b"traf").put(tfhd(1))).put(segment(0));
        let references = [[u32::try_from(long.len() - first).unwrap(), 100, 0]];
        let found = told(read(&sidx(0, 1000, 0, &references), &[long]));
        assert!(found.contains("`moof` at byte "), "{found}");
        assert!(found.contains("it is longer than its segment, which ends at byte "), "{found}");
    }

    #[test]
    fn segments_follow_each_other() {
        assert_eq!(segment(0).len(), u64::from(SEGMENT));
        for version in [0, 1] {
            let references = [[SEGMENT, 100, 0x9000_0000], [SEGMENT + 8, 50, 0x8000_0000]];
            let sidx = sidx(version, 1000, 8, &references);
            let rest = [plain(b"free"), segment(0), plain(b"styp"), segment(0), plain(b"mfra")];
            let found = read(&sidx, &rest).unwrap();
            let first = sidx.len() + 8;
            assert_eq!((found.range, found.timescale, found.start), (0..sidx.len(), 1000, 7));
            let second = first + 56;
            assert_eq!(
                found.segments,
                [
                    Segment { range: first..second, duration: 100, access: Some(1) },
                    Segment { range: second..second + 64, duration: 50, access: Some(2) },
                ]
            );
        }
    }

    #[test]
    fn samples_have_the_last_word_on_access() {
        let access = |sap: u32, flags| {
            let sidx = sidx(0, 1, 0, &[[SEGMENT, 1, sap]]);
            read(&sidx, &[segment(flags)]).unwrap().segments[0].access
        };
        // Not told; types 1, 2 and 3; none.
        let types = [0x8000_0000, 0x9000_0000, 0xa000_0000, 0xb000_0000, 0];
        assert_eq!(types.map(|sap| access(sap, 0)), [Some(2), Some(1), Some(2), Some(2), Some(2)]);
        let non_sync = 0x0101_0000;
        assert_eq!(types.map(|sap| access(sap, non_sync)), [None, None, None, Some(3), None]);
    }

    #[test]
    fn sample_flags_are_where_they_may_be() {
        let default =
            |track, sample_flags| TrackExtends { track, sample_flags, ..TrackExtends::default() };
        let first_sync = FirstSync { defaults: vec![default(1, NON_SYNC), default(2, 0)] };
        let is_sync = |tfhd: &Written, trun: &Written| {
            let traf = plain(b"traf").put(tfhd).put(trun);
            first_sync.flags(&crate::mp4::testing::opened(&traf)).unwrap() & NON_SYNC == 0
        };
        let run = full(b"trun", 0, 0x1).u32(1).u32(0);
        // By `trex`; by `tfhd`, behind all else; by the run; by the sample, behind duration and size.
        assert!(!is_sync(&tfhd(1), &run));
        assert!(is_sync(&full(b"tfhd", 0, 0).u32(2), &run));
        let all = full(b"tfhd", 0, 0x3b).u32(1).u64(9).u32(9).u32(9).u32(9).u32(NON_SYNC);
        assert!(is_sync(
            &full(b"tfhd", 0, 0x3b).u32(1).u64(!0).u32(!0).u32(!0).u32(!0).u32(0),
            &run
        ));
        assert!(!is_sync(&full(b"tfhd", 0, 0x20).u32(2).u32(NON_SYNC), &run));
        assert!(is_sync(&all, &full(b"trun", 0, 0x4).u32(1).u32(0)));
        assert!(!is_sync(&all, &full(b"trun", 0, 0x5).u32(1).u32(0).u32(NON_SYNC)));
        assert!(!is_sync(&tfhd(2), &full(b"trun", 0, 0x700).u32(1).u32(0).u32(0).u32(NON_SYNC)));
        assert!(is_sync(&tfhd(1), &full(b"trun", 0, 0x400).u32(1).u32(0)));
    }

    #[test]
    fn an_index_that_leads_astray_is_refused() {
        let whole = [[SEGMENT, 1, 0]];
        let cases = [
            (sidx(0, 0, 0, &whole), "timescale is 0"),
            (sidx(0, 1, 0, &[]), "it leads nowhere"),
            (sidx(0, 1, 0, &[[0, 1, 0]]), "it leads to bytes 44..44, which are no segment"),
            (sidx(0, 1, 4, &whole), "it leads to bytes 48..104, which are no segment"),
            (
                sidx(0, 1, 0, &[[SEGMENT * 9, 1, 0]]),
                "it leads to bytes 44..548, which are no segment",
            ),
            (sidx(1, 1, u32::MAX, &whole), "which are no segment"),
            (sidx(0, 1, 0, &[[1 << 31 | SEGMENT, 1, 0]]), "an index of indexes is not supported"),
            (sidx(0, 1, 0, &whole), "it ends before the segment at byte 100"),
        ];
        for (sidx, message) in cases {
            let found = told(read(&sidx, &[segment(0), segment(0)]));
            assert!(found.starts_with("`sidx` at byte 0: ") && found.ends_with(message), "{found}");
        }
        let short = plain(b"sidx").put(&sidx(0, 1, 0, &whole).as_ref()[8..40]);
        let message = told(read(&short, &[]));
        assert!(
            message.ends_with(
                "the box ends inside its field starts_with_SAP, SAP_type and SAP_delta_time"
            ),
            "{message}"
        );
    }
}
