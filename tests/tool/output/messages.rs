//! What is printed: reports, completions, the manual page, and never a key.

use serde_json::{Value, json};

use crate::support::{Dir, Fixture, clearkey, decrypt, run};

fn fixture() -> Fixture {
    Fixture::named("shaka_cenc_clearlead_avc_video.mp4")
}

fn report(input: &str) -> Value {
    json!({
        "input": input,
        "complete": true,
        "tracks": {
            "1": {
                "decrypted": 50,
                "clear": 50,
                "left_encrypted": 0,
                "kids": ["10000000100010001000100000000001"],
                "missing_kids": [],
                "checks": {
                    "10000000100010001000100000000001": {
                        "checked": 50,
                        "implausible": 0,
                        "verdict": "plausible",
                    },
                },
            },
        },
    })
}

#[test]
fn a_report_as_json() {
    let (fixture, dir) = (fixture(), Dir::new());
    let (input, out) = (fixture.path(), dir.path("out.mp4"));
    let name = input.to_str().unwrap();
    for option in ["--quiet", "--compact"] {
        let mut command = decrypt(&fixture.keys);
        let run = run(command.arg(&input).args(["--json", option, "-o"]).arg(&out)).done();
        assert_eq!(serde_json::from_slice::<Value>(&run.stdout).unwrap(), report(name));
        assert_eq!(run.stderr, "");
    }
    let copy = dir.write("in.mp4", &fixture.bytes());
    let in_place = run(decrypt(&fixture.keys).arg(&copy).args(["--json", "--in-place"])).done();
    let name = copy.to_str().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&in_place.stdout).unwrap(), report(name));
    // Stdout is taken.
    let mut command = decrypt(&fixture.keys);
    command.args(["-", "--json", "-o", "-"]).write_stdin(fixture.bytes());
    let piped = run(&mut command).done();
    assert_eq!(serde_json::from_str::<Value>(&piped.stderr).unwrap(), report("stdin"));
    assert_eq!(piped.stdout, dir.read("in.mp4"));
}

#[test]
fn a_report_for_people() {
    let (fixture, dir) = (fixture(), Dir::new());
    let (input, out) = (fixture.path(), dir.path("out.mp4"));
    let plain = run(decrypt(&fixture.keys).arg(&input).arg("-o").arg(&out)).done();
    let expected =
        format!("clearkey: {}: track 1: 50 samples decrypted, 50 were clear\n", input.display());
    assert_eq!((plain.stderr, plain.stdout), (expected, Vec::new()));
    let quiet = run(decrypt(&fixture.keys).arg(&input).arg("--quiet").arg("-o").arg(&out)).done();
    assert_eq!((quiet.stderr.as_str(), quiet.stdout), ("", Vec::new()));
}

/// Keys that come from elsewhere than the arguments.
#[test]
fn no_key_is_ever_shown() {
    let (fixture, dir) = (fixture(), Dir::new());
    let (kid, key) = fixture.keys[0].split_once(':').unwrap();
    let octets = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap();
    let text = data_encoding::BASE64URL_NOPAD.encode(&octets);
    let other = "00112233445566778899aabbccddeeff";
    let out = dir.path("out.mp4");
    // With the right key id, and with another one, which makes the run fail.
    for (kid, code) in [(kid, 0), (other, 1)] {
        for key in [key, &text] {
            let file = dir.write("keys.txt", format!("{kid}:{key}\n").as_bytes());
            let mut commands = [clearkey(), clearkey()];
            commands[0].env("CLEARKEY_KEYS", format!("{kid}={key}")).arg("decrypt");
            commands[1].arg("decrypt").arg("--keys-file").arg(file);
            for command in &mut commands {
                let run = run(command.arg(fixture.path()).arg("--json").arg("-o").arg(&out));
                assert_eq!(run.code, code, "{}", run.stderr);
                let shown = run.stderr + &String::from_utf8(run.stdout).unwrap();
                assert!(!shown.contains(key), "{shown}");
            }
        }
    }
    // Nor in the manual, the help and what they repeat from the environment.
    for args in [&["man"][..], &["decrypt", "--help"], &["decrypt", "-h"], &["completions", "bash"]]
    {
        let mut command = clearkey();
        command.env("CLEARKEY_KEYS", format!("{kid}:{other}"));
        let run = run(command.args(args)).done();
        assert!(!String::from_utf8(run.stdout).unwrap().contains(other), "{args:?}");
    }
}

#[test]
fn completions() {
    for (shell, says) in [
        ("bash", "complete -F _clearkey"),
        ("zsh", "#compdef clearkey"),
        ("fish", "complete -c clearkey"),
        ("elvish", "edit:completion:arg-completer[clearkey]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let run = run(clearkey().args(["completions", shell])).done();
        let script = String::from_utf8(run.stdout).unwrap();
        for words in [says, "decrypt", "inspect", "allow-missing-keys", "keys-file"] {
            assert!(script.contains(words), "{shell}: no {words}");
        }
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn manual_page() {
    let run = run(clearkey().arg("man")).done();
    let page = String::from_utf8(run.stdout).unwrap();
    for words in [
        ".TH",
        ".SH NAME",
        ".SH SYNOPSIS",
        "CLEARKEY DECRYPT",
        "CLEARKEY INSPECT",
        "\\-\\-allow\\-missing\\-keys",
        "\\-\\-in\\-place",
        "CLEARKEY_KEYS",
        "Exit codes",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
}

#[test]
fn help_and_version() {
    let version = run(clearkey().arg("--version")).done();
    let expected = format!("clearkey {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(version.stdout).unwrap(), expected);
    for args in [&["--help"][..], &["decrypt", "--help"], &["inspect", "--help"]] {
        let help = run(clearkey().args(args)).done();
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(help.contains("Usage: clearkey") && help.contains("Exit codes: 0 done"), "{help}");
    }
}
