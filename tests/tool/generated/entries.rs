//! Sample entries: what may be protected, and how the entry says so.

use cenc::Scheme;

use crate::make::{AuxAt, Entry, Iv, Movie, Protected, Senc, Setting, Track};

#[track_caller]
fn check(tracks: &[Track]) {
    Movie::fragmented(tracks.to_vec()).check();
    Movie::progressive(tracks.to_vec()).check();
}

#[test]
fn flac_and_opus() {
    for format in [b"fLaC", b"Opus"] {
        let track = Track::new(1, Entry::Audio(format), &[300, 1, 64]);
        check(&[track.clone().protect(Protected::cenc(1)), Track::video(2)]);
        check(&[track.protect(Protected::cbcs(1, (0, 0)).without_aux())]);
    }
}

#[test]
fn text() {
    for entry in [Entry::Wvtt, Entry::Stpp] {
        let track = Track::new(3, entry, &[20, 8, 333]);
        let video = Track::video(1).protect(Protected::cbcs(1, (1, 9)));
        check(&[video.clone(), track.clone().protect(Protected::cenc(2))]);
        check(&[track.protect(Protected::cbcs(2, (0, 0)).without_aux()), video]);
    }
}

#[test]
fn quicktime_sound() {
    let track = Track::new(1, Entry::QuickTimeAudio, &[300, 1, 64]);
    check(&[track.protect(Protected::cenc(1))]);
}

/// The first scheme that we know serves.
#[test]
fn a_sinf_of_another_scheme_beside_ours() {
    let foreign = |protected| Protected { foreign_sinf: true, ..protected };
    check(&[
        Track::video(1).protect(foreign(Protected::cenc(1))),
        Track::audio(2).protect(foreign(Protected::cbcs(2, (0, 0)))),
    ]);
}

fn piff(scheme: Scheme, size: u8) -> Protected {
    let setting = Setting { iv: Iv::Each(size), ..Setting::new(1) };
    Protected { piff: true, aux: AuxAt::Nowhere, ..Protected::new(scheme, setting) }
}

#[test]
fn piff_1_1() {
    for (scheme, size) in [(Scheme::Cenc, 8), (Scheme::Cenc, 16), (Scheme::Cbc1, 16)] {
        check(&[
            Track::video(1).protect(piff(scheme, size)),
            Track::audio(2).protect(piff(scheme, size)),
        ]);
    }
}

/// Flag 1 of PIFF's sample box: algorithm, IV size and KID for this fragment.
#[test]
fn piff_sample_boxes_that_override_the_track() {
    for (own, other) in [(8, 16), (16, 8)] {
        let override_ = Some(Setting { iv: Iv::Each(other), ..Setting::new(6) });
        let protected = Protected { override_, ..piff(Scheme::Cenc, own) };
        let tracks = [Track::video(1), Track::audio(2)];
        let movie = Movie::fragmented(tracks.map(|track| track.protect(protected.clone())));
        movie.clone().check();
        movie.with(|layout| layout.in_movie = 2).check();
    }
}

#[test]
fn senc_in_trak() {
    let in_trak = |senc| Protected { senc, senc_in_trak: true, ..Protected::cenc(1) };
    let tracks = [
        Track::video(1).protect(in_trak(Senc::Whole)),
        Track::audio(2).protect(Protected { aux: AuxAt::Nowhere, ..in_trak(Senc::Whole) }),
    ];
    Movie::progressive(tracks).check();
}
