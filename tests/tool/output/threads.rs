//! Threads share a file out, and nobody can see from the output how many they were.

use cenc::Subsample;

use crate::{
    make::{Made, Movie, Protected, Sample, Track, noise},
    support::{Dir, Fixture, Way, assert_same, clearkey, decrypt, key_args, run},
};

/// A track with samples of up to 300 KB, so that one thread cannot be far ahead of the others.
fn large(track: Track, count: u64) -> Track {
    let template = track.samples[0].clone();
    let sample = |number: u64| {
        let len = 40_000 + (number * 7919 % 260_000) as usize;
        let mut iv = template.iv;
        iv[..8].copy_from_slice(&(number + 1).to_be_bytes());
        Sample {
            clear: noise(number, len),
            iv,
            subsamples: vec![Subsample::new(80, len as u32 - 80)],
            group: None,
        }
    };
    Track { samples: (0..count).map(sample).collect(), ..track }
}

/// Files of several megabytes: fragmented, progressive, with either cipher.
fn files() -> Vec<(&'static str, Made)> {
    let tracks = |protected: fn(u8) -> Protected| {
        [
            large(Track::video(1).protect(protected(1)), 18),
            large(Track::video(2).protect(protected(2)), 6),
        ]
    };
    vec![
        ("fragmented", Movie::fragmented(tracks(Protected::cenc)).make()),
        ("progressive", Movie::progressive(tracks(Protected::cenc)).make()),
        ("cbcs", Movie::progressive(tracks(|key| Protected::cbcs(key, (1, 9)))).make()),
    ]
}

fn args(keys: &[String], threads: &str) -> Vec<String> {
    [key_args(keys), vec!["--threads".to_owned(), threads.to_owned()]].concat()
}

#[test]
fn large_files_in_every_way() {
    for (name, made) in files() {
        for threads in ["1", "3", "8"] {
            for way in Way::ALL {
                let (run, _, output) = way.run(&made.protected, &args(&made.keys, threads));
                run.done();
                let expected = if way.is_compact() { &made.compact } else { &made.default };
                let what = format!("{name}: {way:?}, {threads} threads");
                assert_same(&output.unwrap(), expected, &what);
            }
        }
    }
}

#[test]
fn every_fixture() {
    for fixture in Fixture::all() {
        let input = fixture.bytes();
        for way in Way::ALL {
            let output = |threads| {
                let (run, _, output) = way.run(&input, &args(&fixture.keys, threads));
                run.done();
                output.unwrap()
            };
            assert_same(&output("8"), &output("1"), &format!("{}: {way:?}", fixture.file));
        }
    }
}

/// A fragment in the middle has no key: all before it comes by stdout, whatever the threads do.
#[test]
fn what_comes_before_an_error_is_put_out() {
    let part =
        |key| Movie::fragmented([large(Track::video(1).protect(Protected::cenc(key)), 12)]).make();
    let (first, second) = (part(1), part(2));
    let input = [&first.protected[..], &second.protected].concat();
    for threads in ["1", "2", "8"] {
        let (run, _, _) = Way::Stdin.run(&input, &args(&first.keys, threads));
        let run = run.refused(1, &["no key for KID"]);
        let len = first.default.len();
        assert!(run.stdout.len() >= len, "{} of {len} bytes", run.stdout.len());
        assert_same(&run.stdout[..len], &first.default, threads);
        assert!(second.protected.starts_with(&run.stdout[len..][..8.min(run.stdout.len() - len)]));
    }
}

/// A sample table that ends too soon is found before anything is written in place.
#[test]
fn an_error_in_place_changes_nothing() {
    let made = Movie::fragmented([large(Track::video(1).protect(Protected::cenc(1)), 12)]).make();
    let cut = &made.protected[..made.protected.len() - 1];
    for threads in ["1", "8"] {
        let (run, after, _) = Way::InPlace.run(cut, &args(&made.keys, threads));
        run.refused(2, &["in.mp4"]);
        assert_same(&after, cut, threads);
    }
}

#[test]
fn no_threads_at_all_are_refused() {
    let dir = Dir::new();
    let path = dir.write("in.mp4", b"");
    for threads in ["0", "1.5", "many", ""] {
        let mut command = decrypt(&[]);
        let refused = run(command.arg(&path).args(["-o", "out.mp4", "--threads", threads]));
        assert_eq!(refused.code, 2, "{threads}");
        assert!(refused.stderr.contains("--threads"), "{}", refused.stderr);
    }
    let help = run(clearkey().args(["decrypt", "--help"])).done();
    assert!(String::from_utf8(help.stdout).unwrap().contains("--threads"));
}
