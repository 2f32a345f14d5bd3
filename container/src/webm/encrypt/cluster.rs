//! Frames of a cluster: which are encrypted, and what goes in front of them (WebM Encryption, 4.7).

use std::collections::{BTreeMap, BTreeSet};

use cenc::{Scheme, Subsample};
use clearkey::KeyId;

use super::{Unit, grow, insert, make_void};
use crate::{
    Error,
    encrypt::{Ivs, Ordered, SampleMap, Schedule, Settings},
    plan::{AuxInfo, Plan, Sample, Scope},
    stop::Stop,
    webm::{
        block::{self, BlockHeader},
        cluster::{self, Inner, index},
        ebml::Element,
        frame, ids,
        input::Input,
        tracks::{TrackEntry, Tracks},
    },
};

/// Nanoseconds in a unit of time, where `Info` says nothing.
const TIMESTAMP_SCALE: u64 = 1_000_000;

/// What clusters need of the headers before them.
pub(super) struct Film {
    scale: u64,
    tracks: BTreeMap<u64, Track>,
    /// The IVs of tracks of earlier segments: none may come twice.
    ivs: BTreeMap<u32, Ivs>,
    seen: BTreeSet<u32>,
}

impl Default for Film {
    fn default() -> Self {
        Self {
            scale: TIMESTAMP_SCALE,
            tracks: BTreeMap::new(),
            ivs: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }
}

struct Track {
    entry: TrackEntry,
    /// `None`: it stays clear.
    encrypted: Option<Encrypted>,
}

struct Encrypted {
    kid: KeyId,
    map: SampleMap,
    schedule: Schedule,
    ivs: Ivs,
}

impl Film {
    /// Takes the unit of time.
    pub(super) fn info(&mut self, info: &Element<'_, '_>) -> Result<(), Error> {
        self.scale = info.unsigned_of(ids::TIMESTAMP_SCALE)?.unwrap_or(TIMESTAMP_SCALE);
        Ok(())
    }

    /// Takes the tracks of a segment.
    pub(super) fn tracks(
        &mut self,
        element: &Element<'_, '_>,
        settings: &Ordered,
        tracks: &Tracks,
    ) -> Result<(), Error> {
        for track in std::mem::take(&mut self.tracks).into_values() {
            let encrypted = track.encrypted.map(|encrypted| (track.entry.id, encrypted.ivs));
            self.ivs.extend(encrypted);
        }
        for (number, entry) in tracks {
            let of_track = settings.track(entry.id);
            let keys = of_track.and_then(|track| Some((track, track.keys.first()?)));
            let encrypted = keys.map(|(track, key)| {
                self.seen.insert(entry.id);
                let codec = entry.codec.clone().map_err(|reason| Error::Codec {
                    place: element.place(),
                    track: entry.id,
                    reason,
                })?;
                let ivs = self.ivs.remove(&entry.id);
                Ok(Encrypted {
                    kid: key.kid.clone(),
                    map: SampleMap::new(codec.as_deref(), Scheme::Cenc),
                    // Time is counted in nanoseconds.
                    schedule: Schedule::new(settings, 1, 1_000_000_000),
                    ivs: ivs.unwrap_or_else(|| Ivs::new(track.iv, Scheme::Cenc)),
                })
            });
            let encrypted = encrypted.transpose()?;
            self.tracks.insert(*number, Track { entry: entry.clone(), encrypted });
        }
        Ok(())
    }

    /// Finds tracks of the settings that no segment has.
    pub(super) fn finish(&self, settings: &Settings) -> Result<(), Error> {
        match settings.tracks.iter().find(|track| !self.seen.contains(&track.track)) {
            Some(track) => {
                let what = format!("there is no track {}", track.track);
                Err(Error::Settings { what })
            }
            None => Ok(()),
        }
    }

    /// Plans a cluster. Returns the bytes by which it grows.
    pub(super) fn cluster(&mut self, input: Input<'_>, unit: &mut Unit) -> Result<u64, Stop> {
        let range = unit.plan.range.clone();
        let body = range.start + unit.header.len as u64..range.end;
        let mut cluster =
            Cluster { input, film: self, plan: &mut unit.plan, scopes: BTreeMap::new(), time: 0 };
        let (mut growth, mut untrue) = (0, Vec::new());
        cluster::children(&input, body, |child| {
            match child.header.id {
                ids::TIMESTAMP => {
                    let path = "Segment/Cluster";
                    let body = input.body(&child.header, child.at, child.end, path)?;
                    cluster.time = Element::new(&child.header, child.at, &body, path).unsigned()?;
                }
                ids::SIMPLE_BLOCK => growth += cluster.block(child)?.0,
                ids::BLOCK_GROUP => growth += cluster.group(child)?,
                ids::ENCRYPTED_BLOCK => {
                    return Err(child.unsupported("a block that hides its track").into());
                }
                // What no player needs to find its way, and what is true no more.
                ids::POSITION | ids::PREV_SIZE | ids::CRC_32 => untrue.push(child.at..child.end),
                _ => {}
            }
            Ok(())
        })?;
        for element in untrue {
            make_void(&mut unit.plan, element.start, element.end);
        }
        let growth = grow(&mut unit.plan, range.start, &unit.header, growth);
        unit.plan.edits.sort_by_key(|edit| edit.at);
        Ok(growth)
    }
}

struct Cluster<'c, 'i> {
    input: Input<'i>,
    film: &'c mut Film,
    plan: &'c mut Plan,
    /// Scope and, if there is one, protection of each track.
    scopes: BTreeMap<u64, (u32, Option<u32>)>,
    time: u64,
}

impl Cluster<'_, '_> {
    /// Returns the bytes by which a group grows.
    fn group(&mut self, group: &Inner<'_>) -> Result<u64, Stop> {
        let (mut growth, mut additions, mut crc) = (0, None, None);
        let (input, mut is_encrypted) = (self.input, false);
        cluster::group_children(&input, group.body(), |child| {
            match child.header.id {
                ids::BLOCK => {
                    let (more, encrypted) = self.block(child)?;
                    growth += more;
                    is_encrypted |= encrypted;
                }
                ids::BLOCK_ADDITIONS => additions = Some(*child),
                ids::CRC_32 => crc = Some(child.at..child.end),
                _ => {}
            }
            Ok(())
        })?;
        if is_encrypted {
            if let Some(additions) = additions {
                return Err(additions.unsupported("encrypting a block with additions").into());
            }
            if let Some(crc) = crc {
                make_void(self.plan, crc.start, crc.end);
            }
        }
        Ok(grow(self.plan, group.at, &group.header, growth))
    }

    /// Returns the bytes by which a block grows, and whether its track is encrypted.
    fn block(&mut self, block: &Inner<'_>) -> Result<(u64, bool), Stop> {
        let body = block.body();
        let size = body.end - body.start;
        let start = self.input.peek(body.start, size.min(block::LONGEST_HEADER as u64))?;
        let header = BlockHeader::read(&start)
            .ok_or_else(|| block.malformed("the block ends inside of its header"))?;
        let number = header.track;
        let track = self.film.tracks.get_mut(&number);
        let track = track.ok_or_else(|| {
            block.malformed(format!("there is no track with the number {number}"))
        })?;
        let plan = &mut *self.plan;
        let (scope, protection) = self.scopes.entry(number).or_insert_with(|| {
            let kids = track.encrypted.iter().map(|encrypted| encrypted.kid.clone());
            let scope =
                Scope { track: track.entry.id, default_kids: kids.collect(), ..Scope::default() };
            plan.scopes.push(scope);
            (index(plan.scopes.len() - 1), None)
        });
        let Some(Encrypted { kid, map, schedule, ivs }) = &mut track.encrypted else {
            plan.scopes[*scope as usize].clear += 1;
            return Ok((0, false));
        };
        if header.has_lacing() {
            return Err(block.unsupported("encrypting a track with lacing").into());
        }
        let frame_at = body.start + header.len() as u64;
        let frame = self.input.peek(frame_at, body.end - frame_at)?;
        let subsamples = plan.subsamples.len();
        map.map(&frame, &mut plan.subsamples).map_err(|reason| Error::Codec {
            place: block.place(),
            track: track.entry.id,
            reason,
        })?;
        let time = self.time.saturating_add_signed(header.time().into());
        let prefix = if frame.is_empty() || schedule.is_clear(time.saturating_mul(self.film.scale))
        {
            plan.subsamples.truncate(subsamples);
            plan.scopes[*scope as usize].clear += 1;
            vec![0]
        } else {
            let found = &plan.subsamples[subsamples..];
            let protected = match map.has_subsamples() {
                true => found.iter().map(|subsample| u64::from(subsample.protected)).sum(),
                false => frame.len() as u64,
            };
            let iv = ivs.next(protected);
            let iv_octets = &iv.as_bytes()[..frame::IV];
            let prefix = match map.has_subsamples() {
                true => {
                    let partitions = partitions(found, frame.len())
                        .ok_or_else(|| block.unsupported("a frame of more than 255 partitions"))?;
                    [&[3], iv_octets, &partitions].concat()
                }
                false => [&[1], iv_octets].concat(),
            };
            let counts = &mut plan.scopes[*scope as usize];
            (counts.protected, counts.aux_info) = (counts.protected + 1, AuxInfo::Block);
            let protection = *protection.get_or_insert_with(|| {
                plan.protections.push(track.entry.protection(*scope, kid));
                index(plan.protections.len() - 1)
            });
            let len = u32::try_from(frame.len())
                .map_err(|_| block.unsupported("a frame of 4 GiB or more"))?;
            plan.ivs.push(iv);
            let subsamples = index(subsamples)..index(plan.subsamples.len());
            let subsamples = map.has_subsamples().then_some(subsamples);
            let iv = index(plan.ivs.len() - 1);
            plan.samples.push(Sample { at: frame_at, len, protection, iv, subsamples });
            prefix
        };
        let growth = prefix.len() as u64;
        insert(plan, frame_at, prefix, block.at);
        Ok((grow(plan, block.at, &block.header, growth), true))
    }
}

/// The count and the offsets that cut a frame of `len` bytes into these subsamples: `None`, if there are more
/// than can be counted.
fn partitions(subsamples: &[Subsample], len: usize) -> Option<Vec<u8>> {
    let (mut at, mut offsets) = (0_u64, Vec::new());
    for subsample in subsamples {
        at += u64::from(subsample.clear);
        // A clear run that was too long for one subsample goes on in the next.
        if subsample.protected > 0 {
            offsets.push(at);
            at += u64::from(subsample.protected);
            offsets.push(at);
        }
    }
    // The last run ends with the frame.
    if offsets.last() == Some(&(len as u64)) {
        offsets.pop();
    }
    let mut written = vec![u8::try_from(offsets.len()).ok()?];
    for offset in offsets {
        written.extend(u32::try_from(offset).ok()?.to_be_bytes());
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_where_runs_begin() {
        for (runs, offsets) in [
            (vec![(3, 2), (1, 0)], vec![3, 5]),
            (vec![(3, 3)], vec![3]),
            (vec![(0, 6)], vec![0]),
            (vec![(6, 0)], vec![]),
            (vec![(1, 1), (2, 2)], vec![1, 2, 4]),
            (vec![(65535, 0), (5, 16), (65535, 0), (1, 0)], vec![65540, 65556]),
        ] {
            let runs: Vec<_> = runs.iter().map(|run| Subsample::new(run.0, run.1)).collect();
            let len = runs.iter().map(|run| usize::from(run.clear) + run.protected as usize).sum();
            let count = u8::try_from(offsets.len()).unwrap();
            let bytes = offsets.iter().flat_map(|offset: &u32| offset.to_be_bytes());
            let expected: Vec<_> = std::iter::once(count).chain(bytes).collect();
            assert_eq!(partitions(&runs, len), Some(expected));
        }
        assert_eq!(partitions(&[Subsample::new(1, 1); 128], 256).unwrap()[0], 255);
        assert_eq!(partitions(&[Subsample::new(1, 1); 129], 258), None);
    }
}
