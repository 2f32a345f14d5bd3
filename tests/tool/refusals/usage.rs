//! Arguments that make no sense, and inputs that are no media files.

use std::fs;

use crate::support::{Dir, Fixture, Way, assert_same, clearkey, decrypt, key_args, media, run};

fn audio() -> Fixture {
    Fixture::named("shaka_cenc_avc_aac_audio.mp4")
}

#[test]
fn a_segment_without_its_init_segment() {
    let segment = fs::read(media("segments/a_2.m4s")).unwrap();
    for way in Way::ALL {
        let (run, input, _) = way.run(&segment, &key_args(&audio().keys));
        run.refused(2, &["moof", "init segment"]);
        assert_same(&input, &segment, "the segment");
    }
    let dir = Dir::new();
    let path = media("segments/a_2.m4s");
    run(clearkey().args(["inspect"]).arg(&path)).refused(2, &["a_2.m4s", "init segment"]);
    // What is given as its init segment is another segment, a text, or not there.
    let inits = [
        (media("segments/a_1.m4s"), "init segment"),
        (dir.write("init.txt", b"a text, not an init segment"), "init.txt"),
        (dir.path("nothing.mp4"), "nothing.mp4"),
        (dir.write("ftyp.mp4", b"\0\0\0\x10ftypiso6\0\0\0\0"), "no `moov` box"),
    ];
    for (init, says) in inits {
        let mut command = decrypt(&audio().keys);
        command.arg(&path).arg("-o").arg(dir.path("out.mp4")).arg("--init").arg(init);
        run(&mut command).refused(2, &[says]);
        assert!(!dir.path("out.mp4").exists());
    }
}

#[test]
fn inputs_that_are_not_mp4() {
    let inputs: [&[u8]; 6] = [
        b"",
        b"\0",
        b"A text.\n",
        b"This text is longer than the header of a box, so there is a size to be read in it.\n",
        &[0; 4096],
        &[0xff; 4096],
    ];
    for input in inputs {
        crate::make::refused(input, &audio().keys, &[]);
        let mut command = clearkey();
        command.args(["inspect", "-"]).write_stdin(input);
        run(&mut command).refused(2, &["stdin"]);
    }
}

#[test]
fn paths_that_do_not_serve() {
    let (dir, keys) = (Dir::new(), audio().keys);
    let input = dir.write("in.mp4", &audio().bytes());
    let folder = dir.path("folder");
    fs::create_dir(&folder).unwrap();
    let out = dir.path("out.mp4");
    let missing = dir.path("missing.mp4");

    let decrypt = |args: &[&dyn AsRef<std::ffi::OsStr>]| {
        let mut command = decrypt(&keys);
        args.iter().for_each(|arg| _ = command.arg(arg));
        run(&mut command)
    };
    decrypt(&[&input, &"-o", &dir.path("no/folder/out.mp4")]).refused(2, &["no/folder"]);
    decrypt(&[&input, &"-o", &folder]).refused(2, &["folder"]);
    decrypt(&[&folder, &"-o", &out]).refused(2, &["folder", "not a regular file"]);
    decrypt(&[&folder, &"--in-place"]).refused(2, &["folder"]);
    decrypt(&[&missing, &"-o", &out]).refused(2, &["missing.mp4"]);
    decrypt(&[&missing, &"--in-place"]).refused(2, &["missing.mp4"]);
    decrypt(&[&"-", &"--in-place"]).refused(2, &["--in-place", "stdin"]);
    assert_eq!(dir.names(), ["folder", "in.mp4"]);
    assert_same(&dir.read("in.mp4"), &audio().bytes(), "the input");
}

/// What the parser of arguments finds out by itself.
#[test]
fn arguments_that_contradict_each_other() {
    for args in [
        &["decrypt"][..],
        &["decrypt", "in.mp4"],
        &["decrypt", "in.mp4", "-o", "out.mp4", "--in-place"],
        &["decrypt", "in.mp4", "--in-place", "--compact"],
        &["decrypt", "in.mp4", "-o", "out.mp4", "--no-such-option"],
        &["inspect"],
        &["completions", "no-such-shell"],
        &["no-such-command"],
        &[],
    ] {
        let run = run(clearkey().args(args));
        assert_eq!(run.code, 2, "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
}

const KID: &str = "10000000100010001000100000000001";
const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";

/// Ways to write a key wrong, of which none may show in a message.
fn wrong_keys() -> Vec<String> {
    vec![
        KEY.to_owned(),
        format!("{KID}{KEY}"),
        format!("{KID}:"),
        format!("{KID}:{}", &KEY[1..]),
        format!("{KID}:{KEY}00"),
        format!("{KID}:0x{KEY}"),
        format!("{KID}:{}", KEY.replace('3', "g")),
        format!("{KID}:{KEY}:{KEY}"),
        format!(":{KEY}"),
        format!("{}:{KEY}", "x".repeat(700)),
        format!("kid+of/base64==:{KEY}"),
    ]
}

#[test]
fn keys_that_are_written_wrong() {
    let dir = Dir::new();
    let input = dir.write("in.mp4", &audio().bytes());
    // A piece of the key long enough to be one, in the forms above.
    let secret = [&KEY[4..20], &KEY.replace('3', "g")[4..20]];
    for key in wrong_keys() {
        let check = |place: &str, command: &mut assert_cmd::Command| {
            command.arg(&input).arg("-o").arg(dir.path("out.mp4"));
            let run = run(command).refused(2, &[place]);
            assert!(!secret.iter().any(|secret| run.stderr.contains(secret)), "{}", run.stderr);
        };
        check("--key number 1", clearkey().arg("decrypt").arg("--key").arg(&key));
        check(
            "CLEARKEY_KEYS",
            clearkey().arg("decrypt").env("CLEARKEY_KEYS", format!("{KID}:{KEY},{key}")),
        );
        let file = dir.write("keys.txt", format!("# keys\n{KID}:{KEY}\n{key}\n").as_bytes());
        check("keys.txt: line 3", clearkey().arg("decrypt").arg("--keys-file").arg(file));
    }
    assert!(!dir.path("out.mp4").exists());
}

#[test]
fn licenses_that_are_none() {
    let dir = Dir::new();
    let input = dir.write("in.mp4", &audio().bytes());
    let k = data_encoding::BASE64URL_NOPAD.encode(KEY.as_bytes());
    let (kid, k) = ("EAAAABAAEAAQABAAAAAAAQ", &k[..22]);
    for license in [
        String::new(),
        "not JSON".to_owned(),
        "[]".to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}A"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}="}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"rsa","kid":"{kid}","k":"{k}"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"oct","k":"{k}"}}]}}"#),
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}"}}]}} and more"#),
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{k}"}}],"type":"other"}}"#),
        format!("{{\"keys\":[{{\"kty\":\"oct\",\"kid\":\"{kid}\",\"k\":\"{k}\0\"}}]}}"),
    ] {
        let path = dir.write("license.json", license.as_bytes());
        let mut command = clearkey();
        command.arg("decrypt").arg(&input).arg("-o").arg(dir.path("out.mp4"));
        let run = run(command.arg("--license").arg(path)).refused(2, &["license.json"]);
        assert!(!run.stderr.contains(&k[2..14]), "{license}: {}", run.stderr);
    }
    let missing = dir.path("missing.json");
    let mut command = clearkey();
    command.arg("decrypt").arg(&input).arg("-o").arg(dir.path("out.mp4"));
    run(command.arg("--license").arg(missing)).refused(2, &["missing.json"]);
    assert_eq!(dir.names(), ["in.mp4", "license.json"]);
}
