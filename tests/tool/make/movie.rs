//! A file: its tracks, how it is laid out, and the boxes at its top.

use std::collections::BTreeSet;

use super::{
    Made, boxes,
    boxes::Unit,
    fragment,
    track::{Entry, Sample, Track, key, noise},
    writer::{Form, Writer, write},
};

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Movie {
    pub(crate) tracks: Vec<Track>,
    pub(crate) layout: Layout,
}

/// How a file is laid out.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// How many; 0: the file is progressive.
    pub(crate) fragments: usize,
    /// How many samples of each track are in the sample table, if there are fragments.
    pub(crate) in_movie: usize,
    /// `trun` boxes in each `traf`, and chunks of each track.
    pub(crate) runs: usize,
    pub(crate) mdat: Mdat,
    pub(crate) mdat_first: bool,
    pub(crate) sizes: Sizes,
    pub(crate) co64: bool,
    pub(crate) base: Base,
    /// The first so many `trun` boxes of a `traf` have a data offset.
    pub(crate) run_offsets: usize,
    /// Bytes of no sample before the data of each track in a fragment.
    pub(crate) gap: usize,
    /// The runs of all tracks take turns in a fragment.
    pub(crate) interleaved: bool,
    /// Two `moof` boxes, then the data of both.
    pub(crate) paired: bool,
    /// `sidx` before the fragments, `mfra` behind them.
    pub(crate) index: bool,
    /// Then `sidx` stands before `moov` too.
    pub(crate) index_first: bool,
    pub(crate) pssh_in_moof: bool,
    /// Boxes that have nothing to do with it, between the others.
    pub(crate) padding: bool,
}

/// What the header of `mdat` says of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mdat {
    Plain,
    Large,
    /// The last one takes all that follows.
    ToEnd,
}

/// The box with the sample sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sizes {
    Stsz,
    /// `stz2`, with so many bits for each.
    Stz2(u8),
}

/// What data offsets in a fragment count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// `default-base-is-moof`.
    Moof,
    /// A base data offset: that of `moof`.
    AbsoluteMoof,
    /// A base data offset: that of the track's data.
    AbsoluteData,
    /// Nothing is said: `moof` for the first track, the end of the data before for the others.
    Previous,
}

impl Layout {
    fn new(fragments: usize) -> Self {
        Self {
            fragments,
            in_movie: 0,
            runs: 1,
            mdat: Mdat::Plain,
            mdat_first: false,
            sizes: Sizes::Stsz,
            co64: false,
            base: Base::Moof,
            run_offsets: usize::MAX,
            gap: 0,
            interleaved: false,
            paired: false,
            index: false,
            index_first: false,
            pssh_in_moof: false,
            padding: false,
        }
    }
}

impl Movie {
    /// A file of two fragments.
    pub(crate) fn fragmented(tracks: impl IntoIterator<Item = Track>) -> Self {
        Self { tracks: tracks.into_iter().collect(), layout: Layout::new(2) }
    }

    pub(crate) fn progressive(tracks: impl IntoIterator<Item = Track>) -> Self {
        Self { tracks: tracks.into_iter().collect(), layout: Layout::new(0) }
    }

    /// Changes the layout.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Layout)) -> Self {
        change(&mut self.layout);
        self
    }

    pub(crate) fn make(&self) -> Made {
        let form = |form| write(form, |out| self.write(out));
        let hex = |octets: [u8; 16]| data_encoding::HEXLOWER.encode(&octets);
        let kids = self.kids();
        let clear = self.tracks.iter().map(|track| {
            let samples = track.samples.iter().flat_map(|sample| &sample.clear);
            (track.id, samples.copied().collect())
        });
        Made {
            protected: form(Form::Protected),
            default: form(Form::Default),
            compact: form(Form::Compact),
            keys: kids.iter().map(|kid| format!("{}:{}", hex(*kid), hex(key(*kid)))).collect(),
            clear: clear.collect(),
        }
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        self.make().check();
    }

    /// The key ids of all that is protected, without the one that means "see the groups".
    fn kids(&self) -> Vec<[u8; 16]> {
        let protected = self.tracks.iter().filter_map(|track| track.protected.as_ref());
        let settings = protected.flat_map(|protected| protected.settings());
        let kids = settings.filter(|setting| setting.is_protected).map(|setting| setting.kid);
        let kids: BTreeSet<_> = kids.filter(|kid| *kid != [0; 16]).collect();
        kids.into_iter().collect()
    }

    fn write(&self, out: &mut Writer<'_>) {
        let layout = &self.layout;
        out.boxed(b"ftyp", |out| out.put(b"iso6\0\0\0\0iso6cenc"));
        self.pad(out);
        let in_movie = self.units(None);
        if layout.mdat_first {
            self.mdat(out, &in_movie, layout.mdat);
        }
        if layout.index && layout.index_first {
            fragment::sidx(self, out);
        }
        out.boxed(b"moov", |out| self.moov(out, &in_movie));
        self.pad(out);
        let has_samples = in_movie.iter().any(|unit| unit.samples().next().is_some());
        if has_samples && !layout.mdat_first {
            let is_last = layout.fragments == 0;
            let mdat =
                if is_last || layout.mdat == Mdat::Large { layout.mdat } else { Mdat::Plain };
            self.mdat(out, &in_movie, mdat);
        }
        fragment::fragments(self, out);
        if layout.padding && layout.mdat != Mdat::ToEnd {
            self.pad(out);
        }
    }

    /// A box that has to stay as it is.
    pub(crate) fn pad(&self, out: &mut Writer<'_>) {
        if self.layout.padding {
            out.boxed(b"free", |out| out.put(&noise(99, 13)));
            out.boxed(b"uuid", |out| out.put(&noise(98, 33)));
        }
    }

    /// The samples in the sample tables or in a fragment, track by track.
    pub(crate) fn units(&self, fragment: Option<usize>) -> Vec<Unit<'_>> {
        let tracks = self.tracks.iter().enumerate();
        tracks.map(|(index, track)| self.unit(index, track, fragment)).collect()
    }

    fn unit<'t>(&self, index: usize, track: &'t Track, fragment: Option<usize>) -> Unit<'t> {
        let Layout { fragments, in_movie, runs, .. } = self.layout;
        let in_movie = if fragments == 0 { track.samples.len() } else { in_movie };
        let (in_movie, rest) = track.samples.split_at(in_movie);
        let (first, samples) = match fragment {
            None => (0, in_movie),
            Some(fragment) => {
                let before = rest.len() * fragment / fragments;
                (in_movie.len() + before, part(rest, fragments, fragment))
            }
        };
        let runs = (0..runs).map(|run| part(samples, runs, run)).collect();
        Unit { track, index, fragment, first, runs }
    }

    pub(crate) fn mdat(&self, out: &mut Writer<'_>, units: &[Unit<'_>], mdat: Mdat) {
        let start = out.bytes.len();
        let body = |out: &mut Writer<'_>| {
            // Chunks do so always.
            if self.layout.interleaved || units.iter().all(|unit| unit.fragment.is_none()) {
                for run in 0..self.layout.runs {
                    units.iter().for_each(|unit| unit.data(out, run));
                }
                return;
            }
            for unit in units {
                out.put(&noise(97, self.layout.gap));
                out.mark(unit.mark("data", 0));
                (0..unit.runs.len()).for_each(|run| unit.data(out, run));
            }
        };
        match mdat {
            Mdat::Plain => out.boxed(b"mdat", body),
            Mdat::Large => out.large(b"mdat", body),
            Mdat::ToEnd => {
                out.boxed(b"mdat", body);
                out.bytes[start..start + 4].fill(0);
            }
        }
    }

    fn moov(&self, out: &mut Writer<'_>, units: &[Unit<'_>]) {
        out.full(b"mvhd", 0, 0, |out| {
            out.zeros(8);
            out.u32(1000);
            out.zeros(80);
        });
        for unit in units {
            out.boxed(b"trak", |out| self.trak(out, unit));
        }
        if self.layout.fragments > 0 {
            out.boxed(b"mvex", |out| {
                for track in &self.tracks {
                    out.full(b"trex", 0, 0, |out| {
                        out.fields([track.id, 1, 100, 0, 0]);
                    });
                }
            });
        }
        self.pssh(out);
        if self.layout.padding {
            // QuickTime ends this box with four zero bytes.
            out.boxed(b"udta", |out| {
                out.boxed(b"name", |out| out.put(b"film"));
                out.zeros(4);
            });
        }
    }

    pub(crate) fn pssh(&self, out: &mut Writer<'_>) {
        let kids = self.kids();
        if !kids.is_empty() {
            boxes::pssh(out, &kids);
            boxes::pssh(out, &kids[..1]);
        }
    }

    fn trak(&self, out: &mut Writer<'_>, unit: &Unit<'_>) {
        let Track { id, entry, protected, .. } = unit.track;
        out.full(b"tkhd", 0, 3, |out| {
            out.zeros(8);
            out.u32(*id);
            out.zeros(68);
        });
        out.boxed(b"mdia", |out| {
            out.full(b"mdhd", 0, 0, |out| {
                out.zeros(8);
                out.u32(1000);
                out.zeros(8);
            });
            out.full(b"hdlr", 0, 0, |out| {
                out.u32(0);
                out.put(entry.handler());
                out.zeros(13);
            });
            out.boxed(b"minf", |out| out.boxed(b"stbl", |out| self.stbl(out, unit)));
        });
        if protected.as_ref().is_some_and(|protected| protected.senc_in_trak) {
            unit.senc(out);
        }
    }

    fn stbl(&self, out: &mut Writer<'_>, unit: &Unit<'_>) {
        let sizes: Vec<_> = unit.samples().map(|sample| sample.clear.len()).collect();
        let count = sizes.len() as u32;
        out.full(b"stsd", 0, 0, |out| {
            out.u32(1);
            unit.track.sample_entry(out);
        });
        out.full(b"stts", 0, 0, |out| {
            out.fields([1, count, 100]);
        });
        let is_empty = sizes.is_empty();
        let runs = if is_empty { &[] } else { &unit.runs[..] };
        out.full(b"stsc", 0, 0, |out| {
            out.u32(runs.len() as u32);
            for (chunk, run) in (1..).zip(runs) {
                out.fields([chunk, run.len() as u32, 1]);
            }
        });
        match self.layout.sizes {
            Sizes::Stsz => out.full(b"stsz", 0, 0, |out| {
                out.fields([0, count]);
                sizes.iter().for_each(|size| out.u32(*size as u32));
            }),
            Sizes::Stz2(bits) => out.full(b"stz2", 0, 0, |out| {
                out.u32(bits.into());
                out.u32(count);
                match bits {
                    4 => sizes.chunks(2).for_each(|pair| {
                        out.u8((pair[0] << 4 | pair.get(1).copied().unwrap_or(0)) as u8);
                    }),
                    8 => sizes.iter().for_each(|size| out.u8(*size as u8)),
                    _ => sizes.iter().for_each(|size| out.u16(*size as u16)),
                }
            }),
        }
        out.full(if self.layout.co64 { b"co64" } else { b"stco" }, 0, 0, |out| {
            out.u32(runs.len() as u32);
            for run in 0..runs.len() {
                match out.at(unit.mark("run", run)) {
                    at if self.layout.co64 => out.u64(at),
                    at => out.low32(at),
                }
            }
        });
        if let Some(protected) = &unit.track.protected {
            boxes::sgpd(out, protected, &protected.groups);
        }
        if !is_empty {
            unit.boxes(out, 0);
        }
    }
}

impl Entry {
    fn handler(self) -> &'static [u8; 4] {
        match self {
            Self::Video => b"vide",
            Self::Audio(_) | Self::QuickTimeAudio => b"soun",
            Self::Wvtt => b"text",
            Self::Stpp => b"subt",
        }
    }
}

impl Track {
    fn sample_entry(&self, out: &mut Writer<'_>) {
        let (format, protected, config): (&[u8; 4], _, _) = match self.entry {
            Entry::Video => (b"avc1", b"encv", b"avcC"),
            Entry::Audio(format) => (format, b"enca", b"esds"),
            Entry::QuickTimeAudio => (b"mp4a", b"enca", b"wave"),
            Entry::Wvtt => (b"wvtt", b"enct", b"vttC"),
            Entry::Stpp => (b"stpp", b"enct", b"mime"),
        };
        let is_encrypted = self.protected.is_some() && out.form == Form::Protected;
        out.boxed(if is_encrypted { protected } else { format }, |out| {
            out.zeros(6);
            out.u16(1);
            match self.entry {
                Entry::Video => out.zeros(70),
                Entry::Audio(_) => out.zeros(20),
                Entry::QuickTimeAudio => {
                    out.u16(1);
                    out.zeros(18 + 16);
                }
                Entry::Wvtt => {}
                Entry::Stpp => out.put(b"http://www.w3.org/ns/ttml\0\0image/png\0"),
            }
            out.boxed(config, |out| out.put(&noise(96, 21)));
            if let Some(protected) = &self.protected {
                boxes::sinf(out, protected, format);
            }
            out.boxed(b"btrt", |out| out.zeros(12));
        });
    }
}

/// One of `count` parts of a list, the parts as equal as can be.
fn part(samples: &[Sample], count: usize, index: usize) -> &[Sample] {
    let border = |index: usize| samples.len() * index / count.max(1);
    &samples[border(index)..border(index + 1)]
}
