//! `Cues`: where the segments of a file lie that has one track (RFC 9559, 5.1.5).

use std::ops::Range;

use crate::{
    Error, ReadAt, Segment, SegmentIndex,
    stop::Stop,
    webm::{
        block::BlockHeader,
        cluster,
        describe::{Layout, element},
        ebml::Element,
        ids,
        input::Input,
    },
};

/// Reads the index of a file at `range`, and looks whether it leads to its clusters.
pub(crate) fn segment_index(
    source: &dyn ReadAt,
    range: &Range<u64>,
) -> Result<SegmentIndex, Error> {
    let input = Input::new(source, true);
    read(&input, range).map_err(|stop| stop.of_whole(range.start))
}

fn read(input: &Input<'_>, range: &Range<u64>) -> Result<SegmentIndex, Stop> {
    let layout = Layout::read(input)?;
    let (header, body) = element(input, range)?;
    let cues = Element::new(&header, range.start, &body, "Segment");
    let starts = starts(&cues, layout.data)?;
    let (Some(first), Some(last)) = (starts.first(), starts.last()) else {
        return Err(cues.malformed("it leads nowhere").into());
    };
    let media_end = clusters_end(input, last.at, layout.end)?;
    let (timescale, per_tick) = layout.timescale();
    let end = duration(&layout).ok_or_else(|| cues.malformed("the segment has no Duration"))?;
    let ends = starts.iter().skip(1).map(|next| (next.time, next.at));
    let mut segments = Vec::new();
    for (start, (end, end_at)) in starts.iter().zip(ends.chain([(end, media_end)])) {
        let malformed = |what| cues.malformed(format!("the cue for {} {what}", start.time));
        let is_cluster =
            start.at < input.end() && input.header(start.at, "Segment")?.id == ids::CLUSTER;
        if !is_cluster {
            return Err(malformed("leads to no cluster").into());
        }
        let duration = end.checked_sub(start.time).filter(|&duration| duration > 0);
        segments.push(Segment {
            range: start.at..end_at,
            duration: duration.ok_or_else(|| malformed("lasts no time"))?.saturating_mul(per_tick),
            access: begins_with_key(input, start.at..end_at)?.then_some(1),
        });
    }
    if let Some(at) = cluster_before(input, layout.data, first.at)? {
        return Err(cues
            .malformed(format!("no cue leads to the first cluster, at byte {at}"))
            .into());
    }
    let start = first.time.saturating_mul(per_tick);
    Ok(SegmentIndex { range: range.clone(), timescale, start, segments })
}

/// When a cluster is due, in ticks, and where it is.
struct Start {
    time: u64,
    at: u64,
}

/// The clusters that cues lead to, each once. `data` is where the body of the segment begins.
fn starts(cues: &Element<'_, '_>, data: u64) -> Result<Vec<Start>, Error> {
    let mut starts: Vec<Start> = Vec::new();
    for point in cues.children() {
        let point = point?;
        if point.id != ids::CUE_POINT {
            continue;
        }
        let time = point.need(ids::CUE_TIME)?.unsigned()?;
        let positions = point.need(ids::CUE_TRACK_POSITIONS)?;
        let position = positions.need(ids::CUE_CLUSTER_POSITION)?.unsigned()?;
        let at = data.saturating_add(position);
        match starts.last() {
            // A cluster with several key frames.
            Some(last) if last.at == at => {}
            Some(last) if last.at > at || last.time >= time => {
                return Err(point.malformed("the cues are not in order"));
            }
            _ => starts.push(Start { time, at }),
        }
    }
    Ok(starts)
}

/// The segment's duration in whole ticks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn duration(layout: &Layout) -> Option<u64> {
    layout.duration.map(|ticks| ticks.round() as u64)
}

/// Where the clusters end of which the last known begins at `at`.
fn clusters_end(input: &Input<'_>, at: u64, segment_end: u64) -> Result<u64, Stop> {
    let mut at = at;
    while at < segment_end {
        let header = input.header(at, "Segment")?;
        if !matches!(header.id, ids::CLUSTER | ids::VOID) {
            break;
        }
        let end = input.element_end(&header, at, "Segment", Some(segment_end))?;
        let Some(end) = end else { return Ok(segment_end) };
        at = end;
    }
    Ok(at)
}

/// Where a cluster begins before `end`, if there is one.
fn cluster_before(input: &Input<'_>, data: u64, end: u64) -> Result<Option<u64>, Stop> {
    let mut at = data;
    while at < end {
        let header = input.header(at, "Segment")?;
        match input.element_end(&header, at, "Segment", None)? {
            Some(element_end) if header.id != ids::CLUSTER => at = element_end,
            _ => return Ok(Some(at)),
        }
    }
    Ok(None)
}

/// Whether the first block of the cluster that a segment begins with is one of a key frame. Only the
/// segment is looked at: a cluster may say that it is longer, and so may each of thousands.
fn begins_with_key(input: &Input<'_>, segment: Range<u64>) -> Result<bool, Stop> {
    let header = input.header(segment.start, "Segment")?;
    let cluster_end = input.element_end(&header, segment.start, "Segment", None)?;
    let cluster_end = cluster_end.unwrap_or(segment.end);
    let mut at = segment.start + header.len as u64;
    while at < segment.end
        && let Some(child) = cluster::child(input, at, cluster_end)?
    {
        match child.header.id {
            ids::SIMPLE_BLOCK => {
                let body = child.body();
                let len = (body.end - body.start).min(LONGEST_HEADER);
                let block = BlockHeader::read(&input.peek(body.start, len)?);
                return Ok(block.is_some_and(|block| block.is_key()));
            }
            ids::BLOCK_GROUP => {
                let body = child.body();
                let mut at = body.start;
                while at < segment.end
                    && let Some(child) = cluster::group_child(input, at, body.end)?
                {
                    if child.header.id == ids::REFERENCE_BLOCK {
                        return Ok(false);
                    }
                    at = child.end;
                }
                return Ok(true);
            }
            _ => at = child.end,
        }
    }
    Ok(false)
}

const LONGEST_HEADER: u64 = crate::webm::block::LONGEST_HEADER as u64;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        Description, Window,
        webm::testing::{block, element, file, master, told, track, wide},
    };

    /// A cluster that begins with a block of these flags.
    fn cluster(flags: u8) -> Vec<u8> {
        let mut block = block(1, &[7; 20]);
        block[3] = flags;
        master(ids::CLUSTER, &[element(ids::TIMESTAMP, &[0]), element(ids::SIMPLE_BLOCK, &block)])
    }

    fn cue(time: u8, position: u16) -> Vec<u8> {
        let position = element(ids::CUE_CLUSTER_POSITION, &position.to_be_bytes());
        let positions = master(ids::CUE_TRACK_POSITIONS, &[position]);
        master(ids::CUE_POINT, &[element(ids::CUE_TIME, &[time]), positions])
    }

    /// Reads the index of a segment of 4 s that has clusters at these offsets behind its header, in
    /// clusters' lengths; `cues` have times and such offsets.
    fn read(clusters: &[Vec<u8>], cues: &[(u8, u16)]) -> Result<(SegmentIndex, u64), Error> {
        let info = master(ids::INFO, &[element(ids::DURATION, &4000_f32.to_be_bytes())]);
        let tracks = master(ids::TRACKS, &[track(1, &[])]);
        let len = u16::try_from(cluster(0).len()).unwrap();
        let write = |header: u16| {
            let points = cues.iter().map(|(time, at)| cue(*time, header + at * len));
            let cues = master(ids::CUES, &points.collect::<Vec<_>>());
            let children = [&[info.clone(), tracks.clone(), cues][..], clusters].concat();
            (children[..3].concat().len(), file(&children))
        };
        // Positions count from the body of the segment, and all take two bytes.
        let header = u16::try_from(write(0).0).unwrap();
        let bytes = write(header).1;
        let window = Window::new(0, &bytes);
        let of = Description::read(&window)?;
        let media = bytes.len() - clusters.concat().len();
        Ok((SegmentIndex::read(&window, &of)?.unwrap(), media as u64))
    }

    #[test]
    fn segments_are_from_cue_to_cue() {
        let len = cluster(0).len() as u64;
        // Two clusters in the second segment, and two cues for the last one.
        let clusters = [cluster(0x80), cluster(0), cluster(0x80), cluster(0x80)];
        let cues = [(10, 0), (100, 1), (200, 3), (220, 3)];
        let (found, media) = read(&clusters, &cues).unwrap();
        assert_eq!((found.timescale, found.start), (1000, 10));
        assert_eq!(
            found.segments,
            [
                Segment { range: media..media + len, duration: 90, access: Some(1) },
                Segment { range: media + len..media + 3 * len, duration: 100, access: None },
                Segment {
                    range: media + 3 * len..media + 4 * len,
                    duration: 3800,
                    access: Some(1)
                },
            ]
        );
        // What is behind the clusters is no part of them.
        let tags = master(ids::TAGS, &[]);
        let (found, media) = read(&[cluster(0x80), tags], &[(0, 0)]).unwrap();
        assert_eq!(found.segments[0].range, media..media + len);
    }

    #[test]
    fn a_block_group_is_a_key_frame_if_it_refers_to_nothing() {
        let group = |rest: &[Vec<u8>]| {
            let block = element(ids::BLOCK, &block(1, &[7; 20]));
            let group = master(ids::BLOCK_GROUP, &[&[block][..], rest].concat());
            master(ids::CLUSTER, &[element(ids::TIMESTAMP, &[0]), group])
        };
        let access = |cluster| read(&[cluster], &[(0, 0)]).unwrap().0.segments[0].access;
        assert_eq!(access(group(&[])), Some(1));
        assert_eq!(access(group(&[element(ids::REFERENCE_BLOCK, &[1])])), None);
    }

    /// A file that counts how often it is read.
    struct Counted<'b>(Window<'b>, Cell<usize>);

    impl ReadAt for Counted<'_> {
        fn available(&self) -> Range<u64> {
            self.0.available()
        }

        fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<()> {
            self.1.set(self.1.get() + 1);
            self.0.read_exact_at(at, buffer)
        }
    }

    /// Each begins inside of an element of the one before, and all end together.
    #[test]
    fn clusters_that_lie_over_each_other_are_not_read_again_and_again() {
        let count: u16 = 500;
        for (id, before) in [(ids::SIMPLE_BLOCK, block(1, &[])), (ids::VOID, Vec::new())] {
            let step = element(id, &[&before[..], &[0; 12]].concat()).len();
            let mut media = Vec::new();
            for number in (0..usize::from(count)).rev() {
                let header = wide(ids::CLUSTER, &vec![0; number * step], 8);
                media.extend(element(id, &[&before[..], &header[..12]].concat()));
            }
            let outer = master(ids::CLUSTER, &[media]);
            let start = u16::try_from(outer.len()).unwrap() - count * u16::try_from(step).unwrap();
            let first = start + u16::try_from(step).unwrap() - 12;
            let info = master(ids::INFO, &[element(ids::DURATION, &4000_f32.to_be_bytes())]);
            let tracks = master(ids::TRACKS, &[track(1, &[])]);
            let write = |header: u16| {
                let places = (0..count - 1).map(|at| first + at * u16::try_from(step).unwrap());
                let points = [0].into_iter().chain(places).zip(0_u16..).map(|(at, time)| {
                    let position = element(ids::CUE_CLUSTER_POSITION, &(header + at).to_be_bytes());
                    let positions = master(ids::CUE_TRACK_POSITIONS, &[position]);
                    let time = element(ids::CUE_TIME, &time.to_be_bytes());
                    master(ids::CUE_POINT, &[time, positions])
                });
                let cues = master(ids::CUES, &points.collect::<Vec<_>>());
                [info.clone(), tracks.clone(), cues, outer.clone()]
            };
            let header = u16::try_from(write(0)[..3].concat().len()).unwrap();
            let bytes = file(&write(header));
            let counted = Counted(Window::new(0, &bytes), Cell::new(0));
            let of = Description::read(&counted).unwrap();
            counted.1.set(0);
            let found = SegmentIndex::read(&counted, &of).unwrap().unwrap();
            assert_eq!(found.segments.len(), usize::from(count));
            let reads = counted.1.get();
            assert!(reads < 12 * usize::from(count), "{id:x}: {reads} reads");
        }
    }

    #[test]
    fn cues_that_lead_astray_are_refused() {
        let two = [cluster(0x80), cluster(0x80)];
        for (cues, message) in [
            (&[][..], "it leads nowhere"),
            (&[(0, 0), (0, 1)], "the cues are not in order"),
            (&[(9, 1), (10, 0)], "the cues are not in order"),
            (&[(0, 0), (9, 2)], "the cue for 9 leads to no cluster"),
            (&[(9, 1)], "no cue leads to the first cluster, at byte "),
        ] {
            let found = told(read(&two, cues));
            assert!(found.starts_with("`Segment/Cues"), "{found}");
            assert!(found.contains(message), "{found}");
        }
    }
}
