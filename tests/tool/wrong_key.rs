//! Wrong keys: exit code 1, the key named, and nothing written that could be taken for a clear file.

use std::fs;

use crate::boxes::find;
use crate::support::{Dir, Fixture, Way, assert_same, clearkey, decrypt, key_args, media, run};

/// Where a wrong key may stay unnoticed: a file, the places of keys in its list, and why.
const WEAK: [(&str, &[usize], &str); 11] = [
    ("b4_cenc_avc_aac_fragb4.mp4", &[0], BEHIND_THE_MODES),
    ("b4_cenc_opt_no-senc.mp4", &[0], BEHIND_THE_MODES),
    ("b4_piff-ctr_avc_aac_fragb4.mp4", &[0], BEHIND_THE_MODES),
    ("b4_piff-cbc_avc_aac_fragb4.mp4", &[0], SOME_HEADERS),
    ("gpac_cenc8_prog_avc_aac.mp4", &[0], BEHIND_THE_MODES),
    ("gpac_cenc16_frag_avc_aac.mp4", &[0], BEHIND_THE_MODES),
    ("gpac_cbc1_prog_avc_aac.mp4", &[0], BEHIND_THE_MODES),
    ("gpac_cens_prog_avc_aac.mp4", &[0], BEHIND_THE_MODES),
    // The second key is that of the audio.
    ("gpac_cenc_keyroll_frag_avc_aac.mp4", &[0, 2, 3], BEHIND_THE_MODES),
    ("gpac_cbcs_frag_hevc_eac3.mp4", &[0], SLICE_DATA),
    ("shaka_cbcs_av1_opus_video.mp4", &[0], TILES),
];

const BEHIND_THE_MODES: &str = "clear bytes reach beyond the first macroblock of a slice: what is left to see is a zero at \
    its end, in one of 256 samples";
const SOME_HEADERS: &str = "most slices begin clear, and those that do not break one rule only, always: so might a writer \
    that does not know the rule";
const SLICE_DATA: &str = "slice data of HEVC, which only begin and end in a way that can be told: one of 128 samples shows it";
const TILES: &str =
    "tiles of AV1 are the code of an arithmetic coder, and cbcs leaves the end clear";

fn kid(key: &str) -> &str {
    key.split(':').next().unwrap()
}

/// A key with its last bit flipped.
fn flipped(key: &str) -> String {
    let (rest, digit) = key.split_at(key.len() - 1);
    let digit = u8::from_str_radix(digit, 16).unwrap() ^ 1;
    format!("{rest}{digit:x}")
}

/// Each key id with the key of the next one.
fn exchanged(keys: &[String]) -> Vec<String> {
    let next = keys.iter().cycle().skip(1);
    let pairs = keys.iter().zip(next);
    pairs.map(|(key, next)| format!("{}:{}", kid(key), next.split_once(':').unwrap().1)).collect()
}

/// Wrong keys for all of a file's key ids.
fn wrong_keys(fixture: &Fixture) -> Vec<Vec<String>> {
    let keys = &fixture.keys;
    let other = |key: &String| format!("{}:5e0b9f1c77d2483ab6914ce00fa83d29", kid(key));
    let mut wrong = vec![
        keys.iter().map(|key| flipped(key)).collect(),
        keys.iter().map(other).collect::<Vec<_>>(),
    ];
    if keys.len() > 1 {
        wrong.push(exchanged(keys));
    }
    wrong
}

/// The places of the keys that a file needs: those that are missed when there are none.
fn needed(fixture: &Fixture) -> Vec<usize> {
    let (run, ..) = Way::InPlace.run(&fixture.bytes(), &[]);
    let keys = fixture.keys.iter().enumerate();
    keys.filter(|(_, key)| run.stderr.contains(kid(key))).map(|(place, _)| place).collect()
}

/// Whether another key in this place cannot go unnoticed.
fn is_strong(fixture: &Fixture, place: usize) -> bool {
    !WEAK.iter().any(|(file, weak, _)| *file == fixture.file && weak.contains(&place))
}

/// What a run must have said of wrong keys for these key ids.
#[track_caller]
fn assert_names(stderr: &str, keys: &[String], places: &[usize], what: &str) {
    for (place, key) in keys.iter().enumerate() {
        let named = stderr.contains(&format!("key for KID {} looks wrong: ", kid(key)));
        assert!(!named || places.contains(&place), "{what}: {stderr}");
    }
    assert!(stderr.contains(" samples implausible (track "), "{what}: {stderr}");
}

#[test]
fn all_keys_are_wrong() {
    let everywhere: Vec<_> = (0..10).collect();
    for fixture in Fixture::all() {
        let input = fixture.bytes();
        let is_strong = needed(&fixture).into_iter().any(|place| is_strong(&fixture, place));
        for keys in wrong_keys(&fixture) {
            let garbage = Way::Path.run(&input, &[key_args(&keys), no_verify()].concat()).2;
            for way in Way::ALL {
                let what = format!("{}: {way:?}", fixture.file);
                let (run, file, output) = way.run(&input, &key_args(&keys));
                if run.code == 0 && !is_strong {
                    assert!(way.is_compact() || output == garbage, "{what}");
                    continue;
                }
                let run = run.refused(1, &[]);
                assert_names(&run.stderr, &keys, &everywhere, &what);
                assert_same(&file, &input, &what);
                match way {
                    Way::Path | Way::Compact => assert_eq!(output, None, "{what}"),
                    Way::InPlace => {}
                    Way::Stdin | Way::CompactStdin => {
                        assert!(run.stderr.contains("a part of the output"), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn one_key_is_wrong() {
    for fixture in Fixture::all() {
        for place in needed(&fixture) {
            let mut keys = fixture.keys.clone();
            keys[place] = flipped(&keys[place]);
            let what = format!("{}: key {place}", fixture.file);
            let (run, _, output) = Way::Path.run(&fixture.bytes(), &key_args(&keys));
            if run.code == 0 && !is_strong(&fixture, place) {
                continue;
            }
            let run = run.refused(1, &[kid(&keys[place])]);
            assert_names(&run.stderr, &keys, &[place], &what);
            assert_eq!(output, None, "{what}");
        }
    }
}

#[test]
fn the_table_is_about_keys_that_are_there() {
    for (file, places, _) in WEAK {
        let fixture = Fixture::named(file);
        let needed = needed(&fixture);
        assert!(places.iter().all(|place| needed.contains(place)), "{file}");
    }
}

fn no_verify() -> Vec<String> {
    vec!["--no-verify".to_owned()]
}

#[test]
fn garbage_for_whoever_wants_it() {
    for fixture in Fixture::all() {
        let (input, keys) = (fixture.bytes(), &wrong_keys(&fixture)[0]);
        let clear = Way::Path.decrypt(&input, &fixture.keys);
        let mut garbage = None;
        for way in Way::ALL {
            let what = format!("{}: {way:?}", fixture.file);
            let (run, _, output) = way.run(&input, &[key_args(keys), no_verify()].concat());
            run.done();
            if !way.is_compact() {
                let output = output.unwrap();
                assert_ne!(output, clear, "{what}");
                assert_same(&output, garbage.get_or_insert(output.clone()), &what);
            }
        }
    }
}

#[test]
fn a_report_tells_what_was_looked_at() {
    let fixture = Fixture::named("shaka_cenc_vp9_opus_video.mp4");
    let dir = Dir::new();
    let input = dir.write("in.mp4", &fixture.bytes());
    let report = |keys: &[String], args: &[&str]| {
        let run = run(decrypt(keys).arg(&input).arg("--json").args(args));
        let report = serde_json::from_slice::<serde_json::Value>(&run.stdout).unwrap();
        let checks = report["tracks"]["1"]["checks"][kid(&keys[0])].clone();
        (run.code, report["complete"].as_bool().unwrap(), checks)
    };
    let out = dir.path("out.mp4");
    let out = ["-o", out.to_str().unwrap()];
    let [right, wrong] = [fixture.keys.clone(), wrong_keys(&fixture)[0].clone()];
    let expected = serde_json::json!({"checked": 100, "implausible": 0, "verdict": "plausible"});
    assert_eq!(report(&right, &out), (0, true, expected.clone()));
    for args in [&out[..], &["--in-place"]] {
        let (code, is_complete, checks) = report(&wrong, args);
        assert_eq!(
            (code, is_complete, &checks["verdict"]),
            (1, false, &"wrong".into()),
            "{args:?}"
        );
        // It does not go on to the end.
        assert!(checks["checked"].as_u64().unwrap() <= 100, "{checks}");
        assert!(checks["implausible"].as_u64().unwrap() > 0, "{checks}");
    }
    let unseen = report(&right, &[&out[..], &["--no-verify"]].concat());
    assert_eq!(unseen, (0, true, serde_json::Value::Null));
    assert_eq!(report(&right, &["--in-place"]), (0, true, expected));
}

#[test]
fn an_old_output_stays() {
    let fixture = Fixture::named("shaka_cenc_vp9_opus_video.mp4");
    let wrong = wrong_keys(&fixture);
    let dir = Dir::new();
    let input = dir.write("in.mp4", &fixture.bytes());
    let out = dir.write("out.mp4", b"what was there before");
    for option in ["--quiet", "--compact", "--allow-missing-keys"] {
        let mut command = decrypt(&wrong[0]);
        let run = run(command.arg(&input).arg("-o").arg(&out).arg(option));
        run.refused(1, &["in.mp4: key for KID ", " looks wrong: ", " (track 1)"]);
        assert_eq!(dir.read("out.mp4"), b"what was there before");
        assert_eq!(dir.names(), ["in.mp4", "out.mp4"]);
    }
}

/// A key that is given for a track has a key id like any other.
#[test]
fn the_key_of_a_track() {
    let fixture = Fixture::named("shaka_cenc_vp9_opus_video.mp4");
    let dir = Dir::new();
    let out = dir.path("out.mp4");
    let [right, wrong] = [&fixture.keys, &wrong_keys(&fixture)[0]]
        .map(|keys| vec![format!("1:{}", keys[0].split_once(':').unwrap().1)]);
    let mut command = decrypt(&wrong);
    let refused = run(command.arg(fixture.path()).arg("-o").arg(&out));
    refused.refused(1, &[kid(&fixture.keys[0]), "looks wrong"]);
    run(decrypt(&right).arg(fixture.path()).arg("-o").arg(&out)).done();
}

/// Tracks that are left for want of a key are not looked at; the others are.
#[test]
fn beside_a_missing_key() {
    for fixture in Fixture::all().iter().filter(|fixture| needed(fixture).len() == 2) {
        for place in (0..2).filter(|&place| is_strong(fixture, place)) {
            let mut command = clearkey();
            let dir = Dir::new();
            let key = flipped(&fixture.keys[place]);
            command.args(["decrypt", "--allow-missing-keys", "--key", &key, "-o"]);
            let run = run(command.arg(dir.path("out.mp4")).arg(fixture.path()));
            let run = run.refused(1, &[]);
            assert_names(&run.stderr, &fixture.keys, &[place], &fixture.file);
            assert_eq!(dir.names(), [""; 0], "{}", fixture.file);
        }
    }
}

#[test]
fn segments() {
    let audio = Fixture::named("shaka_cenc_avc_aac_audio.mp4");
    let init = media("segments/a_init.mp4");
    let segment = fs::read(media("segments/a_1.m4s")).unwrap();
    for keys in wrong_keys(&audio) {
        let args = ["--init".to_owned(), init.to_str().unwrap().to_owned()];
        for way in Way::ALL {
            let (run, file, _) = way.run(&segment, &[key_args(&keys), args.to_vec()].concat());
            run.refused(1, &[" looks wrong: "]);
            assert_same(&file, &segment, &format!("{way:?}"));
        }
    }
}

#[test]
fn a_bench_of_garbage() {
    let fixture = Fixture::named("shaka_cenc_vp9_opus_video.mp4");
    let dir = Dir::new();
    let work = dir.path("").to_str().unwrap().to_owned();
    for (keys, option, code) in [
        (&fixture.keys, None, 0),
        (&wrong_keys(&fixture)[0], None, 1),
        (&wrong_keys(&fixture)[0], Some("--no-verify"), 0),
    ] {
        let mut command = clearkey();
        command.args(["bench", "--json", "--time", "0", "--work", &work]).arg(fixture.path());
        let run = run(command.args(key_args(keys)).args(option));
        assert_eq!(run.code, code, "{}", run.stderr);
        if code == 0 {
            let report = serde_json::from_slice::<serde_json::Value>(&run.stdout).unwrap();
            assert_eq!(report["file"]["check_seconds"].is_number(), option.is_none());
        }
    }
    assert_eq!(dir.names(), [""; 0]);
}

/// Garbage that alone looks like a wrong key, between samples that look right: threads that overtake each other
/// find the same as one alone.
#[test]
fn in_several_threads() {
    let fixture = Fixture::named("gpac_cbcs_5_5_frag_avc_aac.mp4");
    let mut input = fixture.bytes();
    let audio_end = find(&input, "mdat")[2].end;
    input[audio_end - 7000..audio_end].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let dir = Dir::new();
    let input = dir.write("in.mp4", &input);
    let found = |threads: &str| {
        let mut command = decrypt(&fixture.keys);
        command.args(["--json", "--threads", threads, "-o"]).arg(dir.path("out.mp4")).arg(&input);
        let run = run(&mut command);
        (run.code, String::from_utf8(run.stdout).unwrap(), run.stderr)
    };
    let alone = found("1");
    assert!(alone.1.contains(r#""implausible": 36"#), "{}", alone.1);
    for _ in 0..24 {
        assert_eq!(found("8"), alone);
    }
}
