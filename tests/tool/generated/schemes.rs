//! Ciphers, patterns, IVs, and what they do to samples of all sizes.

use cenc::Scheme;

use crate::make::{Entry, Iv, Movie, Protected, Setting, Track, noise};

/// Sizes around the borders of blocks and of patterns.
const SIZES: [usize; 17] =
    [0, 1, 5, 15, 16, 17, 31, 32, 33, 79, 80, 81, 160, 161, 1600, 1607, 4099];

/// Checks video with subsamples, and audio of whole samples, fragmented and progressive.
#[track_caller]
fn check(protected: &Protected) {
    let tracks = [
        Track::new(1, Entry::Video, &SIZES).protect(protected.clone()),
        Track::new(2, Entry::Audio(b"mp4a"), &SIZES).protect(protected.clone()),
    ];
    Movie::fragmented(tracks.clone()).check();
    Movie::progressive(tracks).check();
}

fn ivs() -> [Iv; 4] {
    [Iv::Each(8), Iv::Each(16), Iv::Constant(noise(5, 8)), Iv::Constant(noise(6, 16))]
}

#[test]
fn cenc() {
    for iv in ivs() {
        check(&Protected::new(Scheme::Cenc, Setting { iv, ..Setting::new(1) }));
    }
}

#[test]
fn cbc1() {
    for iv in ivs() {
        check(&Protected::new(Scheme::Cbc1, Setting { iv, ..Setting::new(1) }));
    }
}

#[test]
fn cens() {
    for pattern in [(0, 0), (1, 9), (5, 5), (10, 0)] {
        for iv in ivs() {
            check(&Protected::new(Scheme::Cens, Setting { pattern, iv, ..Setting::new(1) }));
        }
    }
}

#[test]
fn cbcs() {
    for pattern in [(0, 0), (1, 9), (5, 5), (10, 0), (0, 1)] {
        for iv in ivs() {
            check(&Protected::new(Scheme::Cbcs, Setting { pattern, iv, ..Setting::new(1) }));
        }
    }
}

#[test]
fn counters_about_to_wrap() {
    for (scheme, pattern) in
        [(Scheme::Cenc, (0, 0)), (Scheme::Cens, (0, 0)), (Scheme::Cens, (1, 2))]
    {
        for first in [0, 0xff] {
            let setting = Setting { pattern, iv: Iv::Each(16), ..Setting::new(1) };
            let mut track = Track::new(1, Entry::Video, &[4099; 4]);
            for (number, sample) in (0..).zip(&mut track.samples) {
                sample.iv = [[first; 8], (u64::MAX - number * 60).to_be_bytes()]
                    .concat()
                    .try_into()
                    .unwrap();
            }
            let protected = Protected::new(scheme, setting);
            Movie::fragmented([track.clone().protect(protected.clone())]).check();
            Movie::progressive([track.protect_whole(protected)]).check();
        }
    }
}

/// Whole samples under a constant IV need no auxiliary information.
#[test]
fn constant_ivs_without_auxiliary_information() {
    for size in [8, 16] {
        for scheme in [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs] {
            let setting = Setting { iv: Iv::Constant(noise(7, size)), ..Setting::new(1) };
            let protected = Protected::new(scheme, setting).without_aux();
            let track = Track::new(1, Entry::Video, &SIZES).protect_whole(protected);
            Movie::fragmented([track.clone()]).check();
            Movie::progressive([track]).check();
        }
    }
}

#[test]
fn tracks_with_different_schemes() {
    let cens = Setting { pattern: (1, 9), iv: Iv::Each(16), ..Setting::new(3) };
    let tracks = [
        Track::video(1).protect(Protected::cenc(1)),
        Track::audio(2).protect(Protected::cbcs(2, (0, 0)).without_aux()),
        Track::video(3).protect(Protected::new(Scheme::Cens, cens)),
        Track::audio(4).protect(Protected::new(Scheme::Cbc1, Setting::new(4))),
    ];
    Movie::fragmented(tracks.clone()).check();
    Movie::progressive(tracks).check();
}

/// Version 1 with `cenc`, and version 0 with `cbcs`, whose pattern is 0:0 then.
#[test]
fn tenc_of_the_other_version() {
    let tracks = [
        Track::video(1).protect(Protected { tenc_version: 1, ..Protected::cenc(1) }),
        Track::audio(2).protect(Protected { tenc_version: 0, ..Protected::cbcs(2, (0, 0)) }),
    ];
    Movie::fragmented(tracks.clone()).check();
    Movie::progressive(tracks).check();
}
