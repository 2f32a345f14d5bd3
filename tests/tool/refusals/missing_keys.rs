//! Protected samples without a key: exit code 1, and nothing that could be taken for a clear file.

use std::collections::BTreeMap;

use crate::{
    make::{Made, Movie, Protected, Setting, Track},
    samples,
    support::{Dir, Fixture, Way, assert_same, clearkey, decrypt, key_args, run},
};

/// The key id of `KID:KEY`.
fn kid(key: &str) -> &str {
    key.split(':').next().unwrap()
}

#[test]
fn refused_and_named() {
    for fixture in Fixture::all() {
        let input = fixture.bytes();
        // Nobody has a key: one that is missing is named.
        for way in Way::ALL {
            let (run, file, output) = way.run(&input, &[]);
            let run = run.refused(1, &["no key for KID ", "(track "]);
            assert!(fixture.keys.iter().any(|key| run.stderr.contains(kid(key))), "{}", run.stderr);
            assert_same(&file, &input, &fixture.file);
            match way {
                Way::Path | Way::Compact => assert_eq!(output, None, "{}", fixture.file),
                Way::CompactStdin => assert_eq!(output.unwrap(), b"", "{}", fixture.file),
                Way::Stdin | Way::InPlace => {}
            }
        }
    }
}

#[test]
fn all_missing_keys_of_a_file_are_named() {
    // The second key is that of the audio, the others serve the video one after the other.
    let fixture = Fixture::named("gpac_cenc_keyroll_frag_avc_aac.mp4");
    let dir = Dir::new();
    let input = dir.write("in.mp4", &fixture.bytes());
    for known in 0..fixture.keys.len() {
        let (known, missing) = fixture.keys.split_at(known);
        let run = run(decrypt(known).arg(&input).arg("-o").arg(dir.path("out.mp4")));
        let run = run.refused(1, &[]);
        for (number, key) in fixture.keys.iter().enumerate() {
            let named = format!("KID {} (track {})", kid(key), if number == 1 { 2 } else { 1 });
            assert_eq!(run.stderr.contains(&named), missing.contains(key), "{}", run.stderr);
        }
    }
}

#[test]
fn an_old_output_stays() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let dir = Dir::new();
    let input = dir.write("in.mp4", &fixture.bytes());
    let out = dir.write("out.mp4", b"what was there before");
    for option in ["--quiet", "--compact"] {
        let mut command = decrypt(&fixture.keys[..1]);
        let missing = kid(&fixture.keys[1]);
        run(command.arg(&input).arg("-o").arg(&out).arg(option)).refused(1, &[missing, "track 2"]);
        assert_eq!(dir.read("out.mp4"), b"what was there before");
        assert_eq!(dir.names(), ["in.mp4", "out.mp4"]);
    }
}

/// Decrypts what can be, and again with all keys: this has to give what all keys at once would have
/// given.
#[track_caller]
fn in_two_steps(made: &Made, known: &[String], left_tracks: &[u32], what: &str) {
    let missing: Vec<_> = made.keys.iter().filter(|key| !known.contains(key)).cloned().collect();
    for way in Way::ALL {
        let what = format!("{what}, {way:?}");
        let mut args = key_args(known);
        args.push("--allow-missing-keys".to_owned());
        let (run, _, output) = way.run(&made.protected, &args);
        assert_eq!(run.code, 1, "{what}: {}", run.stderr);
        assert!(missing.iter().any(|key| run.stderr.contains(kid(key))), "{what}: {}", run.stderr);
        let first = output.unwrap();
        let tracks = samples::read(&first);
        assert_eq!(tracks.len(), made.clear.len(), "{what}");
        for (id, track) in &tracks {
            let is_clear = track.data(&first) == made.clear[id];
            assert_eq!(is_clear, !left_tracks.contains(id), "{what}: track {id}");
        }
        let expected = if way.is_compact() { &made.compact } else { &made.default };
        assert_same(&way.decrypt(&first, &made.keys), expected, &what);
    }
}

fn made(fixture: &Fixture) -> Made {
    let protected = fixture.bytes();
    let default = Way::Path.decrypt(&protected, &fixture.keys);
    let compact = Way::Compact.decrypt(&protected, &fixture.keys);
    let tracks = samples::read(&default);
    let clear: BTreeMap<_, _> =
        tracks.iter().map(|(id, track)| (*id, track.data(&default))).collect();
    Made { protected, default, compact, keys: fixture.keys.clone(), clear }
}

/// Files with one key for each of two tracks.
#[test]
fn allowed_in_fixtures() {
    let mut seen = 0;
    for fixture in Fixture::all() {
        let is_one_key_each = fixture.keys.len() == 2 && fixture.clear_md5.len() == 2;
        if is_one_key_each {
            let made = made(&fixture);
            in_two_steps(&made, &fixture.keys[..1], &[2], &fixture.file);
            in_two_steps(&made, &fixture.keys[1..], &[1], &fixture.file);
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} files have two keys");
}

#[test]
fn allowed_in_made_files() {
    let tracks = [
        Track::video(1).protect(Protected::cenc(1)),
        Track::audio(2).protect(Protected::cbcs(2, (0, 0)).without_aux()),
        Track::audio(3),
    ];
    for movie in [
        Movie::fragmented(tracks.clone()).with(|layout| layout.pssh_in_moof = true),
        Movie::fragmented(tracks.clone()).with(|layout| (layout.index, layout.runs) = (true, 2)),
        Movie::fragmented(tracks.clone()).with(|layout| layout.in_movie = 2),
        Movie::progressive(tracks),
    ] {
        let made = movie.make();
        in_two_steps(&made, &made.keys[..1], &[2], "the audio has no key");
        in_two_steps(&made, &made.keys[1..], &[1], "the video has no key");
        in_two_steps(&made, &[], &[1, 2], "nothing has a key");
    }
}

/// Keys rotate, and the second one is missing: what it protects must still be decryptable later.
#[test]
fn allowed_where_keys_rotate() {
    let rotating = |kid: u8, groups: [u8; 2]| Protected {
        local: groups.map(|kid| vec![Setting::new(kid)]).to_vec(),
        ..Protected::cenc(kid)
    };
    let tracks = [
        Track::video(1).protect(rotating(1, [1, 4])).groups(&[0x1_0001; 8]),
        Track::audio(2).protect(Protected::cenc(2)),
    ];
    let made = Movie::fragmented(tracks).make();
    let [first, second, rotated] = &made.keys[..] else { panic!("{:?}", made.keys) };
    in_two_steps(&made, &[first.clone(), second.clone()], &[1], "the second key is missing");
    in_two_steps(&made, &[rotated.clone(), second.clone()], &[1], "the first key is missing");
}

/// Two groups in one sample table: there is a key for one of them.
#[test]
fn allowed_where_keys_rotate_in_a_sample_table() {
    let protected =
        Protected { groups: vec![Setting::new(3), Setting::new(4)], ..Protected::cenc(1) };
    let tracks = [
        Track::video(1).protect(protected).groups(&[1, 1, 2, 0, 2, 1, 1, 2]),
        Track::audio(2).protect(Protected::cenc(2)),
    ];
    for movie in [Movie::progressive(tracks.clone()), Movie::fragmented(tracks)] {
        let made = movie.make();
        for missing in 0..made.keys.len() {
            let mut known = made.keys.clone();
            let missing = known.remove(missing);
            let track = if missing.starts_with("02") { 2 } else { 1 };
            in_two_steps(&made, &known, &[track], &missing);
        }
    }
}

#[test]
fn reports_say_what_is_left() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let dir = Dir::new();
    let out = dir.path("out.mp4");
    let mut command = decrypt(&fixture.keys[..1]);
    command.arg(fixture.path()).arg("-o").arg(&out).args(["--allow-missing-keys", "--json"]);
    let run_json = run(&mut command);
    assert_eq!(run_json.code, 1, "{}", run_json.stderr);
    let json: serde_json::Value = serde_json::from_slice(&run_json.stdout).unwrap();
    assert_eq!(json["complete"], false);
    assert_eq!(json["tracks"]["1"]["left_encrypted"], 0);
    assert_eq!(json["tracks"]["2"]["decrypted"], 0);
    assert_eq!(json["tracks"]["2"]["left_encrypted"], 189);
    assert_eq!(json["tracks"]["2"]["missing_kids"][0], kid(&fixture.keys[1]));
    // What is left says so when it is inspected.
    let inspected = run(clearkey().args(["inspect", "--json"]).arg(&out)).done();
    let json: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(json["tracks"]["1"]["protected_samples"], 0);
    assert_eq!(json["tracks"]["2"]["protected_samples"], 189);
}
