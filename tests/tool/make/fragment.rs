//! `moof`, what is in it, and the indexes that point to it.

use super::{
    boxes::Unit,
    movie::{Base, Mdat, Movie},
    writer::Writer,
};

/// Writes all fragments of a movie, with `sidx` before and `mfra` behind them.
pub(crate) fn fragments(movie: &Movie, out: &mut Writer<'_>) {
    let layout = &movie.layout;
    let step = step(movie);
    if layout.index && !layout.index_first {
        sidx(movie, out);
    }
    for first in (0..layout.fragments).step_by(step) {
        out.mark(("segment", [first, 0, 0]));
        let all = first..layout.fragments.min(first + step);
        let is_last = all.end == layout.fragments;
        let mut units = Vec::new();
        for fragment in all {
            let of_fragment = movie.units(Some(fragment));
            out.mark(("moof", [fragment, 0, 0]));
            out.boxed(b"moof", |out| moof(movie, out, fragment, &of_fragment));
            movie.pad(out);
            units.extend(of_fragment);
        }
        let mdat = match layout.mdat {
            Mdat::ToEnd if !is_last => Mdat::Plain,
            other => other,
        };
        movie.mdat(out, &units, mdat);
    }
    if layout.fragments > 0 {
        out.mark(("segment", [layout.fragments, 0, 0]));
    }
    if layout.index {
        mfra(movie, out);
    }
}

fn moof(movie: &Movie, out: &mut Writer<'_>, fragment: usize, units: &[Unit<'_>]) {
    out.full(b"mfhd", 0, 0, |out| out.u32(fragment as u32 + 1));
    if movie.layout.pssh_in_moof {
        movie.pssh(out);
    }
    let mut before = None;
    for unit in units {
        out.boxed(b"traf", |out| traf(movie, out, fragment, unit, before));
        before = Some(unit);
    }
}

fn traf(
    movie: &Movie,
    out: &mut Writer<'_>,
    fragment: usize,
    unit: &Unit<'_>,
    before: Option<&Unit<'_>>,
) {
    let layout = &movie.layout;
    let moof = out.at(("moof", [fragment, 0, 0]));
    let base = match (layout.base, before) {
        (Base::AbsoluteData, _) => out.at(unit.mark("data", 0)),
        (Base::Previous, Some(before)) => out.at(before.mark("end", before.runs.len() - 1)),
        _ => moof,
    };
    let is_absolute = matches!(layout.base, Base::AbsoluteMoof | Base::AbsoluteData);
    let flags = match layout.base {
        Base::Moof => 0x2_0000,
        Base::Previous => 0,
        Base::AbsoluteMoof | Base::AbsoluteData => 1,
    };
    out.full(b"tfhd", 0, flags, |out| {
        out.u32(unit.track.id);
        if is_absolute {
            out.u64(base);
        }
    });
    // Every sample lasts 100.
    out.full(b"tfdt", 1, 0, |out| out.u64(unit.first as u64 * 100));
    for (number, run) in unit.runs.iter().enumerate() {
        let has_offset = number < layout.run_offsets;
        out.full(b"trun", 0, 0x200 | u32::from(has_offset), |out| {
            out.u32(run.len() as u32);
            if has_offset {
                let offset = out.distance(base, unit.mark("run", number));
                out.low32(offset);
            }
            run.iter().for_each(|sample| out.u32(sample.clear.len() as u32));
        });
    }
    // Offsets of auxiliary information count from a stated base, or from `moof`.
    unit.boxes(out, if is_absolute { base } else { moof });
}

/// How many `moof` boxes stand before one `mdat`.
fn step(movie: &Movie) -> usize {
    if movie.layout.paired { 2 } else { 1 }
}

pub(crate) fn sidx(movie: &Movie, out: &mut Writer<'_>) {
    let step = step(movie);
    let segments: Vec<_> = (0..movie.layout.fragments).step_by(step).collect();
    let wide = movie.layout.paired;
    out.full(b"sidx", wide.into(), 0, |out| {
        out.fields([1, 1000]);
        let first_offset = out.distance(out.at(("sidx end", [0; 3])), ("segment", [0; 3]));
        if wide {
            out.u64(0);
            out.u64(first_offset);
        } else {
            out.u32(0);
            out.low32(first_offset);
        }
        out.u16(0);
        out.u16(segments.len() as u16);
        for first in segments {
            let next = movie.layout.fragments.min(first + step);
            let start = out.at(("segment", [first, 0, 0]));
            let size = out.distance(start, ("segment", [next, 0, 0]));
            out.low32(size);
            out.u32(100);
            out.u32(1 << 31 | 1 << 28);
        }
    });
    out.mark(("sidx end", [0; 3]));
    movie.pad(out);
}

fn mfra(movie: &Movie, out: &mut Writer<'_>) {
    let start = out.here();
    out.boxed(b"mfra", |out| {
        for (version, track) in [1, 0].into_iter().cycle().zip(&movie.tracks) {
            out.full(b"tfra", version, 0, |out| {
                out.u32(track.id);
                // `traf_number` takes two bytes, the other numbers one.
                out.u32(1 << 4);
                out.u32(movie.layout.fragments as u32);
                for fragment in 0..movie.layout.fragments {
                    let moof = out.at(("moof", [fragment, 0, 0]));
                    match version {
                        1 => [fragment as u64 * 100, moof]
                            .into_iter()
                            .for_each(|field| out.u64(field)),
                        _ => [fragment as u64 * 100, moof]
                            .into_iter()
                            .for_each(|field| out.low32(field)),
                    }
                    out.u16(1);
                    out.put(&[1, 1]);
                }
            });
        }
        let size = out.here() - start + 16;
        out.full(b"mfro", 0, 0, |out| out.low32(size));
    });
}
