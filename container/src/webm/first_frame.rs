//! The start of a track's first frame, for what the headers do not tell.

use crate::{
    Error,
    stop::Stop,
    webm::{
        block::{self, BlockHeader},
        cluster::{self, Inner},
        frame::{self, Frame},
        ids,
        input::Input,
    },
};

/// Octets of a frame that are read.
const START: u64 = 16;
/// Elements of a cluster, and of a block group, that are looked at.
const ELEMENTS: usize = 256;

/// What of the media is to be read.
#[derive(Clone, Copy)]
pub(super) struct FirstFrame {
    /// The number of the track.
    pub(super) track: u64,
    /// Whether something stands in front of its frames.
    pub(super) is_encrypted: bool,
}

impl FirstFrame {
    /// Reads the octets that the first frame begins with, as far as they are clear; a few of them. The frame is
    /// looked for at the start of the cluster at `at`, in a segment that ends at `end`. `Ok(None)`: it is not
    /// there, shares its block, or is damaged.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn read(
        self,
        input: &Input<'_>,
        at: u64,
        end: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.find(input, at, end) {
            Ok(found) => Ok(found),
            Err(Stop::Failed(error @ Error::Read { .. })) => Err(error),
            // Who reads the media will say so.
            Err(_) => Ok(None),
        }
    }

    fn find(self, input: &Input<'_>, at: u64, end: u64) -> Result<Option<Vec<u8>>, Stop> {
        let header = input.header(at, "Segment")?;
        let end = input.element_end(&header, at, "Segment", Some(end))?.unwrap_or(end);
        let mut at = at + header.len as u64;
        for _ in 0..ELEMENTS {
            // A cluster of unknown size ends with the next.
            let Some(child) = cluster::child(input, at, end)? else { break };
            if child.header.id == ids::CLUSTER {
                break;
            }
            let block = match child.header.id {
                ids::SIMPLE_BLOCK => Some(child),
                ids::BLOCK_GROUP => block_of(input, &child)?,
                _ => None,
            };
            if let Some(block) = block {
                let (header, start) = self.block(input, &block)?;
                if header.track == self.track {
                    return Ok(self.clear(&block, &header, &start));
                }
            }
            at = child.end;
        }
        Ok(None)
    }

    /// The header of a block, and all of it that counts.
    fn block(self, input: &Input<'_>, block: &Inner<'_>) -> Result<(BlockHeader, Vec<u8>), Stop> {
        let frame = if self.is_encrypted { frame::LONGEST_HEADER as u64 } else { 0 };
        let body = block.body();
        let len = (body.end - body.start).min(block::LONGEST_HEADER as u64 + frame + START);
        let start = input.peek(body.start, len)?;
        match BlockHeader::read(&start) {
            Some(header) => Ok((header, start)),
            None => Err(block.malformed("the block ends inside of its header").into()),
        }
    }

    /// What is clear at the start of the frame in a block of which `start` has been read.
    fn clear(self, block: &Inner<'_>, header: &BlockHeader, start: &[u8]) -> Option<Vec<u8>> {
        if header.has_lacing() {
            return None;
        }
        let frame = start.get(header.len()..)?;
        let mut clear = START;
        let data = match self.is_encrypted {
            false => frame,
            true => {
                let body = block.body();
                let len = body.end - body.start - header.len() as u64;
                let mut subsamples = Vec::new();
                let found = Frame::read(frame, len, &mut subsamples).ok()?;
                if found.iv.is_some() {
                    clear = subsamples.first().map_or(0, |first| first.clear.into());
                }
                frame.get(found.header_len..)?
            }
        };
        let len = usize::try_from(clear.min(START)).ok()?;
        Some(data[..data.len().min(len)].to_vec())
    }
}

/// The block in a group.
fn block_of(input: &Input<'_>, group: &Inner<'_>) -> Result<Option<Inner<'static>>, Stop> {
    let mut at = group.body().start;
    for _ in 0..ELEMENTS {
        match cluster::group_child(input, at, group.end)? {
            Some(child) if child.header.id != ids::BLOCK => at = child.end,
            found => return Ok(found),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Window,
        webm::testing::{block, element, encrypted, master, open, simple},
    };

    const VIDEO: FirstFrame = FirstFrame { track: 1, is_encrypted: false };
    const ENCRYPTED: FirstFrame = FirstFrame { track: 1, is_encrypted: true };
    const FRAME: &[u8] = b"a frame that is longer than what is read of it";

    fn read(what: FirstFrame, cluster: &[u8]) -> Option<Vec<u8>> {
        let window = Window::new(0, cluster);
        what.read(&Input::new(&window, true), 0, cluster.len() as u64).unwrap()
    }

    fn of(what: FirstFrame, blocks: &[Vec<u8>]) -> Option<Vec<u8>> {
        let time = [element(ids::TIMESTAMP, &[0])];
        read(what, &master(ids::CLUSTER, &[&time, blocks].concat()))
    }

    /// An encrypted frame with partitions.
    fn partitioned(offsets: &[u8]) -> Vec<u8> {
        let count = u8::try_from(offsets.len()).unwrap();
        let offsets = offsets.iter().flat_map(|&offset| [0, 0, 0, offset]);
        let header = [3, 9, 9, 9, 9, 9, 9, 9, 9, count].into_iter().chain(offsets);
        header.chain(FRAME.iter().copied()).collect()
    }

    #[test]
    fn the_first_frame_of_the_track_counts() {
        let start = Some(FRAME[..16].to_vec());
        assert_eq!(of(VIDEO, &[simple(2, b"sound"), simple(1, FRAME), simple(1, b"next")]), start);
        assert_eq!(of(VIDEO, &[simple(1, b"next"), simple(1, FRAME)]), Some(b"next".to_vec()));
        let group = master(ids::BLOCK_GROUP, &[element(ids::BLOCK, &block(1, FRAME))]);
        assert_eq!(of(VIDEO, &[group]), start);
        let empty = master(ids::BLOCK_GROUP, &[element(ids::VOID, &[0])]);
        assert_eq!(of(VIDEO, &[empty, simple(1, FRAME)]), start);
        assert_eq!(of(VIDEO, &[simple(2, FRAME)]), None);
    }

    #[test]
    fn what_is_encrypted_is_not_taken_for_a_frame() {
        let frame = |frame: &[u8]| of(ENCRYPTED, &[simple(1, frame)]);
        assert_eq!(frame(&[&[0], FRAME].concat()), Some(FRAME[..16].to_vec()));
        assert_eq!(frame(&partitioned(&[18])), Some(FRAME[..16].to_vec()));
        assert_eq!(frame(&partitioned(&[5, 9])), Some(FRAME[..5].to_vec()));
        assert_eq!(frame(&partitioned(&[0])), Some(Vec::new()));
        assert_eq!(frame(&encrypted(FRAME)), Some(Vec::new()));
        // All is clear, and there are as many partitions as can be.
        assert_eq!(frame(&partitioned(&[])), Some(FRAME[..16].to_vec()));
        assert_eq!(frame(&partitioned(&[20; 255])), Some(FRAME[..16].to_vec()));
    }

    #[test]
    fn damage_and_lacing_leave_no_frame() {
        let mut lacing = block(1, FRAME);
        lacing[3] |= 0x02;
        assert_eq!(of(VIDEO, &[element(ids::SIMPLE_BLOCK, &lacing)]), None);
        assert_eq!(of(VIDEO, &[element(ids::SIMPLE_BLOCK, &[0x81, 0])]), None);
        assert_eq!(of(ENCRYPTED, &[simple(1, &[7, 7, 7])]), None);
        assert_eq!(of(VIDEO, &[open(ids::SIMPLE_BLOCK, &block(1, FRAME))]), None);
        let whole = master(ids::CLUSTER, &[simple(1, FRAME)]);
        assert!((0..whole.len()).all(|len| read(VIDEO, &whole[..len]).is_none()));
    }

    #[test]
    fn only_the_start_of_a_cluster_is_looked_at() {
        let sound = |count| [vec![simple(2, b"sound"); count], vec![simple(1, FRAME)]].concat();
        assert!(of(VIDEO, &sound(254)).is_some());
        assert!(of(VIDEO, &sound(255)).is_none());
        let group = |count| {
            let voids = vec![element(ids::VOID, &[]); count];
            let block = element(ids::BLOCK, &block(1, FRAME));
            of(VIDEO, &[master(ids::BLOCK_GROUP, &[voids, vec![block]].concat())])
        };
        assert!(group(255).is_some() && group(256).is_none());
        // The next cluster is another one, even if that has no size.
        let (first, next) = (simple(2, b"sound"), simple(1, FRAME));
        let live = [open(ids::CLUSTER, &first), open(ids::CLUSTER, &next)].concat();
        assert_eq!(read(VIDEO, &live), None);
        let live = open(ids::CLUSTER, &[first, next].concat());
        assert!(read(VIDEO, &live).is_some());
    }
}
