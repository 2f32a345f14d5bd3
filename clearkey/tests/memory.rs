//! What was read of a message is nowhere in memory when it is dropped. The message itself is its owner's to wipe.
// Tests may panic.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
#![cfg(target_os = "linux")]

#[path = "../../conformance/hygiene/scan.rs"]
mod scan;

use clearkey::{Jwk, License, SessionType};
use scan::{Secret, is_alive, is_gone, overwrite_stack};
use zeroize::Zeroizing;

/// A JWK set with this key, and what else stands in front of it and behind it.
fn license(key: Secret, before: &str, after: &str) -> Zeroizing<Vec<u8>> {
    // Room for all: a buffer that grows leaves copies.
    let mut json = Zeroizing::new(Vec::with_capacity(1 << 12));
    json.extend_from_slice(br#"{"keys":["#);
    json.extend_from_slice(before.as_bytes());
    json.extend_from_slice(br#"{"kty":"oct","kid":"AQ","k":""#);
    key.write_base64url(&mut json);
    json.extend_from_slice(br#""}"#);
    json.extend_from_slice(after.as_bytes());
    json.extend_from_slice(b"]}");
    json
}

const OTHERS: &str = r#",{"kty":"oct","kid":"Ag","k":"AAAAAAAAAAAAAAAAAAAAAA"}"#;

#[test]
fn a_license() {
    let key = Secret::new(10);
    let json = license(key, "", OTHERS);
    is_alive(&key.needles(), "the message");
    let license = License::parse(&json).unwrap();
    drop(json);
    assert_eq!(license.keys[0].key()[..], key.reveal()[..]);
    is_alive(&key.needles(), "a license");
    // Its texts are gone already.
    is_gone(&key.needles()[2..], "the texts of a license");
    drop(license);
    is_gone(&key.needles(), "a license");
}

#[test]
fn a_license_that_is_written() {
    let key = Secret::new(11);
    let license = License::parse(&license(key, "", "")).unwrap();
    let json = license.to_json();
    is_alive(&key.needles()[2..], "a license, written");
    drop(json);
    is_gone(&key.needles()[2..], "a license, written");
    let many = License::new(vec![license.keys[0].clone(); 3], SessionType::Temporary).unwrap();
    assert_eq!(many.keys.len(), 1);
    drop(license);
    is_alive(&key.needles(), "a clone of its key");
    drop(many);
    is_gone(&key.needles(), "clones of a key");
}

/// One wrong key refuses all, and those before it go at once.
#[test]
fn a_license_that_is_refused() {
    let key = Secret::new(12);
    for after in [
        r#",{"kty":"oct","kid":"Ag","k":"AAAA"}"#,
        r#",{"kty":"oct","kid":"Ag","k":"A+AA"}"#,
        r#",{"kty":"oct","kid":"Ag"}"#,
        ",7",
        ",",
    ] {
        let json = license(key, "", after);
        let error = License::parse(&json).unwrap_err();
        // Where nothing is optimised, the search for the line of an error leaves what it looks at on the stack.
        overwrite_stack();
        is_alive(&key.needles(), "the message");
        drop(json);
        is_gone(&key.needles(), &format!("{after}: {error}"));
    }
}

#[test]
fn a_set_of_keys_and_a_line_of_a_file() {
    let key = Secret::new(13);
    let set = Jwk::parse_set(&license(key, "", OTHERS)).unwrap();
    is_alive(&key.needles(), "a set of keys");
    drop(set);
    is_gone(&key.needles(), "a set of keys");

    for (is_hex, name) in [(true, "hex"), (false, "base64url")] {
        let mut line = Zeroizing::new(Vec::with_capacity(100));
        line.extend_from_slice(b"AQ:");
        match is_hex {
            true => key.write_hex(&mut line),
            false => key.write_base64url(&mut line),
        }
        let jwk: Jwk = str::from_utf8(&line).unwrap().parse().unwrap();
        drop(line);
        is_alive(&key.needles(), name);
        drop(jwk);
        is_gone(&key.needles(), name);
    }
}
