//! `Cues`: where the segments of a file lie that has one track (RFC 9559, 5.1.5).

use std::ops::Range;

use crate::{
    Description, Error, Place, ReadAt, Segment, SegmentIndex,
    stop::Stop,
    webm::{
        block::BlockHeader,
        cluster,
        describe::{Layout, element},
        ebml::{Element, join},
        ids,
        input::Input,
    },
};

/// Reads the only index of a file, and looks whether it leads to its clusters.
pub(crate) fn segment_index(
    source: &dyn ReadAt,
    of: &Description,
) -> Result<Option<SegmentIndex>, Error> {
    let [range] = of.indexes.as_slice() else {
        return match of.indexes.get(1) {
            None => Ok(None),
            Some(second) => {
                let place = Place { path: join("Segment", ids::CUES), at: second.start };
                Err(Error::Unsupported { place, what: "a second index".to_owned() })
            }
        };
    };
    let input = Input::new(source, true);
    read(&input, range).map(Some).map_err(|stop| stop.of_whole(range.start))
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
            access: begins_with_key(input, start.at, end_at)?.then_some(1),
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

/// Whether the first block of the cluster at `at` is one of a key frame.
fn begins_with_key(input: &Input<'_>, at: u64, end: u64) -> Result<bool, Stop> {
    let header = input.header(at, "Segment")?;
    let cluster_end = input.element_end(&header, at, "Segment", None)?.unwrap_or(end);
    let mut is_key = None;
    cluster::children(input, at + header.len as u64..cluster_end, |child| {
        match child.header.id {
            ids::SIMPLE_BLOCK if is_key.is_none() => {
                let body = child.body();
                let len = (body.end - body.start).min(LONGEST_HEADER);
                let block = BlockHeader::read(&input.peek(body.start, len)?);
                is_key = Some(block.is_some_and(|block| block.is_key()));
            }
            ids::BLOCK_GROUP if is_key.is_none() => {
                let mut refers = false;
                cluster::group_children(input, child.body(), |child| {
                    refers |= child.header.id == ids::REFERENCE_BLOCK;
                    Ok(())
                })?;
                is_key = Some(!refers);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(is_key == Some(true))
}

/// The longest block header.
const LONGEST_HEADER: u64 = crate::webm::block::LONGEST_HEADER as u64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Description, Window,
        webm::testing::{block, element, file, master, told, track},
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
