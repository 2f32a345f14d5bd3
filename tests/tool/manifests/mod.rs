//! `clearkey encrypt` with manifests: where they lead is what they say it is, as readers say that share no
//! code with the command; and what cannot be told is refused before anything is written.

mod playlist;
mod refusals;
mod several;
mod xml;

use std::{fs, ops::Range, path::PathBuf};

use crate::{
    boxes::{self, BoxAt},
    frames, samples,
    support::{Dir, KEY, KID, OTHER_KID, Run, clearkey, other_pair, pair, run},
};
use playlist::Playlist;
use xml::Representation;

/// A file of `fixtures`.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

const MP4: [&str; 2] = ["indexed/avc.mp4", "indexed/aac.mp4"];
const WEBM: [&str; 2] = ["indexed/vp9.webm", "indexed/opus.webm"];

/// Encrypts inputs to the folder `out` in `dir`; paths in `args` that begin with `@` are in `dir`.
fn encrypt(dir: &Dir, inputs: &[&str], args: &[&str]) -> Run {
    let mut command = clearkey();
    command.arg("encrypt").args(inputs.iter().map(|name| fixture(name)));
    command.arg("-o").arg(dir.path("out"));
    for arg in args {
        match arg.strip_prefix('@') {
            Some(name) => command.arg(dir.path(name)),
            None => command.arg(arg),
        };
    }
    run(&mut command)
}

fn read(dir: &Dir, name: &str) -> Vec<u8> {
    fs::read(dir.path("out").join(name)).unwrap()
}

fn text(dir: &Dir, name: &str) -> String {
    fs::read_to_string(dir.path(name)).unwrap()
}

/// The only box with that path.
fn the(file: &[u8], path: &str) -> BoxAt {
    let found = boxes::find(file, path);
    assert_eq!(found.len(), 1, "{path}");
    found.into_iter().next().unwrap()
}

/// Asks whether what a DASH manifest says of an MP4 file is there.
#[track_caller]
fn assert_leads_into_mp4(file: &[u8], said: &Representation) {
    let (moov, sidx) = (the(file, "moov"), the(file, "sidx"));
    assert_eq!(said.init, 0..moov.end);
    assert_eq!(said.index, sidx.at..sidx.end);
}

/// Asks whether what a DASH manifest says of a WebM file is there.
#[track_caller]
fn assert_leads_into_webm(file: &[u8], said: &Representation) {
    let elements = frames::top(file);
    let first = |id| elements.iter().find(|(found, _)| *found == id).unwrap().1.clone();
    let cues = first(frames::CUES);
    assert_eq!(said.index, cues);
    assert_eq!(said.init, 0..cues.start.min(first(frames::CLUSTER).start));
    assert!(frames::targets(file).contains(&frames::CLUSTER));
}

#[test]
fn a_dash_manifest_leads_to_headers_and_index() {
    for (inputs, mimes, codecs) in [
        (MP4, ["video/mp4", "audio/mp4"], ["avc1.640015", "mp4a.40.2"]),
        (WEBM, ["video/webm", "audio/webm"], ["vp09.00.11.08.01.02.02.02.00", "opus"]),
    ] {
        let dir = Dir::new();
        let (a, b) = (format!("video={}", pair()), format!("audio={}", other_pair()));
        let license = "http://localhost:8080/license?x=1&y=\"2\"";
        let args = ["--track", &a, "--track", &b, "--mpd", "@a.mpd", "--license-url", license];
        encrypt(&dir, &inputs, &args).done();
        let found = xml::read(&text(&dir, "a.mpd"));
        assert_eq!(found.len(), 2);
        for (index, said) in found.iter().enumerate() {
            let name = inputs[index].strip_prefix("indexed/").unwrap();
            assert_eq!(said.url, format!("out/{name}"));
            assert_eq!((said.mime.as_str(), said.codecs.as_str()), (mimes[index], codecs[index]));
            let file = read(&dir, name);
            match name.ends_with(".mp4") {
                true => assert_leads_into_mp4(&file, said),
                false => assert_leads_into_webm(&file, said),
            }
            let kid = [KID, OTHER_KID][index];
            assert_eq!(
                said.default_kid.as_deref().map(|kid| kid.replace('-', "")).as_deref(),
                Some(kid)
            );
            assert_eq!(said.scheme.as_deref(), Some("cenc"));
            assert_eq!(said.license_urls, [license, license]);
            assert_eq!(said.pssh_kids, [kid]);
        }
        assert_eq!((found[0].width.as_str(), found[0].frame_rate.as_str()), ("320", "25"));
        assert_eq!((found[1].sampling_rate.as_str(), found[1].channels.as_str()), ("48000", "2"));
        assert_eq!(found[1].language.as_deref(), Some("de"));
        assert!(found.iter().all(|said| said.bandwidth > 10_000 && said.bandwidth < 200_000));
    }
}

/// Where the fragments of a file are: from each `moof` to the next, or to what is no fragment.
fn fragments(file: &[u8]) -> Vec<Range<usize>> {
    let boxes: Vec<_> = boxes::walk(file).into_iter().filter(BoxAt::is_top).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    for boxed in boxes {
        match (&boxed.kind, found.last_mut()) {
            (b"moof", _) => found.push(boxed.at..boxed.end),
            (b"mdat", Some(last)) => last.end = boxed.end,
            _ => {}
        }
    }
    found
}

/// The samples of a file that lie in a range, and how long they last, in units of the track.
fn duration(file: &[u8], range: &Range<usize>) -> (usize, u64) {
    let tracks = samples::read(file);
    let samples = tracks.values().flat_map(|track| &track.samples);
    let inside = samples.filter(|sample| range.contains(&(sample.at as usize)));
    inside.fold((0, 0), |(count, sum), sample| (count + 1, sum + u64::from(sample.timing.duration)))
}

#[test]
fn playlists_lead_to_fragments_of_their_durations_and_each_decrypts() {
    for scheme in ["cenc", "cbcs"] {
        let dir = Dir::new();
        let pair = pair();
        let args = ["--key", &pair, "--scheme", scheme, "--hls", "@out/all.m3u8"];
        encrypt(&dir, &MP4, &args).done();
        let all = text(&dir, "out/all.m3u8");
        for (name, timescale, samples) in [("avc.mp4", 12_800.0, 100), ("aac.mp4", 48_000.0, 189)] {
            assert!(all.contains(&format!("{name}.m3u8")), "{all}");
            let said = Playlist::read(&text(&dir, &format!("out/{name}.m3u8")));
            let file = read(&dir, name);
            assert_eq!(said.init, (name.to_owned(), 0..the(&file, "moov").end));
            let method = if scheme == "cenc" { "SAMPLE-AES-CTR" } else { "SAMPLE-AES" };
            let kid = data_encoding::HEXLOWER.decode(KID.as_bytes()).unwrap();
            assert_eq!(said.key, Some((method.to_owned(), "org.w3.clearkey".to_owned(), kid)));
            let ranges: Vec<_> =
                said.segments.iter().map(|segment| segment.range.clone()).collect();
            assert_eq!(ranges, fragments(&file), "{name}");
            let mut counted = 0;
            for (index, segment) in said.segments.iter().enumerate() {
                assert_eq!(segment.url, name);
                let (count, lasts) = duration(&file, &segment.range);
                // The first AAC frame is not presented: so says the edit list.
                let hidden = if (name, index) == ("aac.mp4", 0) { 1024 } else { 0 };
                let seconds = (lasts - hidden) as f64 / timescale;
                assert!((segment.seconds - seconds).abs() < 1e-4, "{name}: {segment:?} {seconds}");
                counted += count;
            }
            assert_eq!(counted, samples);
            assert_segments_decrypt(&dir, name, &said);
        }
    }
}

/// Decrypts each segment by itself, as a player does, and compares the samples with those of the input.
#[track_caller]
fn assert_segments_decrypt(dir: &Dir, name: &str, said: &Playlist) {
    let file = read(dir, name);
    let init = dir.write("init.mp4", &file[said.init.1.clone()]);
    let decrypt = |input: &PathBuf, more: &[&str]| {
        let mut command = clearkey();
        command.arg("decrypt").arg(input).arg("-o").arg(dir.path("part.mp4"));
        run(command.args(["--key", &pair()]).args(more)).done();
        dir.read("part.mp4")
    };
    let mut whole = decrypt(&init, &[]);
    for segment in &said.segments {
        let path = dir.write("segment.m4s", &file[segment.range.clone()]);
        whole.extend(decrypt(&path, &["--init", init.to_str().unwrap()]));
    }
    let clear = fs::read(fixture(&format!("indexed/{name}"))).unwrap();
    assert_eq!(samples::md5(&whole), samples::md5(&clear), "{name}");
}

#[test]
fn clear_leads_and_other_schemes_have_manifests() {
    for (args, scheme) in [
        (&["--clear-lead", "1.5"][..], "cenc"),
        (&["--scheme", "cbcs", "--clear-lead", "1.5"], "cbcs"),
        (&["--scheme", "cens"], "cens"),
        (&["--scheme", "cbc1"], "cbc1"),
    ] {
        let dir = Dir::new();
        let pair = pair();
        let license = ["--license-url", "http://localhost/"];
        let common = ["--key", &pair, "--mpd", "@a.mpd", "--pssh", "none"];
        let args = [&common, &license[..], args].concat();
        encrypt(&dir, &MP4, &args).done();
        for (said, name) in xml::read(&text(&dir, "a.mpd")).iter().zip(["avc.mp4", "aac.mp4"]) {
            assert_eq!(said.scheme.as_deref(), Some(scheme));
            assert_eq!(said.pssh_kids, [KID]);
            assert_leads_into_mp4(&read(&dir, name), said);
        }
    }
}

#[test]
fn a_manifest_without_a_license_server_has_no_box_that_dash_js_would_misread() {
    let dir = Dir::new();
    encrypt(&dir, &MP4, &["--key", &pair(), "--mpd", "@a.mpd"]).done();
    for said in xml::read(&text(&dir, "a.mpd")) {
        assert!(said.default_kid.is_some());
        assert!(said.license_urls.is_empty() && said.pssh_kids.is_empty());
    }
}

#[test]
fn keys_that_take_turns_are_all_in_the_manifest() {
    let dir = Dir::new();
    let (a, b) = (pair(), other_pair());
    let keys = ["--key", &a, "--key", &b, "--rotate", "1"];
    let args = [&keys[..], &["--mpd", "@a.mpd", "--license-url", "http://localhost/"]].concat();
    encrypt(&dir, &MP4, &args).done();
    for said in xml::read(&text(&dir, "a.mpd")) {
        let mut kids = said.pssh_kids;
        kids.sort();
        assert_eq!(kids, [KID, OTHER_KID]);
    }
    let dir = Dir::new();
    let args = ["--key", &a, "--key", &b, "--rotate", "1", "--hls", "@a.m3u8"];
    encrypt(&dir, &MP4, &args).refused(2, &["--hls", "--rotate"]);
    assert!(dir.names().is_empty());
}

#[test]
fn a_playlist_with_the_key_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let pair = pair();
    let mut command = clearkey();
    command.arg("encrypt").arg(fixture(MP4[0])).arg("-o").arg(dir.path("out.mp4"));
    command.args(["--key", &pair, "--hls-keyformat", "identity", "--hls"]).arg(dir.path("a.m3u8"));
    // An old one that all may read does not stay so.
    dir.write("out.mp4.m3u8", b"old");
    run(&mut command).done();
    let said = Playlist::read(&text(&dir, "out.mp4.m3u8"));
    let key = data_encoding::HEXLOWER.decode(KEY.as_bytes()).unwrap();
    assert_eq!(said.key, Some(("SAMPLE-AES-CTR".to_owned(), "identity".to_owned(), key)));
    let mode = |name| fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("out.mp4.m3u8"), 0o600);
    assert_eq!(mode("a.m3u8") & 0o400, 0o400);
    assert_eq!(dir.names(), ["a.m3u8", "out.mp4", "out.mp4.m3u8"]);
    // The playlist tells of a random key, too.
    let mut command = clearkey();
    command.arg("encrypt").arg(fixture(MP4[0])).arg("-o").arg(dir.path("out.mp4"));
    command.args(["--hls-keyformat", "identity", "--hls"]).arg(dir.path("a.m3u8"));
    run(&mut command).done();
    let random = Playlist::read(&text(&dir, "out.mp4.m3u8")).key.unwrap().2;
    assert_ne!(random, said.key.unwrap().2);
}
