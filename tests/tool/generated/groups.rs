//! Sample groups of type `seig`: keys that rotate, and clear samples among protected ones.

use cenc::Scheme;

use crate::make::{AuxAt, Iv, Movie, Protected, Senc, Setting, Track, noise};

/// The first group of a fragment.
const LOCAL: u32 = 0x1_0001;

/// The ways to say where auxiliary information is.
const AUX: [(Senc, AuxAt); 4] = [
    (Senc::Whole, AuxAt::Senc),
    (Senc::Whole, AuxAt::Nowhere),
    (Senc::Absent, AuxAt::Data),
    (Senc::OfProtected, AuxAt::Nowhere),
];

/// Video with subsamples, and audio of whole samples.
fn tracks(protected: &Protected, groups: &[u32]) -> [Track; 2] {
    let track = |track: Track| track.protect(protected.clone()).groups(groups);
    [track(Track::video(1)), track(Track::audio(2))]
}

/// Each fragment has its own list: its order may change from one to the next.
#[test]
fn lists_of_fragments() {
    let [a, b] = [Setting::new(3), Setting::new(4)];
    let local = vec![vec![a.clone(), b.clone()], vec![b, a]];
    for (senc, aux) in AUX {
        let protected = Protected { local: local.clone(), senc, aux, ..Protected::cenc(1) };
        let groups = [LOCAL, LOCAL, LOCAL + 1, 0, LOCAL, LOCAL + 1, LOCAL + 1, LOCAL];
        Movie::fragmented(tracks(&protected, &groups)).check();
        Movie::fragmented(tracks(&protected, &groups)).with(|layout| layout.runs = 2).check();
    }
}

#[test]
fn the_list_of_the_movie() {
    for (senc, aux) in AUX {
        let groups = vec![Setting::new(3), Setting::new(4)];
        let protected = Protected { groups, senc, aux, ..Protected::cenc(1) };
        let tracks = tracks(&protected, &[2, 2, 1, 0, 2, 1, 1, 2]);
        Movie::progressive(tracks.clone()).check();
        Movie::progressive(tracks.clone()).with(|layout| layout.runs = 3).check();
        Movie::fragmented(tracks.clone()).check();
        Movie::fragmented(tracks).with(|layout| layout.in_movie = 3).check();
    }
}

#[test]
fn both_lists() {
    let local = vec![vec![Setting::new(3)], vec![Setting::new(4)]];
    let protected = Protected { groups: vec![Setting::new(5)], local, ..Protected::cenc(1) };
    Movie::fragmented(tracks(&protected, &[1, LOCAL, 0, LOCAL, 1, 0, LOCAL, 1])).check();
}

#[test]
fn all_versions_of_sgpd() {
    let constant = |kid| Setting { iv: Iv::Constant(noise(8, 16)), ..Setting::new(kid) };
    for sgpd_version in [0, 1, 2, 3] {
        // Entries of one length, and of two.
        for second in [Setting::new(4), constant(4)] {
            let groups = vec![Setting::new(3), second];
            let protected = Protected { groups, sgpd_version, ..Protected::cenc(1) };
            let tracks = tracks(&protected, &[1, 2, 0, 2, 1, 2]);
            Movie::progressive(tracks.clone()).check();
            Movie::fragmented(tracks).check();
        }
    }
}

/// Samples behind the last run of `sbgp` are in no group, or in the default one of version 2.
#[test]
fn sbgp_shorter_than_the_samples() {
    for (sgpd_version, default_group) in [(1, 0), (2, 0), (2, 1), (2, 2), (3, 2)] {
        let lists = || vec![Setting::new(3), Setting::new(4)];
        let protected = Protected { sgpd_version, default_group, ..Protected::cenc(1) };
        let of_movie = Protected { groups: lists(), ..protected.clone() };
        Movie::progressive(tracks(&of_movie, &[1, 2, 1])).check();
        Movie::fragmented(tracks(&of_movie, &[1, 2, 1])).check();
        // No `sbgp` at all.
        Movie::fragmented(tracks(&of_movie, &[])).check();
        let local = Protected { local: vec![lists(), lists()], ..protected };
        Movie::fragmented(tracks(&local, &[LOCAL, LOCAL + 1])).check();
        Movie::fragmented(tracks(&local, &[])).check();
    }
}

/// The real key ids come with the groups; nobody has a key for the one of zeros.
#[test]
fn a_default_kid_of_zeros() {
    let protected = Protected {
        groups: vec![Setting::new(3)],
        local: vec![vec![Setting::new(4)], vec![Setting::new(5)]],
        default: Setting::new(0),
        ..Protected::cenc(1)
    };
    let groups = [LOCAL, LOCAL, 1, LOCAL, 1, 1, LOCAL, LOCAL];
    Movie::fragmented(tracks(&protected, &groups)).check();
    let of_movie = Protected { local: Vec::new(), ..protected };
    Movie::progressive(tracks(&of_movie, &[1; 8])).check();
}

/// Clear samples have entries in `senc` or have none.
#[test]
fn groups_of_clear_samples() {
    for (senc, aux) in [AUX.as_slice(), &[(Senc::OfProtected, AuxAt::Data)]].concat() {
        let lists = || vec![Setting::clear(), Setting::new(4)];
        let protected = Protected { senc, aux, ..Protected::cenc(1) };
        let of_movie = Protected { groups: lists(), ..protected.clone() };
        let tracks_of_movie = tracks(&of_movie, &[1, 1, 0, 2, 1, 2, 0, 1]);
        Movie::progressive(tracks_of_movie.clone()).check();
        Movie::fragmented(tracks_of_movie).check();
        let local = Protected { local: vec![lists(), lists()], ..protected };
        Movie::fragmented(tracks(&local, &[LOCAL, 0, LOCAL + 1, LOCAL, LOCAL, LOCAL, 0])).check();
    }
}

/// Clear by default, and protected where a group says so.
#[test]
fn clear_by_default() {
    for (senc, aux) in AUX {
        let default = Setting { kid: [1; 16], ..Setting::clear() };
        let groups = vec![Setting::new(4)];
        let protected = Protected { default, groups, senc, aux, ..Protected::cenc(1) };
        let tracks = tracks(&protected, &[0, 1, 1, 0, 1, 0]);
        Movie::progressive(tracks.clone()).check();
        Movie::fragmented(tracks).check();
    }
}

/// A group replaces all that `tenc` says: IV size, constant IV, pattern.
#[test]
fn groups_replace_everything() {
    let groups = vec![
        Setting { iv: Iv::Each(16), pattern: (5, 5), ..Setting::new(3) },
        Setting { iv: Iv::Constant(noise(9, 8)), pattern: (0, 0), ..Setting::new(4) },
        Setting { iv: Iv::Constant(noise(9, 16)), pattern: (1, 9), ..Setting::new(5) },
    ];
    for (senc, aux) in AUX {
        let setting = Setting { pattern: (1, 2), ..Setting::new(1) };
        let protected = Protected::new(Scheme::Cbcs, setting);
        let protected = Protected { groups: groups.clone(), senc, aux, ..protected };
        let tracks = tracks(&protected, &[1, 2, 3, 0, 1, 2, 3, 0]);
        Movie::progressive(tracks.clone()).check();
        Movie::fragmented(tracks).check();
    }
}
