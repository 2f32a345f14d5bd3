//! `clearkey inspect`: what it says of other tools' files.
//!
//! The values are what the tools were told to do (`fixtures/media/manifest.json`) and what a hex
//! editor shows of `tenc` and `pssh`.

use serde_json::{Value, json};

use crate::{
    boxes::find,
    make::{AuxAt, Movie, Protected, Senc, Track},
    support::{Dir, Fixture, Way, clearkey, media, run},
};

/// The keys ids of all fixtures.
const KIDS: [&str; 4] = [
    "10000000100010001000100000000001",
    "10000000100010001000100000000002",
    "10000000100010001000100000000003",
    "10000000100010001000100000000004",
];
const COMMON: &str = "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b";

fn inspect(file: &[u8]) -> Value {
    let dir = Dir::new();
    let path = dir.write("in.mp4", file);
    let found = run(clearkey().args(["inspect", "--json"]).arg(&path)).done();
    let mut command = clearkey();
    let piped = run(command.args(["inspect", "--json", "-"]).write_stdin(file)).done();
    assert_eq!((found.stderr.as_str(), piped.stderr.as_str()), ("", ""));
    let mut json: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(json["input"].take(), path.to_str().unwrap());
    let mut piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(piped["input"].take(), "stdin");
    assert_eq!(json, piped);
    json
}

/// One sample entry, with what is not `null`.
fn entry(format: &str, fields: &Value) -> Value {
    let mut entry = json!({
        "format": format,
        "scheme": null,
        "default_kid": null,
        "is_protected": !fields.is_null(),
        "iv_size": null,
        "constant_iv": null,
        "pattern": null,
    });
    for (name, value) in fields.as_object().into_iter().flatten() {
        assert!(entry[name].is_null(), "{name} twice");
        entry[name] = value.clone();
    }
    entry
}

/// A track: handler, entries, protected samples by key id, clear samples, auxiliary information.
fn track(
    handler: &str,
    entries: &[Value],
    kids: &[(&str, u64)],
    clear: u64,
    aux_info: &[&str],
) -> Value {
    let by_kid: serde_json::Map<_, _> =
        kids.iter().map(|(kid, count)| ((*kid).to_owned(), json!(count))).collect();
    json!({
        "handler": handler,
        "entries": entries,
        "protected_samples": kids.iter().map(|(_, count)| count).sum::<u64>(),
        "clear_samples": clear,
        "kids": by_kid,
        "key_rotation": kids.len() > 1,
        "aux_info": aux_info,
    })
}

/// Compares all of a report but its `pssh` boxes, of which it compares system and key ids.
#[track_caller]
fn check(file: &str, fragments: u64, tracks: &[(u32, Value)], pssh: &[&[&str]]) {
    let bytes = Fixture::named(file).bytes();
    let report = inspect(&bytes);
    assert_eq!(report["movie_headers"], 1, "{file}");
    assert_eq!(report["fragments"], fragments, "{file}");
    let tracks: serde_json::Map<_, _> =
        tracks.iter().map(|(id, track)| (id.to_string(), track.clone())).collect();
    assert_eq!(report["tracks"], Value::Object(tracks), "{file}");
    let found = report["pssh"].as_array().unwrap();
    assert_eq!(found.len(), pssh.len(), "{file}");
    for (found, kids) in found.iter().zip(pssh) {
        assert_eq!(found["kids"], json!(kids), "{file}");
        let at = usize::try_from(found["at"].as_u64().unwrap()).unwrap();
        let size = 36 + 16 * kids.len();
        let expected = json!({
            "at": at, "system_id": COMMON, "system": "W3C common", "version": 1, "kids": kids,
            "data_size": 0, "error": null,
            "base64": data_encoding::BASE64.encode(&bytes[at..at + size]),
        });
        assert_eq!(*found, expected, "{file}");
    }
}

#[test]
fn bento4() {
    let cenc = |kid| json!({ "scheme": "cenc", "default_kid": kid, "iv_size": 16 });
    let tracks = |aux_info| {
        let video = track("vide", &[entry("avc1", &cenc(KIDS[0]))], &[(KIDS[0], 100)], 0, aux_info);
        let audio = track("soun", &[entry("mp4a", &cenc(KIDS[1]))], &[(KIDS[1], 189)], 0, aux_info);
        [(1, video), (2, audio)]
    };
    check("b4_cenc_avc_aac_fragb4.mp4", 9, &tracks(&["senc"]), &[]);
    check("b4_cenc_opt_no-senc.mp4", 9, &tracks(&["saiz and saio, in the header"]), &[]);
}

#[test]
fn piff() {
    let piff = |kid, size| json!({ "scheme": "piff", "default_kid": kid, "iv_size": size });
    let aux_info = &["PIFF sample encryption box"];
    for (file, size) in
        [("b4_piff-ctr_avc_aac_fragb4.mp4", 8), ("b4_piff-cbc_avc_aac_fragb4.mp4", 16)]
    {
        let entries = [entry("avc1", &piff(KIDS[0], size)), entry("mp4a", &piff(KIDS[1], size))];
        let video = track("vide", &entries[..1], &[(KIDS[0], 100)], 0, aux_info);
        let audio = track("soun", &entries[1..], &[(KIDS[1], 189)], 0, aux_info);
        check(file, 9, &[(1, video), (2, audio)], &[]);
    }
}

#[test]
fn gpac() {
    for (file, fragments, formats, pattern, ivs, audio_samples) in [
        (
            "gpac_cbcs_5_5_frag_avc_aac.mp4",
            4,
            ["avc1", "mp4a"],
            "5:5",
            ["0a0b0c0d0e0f00010a0b0c0d0e0f0001", "1a0b0c0d0e0f00010a0b0c0d0e0f0001"],
            189,
        ),
        (
            "gpac_cbcs_civ8_frag_avc_aac.mp4",
            4,
            ["avc1", "mp4a"],
            "1:9",
            ["0a0b0c0d0e0f00010000000000000000", "1a0b0c0d0e0f00010000000000000000"],
            189,
        ),
        (
            "gpac_cbcs_frag_hevc_eac3.mp4",
            4,
            ["hvc1", "ec-3"],
            "1:9",
            ["0a0b0c0d0e0f00010a0b0c0d0e0f0001", "1a0b0c0d0e0f00010a0b0c0d0e0f0001"],
            125,
        ),
    ] {
        let cbcs = |track: usize, pattern: &str| {
            let (kid, iv) = (KIDS[track], ivs[track]);
            let fields = json!({
                "scheme": "cbcs", "default_kid": kid, "constant_iv": iv, "pattern": pattern,
            });
            entry(formats[track], &fields)
        };
        let video = track("vide", &[cbcs(0, pattern)], &[(KIDS[0], 100)], 0, &["senc"]);
        let audio = track("soun", &[cbcs(1, "0:0")], &[(KIDS[1], audio_samples)], 0, &[]);
        check(file, fragments, &[(1, video), (2, audio)], &[&KIDS[..2]]);
    }
}

#[test]
fn progressive() {
    let fields = |scheme: &str, kid: &str, pattern: Option<&str>| json!({ "scheme": scheme, "default_kid": kid, "iv_size": 8, "pattern": pattern });
    let video = entry("avc1", &fields("cens", KIDS[0], Some("1:9")));
    let audio = entry("mp4a", &fields("cens", KIDS[1], Some("0:0")));
    let tracks = [
        (1, track("vide", &[video], &[(KIDS[0], 100)], 0, &["senc"])),
        (2, track("soun", &[audio], &[(KIDS[1], 189)], 0, &["senc"])),
    ];
    check("gpac_cens_prog_avc_aac.mp4", 0, &tracks, &[&KIDS[..2]]);
    // One key for both tracks.
    let [video, audio] =
        ["avc1", "mp4a"].map(|format| entry(format, &fields("cenc", KIDS[0], None)));
    let tracks = [
        (1, track("vide", &[video], &[(KIDS[0], 100)], 0, &["senc"])),
        (2, track("soun", &[audio], &[(KIDS[0], 189)], 0, &["senc"])),
    ];
    check("ff81_cenc_prog_avc_aac.mp4", 0, &tracks, &[]);
}

#[test]
fn clear_lead() {
    let protected =
        entry("avc1", &json!({ "scheme": "cenc", "default_kid": KIDS[0], "iv_size": 8 }));
    let entries = [protected, entry("avc1", &Value::Null)];
    let video = track("vide", &entries, &[(KIDS[0], 50)], 50, &["senc"]);
    let pssh: &[&str] = &[KIDS[1], KIDS[0]];
    check("shaka_cenc_clearlead_avc_video.mp4", 4, &[(1, video)], &[pssh]);
}

#[test]
fn key_rotation() {
    let zeros = json!({ "scheme": "cenc", "default_kid": "0".repeat(32), "iv_size": 8 });
    let [second, third] = ["00000010001000100010000000000110", "00001000100010001000000000011000"];
    let kids = [(KIDS[0], 50), (second, 25), (third, 25)];
    let video = track("vide", &[entry("avc1", &zeros)], &kids, 0, &["senc"]);
    let pssh: [&[&str]; 4] = [&[KIDS[0]], &[KIDS[0]], &[second], &[third]];
    check("shaka_cenc_keyrot_avc_video.mp4", 4, &[(1, video)], &pssh);

    let fields = |kid| json!({ "scheme": "cenc", "default_kid": kid, "iv_size": 8 });
    let kids = [(KIDS[0], 40), (KIDS[2], 30), (KIDS[3], 30)];
    let video = track("vide", &[entry("avc1", &fields(KIDS[0]))], &kids, 0, &["senc"]);
    let kids = [(KIDS[1], 189)];
    let audio = track("soun", &[entry("mp4a", &fields(KIDS[1]))], &kids, 0, &["senc"]);
    let pssh: &[&str] = &[KIDS[0], KIDS[2], KIDS[3], KIDS[1]];
    check("gpac_cenc_keyroll_frag_avc_aac.mp4", 4, &[(1, video), (2, audio)], &[pssh]);
}

#[test]
fn webm() {
    let cenc = |kid| json!({ "scheme": "cenc", "default_kid": kid, "iv_size": 8 });
    let aux = &["in front of each frame"];
    let video = track("vide", &[entry("V_VP9", &cenc(KIDS[0]))], &[(KIDS[0], 100)], 0, aux);
    let audio = track("soun", &[entry("A_OPUS", &cenc(KIDS[1]))], &[(KIDS[1], 201)], 0, aux);
    for (file, clusters, id, track, kid) in [
        ("shaka_webm_vp9_opus_video.webm", 4, 1, &video, KIDS[0]),
        ("shaka_webm_vp9_nosubsample_video.webm", 4, 1, &video, KIDS[0]),
        ("shaka_webm_vp9_opus_audio.webm", 5, 2, &audio, KIDS[1]),
    ] {
        check(file, clusters, &[(id, track.clone())], &[]);
        let bytes = Fixture::named(file).bytes();
        let report = inspect(&bytes);
        let [told] = &report["webm"].as_array().unwrap()[..] else { panic!("{file}") };
        let octets = data_encoding::HEXLOWER.decode(kid.as_bytes()).unwrap();
        let at = bytes.windows(16).position(|window| window == octets).unwrap() - 3;
        let base64 = data_encoding::BASE64.encode(&octets);
        assert_eq!(*told, json!({ "at": at, "kid": kid, "base64": base64 }), "{file}");
        let text = run(clearkey().arg("inspect").arg(media(file))).done().stdout;
        let line = format!("  webm initialization data at byte {at}: KID {kid}\n    {base64}\n");
        assert!(String::from_utf8(text).unwrap().ends_with(&line), "{file}");
    }
}

/// Every key that the manifest gives for a file, and that a sample needs, is told, and no other.
#[test]
fn all_key_ids_are_known() {
    for fixture in Fixture::all() {
        let report = inspect(&fixture.bytes());
        for track in report["tracks"].as_object().unwrap().values() {
            for kid in track["kids"].as_object().unwrap().keys() {
                let is_known = fixture.keys.iter().any(|key| key.starts_with(kid));
                assert!(is_known, "{}: {kid}", fixture.file);
            }
        }
    }
}

#[test]
fn a_decrypted_file_is_clear() {
    for fixture in Fixture::all() {
        for way in [Way::Path, Way::Compact] {
            let report = inspect(&way.decrypt(&fixture.bytes(), &fixture.keys));
            assert_eq!(report["pssh"], json!([]), "{}", fixture.file);
            assert_eq!(report["webm"], json!([]), "{}", fixture.file);
            for track in report["tracks"].as_object().unwrap().values() {
                assert_eq!(track["protected_samples"], 0, "{}", fixture.file);
                assert_ne!(track["clear_samples"], 0, "{}", fixture.file);
                for entry in track["entries"].as_array().unwrap() {
                    assert_eq!(entry["scheme"], Value::Null, "{}", fixture.file);
                }
            }
        }
    }
}

#[test]
fn where_auxiliary_information_is() {
    for (senc, aux, says) in [
        (Senc::Whole, AuxAt::Senc, "senc"),
        (Senc::Absent, AuxAt::Data, "saiz and saio, beside the samples"),
        (Senc::Cut, AuxAt::EachRun, "saiz and saio, beside the samples"),
    ] {
        let protected = Protected { senc, aux, ..Protected::cenc(1) };
        let movie = Movie::fragmented([Track::video(1).protect(protected)]);
        let report = inspect(&movie.make().protected);
        assert_eq!(report["tracks"]["1"]["aux_info"], json!([says]), "{senc:?} {aux:?}");
    }
}

/// Boxes that follow each other are one piece of initialization data, and stand where it begins.
#[test]
fn pssh_boxes_beside_each_other() {
    let movie = Movie::fragmented([Track::video(1).protect(Protected::cenc(1))]);
    let file = movie.with(|layout| layout.pssh_in_moof = true).make().protected;
    let [moov, moof] = ["moov/pssh", "moof/pssh"].map(|path| find(&file, path));
    let starts: Vec<_> = moov.chunks(2).chain(moof.chunks(2)).map(|pair| pair[0].at).collect();
    assert_eq!(starts.len(), 3);
    let report = inspect(&file);
    let found = report["pssh"].as_array().unwrap().iter().map(|pssh| &pssh["at"]);
    assert!(found.eq(starts.iter().flat_map(|at| [at, at])), "{starts:?}: {report}");
}

#[test]
fn pssh_boxes_that_are_malformed() {
    let made = Movie::fragmented([Track::video(1).protect(Protected::cenc(1))]).make();
    let mut file = made.protected;
    let pssh = find(&file, "moov/pssh")[0].clone();
    // The count of key ids.
    file[pssh.body + 20..pssh.body + 24].copy_from_slice(&[0xff; 4]);
    let report = inspect(&file);
    let found = &report["pssh"][0];
    assert_eq!(found["at"], pssh.at);
    assert!(found["error"].is_string(), "{found}");
}

/// A segment, with and without what its init segment declares.
#[test]
fn segments() {
    let init = media("segments/a_init.mp4");
    let segment = media("segments/a_2.m4s");
    let mut command = clearkey();
    command.args(["inspect", "--json"]).arg(&segment).arg("--init").arg(&init);
    let report: Value = serde_json::from_slice(&run(&mut command).done().stdout).unwrap();
    assert_eq!(report["fragments"], 1);
    let track = &report["tracks"]["1"];
    assert_eq!(track["kids"], json!({ KIDS[1]: track["protected_samples"] }));
    assert_eq!(track["entries"][0]["format"], "mp4a");
    let report: Value = {
        let run = run(clearkey().args(["inspect", "--json"]).arg(&init)).done();
        serde_json::from_slice(&run.stdout).unwrap()
    };
    assert_eq!(report["fragments"], 0);
    assert_eq!(report["tracks"]["1"]["entries"][0]["default_kid"], KIDS[1]);
}

#[test]
fn text_for_people() {
    let fixture = Fixture::named("gpac_cbcs_5_5_frag_avc_aac.mp4");
    let found = run(clearkey().arg("inspect").arg(fixture.path())).done();
    let text = String::from_utf8(found.stdout).unwrap();
    for line in [
        fixture.path().to_str().unwrap(),
        "track 1: video",
        "avc1: cbcs, pattern 5:5, constant IV 0a0b0c0d0e0f00010a0b0c0d0e0f0001",
        "samples: 100 protected, 0 clear",
        KIDS[0],
        "track 2: audio",
        "samples: 189 protected, 0 clear",
        KIDS[1],
        COMMON,
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}
