//! `clearkey encrypt`: what the arguments say is what the file has, and `decrypt` makes it what it was.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    frames::md5,
    support::{Dir, KID, OTHER_KEY, OTHER_KID, Run, clearkey, other_pair, pair, run},
};

fn clear(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/clear").join(name)
}

/// Encrypts a clear file to `out.mp4` in `dir`.
fn encrypt(dir: &Dir, name: &str, args: &[&str]) -> Run {
    run(clearkey().arg("encrypt").arg(clear(name)).arg("-o").arg(dir.path("out.mp4")).args(args))
}

/// Decrypts `out.mp4` with `--compact`, and says whether it is the clear file, byte for byte.
#[track_caller]
fn assert_comes_back(dir: &Dir, name: &str, args: &[&str]) {
    assert!(decrypted(dir, args) == fs::read(clear(name)).unwrap(), "{name} {args:?}");
}

/// What `out.mp4` is, decrypted with `--compact`.
#[track_caller]
fn decrypted(dir: &Dir, args: &[&str]) -> Vec<u8> {
    let (from, to) = (dir.path("out.mp4"), dir.path("back.mp4"));
    run(clearkey().arg("decrypt").arg(from).arg("-o").arg(to).arg("--compact").args(args)).done();
    dir.read("back.mp4")
}

fn inspect(dir: &Dir) -> Value {
    let shown = run(clearkey().args(["inspect", "--json"]).arg(dir.path("out.mp4"))).done();
    serde_json::from_slice(&shown.stdout).unwrap()
}

/// What a track's only sample entry says.
fn entry<'v>(shown: &'v Value, track: &str) -> &'v Value {
    let entries = shown["tracks"][track]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    &entries[0]
}

#[test]
fn every_clear_file_comes_back_from_every_scheme() {
    let files = fs::read_dir(clear("")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.ends_with(".mp4")).collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in &names {
        for scheme in ["cenc", "cens", "cbc1", "cbcs"] {
            for more in [&[][..], &["--per-sample-iv"], &["--iv", "16"], &["--threads", "1"]] {
                let dir = Dir::new();
                let pair = pair();
                let args = [&["--scheme", scheme, "--key", &pair], more].concat();
                encrypt(&dir, name, &args).done();
                assert_comes_back(&dir, name, &["--key", &pair]);
            }
        }
    }
}

#[test]
fn a_file_has_what_the_arguments_say() {
    let dir = Dir::new();
    let video = format!("video={}", pair());
    let audio = format!("2={}", other_pair());
    let args = ["--scheme", "cbcs", "--pattern", "5:5", "--track", &video, "--track", &audio];
    let iv = ["--iv", "000102030405060708090a0b0c0d0e0f"];
    encrypt(&dir, "avc_aac.mp4", &[&args[..], &iv].concat()).done();
    let shown = inspect(&dir);
    for (track, kid) in [("1", KID), ("2", OTHER_KID)] {
        let entry = entry(&shown, track);
        assert_eq!(entry["scheme"], "cbcs");
        assert_eq!(entry["pattern"], "5:5");
        assert_eq!(entry["constant_iv"], iv[1]);
        assert_eq!(entry["default_kid"].as_str().unwrap().replace('-', ""), kid);
        assert_eq!(shown["tracks"][track]["clear_samples"], 0);
    }
    let pssh = shown["pssh"].as_array().unwrap();
    assert_eq!(pssh.len(), 1);
    assert_eq!(
        (pssh[0]["version"].as_u64(), pssh[0]["kids"].as_array().unwrap().len()),
        (Some(1), 2)
    );
}

#[test]
fn patterns_and_ivs_are_those_of_the_scheme_without_arguments() {
    for (scheme, video, audio, iv_size) in [
        ("cenc", None, None, Some(8)),
        ("cens", Some("1:9"), Some("0:0"), Some(8)),
        ("cbc1", None, None, Some(16)),
        ("cbcs", Some("1:9"), Some("0:0"), None),
    ] {
        let dir = Dir::new();
        encrypt(&dir, "avc_aac_frag.mp4", &["--scheme", scheme, "--key", &pair()]).done();
        let shown = inspect(&dir);
        for (track, pattern) in [("1", video), ("2", audio)] {
            let entry = entry(&shown, track);
            assert_eq!(entry["pattern"].as_str(), pattern, "{scheme} {track}");
            assert_eq!(entry["iv_size"].as_u64(), iv_size, "{scheme} {track}");
            assert_eq!(entry["constant_iv"].is_null(), iv_size.is_some(), "{scheme} {track}");
        }
    }
}

#[test]
fn a_track_may_stay_clear() {
    let dir = Dir::new();
    let said = encrypt(&dir, "avc_aac.mp4", &["--track", "audio=clear", "--key", &pair()]).done();
    assert!(said.stderr.contains("track 1: 100 samples encrypted"), "{}", said.stderr);
    let shown = inspect(&dir);
    assert_eq!(shown["tracks"]["1"]["protected_samples"], 100);
    assert_eq!(shown["tracks"]["2"]["protected_samples"], 0);
    assert_comes_back(&dir, "avc_aac.mp4", &["--key", &pair()]);
}

#[test]
fn keys_take_turns_behind_a_clear_lead() {
    for name in ["avc_aac.mp4", "avc_aac_frag.mp4"] {
        let dir = Dir::new();
        let (a, b) = (pair(), other_pair());
        let args = ["--key", &a, "--key", &b, "--rotate", "1", "--clear-lead", "1", "--json"];
        let report = encrypt(&dir, name, &args).done().stdout;
        let report: Value = serde_json::from_slice(&report).unwrap();
        let counts = &report["tracks"]["1"];
        assert!(counts["clear"].as_u64().unwrap() >= 25, "{name}: {counts}");
        let shown = inspect(&dir);
        let video = &shown["tracks"]["1"];
        assert_eq!(video["key_rotation"], true, "{name}");
        let kids = video["kids"].as_object().unwrap();
        assert_eq!(kids.len(), 2, "{name}: {video}");
        let out = dir.path("clear.mp4");
        let mut decrypt = clearkey();
        decrypt.arg("decrypt").arg(dir.path("out.mp4")).arg("-o").arg(out);
        run(decrypt.args(["--key", &a, "--key", &b])).done();
        // One of them is not enough.
        let mut decrypt = clearkey();
        decrypt.arg("decrypt").arg(dir.path("out.mp4")).arg("-o").arg(dir.path("no.mp4"));
        run(decrypt.args(["--key", &a])).refused(1, &[&format!("no key for KID {OTHER_KID}")]);
    }
}

#[test]
fn a_random_key_is_in_the_license_and_in_the_list() {
    let dir = Dir::new();
    let (license, keys) = (dir.path("license.json"), dir.path("keys.txt"));
    let [license, keys] = [&license, &keys].map(|path| path.to_str().unwrap());
    for _ in 0..2 {
        encrypt(&dir, "avc_aac.mp4", &["--license-out", license, "--keys-out", keys]).done();
        assert_comes_back(&dir, "avc_aac.mp4", &["--license", license]);
        assert_comes_back(&dir, "avc_aac.mp4", &["--keys-file", keys]);
        use std::os::unix::fs::PermissionsExt;
        for path in [license, keys] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let list = fs::read_to_string(keys).unwrap();
        assert_eq!((list.lines().count(), list.len()), (1, 66));
        fs::write(dir.path("used.txt"), &list).unwrap();
    }
    let said = encrypt(&dir, "avc_aac.mp4", &[]);
    said.refused(2, &["a random key that nobody learns"]);
    let track = format!("video={}", pair());
    let said = encrypt(&dir, "avc_aac.mp4", &["--track", &track]);
    said.refused(2, &["a random key that nobody learns"]);
}

#[test]
fn no_two_runs_have_the_same_ivs_unless_they_are_given() {
    let encrypted = |args: &[&str]| {
        let dir = Dir::new();
        encrypt(&dir, "avc_aac_frag.mp4", &[&["--key", &pair()], args].concat()).done();
        dir.read("out.mp4")
    };
    assert!(encrypted(&[]) != encrypted(&[]));
    let given = ["--iv", "0011223344556677"];
    assert!(encrypted(&given) == encrypted(&given));
    // Also by other threads.
    assert!(encrypted(&given) == encrypted(&["--iv", "0011223344556677", "--threads", "7"]));
}

#[test]
fn initialization_data_are_what_the_user_wants() {
    let dir = Dir::new();
    encrypt(&dir, "avc_aac.mp4", &["--key", &pair(), "--pssh", "none"]).done();
    assert_eq!(inspect(&dir)["pssh"].as_array().unwrap().len(), 0);

    let build = ["init-data", "build", "--raw", "cenc", KID, OTHER_KID];
    let own = run(clearkey().args(build)).done().stdout;
    let path = dir.write("own.pssh", &own);
    encrypt(&dir, "avc_aac.mp4", &["--key", &pair(), "--pssh", path.to_str().unwrap()]).done();
    let shown = inspect(&dir);
    assert_eq!(shown["pssh"][0]["kids"].as_array().unwrap().len(), 2);

    let broken = dir.write("broken.pssh", &own[..own.len() - 1]);
    let said =
        encrypt(&dir, "avc_aac.mp4", &["--key", &pair(), "--pssh", broken.to_str().unwrap()]);
    said.refused(2, &["--pssh", "broken.pssh"]);
}

#[test]
fn piff_has_boxes_of_its_own() {
    for scheme in ["cenc", "cbc1"] {
        let dir = Dir::new();
        let pair = pair();
        let args = ["--piff", "--scheme", scheme, "--key", &pair];
        encrypt(&dir, "avc_aac_frag.mp4", &args).done();
        assert_eq!(entry(&inspect(&dir), "1")["scheme"], "piff");
        let back = decrypted(&dir, &["--key", &pair]);
        // All but the brand, which is the last of `ftyp`, and the index, which counts it.
        let clear = fs::read(clear("avc_aac_frag.mp4")).unwrap();
        let end = usize::from(clear[3]);
        let index = clear.windows(4).rposition(|kind| kind == b"mfra").unwrap();
        assert_eq!(&back[end..end + 4], b"piff");
        assert!(back[4..end] == clear[4..end] && back[end + 4..index + 4] == clear[end..index]);
    }
    let dir = Dir::new();
    let said = encrypt(&dir, "avc_aac_frag.mp4", &["--piff", "--scheme", "cbcs", "--key", &pair()]);
    said.refused(2, &["PIFF has no scheme cbcs"]);
}

#[test]
fn what_contradicts_itself_is_refused_and_leaves_nothing() {
    let (a, b) = (pair(), other_pair());
    let same_kid = format!("{KID}:{OTHER_KEY}");
    let cases: [(&[&str], &str); 8] = [
        (&["--key", &a, "--pattern", "1:9"], "--pattern is for cens and cbcs"),
        (&["--key", &a, "--key", &b], "several keys take turns only under --rotate"),
        (&["--key", &a, "--key", &same_kid, "--rotate", "1"], "two keys for KID"),
        (&["--key", &a, "--iv", "12"], "--iv is 8, 16, or 16 or 32 hex digits"),
        (&["--key", &a, "--track", "9=clear"], "--track 9: there is no such track"),
        (
            &["--track", "video=clear", "--track", "audio=clear", "--keys-out", "/dev/null"],
            "no track is left",
        ),
        (&["--key", "nonsense"], "--key number 1"),
        (&["--key", &a, "--pssh", "/nowhere/at/all"], "--pssh /nowhere/at/all"),
    ];
    for (args, message) in cases {
        let dir = Dir::new();
        encrypt(&dir, "avc_aac.mp4", args).refused(2, &[message]);
        assert!(dir.names().is_empty(), "{args:?}: {:?}", dir.names());
    }
}

#[test]
fn webm_is_encrypted_with_its_own_means() {
    for name in ["vp8_vorbis.webm", "vp9_opus.webm"] {
        let dir = Dir::new();
        encrypt(&dir, name, &["--key", &pair(), "--clear-lead", "1"]).done();
        let shown = inspect(&dir);
        for track in ["1", "2"] {
            let entry = entry(&shown, track);
            assert_eq!(
                (entry["scheme"].as_str(), entry["iv_size"].as_u64()),
                (Some("cenc"), Some(8))
            );
            let counts = &shown["tracks"][track];
            assert!(counts["clear_samples"].as_u64().unwrap() >= 25, "{name}: {counts}");
            assert!(counts["protected_samples"].as_u64().unwrap() >= 75, "{name}: {counts}");
        }
        let expected = md5(&fs::read(clear(name)).unwrap());
        assert!(md5(&decrypted(&dir, &["--key", &pair()])) == expected, "{name}");
        let mut in_place = clearkey();
        in_place.args(["decrypt", "--in-place", "--key", &pair()]).arg(dir.path("out.mp4"));
        run(&mut in_place).done();
        assert!(md5(&dir.read("out.mp4")) == expected, "{name}");
    }
}

#[test]
fn what_webm_has_not_is_refused() {
    let (a, b) = (pair(), other_pair());
    let pssh = clear("README.md");
    let cases: [&[&str]; 5] = [
        &["--scheme", "cbcs"],
        &["--key", &b, "--rotate", "1"],
        &["--piff"],
        &["--iv", "16"],
        &["--pssh", pssh.to_str().unwrap()],
    ];
    for args in cases {
        let dir = Dir::new();
        let said = encrypt(&dir, "vp9_opus.webm", &[&["--key", &a], args].concat());
        said.refused(2, &["vp9_opus.webm: "]);
        assert!(dir.names().is_empty(), "{args:?}");
    }
}

#[test]
fn what_is_encrypted_already_is_refused() {
    let dir = Dir::new();
    encrypt(&dir, "avc_aac.mp4", &["--key", &pair()]).done();
    let before = dir.read("out.mp4");
    let (from, to) = (dir.path("out.mp4"), dir.path("again.mp4"));
    let mut again = clearkey();
    let keys = dir.write("keys.txt", b"old");
    again.arg("encrypt").arg(from).arg("-o").arg(to).arg("--keys-out").arg(keys);
    run(&mut again).refused(2, &["out.mp4", "protected"]);
    assert!(dir.read("out.mp4") == before);
    assert_eq!(dir.names(), ["keys.txt", "out.mp4"]);
    assert_eq!(dir.read("keys.txt"), b"old");
}

#[test]
fn stdin_and_stdout_serve_as_files_do() {
    let dir = Dir::new();
    let pair = pair();
    let iv = ["--key", &pair, "--iv", "0011223344556677", "-q"];
    encrypt(&dir, "avc_aac_frag.mp4", &iv).done();
    let input = fs::read(clear("avc_aac_frag.mp4")).unwrap();
    let mut command = clearkey();
    command.args(["encrypt", "-", "-o", "-"]).args(iv).write_stdin(input);
    let said = run(&mut command).done();
    assert!(said.stdout == dir.read("out.mp4"));
    assert_eq!(said.stderr, "");
}

#[test]
fn the_report_counts_samples_by_key() {
    let dir = Dir::new();
    let said =
        encrypt(&dir, "avc_aac_frag.mp4", &["--key", &pair(), "--json", "--clear-lead", "1"]);
    let report: Value = serde_json::from_slice(&said.done().stdout).unwrap();
    let video = &report["tracks"]["1"];
    let [encrypted, clear] = ["encrypted", "clear"].map(|name| video[name].as_u64().unwrap());
    assert_eq!(encrypted + clear, 100);
    assert!(clear >= 25, "{report}");
    assert_eq!(video["kids"][KID], encrypted);
}
