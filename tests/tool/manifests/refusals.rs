//! What no manifest could lead to, or say.

use std::fs;

use super::{MP4, WEBM, encrypt, fixture, pair};
use crate::support::{Dir, clearkey, run};

#[test]
fn inputs_without_an_index_are_refused_with_the_line_that_makes_one() {
    let line = |name: &str, map: &str, options: &str, to: &str| {
        let [from, to] = [name, to].map(|name| fixture(name).display().to_string());
        format!("\n  ffmpeg -i {from} -map {map} -c copy {options} {to}\n")
    };
    let flags = "+delay_moov+default_base_moof+dash+global_sidx";
    let video = format!("-movflags +frag_keyframe{flags}");
    let audio = format!("-frag_duration 2000000 -movflags {flags}");
    let flac = format!("-strict -2 {audio}");
    let webm_audio = "-cluster_time_limit 2000 -cues_to_front 1";
    let cases = [
        ("clear/flac.mp4", "it is not fragmented", "0:a:0", &flac[..], "clear/flac-audio.mp4"),
        ("clear/avc_aac.mp4", "it has 2 tracks", "0:v:0", &video, "clear/avc_aac-video.mp4"),
        ("clear/avc_aac.mp4", "it has 2 tracks", "0:a:0", &audio, "clear/avc_aac-audio.mp4"),
        (
            "clear/vp9_opus.webm",
            "it has 2 tracks",
            "0:v:0",
            "-cues_to_front 1",
            "clear/vp9_opus-video.webm",
        ),
        (
            "clear/vp9_opus.webm",
            "it has 2 tracks",
            "0:a:0",
            webm_audio,
            "clear/vp9_opus-audio.webm",
        ),
        (
            "media/mp4ff_cenc_avc_aac_a.mp4",
            "no index",
            "0:a:0",
            &audio,
            "media/mp4ff_cenc_avc_aac_a-audio.mp4",
        ),
    ];
    for (name, what, map, options, to) in cases {
        let dir = Dir::new();
        let said =
            encrypt(&dir, &[name], &["--key", &pair(), "--mpd", "@a.mpd", "--keys-out", "@k.txt"]);
        let said = said.refused(2, &[name, what, line(name, map, options, to).trim_end()]);
        assert!(said.stderr.ends_with('\n'));
        assert!(dir.names().is_empty(), "{name}: {:?}", dir.names());
    }
}

#[test]
fn an_index_that_leads_astray_is_refused() {
    let dir = Dir::new();
    let whole = fs::read(fixture(MP4[0])).unwrap();
    let sidx = whole.windows(4).position(|bytes| bytes == b"sidx").unwrap() - 4;
    let references = sidx + 40;
    let mut longer = whole.clone();
    longer[references + 3] += 1;
    let mut of_indexes = whole.clone();
    of_indexes[references] |= 0x80;
    let mut shorter = whole.clone();
    // The last reference is no more of the box, and something else.
    shorter[sidx + 38..sidx + 40].copy_from_slice(&3_u16.to_be_bytes());
    for (bytes, what) in [
        (longer, "which are no segment"),
        (of_indexes, "an index of indexes"),
        (shorter, "it ends before the segment at byte"),
    ] {
        let input = dir.write("in.mp4", &bytes);
        let mut command = clearkey();
        command.arg("encrypt").arg(input).arg("-o").arg(dir.path("out.mp4"));
        command.args(["--key", &pair(), "--mpd"]).arg(dir.path("a.mpd"));
        run(&mut command).refused(2, &["sidx", what, "\n  ffmpeg -i "]);
        assert_eq!(dir.names(), ["in.mp4"]);
    }
}

#[test]
fn webm_whose_index_does_not_serve_is_refused() {
    let dir = Dir::new();
    let whole = fs::read(fixture(WEBM[0])).unwrap();
    // Behind the place in `SeekHead` that names it.
    let cues = whole.windows(4).rposition(|bytes| bytes == [0x1c, 0x53, 0xbb, 0x6b]).unwrap();
    // A `Void` element in place of `Cues`, whose size takes a byte.
    let mut without = whole.clone();
    let size = whole[cues + 4] & 0x7f;
    without[cues..cues + 5].copy_from_slice(&[0xec, 0x10, 0, 0, size]);
    let duration = whole.windows(3).position(|bytes| bytes == [0x44, 0x89, 0x88]).unwrap();
    let mut timeless = whole.clone();
    timeless[duration..duration + 2].copy_from_slice(&[0x42, 0x89]);
    for (bytes, what) in [(without, "no index"), (timeless, "no Duration")] {
        let input = dir.write("in.webm", &bytes);
        let mut command = clearkey();
        command.arg("encrypt").arg(input).arg("-o").arg(dir.path("out.webm"));
        command.args(["--key", &pair(), "--mpd"]).arg(dir.path("a.mpd"));
        run(&mut command).refused(2, &[what, "-cues_to_front 1"]);
        assert_eq!(dir.names(), ["in.webm"]);
    }
}

#[test]
fn what_a_manifest_cannot_say_is_refused() {
    let pair = pair();
    let long_kid = "AQID:550727de4c96ef1ecff874905493580f";
    let cases: [(&[&str], &[&str], &str); 9] = [
        (&MP4, &["--hls", "@a.m3u8", "--scheme", "cens"], "HLS has no method for the scheme cens"),
        (&MP4, &["--hls", "@a.m3u8", "--scheme", "cbc1"], "HLS has no method for the scheme cbc1"),
        (&MP4, &["--mpd", "@a.mpd", "--piff"], "Smooth Streaming"),
        (&WEBM, &["--hls", "@a.m3u8"], "HLS has no WebM"),
        (&WEBM, &["--mpd", "@a.mpd", "--track", &format!("audio={long_kid}")], "16 octets"),
        (&MP4, &["--mpd", "-"], "manifests are files"),
        (&MP4, &["--mpd", "@none/a.mpd"], "there is no folder"),
        (&MP4, &["--hls-keyformat", "identity"], "--hls"),
        (&MP4, &["--license-url", "http://localhost/"], "--mpd"),
    ];
    for (inputs, args, what) in cases {
        let dir = Dir::new();
        let said = encrypt(&dir, inputs, &[&["--key", &pair], args].concat());
        assert_eq!(said.code, 2, "{args:?}");
        assert!(said.stderr.contains(what), "{args:?}: {}", said.stderr);
        assert!(dir.names().is_empty(), "{args:?}: {:?}", dir.names());
    }
}
