//! Every seed gets through, and garbage does not.

use std::{fs, path::Path};

use data_encoding::HEXLOWER;

use super::{encrypt, media};

/// The files of these folders, from the root of the project, with their names.
fn seeds(folders: &[&str]) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = files.map(|file| file.unwrap().path());
    let is_media = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|kind| kind == "mp4" || kind == "webm")
    };
    let read = |path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).unwrap());
    let seeds: Vec<_> = paths.filter(is_media).map(read).collect();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn files_are_planned() {
    let folders = ["fixtures/media", "fixtures/indexed", "fuzz/seeds/clear", "fuzz/seeds/mp4"];
    for (name, seed) in seeds(&folders) {
        assert!(media(&seed), "{name}");
    }
}

/// The settings of seeds, and whether WebM has them.
fn settings() -> Vec<(Vec<u8>, bool)> {
    let lines = include_str!("../../../fuzz/seeds/settings.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (octets, what) = line.split_once(' ').unwrap();
        (HEXLOWER.decode(octets.as_bytes()).unwrap(), what.starts_with("webm"))
    };
    lines.map(read).collect()
}

#[test]
fn clear_files_are_encrypted() {
    for (name, seed) in seeds(&["fixtures/indexed", "fuzz/seeds/clear"]) {
        for (options, is_for_webm) in settings() {
            if is_for_webm || !name.ends_with(".webm") {
                assert!(encrypt(&[&options, &seed[..]].concat()), "{name} {options:?}");
            }
        }
    }
}

#[test]
fn garbage_gets_nowhere() {
    // What is no box and no element, and boxes that are longer than they can be.
    for garbage in [
        &b"RIFF...."[..],
        b"\0\0\0\x07ftyp",
        b"\0\0\0\x10moov\0\0\0\x09trak",
        b"\x1a\x45\xdf\xa3\xff\x18",
    ] {
        assert!(!media(garbage), "{}", garbage.escape_ascii());
        assert!(!encrypt(&[&[0; 12], garbage].concat()));
    }
}
