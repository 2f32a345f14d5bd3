//! Where boxes and samples lie in a file.

use crate::make::{AuxAt, Base, Made, Mdat, Movie, Protected, Senc, Setting, Sizes, Track, noise};

/// Video and audio, with two keys.
fn tracks() -> [Track; 2] {
    [Track::video(1).protect(Protected::cenc(1)), Track::audio(2).protect(Protected::cenc(2))]
}

/// The same with a clear track between them.
fn with_clear() -> [Track; 3] {
    let [video, audio] = tracks();
    [video, Track::audio(3), audio]
}

#[test]
fn a_plain_file() {
    Movie::fragmented(tracks()).check();
    Movie::progressive(tracks()).check();
}

#[test]
fn clear_and_protected_tracks() {
    for movie in [Movie::fragmented(with_clear()), Movie::progressive(with_clear())] {
        movie.clone().with(|layout| layout.runs = 3).check();
        let clear_first = movie.tracks.into_iter().rev();
        Movie { tracks: clear_first.collect(), ..movie }.check();
    }
}

#[test]
fn several_movie_headers_in_one_stream() {
    let stream = |tracks: Vec<Track>| Movie::fragmented(tracks).make();
    let other = Track { samples: Track::video(9).samples, ..Track::video(1) };
    Made::joined([
        stream(vec![Track::video(1)]),
        stream(vec![Track::video(1).protect(Protected::cenc(1))]),
        stream(vec![Track::video(1).protect(Protected::cenc(7)), Track::audio(2)]),
        stream(vec![Track::audio(5).protect(Protected::cbcs(3, (0, 0)).without_aux())]),
        stream(vec![other.protect(Protected::cbcs(4, (1, 9)))]),
        stream(vec![Track::video(1)]),
    ])
    .check();
}

/// The same movie header again, as streams that can be joined anywhere have it.
#[test]
fn a_movie_header_before_each_fragment() {
    let part = |first: usize| {
        let mut movie = Movie::fragmented(tracks()).with(|layout| layout.fragments = 1);
        for track in &mut movie.tracks {
            track.samples = track.samples.split_off(first);
        }
        movie.make()
    };
    Made::joined([part(0), part(2), part(1)]).check();
}

#[test]
fn mdat_with_a_64_bit_size() {
    Movie::fragmented(tracks()).with(|layout| layout.mdat = Mdat::Large).check();
    for mdat_first in [false, true] {
        let movie = Movie::progressive(with_clear());
        movie.with(|layout| (layout.mdat, layout.mdat_first) = (Mdat::Large, mdat_first)).check();
    }
}

#[test]
fn the_last_mdat_takes_all_that_follows() {
    Movie::fragmented(with_clear()).with(|layout| layout.mdat = Mdat::ToEnd).check();
    Movie::progressive(with_clear()).with(|layout| layout.mdat = Mdat::ToEnd).check();
}

#[test]
fn mdat_before_moov() {
    for tracks in [with_clear().to_vec(), tracks().to_vec(), vec![Track::video(1)]] {
        let movie = Movie::progressive(tracks).with(|layout| layout.mdat_first = true);
        movie.clone().check();
        movie.with(|layout| (layout.padding, layout.runs) = (true, 4)).check();
    }
}

#[test]
fn boxes_that_have_nothing_to_do_with_it_stay() {
    Movie::fragmented(with_clear()).with(|layout| layout.padding = true).check();
    Movie::progressive(with_clear()).with(|layout| layout.padding = true).check();
}

#[test]
fn absolute_base_data_offsets() {
    for base in [Base::AbsoluteMoof, Base::AbsoluteData] {
        let movie = Movie::fragmented(with_clear());
        let movie = movie.with(|layout| (layout.base, layout.runs) = (base, 2));
        if base == Base::AbsoluteMoof {
            movie.clone().check();
        }
        // Offsets of auxiliary information count from the same base.
        let mut data = movie;
        for protected in data.tracks.iter_mut().filter_map(|track| track.protected.as_mut()) {
            (protected.senc, protected.aux) = (Senc::Absent, AuxAt::Data);
        }
        data.with(|layout| layout.gap = 7).check();
    }
}

/// ISO/IEC 14496-12, 8.8.7: without a flag, the data of a track fragment count from the end of the
/// data before.
#[test]
fn data_offsets_from_the_track_before() {
    for gap in [0, 37, 2000] {
        let movie = Movie::fragmented(with_clear());
        movie.with(|layout| (layout.base, layout.gap) = (Base::Previous, gap)).check();
    }
}

#[test]
fn several_runs() {
    for base in [Base::Moof, Base::AbsoluteMoof, Base::Previous] {
        let movie = Movie::fragmented(with_clear());
        movie.with(|layout| (layout.base, layout.runs, layout.gap) = (base, 3, 11)).check();
    }
    Movie::progressive(with_clear()).with(|layout| layout.runs = 4).check();
}

#[test]
fn runs_of_the_tracks_in_turns() {
    for base in [Base::Moof, Base::AbsoluteMoof] {
        let movie = Movie::fragmented(with_clear());
        let movie = movie.with(|layout| {
            (layout.interleaved, layout.runs, layout.base) = (true, 3, base);
        });
        movie.clone().check();
        let mut in_data = movie;
        for protected in in_data.tracks.iter_mut().filter_map(|track| track.protected.as_mut()) {
            (protected.senc, protected.aux) = (Senc::Absent, AuxAt::EachRun);
        }
        in_data.check();
    }
}

#[test]
fn fragments_and_runs_without_samples() {
    let movie = Movie::fragmented(with_clear());
    let movie = movie.with(|layout| (layout.fragments, layout.runs) = (12, 2));
    movie.clone().check();
    movie.with(|layout| layout.index = true).check();
}

#[test]
fn runs_without_a_data_offset_follow_the_one_before() {
    let movie = Movie::fragmented(with_clear());
    movie.with(|layout| (layout.runs, layout.run_offsets, layout.gap) = (3, 1, 11)).check();
    // Without any, the data begin at the base.
    for protected in [Protected::cenc(1).without_aux(), Protected::cenc(1)] {
        let aux = if protected.senc == Senc::Absent { AuxAt::Nowhere } else { AuxAt::Senc };
        let protected = Protected {
            aux,
            default: Setting { iv: crate::make::Iv::Constant(noise(1, 8)), ..protected.default },
            ..protected
        };
        let [video, audio] = [Track::video(1), Track::audio(2)];
        let tracks = match aux {
            AuxAt::Nowhere => [video, audio].map(|track| track.protect_whole(protected.clone())),
            // Subsamples are in `senc`; `saio` could not point there, as offsets have no sign.
            _ => {
                let protected = Protected { aux: AuxAt::Nowhere, ..protected };
                [video, audio].map(|track| track.protect(protected.clone()))
            }
        };
        let movie = Movie::fragmented(tracks);
        let movie = movie.with(|layout| {
            (layout.runs, layout.run_offsets, layout.base) = (2, 0, Base::AbsoluteData);
        });
        movie.check();
    }
}

#[test]
fn compact_sample_sizes() {
    let sizes: [(u8, &[usize]); 3] =
        [(4, &[15, 1, 0, 7, 12]), (8, &[255, 0, 16, 33]), (16, &[700, 65535, 0, 17])];
    for (bits, sizes) in sizes {
        let video = Track::new(1, crate::make::Entry::Video, sizes);
        let audio = Track::new(2, crate::make::Entry::Audio(b"mp4a"), &sizes[..3]);
        let tracks = [
            video.protect(Protected::cenc(1)),
            audio.protect(Protected::cbcs(2, (0, 0)).without_aux()),
        ];
        let movie = Movie::progressive(tracks);
        movie.with(|layout| (layout.sizes, layout.runs) = (Sizes::Stz2(bits), 2)).check();
    }
}

#[test]
fn chunk_offsets_of_64_bits() {
    for mdat_first in [false, true] {
        let movie = Movie::progressive(with_clear());
        movie
            .with(|layout| (layout.co64, layout.runs, layout.mdat_first) = (true, 3, mdat_first))
            .check();
    }
}

/// Samples in `moov`, and fragments behind it.
#[test]
fn hybrid_files() {
    for mdat in [Mdat::Plain, Mdat::Large] {
        let movie = Movie::fragmented(with_clear());
        let movie = movie.with(|layout| (layout.in_movie, layout.runs, layout.mdat) = (3, 2, mdat));
        movie.clone().check();
        movie.clone().with(|layout| layout.index = true).check();
        movie.with(|layout| layout.mdat_first = true).check();
    }
}

#[test]
fn two_moofs_before_their_mdat() {
    for base in [Base::Moof, Base::AbsoluteMoof] {
        let movie = Movie::fragmented(with_clear());
        let movie = movie.with(|layout| {
            (layout.fragments, layout.paired, layout.base) = (4, true, base);
        });
        movie.clone().check();
        movie.with(|layout| (layout.padding, layout.mdat) = (true, Mdat::ToEnd)).check();
    }
}

#[test]
fn indexes() {
    for base in [Base::Moof, Base::AbsoluteMoof] {
        for paired in [false, true] {
            let movie = Movie::fragmented(with_clear()).with(|layout| {
                (layout.index, layout.fragments, layout.pssh_in_moof) = (true, 4, true);
                (layout.base, layout.paired) = (base, paired);
            });
            movie.clone().check();
            movie.clone().with(|layout| layout.padding = true).check();
            movie.with(|layout| layout.index_first = true).check();
        }
    }
}

#[test]
fn pssh_boxes_in_fragments() {
    Movie::fragmented(tracks()).with(|layout| layout.pssh_in_moof = true).check();
}

#[test]
fn a_fragment_larger_than_the_buffers() {
    let video = Track::new(1, crate::make::Entry::Video, &[300_000, 1, 700_000, 262_144, 262_145]);
    let audio = Track::new(2, crate::make::Entry::Audio(b"mp4a"), &[262_143; 3]);
    let tracks = [
        video.protect(Protected::cenc(1)),
        audio.protect(Protected::cbcs(2, (1, 9)).without_aux()),
    ];
    Movie::fragmented(tracks.clone()).check();
    Movie::progressive(tracks).check();
}
