//! Where the IVs and subsamples are: `senc`, `saiz` with `saio`, both, or neither.

use crate::make::{AuxAt, Base, Movie, Protected, Senc, Track};

/// Checks two tracks whose auxiliary information is there, fragmented and progressive.
#[track_caller]
fn check(senc: Senc, aux: AuxAt) {
    let protected = |kid| Protected { senc, aux, ..Protected::cenc(kid) };
    let tracks = [
        Track::video(1).protect(protected(1)),
        Track::audio(2).protect(protected(2)),
        Track::audio(3),
    ];
    for runs in [1, 3] {
        Movie::fragmented(tracks.clone()).with(|layout| layout.runs = runs).check();
        Movie::progressive(tracks.clone()).with(|layout| layout.runs = runs).check();
    }
}

#[test]
fn senc_alone() {
    check(Senc::Whole, AuxAt::Nowhere);
}

#[test]
fn beside_the_samples() {
    check(Senc::Absent, AuxAt::Data);
}

#[test]
fn an_offset_for_each_run() {
    check(Senc::Absent, AuxAt::EachRun);
}

#[test]
fn the_same_twice() {
    check(Senc::Whole, AuxAt::Data);
    check(Senc::Whole, AuxAt::EachRun);
}

#[test]
fn more_entries_than_samples() {
    check(Senc::Long, AuxAt::Nowhere);
    check(Senc::Long, AuxAt::Data);
}

/// `senc` is right, and `saio` is not.
#[test]
fn senc_comes_first() {
    check(Senc::Whole, AuxAt::Astray);
}

/// `senc` is cut off or counts too little, and `saio` leads to what is right.
#[test]
fn saio_serves_where_senc_does_not() {
    for senc in [Senc::Short, Senc::Cut] {
        check(senc, AuxAt::Data);
        check(senc, AuxAt::EachRun);
    }
}

/// Auxiliary information that is not about encryption stays, and `--compact` corrects its offsets.
#[test]
fn of_another_kind() {
    for (senc, aux) in
        [(Senc::Whole, AuxAt::Senc), (Senc::Whole, AuxAt::Nowhere), (Senc::Absent, AuxAt::Data)]
    {
        let protected = Protected { senc, aux, foreign_aux: true, ..Protected::cenc(1) };
        let tracks =
            [Track::video(1), Track::audio(2)].map(|track| track.protect(protected.clone()));
        for base in [Base::Moof, Base::AbsoluteMoof] {
            Movie::fragmented(tracks.clone()).with(|layout| layout.base = base).check();
        }
        Movie::progressive(tracks).check();
    }
}
