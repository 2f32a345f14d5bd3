//! Keys are nowhere in memory when their file has been replaced, nor what answers said of them.
// Tests may panic.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
#![cfg(target_os = "linux")]

#[path = "../../conformance/hygiene/scan.rs"]
mod scan;

use std::{fs, path::Path};

use scan::{Secret, is_alive, is_gone};
use server::{KeySources, KeyStore, Refresh, reply};
use zeroize::Zeroizing;

const REQUEST: &[u8] = br#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"],"type":"temporary"}"#;

/// A key file of either form.
fn write(path: &Path, key: Secret, is_set: bool) {
    let mut text = Zeroizing::new(Vec::with_capacity(1 << 12));
    if is_set {
        text.extend_from_slice(br#"{"keys":[{"kty":"oct","kid":"AQEBAQEBAQEBAQEBAQEBAQ","k":""#);
        key.write_base64url(&mut text);
        text.extend_from_slice(br#""}]}"#);
    } else {
        text.extend_from_slice(b"AQEBAQEBAQEBAQEBAQEBAQ:");
        key.write_hex(&mut text);
    }
    fs::write(path, &*text).unwrap();
}

#[test]
fn keys_of_a_file_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for (number, is_set) in [(30, true), (32, false)] {
        let (key, other) = (Secret::new(number), Secret::new(number + 1));
        let file = folder.path().join(number.to_string());
        write(&file, key, is_set);
        let files = vec![file.clone()];
        let store = KeyStore::open(KeySources { files, ..KeySources::default() }).unwrap();
        is_alive(&key.needles(), "a store");
        is_gone(&key.needles()[2..], "the text of a file");

        let answer = reply(&store, REQUEST).unwrap();
        is_alive(&key.needles()[2..], "an answer");
        drop(answer);
        is_gone(&key.needles()[2..], "an answer");

        write(&file, other, !is_set);
        assert!(matches!(store.refresh(), Refresh::Unchanged));
        assert!(matches!(store.refresh(), Refresh::Read(1)));
        is_alive(&other.needles(), "a store that has read its file again");
        is_gone(&key.needles(), "keys of a file that is replaced");

        // A file that is refused leaves nothing of it.
        let refused = Secret::new(number + 2);
        let mut text = Zeroizing::new(Vec::with_capacity(1 << 12));
        text.extend_from_slice(b"AQ:");
        refused.write_hex(&mut text);
        text.extend_from_slice(b"\nAg\n");
        fs::write(&file, &*text).unwrap();
        is_alive(&refused.needles(), "the text");
        drop(text);
        store.refresh();
        assert!(matches!(store.refresh(), Refresh::Failed(_)));
        is_gone(&refused.needles(), "keys of a file that is refused");
        drop(store);
        is_gone(&other.needles(), "a store that is dropped");
    }
}
