//! Several inputs: names, keys and IVs over all of them.

use std::{collections::BTreeSet, fs};

use container::{Planner, Step, Window};
use serde_json::{Value, json};

use super::{MP4, WEBM, encrypt, fixture, read, text};
use crate::support::{KID, OTHER_KID, other_pair, pair};
use crate::{
    samples,
    support::{Dir, clearkey, run},
};

#[test]
fn outputs_have_their_inputs_names() {
    let dir = Dir::new();
    let pair = pair();
    let inputs = [MP4[0], MP4[1], WEBM[0]];
    let said = encrypt(&dir, &inputs, &["--key", &pair, "--json"]).done();
    let reports: Value = serde_json::from_slice(&said.stdout).unwrap();
    let counts: Vec<_> = reports
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["tracks"]["1"]["kids"][KID].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [100, 189, 100]);
    for name in ["avc.mp4", "aac.mp4", "vp9.webm"] {
        let back = dir.path("back");
        let mut command = clearkey();
        command.arg("decrypt").arg(dir.path("out").join(name)).arg("-o").arg(&back);
        run(command.args(["--key", &pair])).done();
        let clear = fs::read(fixture(&format!("indexed/{name}"))).unwrap();
        assert_eq!(samples::md5(&fs::read(&back).unwrap()), samples::md5(&clear), "{name}");
    }
    // Once more, into the folder that is there now.
    encrypt(&dir, &inputs, &["--key", &pair]).done();
}

#[test]
fn a_random_key_is_one_for_all() {
    let dir = Dir::new();
    let license = ["--license-url", "http://localhost/"];
    let args = ["--keys-out", "@keys.txt", "--mpd", "@a.mpd", "-q"];
    encrypt(&dir, &MP4, &[&args[..], &license].concat()).done();
    let keys = text(&dir, "keys.txt");
    assert_eq!(keys.lines().count(), 1);
    let kid = keys.split(':').next().unwrap();
    for said in super::xml::read(&text(&dir, "a.mpd")) {
        assert_eq!(said.pssh_kids, [kid]);
    }
}

#[test]
fn kinds_choose_over_all_inputs_and_ids_over_none() {
    let dir = Dir::new();
    let (a, b) = (format!("video={}", pair()), format!("audio={}", other_pair()));
    let args = ["--track", &a, "--track", &b, "--license-out", "@l.json"];
    encrypt(&dir, &MP4, &args).done();
    let license: Value = serde_json::from_slice(&dir.read("l.json")).unwrap();
    assert_eq!(license["keys"].as_array().unwrap().len(), 2);
    let kids = |name: &str| {
        let mut command = clearkey();
        command.args(["inspect", "--json"]).arg(dir.path("out").join(name));
        let shown: Value = serde_json::from_slice(&run(&mut command).done().stdout).unwrap();
        assert_eq!(shown["pssh"][0]["kids"], json!([KID, OTHER_KID]), "{name}");
        shown["tracks"]["1"]["kids"].as_object().unwrap().keys().next().unwrap().clone()
    };
    assert_eq!([kids("avc.mp4"), kids("aac.mp4")], [KID, OTHER_KID]);

    let dir = Dir::new();
    let args = ["--key", &pair(), "--track", "1=clear"];
    encrypt(&dir, &MP4, &args).refused(2, &["--track 1", "several inputs"]);
    let args = ["--key", &pair(), "--track", "video=clear", "--track", "audio=clear"];
    encrypt(&dir, &MP4, &args).refused(2, &["no track is left"]);
    assert!(dir.names().is_empty());
}

#[test]
fn an_input_may_stay_clear() {
    let dir = Dir::new();
    let args = ["--key", &pair(), "--track", "audio=clear", "--mpd", "@a.mpd", "--hls", "@a.m3u8"];
    encrypt(&dir, &MP4, &args).done();
    assert!(read(&dir, "aac.mp4") == fs::read(fixture(MP4[1])).unwrap());
    let said = super::xml::read(&text(&dir, "a.mpd"));
    assert_eq!((said[0].scheme.as_deref(), said[1].scheme.as_deref()), (Some("cenc"), None));
    assert!(!text(&dir, "aac.mp4.m3u8").contains("EXT-X-KEY"));
}

/// All IVs of a file.
fn ivs(file: &[u8]) -> Vec<[u8; 16]> {
    let (mut planner, mut ivs) = (Planner::new(), Vec::new());
    while let Step::Unit(plan) = planner.next_unit(&Window::new(0, file), true).unwrap() {
        ivs.extend(plan.samples().iter().map(|sample| *plan.iv(sample).as_bytes()));
    }
    ivs
}

#[test]
fn no_iv_comes_twice() {
    for args in
        [&[][..], &["--iv", "0102030405060708"], &["--iv", "ffffffffffffffff"], &["--iv", "16"]]
    {
        let dir = Dir::new();
        encrypt(&dir, &MP4, &[&["--key", &pair()], args].concat()).done();
        let all: Vec<_> =
            ["avc.mp4", "aac.mp4"].iter().flat_map(|name| ivs(&read(&dir, name))).collect();
        assert_eq!(all.len(), 289);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{args:?}");
    }
    // A given one goes on as it does over the tracks of one file.
    let dir = Dir::new();
    encrypt(&dir, &MP4, &["--key", &pair(), "--iv", "0102030405060708"]).done();
    assert_eq!(ivs(&read(&dir, "avc.mp4"))[0][..8], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(ivs(&read(&dir, "aac.mp4"))[0][..8], [1, 3, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn files_do_not_take_each_others_place() {
    let dir = Dir::new();
    let pair = pair();
    for folder in ["a", "b", "in"] {
        fs::create_dir(dir.path(folder)).unwrap();
        fs::copy(fixture(MP4[0]), dir.path(folder).join("avc.mp4")).unwrap();
    }
    fs::copy(fixture(MP4[1]), dir.path("in/aac.mp4")).unwrap();
    let encrypt = |inputs: &[&str], out: &str, args: &[&str]| {
        let mut command = clearkey();
        command.arg("encrypt").args(inputs.iter().map(|name| dir.path(name)));
        command.arg("-o").arg(dir.path(out)).args(["--key", &pair]);
        for arg in args {
            match arg.strip_prefix('@') {
                Some(name) => command.arg(dir.path(name)),
                None => command.arg(arg),
            };
        }
        run(&mut command)
    };
    let two = ["in/avc.mp4", "in/aac.mp4"];
    encrypt(&["a/avc.mp4", "b/avc.mp4"], "out", &[])
        .refused(2, &["out/avc.mp4", "is an output already"]);
    encrypt(&two, "in", &[]).refused(2, &["in/avc.mp4", "is an input"]);
    encrypt(&two, "b/../in", &[]).refused(2, &["in/avc.mp4", "is an input"]);
    encrypt(&two[..1], "in/avc.mp4", &["--mpd", "@a.mpd"]).refused(2, &["is an input"]);
    encrypt(&two, "a/avc.mp4", &[]).refused(2, &["not a folder"]);
    encrypt(&two, "out", &["--mpd", "@out/avc.mp4"]).refused(2, &["is an output already"]);
    encrypt(&two, "out", &["--mpd", "@in/avc.mp4"]).refused(2, &["is an input"]);
    encrypt(&two, "out", &["--hls", "@x.m3u8", "--mpd", "@x.m3u8"]).refused(2, &["x.m3u8"]);
    encrypt(&two, "out", &["--hls", "@out/aac.mp4.m3u8"]).refused(2, &["aac.mp4.m3u8"]);
    encrypt(&two, "out", &["--keys-out", "@x", "--mpd", "@x"])
        .refused(2, &["is an output already"]);
    encrypt(&two, "none/out", &[]).refused(2, &["there is no folder"]);
    encrypt(&two[..1], "a/none/x.mp4", &["--mpd", "@a.mpd"]).refused(2, &["there is no folder"]);
    assert_eq!(dir.names(), ["a", "b", "in"]);

    let mut command = clearkey();
    command.args(["encrypt", "-"]).arg(dir.path("in/avc.mp4")).arg("-o").arg(dir.path("out"));
    run(command.args(["--key", &pair])).refused(2, &["stdin and stdout"]);
    let mut command = clearkey();
    command.arg("encrypt").arg(dir.path("in/avc.mp4")).args(["-o", "-", "--key", &pair, "--mpd"]);
    run(command.arg(dir.path("a.mpd"))).refused(2, &["stdin and stdout"]);

    // Inputs with several tracks do not go with others.
    let both = dir.write("both.mp4", &fs::read(fixture("clear/avc_aac_frag.mp4")).unwrap());
    let mut command = clearkey();
    command.arg("encrypt").arg(both).arg(dir.path("in/aac.mp4")).arg("-o").arg(dir.path("out"));
    run(command.args(["--key", &pair])).refused(2, &["both.mp4: it has 2 tracks", "ffmpeg -i "]);
    assert_eq!(dir.names(), ["a", "b", "both.mp4", "in"]);
}

/// What cannot be written last leaves what was there before as it was.
#[test]
fn an_input_that_is_refused_leaves_all_others_unwritten() {
    let dir = Dir::new();
    let broken = dir.write("broken.mp4", &fs::read(fixture(MP4[1])).unwrap()[..9000]);
    let mut command = clearkey();
    command.arg("encrypt").arg(fixture(MP4[0])).arg(&broken).arg("-o").arg(dir.path("out"));
    command.args(["--key", &pair(), "--keys-out"]).arg(dir.path("keys.txt"));
    run(&mut command).refused(2, &["broken.mp4"]);
    assert_eq!(dir.names(), ["broken.mp4"]);
}
