//! Where the samples of an MP4 file are, as a reader says that shares no code with the command.
//!
//! The tables are decoded by the crate `mp4-atom`, one box at a time: decoding a whole `moov` would
//! make it judge sample entries too, and it knows no `free` box there and no made-up codec. It does
//! not know `stz2` either, which is read here.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use md5::{Digest, Md5};
use mp4_atom::{
    Atom, Co64, Ctts, Decode, Hdlr, Stco, Stsc, Stss, Stsz, StszSamples, Stts, Tfdt, Tfhd, Tkhd,
    Trex, Trun,
};

use crate::{
    boxes::{BoxAt, walk},
    frames,
};

/// The tracks of a file, by id. Of several movie headers in one stream, all samples together.
pub(crate) type Tracks = BTreeMap<u32, Track>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    pub(crate) handler: String,
    pub(crate) samples: Vec<Sample>,
}

/// A sample, and what the tables say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at: u64,
    pub(crate) timing: Timing,
}

/// What of a sample does not depend on where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) size: u32,
    dts: u64,
    pts: i128,
    pub(crate) duration: u32,
    flags: u32,
}

impl Sample {
    pub(crate) fn range(&self) -> Range<usize> {
        let start = usize::try_from(self.at).unwrap();
        start..start + self.timing.size as usize
    }
}

impl Track {
    pub(crate) fn name(&self) -> &str {
        match self.handler.as_str() {
            "vide" => "video",
            "soun" => "audio",
            other => other,
        }
    }

    /// The samples, one after the other.
    pub(crate) fn data(&self, file: &[u8]) -> Vec<u8> {
        self.samples.iter().flat_map(|sample| &file[sample.range()]).copied().collect()
    }

    pub(crate) fn timings(&self) -> Vec<Timing> {
        self.samples.iter().map(|sample| sample.timing).collect()
    }
}

/// The MD5 of each track's samples, by what the track is; also of a WebM file.
pub(crate) fn md5(file: &[u8]) -> BTreeMap<String, String> {
    if frames::is_webm(file) {
        return frames::md5(file);
    }
    let tracks = read(file).into_values();
    tracks.map(|track| (track.name().to_owned(), digest(&track.data(file)))).collect()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Md5::digest(bytes))
}

/// Reads all tables of a file.
pub(crate) fn read(file: &[u8]) -> Tracks {
    let boxes = walk(file);
    let mut reader =
        Reader { file, boxes: &boxes, tracks: Tracks::new(), defaults: HashMap::new() };
    for top in boxes.iter().filter(|top| top.is_top()) {
        match &top.kind {
            b"moov" => reader.movie(top),
            b"moof" => reader.fragment(top),
            _ => {}
        }
    }
    reader.tracks
}

struct Reader<'f> {
    file: &'f [u8],
    boxes: &'f [BoxAt],
    tracks: Tracks,
    defaults: HashMap<u32, Trex>,
}

impl<'f> Reader<'f> {
    fn movie(&mut self, moov: &BoxAt) {
        self.defaults.clear();
        for trex in self.within(moov, "moov/mvex/trex") {
            let trex: Trex = self.decode(trex);
            self.defaults.insert(trex.track_id, trex);
        }
        for trak in self.within(moov, "moov/trak") {
            let tkhd: Tkhd = self.need(trak, "tkhd");
            let hdlr: Hdlr = self.need(trak, "mdia/hdlr");
            let samples = self.table(trak);
            let track = self.tracks.entry(tkhd.track_id).or_default();
            track.handler = String::from_utf8(Vec::from(<[u8; 4]>::from(hdlr.handler))).unwrap();
            track.samples.extend(samples);
        }
    }

    /// The samples in the sample table of a track.
    fn table(&self, trak: &BoxAt) -> Vec<Sample> {
        let stbl = |name: &str| format!("mdia/minf/stbl/{name}");
        let sizes = self.sizes(trak);
        let stco = self.child::<Stco>(trak, &stbl("stco")).map(|stco| stco.entries);
        let chunks: Vec<u64> = match stco {
            Some(entries) => entries.into_iter().map(u64::from).collect(),
            None => self.need::<Co64>(trak, &stbl("co64")).entries,
        };
        let stsc: Stsc = self.need(trak, &stbl("stsc"));
        let stts: Stts = self.need(trak, &stbl("stts"));
        let ctts: Option<Ctts> = self.child(trak, &stbl("ctts"));
        let stss: Option<Stss> = self.child(trak, &stbl("stss"));
        let mut durations = stts
            .entries
            .iter()
            .flat_map(|run| std::iter::repeat_n(run.sample_delta, run.sample_count as usize));
        let offsets = ctts.map(|ctts| ctts.entries).unwrap_or_default();
        let mut offsets = offsets
            .iter()
            .flat_map(|run| std::iter::repeat_n(run.sample_offset, run.sample_count as usize));

        let (mut samples, mut dts) = (Vec::new(), 0);
        let mut left = sizes.into_iter();
        for (chunk, start) in (1..).zip(chunks) {
            let run = stsc.entries.iter().rfind(|run| run.first_chunk <= chunk).unwrap();
            let mut at = start;
            for size in left.by_ref().take(run.samples_per_chunk as usize) {
                let number = samples.len() as u32 + 1;
                let duration = durations.next().unwrap();
                let pts = i128::from(dts) + i128::from(offsets.next().unwrap_or(0));
                let is_sync = stss.as_ref().is_none_or(|stss| stss.entries.contains(&number));
                let timing = Timing { size, dts, pts, duration, flags: u32::from(!is_sync) << 16 };
                samples.push(Sample { at, timing });
                at += u64::from(size);
                dts += u64::from(duration);
            }
        }
        assert_eq!(left.next(), None, "samples without a chunk");
        samples
    }

    fn sizes(&self, trak: &BoxAt) -> Vec<u32> {
        match self.child::<Stsz>(trak, "mdia/minf/stbl/stsz") {
            Some(Stsz { samples: StszSamples::Identical { count, size } }) => {
                vec![size; count as usize]
            }
            Some(Stsz { samples: StszSamples::Different { sizes } }) => sizes,
            None => {
                let path = format!("{}/mdia/minf/stbl/stz2", trak.path);
                let stz2 = self.within(trak, &path).next().unwrap();
                compact_sizes(&self.file[stz2.body..stz2.end])
            }
        }
    }

    fn fragment(&mut self, moof: &BoxAt) {
        let mut data_end = moof.at as u64;
        for traf in self.within(moof, "moof/traf") {
            let tfhd: Tfhd = self.need(traf, "tfhd");
            let trex = &self.defaults[&tfhd.track_id];
            let base = match tfhd.base_data_offset {
                Some(base) => base,
                None if tfhd.default_base_is_moof => moof.at as u64,
                None => data_end,
            };
            let known = self.tracks.get_mut(&tfhd.track_id).unwrap();
            let last = known.samples.last().map(|last| last.timing);
            let tfdt = self.child::<Tfdt>(traf, "tfdt").map(|tfdt| tfdt.base_media_decode_time);
            let follows = last.map_or(0, |last| last.dts + u64::from(last.duration));
            let (mut at, mut dts) = (base, tfdt.unwrap_or(follows));
            for trun in self.within(traf, "moof/traf/trun") {
                let trun: Trun = self.decode(trun);
                if let Some(offset) = trun.data_offset {
                    at = base.checked_add_signed(offset.into()).unwrap();
                }
                for entry in &trun.samples {
                    let default = |own: Option<u32>, of_traf: Option<u32>, of_track: u32| {
                        own.or(of_traf).unwrap_or(of_track)
                    };
                    let timing = Timing {
                        size: default(
                            entry.size,
                            tfhd.default_sample_size,
                            trex.default_sample_size,
                        ),
                        dts,
                        pts: i128::from(dts) + i128::from(entry.cts.unwrap_or(0)),
                        duration: default(
                            entry.duration,
                            tfhd.default_sample_duration,
                            trex.default_sample_duration,
                        ),
                        flags: default(
                            entry.flags,
                            tfhd.default_sample_flags,
                            trex.default_sample_flags,
                        ),
                    };
                    let track = self.tracks.get_mut(&tfhd.track_id).unwrap();
                    track.samples.push(Sample { at, timing });
                    at += u64::from(timing.size);
                    dts += u64::from(timing.duration);
                }
            }
            data_end = at;
        }
    }

    fn within<'b>(
        &self,
        parent: &'b BoxAt,
        path: &'b str,
    ) -> impl Iterator<Item = &'f BoxAt> + use<'f, 'b> {
        self.boxes.iter().filter(move |boxed| boxed.path == path && parent.contains(boxed))
    }

    fn decode<T: Atom>(&self, boxed: &BoxAt) -> T {
        let decoded = T::decode(&mut &self.file[boxed.at..boxed.end]);
        decoded.unwrap_or_else(|error| panic!("{} at byte {}: {error}", boxed.path, boxed.at))
    }

    fn child<T: Atom>(&self, parent: &BoxAt, path: &str) -> Option<T> {
        let path = format!("{}/{path}", parent.path);
        self.within(parent, &path).next().map(|boxed| self.decode(boxed))
    }

    fn need<T: Atom>(&self, parent: &BoxAt, path: &str) -> T {
        let found = self.child(parent, path);
        found.unwrap_or_else(|| panic!("no {path} in {} at byte {}", parent.path, parent.at))
    }
}

/// The sizes in the body of an `stz2` box (ISO/IEC 14496-12, 8.7.3.3).
fn compact_sizes(body: &[u8]) -> Vec<u32> {
    let count = u32::from_be_bytes(body[8..12].try_into().unwrap()) as usize;
    let table = &body[12..];
    let sizes: Vec<u32> = match body[7] {
        4 => table.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(u32::from).collect(),
        8 => table.iter().copied().map(u32::from).collect(),
        16 => table.chunks(2).map(|size| u32::from(size[0]) << 8 | u32::from(size[1])).collect(),
        other => panic!("stz2 with sizes of {other} bits"),
    };
    sizes[..count].to_vec()
}
