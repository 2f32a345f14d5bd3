//! Other tools' files: each decrypts to the samples that its manifest entry names, in every way there
//! is, and nothing else in it changes.

use std::{collections::BTreeMap, fs};

use crate::{
    boxes::{BoxAt, walk},
    frames,
    marks::{is_clear, is_protected_entry, is_protection, targets},
    samples,
    support::{Dir, Fixture, Way, assert_same, clearkey, decrypt, key_args, media, run},
};

#[test]
fn the_input_is_protected() {
    for fixture in Fixture::mp4() {
        for (track, md5) in samples::md5(&fixture.bytes()) {
            assert_ne!(md5, fixture.clear_md5[&track], "{}: {track}", fixture.file);
        }
    }
}

#[test]
fn by_path() {
    for fixture in Fixture::all() {
        let (file, input) = (&fixture.file, fixture.bytes());
        let output = Way::Path.decrypt(&input, &fixture.keys);
        assert_eq!(samples::md5(&output), fixture.clear_md5, "{file}");
        assert!(is_clear(&output), "{file}");
        match frames::is_webm(&input) {
            true => assert_eq!(output.len(), input.len(), "{file}"),
            false => assert_same(&output, &expected(&input, &output), file),
        }
    }
}

/// `input` as it has to be when its samples are those of `output`: each box is what it was, but those
/// that say how the samples were protected are `free` boxes of zeros.
fn expected(input: &[u8], output: &[u8]) -> Vec<u8> {
    let boxes = walk(input);
    let mut expected = input.to_vec();
    for entry in boxes.iter().filter(|boxed| is_protected_entry(boxed)) {
        let frma = boxes.iter().find(|frma| frma.is(b"frma") && entry.contains(frma)).unwrap();
        expected[entry.at + 4..entry.at + 8].copy_from_slice(&input[frma.body..frma.end]);
    }
    for gone in boxes.iter().rev().filter(|boxed| is_protection(boxed, input)) {
        expected[gone.at + 4..gone.at + 8].copy_from_slice(b"free");
        expected[gone.at + 8..gone.end].fill(0);
    }
    for sample in samples::read(input).into_values().flat_map(|track| track.samples) {
        expected[sample.range()].copy_from_slice(&output[sample.range()]);
    }
    expected
}

#[test]
fn by_stdin_and_stdout() {
    same_as_by_path(Way::Stdin);
}

#[test]
fn in_place() {
    same_as_by_path(Way::InPlace);
}

fn same_as_by_path(way: Way) {
    for fixture in Fixture::all() {
        let input = fixture.bytes();
        let expected = Way::Path.decrypt(&input, &fixture.keys);
        assert_same(&way.decrypt(&input, &fixture.keys), &expected, &fixture.file);
    }
}

#[test]
fn compact() {
    for fixture in Fixture::mp4() {
        let (file, input) = (&fixture.file, fixture.bytes());
        let default = Way::Path.decrypt(&input, &fixture.keys);
        let compact = Way::Compact.decrypt(&input, &fixture.keys);
        assert_eq!(samples::md5(&compact), fixture.clear_md5, "{file}");
        assert!(is_clear(&compact), "{file}");
        assert_eq!(kinds_left(&compact, &compact), kinds_left(&input, &default), "{file}");
        let timings = |bytes: &[u8]| -> Vec<_> {
            samples::read(bytes).values().map(|track| track.timings()).collect()
        };
        assert_eq!(timings(&compact), timings(&default), "{file}");
        assert_eq!(targets(&compact), targets(&default), "{file}");
        assert_same(&Way::CompactStdin.decrypt(&input, &fixture.keys), &compact, file);
    }
}

#[test]
fn compact_webm() {
    for fixture in Fixture::webm() {
        let (file, input) = (&fixture.file, fixture.bytes());
        let default = Way::Path.decrypt(&input, &fixture.keys);
        let compact = Way::Compact.decrypt(&input, &fixture.keys);
        assert!(compact.len() + 900 < default.len(), "{file}");
        assert_eq!(samples::md5(&compact), fixture.clear_md5, "{file}");
        assert!(is_clear(&compact), "{file}");
        assert_eq!(frames::timings(&compact), frames::timings(&default), "{file}");
        // Elements are where `SeekHead` and `Cues` say that they are.
        let targets = frames::targets(&compact);
        assert_eq!(targets, frames::targets(&input), "{file}");
        let clusters = targets.iter().filter(|id| **id == frames::CLUSTER).count();
        assert!(clusters > 4, "{file}: {clusters}");
        assert_same(&Way::CompactStdin.decrypt(&input, &fixture.keys), &compact, file);
    }
}

/// The boxes that have to be left of `input`, by the names that they have in `output`.
fn kinds_left(input: &[u8], output: &[u8]) -> Vec<[u8; 4]> {
    let (before, after) = (walk(input), walk(output));
    let gone: Vec<_> = before.iter().filter(|boxed| is_protection(boxed, input)).collect();
    let is_left =
        |boxed: &&BoxAt| !gone.iter().any(|gone| gone.at <= boxed.at && boxed.end <= gone.end);
    let name = |boxed: &BoxAt| after.iter().find(|other| other.at == boxed.at).unwrap().kind;
    before.iter().filter(is_left).map(name).collect()
}

/// Here `tfra` points to where the fragments were before they were encrypted.
const WRONG_TFRA: [&str; 2] = ["mp4ff_cbcs_avc_aac_v.mp4", "mp4ff_cenc_avc_aac_a.mp4"];

#[test]
fn indexes_lead_to_fragments() {
    let mut seen = BTreeMap::new();
    for fixture in Fixture::mp4() {
        if WRONG_TFRA.contains(&fixture.file.as_str()) {
            let was = targets(&fixture.bytes());
            assert!(was.iter().any(|(_, target)| target.is_none()), "{was:?}");
            continue;
        }
        let output = Way::Compact.decrypt(&fixture.bytes(), &fixture.keys);
        let tops: Vec<_> = walk(&output).into_iter().filter(BoxAt::is_top).collect();
        for (entry, target) in targets(&output) {
            let kind = match target {
                Some(target) => tops.get(target).map(|top| top.kind),
                None => panic!("{}: {entry} leads nowhere", fixture.file),
            };
            let expected = match entry.split([' ', ',']).next_back() {
                Some("mfro") => Some(*b"mfra"),
                Some("end") => continue,
                _ => Some(*b"moof"),
            };
            assert_eq!(kind, expected, "{}: {entry}", fixture.file);
            *seen.entry(entry[..4].to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["mfro", "sidx", "tfra"]);
}

/// Shaka Packager's segments of the audio of `shaka_cenc_avc_aac_audio.mp4`.
#[test]
fn segments_with_their_init_segment() {
    let audio = Fixture::named("shaka_cenc_avc_aac_audio.mp4");
    let init = media("segments/a_init.mp4");
    let dir = Dir::new();
    run(decrypt(&audio.keys).arg(&init).arg("-o").arg(dir.path("init.mp4"))).done();
    for way in Way::ALL {
        let mut film = dir.read("init.mp4");
        for number in 1..=4 {
            let segment = fs::read(media(&format!("segments/a_{number}.m4s"))).unwrap();
            let mut args = key_args(&audio.keys);
            args.extend(["--init".to_owned(), init.to_str().unwrap().to_owned()]);
            let (run, _, output) = way.run(&segment, &args);
            run.done();
            film.extend(output.unwrap());
        }
        assert_eq!(samples::md5(&film), audio.clear_md5, "{way:?}");
        assert!(is_clear(&film), "{way:?}");
    }
}

/// An init segment, and an input that has its own: the latter counts.
#[test]
fn a_stream_with_an_init_segment_that_it_does_not_need() {
    let fixture = Fixture::named("shaka_cenc_avc_aac_video.mp4");
    let input = fixture.bytes();
    let mut args = key_args(&fixture.keys);
    args.extend(["--init".to_owned(), media("segments/a_init.mp4").to_str().unwrap().to_owned()]);
    for way in Way::ALL {
        let (run, _, output) = way.run(&input, &args);
        run.done();
        assert_same(&output.unwrap(), &way.decrypt(&input, &fixture.keys), &format!("{way:?}"));
    }
}

#[test]
fn a_decrypted_file_stays_as_it_is() {
    for fixture in Fixture::all() {
        for made in [Way::Path, Way::Compact] {
            let clear = made.decrypt(&fixture.bytes(), &fixture.keys);
            for again in Way::ALL {
                let what = format!("{}: {made:?}, then {again:?}", fixture.file);
                assert_same(&again.decrypt(&clear, &[]), &clear, &what);
            }
        }
    }
}

/// Keys can be in arguments, files, licenses and the environment, and be for a key id or a track.
#[test]
fn keys_from_everywhere() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let [video, audio] = &fixture.keys[..] else { panic!("two keys") };
    let jwk = |key: &str| {
        let (kid, key) = key.split_once(':').unwrap();
        let text = |hex: &str| {
            let octets = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            data_encoding::BASE64URL_NOPAD.encode(&octets)
        };
        format!(r#"{{"kty":"oct","kid":"{}","k":"{}"}}"#, text(kid), text(key))
    };
    let dir = Dir::new();
    let path = |name: &str| dir.path(name).to_str().unwrap().to_owned();
    dir.write("keys.txt", format!("# keys\n\n{video} # video\n{audio}\n").as_bytes());
    dir.write("one.json", format!(r#"{{"keys":[{}]}}"#, jwk(video)).as_bytes());
    let both = format!(r#"{{"keys":[{},{}],"type":"temporary"}}"#, jwk(video), jwk(audio));
    dir.write("both.json", both.as_bytes());
    let key = |key: &str| key.split_once(':').unwrap().1.to_owned();
    let cases = [
        vec!["--keys-file".to_owned(), path("keys.txt")],
        vec!["--license".to_owned(), path("both.json")],
        vec!["--license".to_owned(), path("one.json"), "--key".to_owned(), audio.clone()],
        vec![format!("--key=1:{}", key(video)), format!("--key=2:{}", key(audio))],
        vec!["-k".to_owned(), video.clone(), "-k".to_owned(), audio.clone()],
    ];
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    for args in cases {
        let out = dir.path("out.mp4");
        run(clearkey().arg("decrypt").arg(fixture.path()).arg("-o").arg(&out).args(&args)).done();
        assert_same(&fs::read(out).unwrap(), &expected, &args[0]);
    }
    let mut command = clearkey();
    command.env("CLEARKEY_KEYS", format!("{video}, {audio}\n"));
    run(command.arg("decrypt").arg(fixture.path()).arg("-o").arg(dir.path("env.mp4"))).done();
    assert_same(&dir.read("env.mp4"), &expected, "CLEARKEY_KEYS");
}
