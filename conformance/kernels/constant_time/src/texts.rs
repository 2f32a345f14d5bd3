//! How keys are read. This does depend on them, and here is where: valgrind counts it.

use std::hint::black_box;

use clearkey::{Jwk, KeyId, License, SessionType};

use crate::secret::{hide, hide_text};

const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";
const LICENSE: &str =
    r#"{"keys":[{"kty":"oct","kid":"EAAAABAAEAAQABAAAAAAAQ","k":"OioaaN0r2bLusl6ExHdmaA"}]}"#;

/// What was counted, a line for each way in and out.
pub(crate) fn run() -> String {
    let counted = [
        (
            "KID:KEY in hexadecimal",
            count(&format!("{:032x}:{KEY}", 1), KEY, |text| {
                black_box(text.parse::<Jwk>().is_ok());
            }),
        ),
        (
            "a license, base64url in JSON",
            count(LICENSE, "OioaaN0r2bLusl6ExHdmaA", |text| {
                black_box(License::parse(text.as_bytes()).is_ok());
            }),
        ),
        ("writing a license", {
            let before = crabgrind::count_errors();
            let mut key = [0x3a; 16];
            hide(&mut key);
            let jwk = Jwk::new(KeyId::from([1; 16]), key);
            let license = License::new(vec![jwk], SessionType::Temporary);
            black_box(license.map(|license| license.to_json().len()).unwrap_or(0));
            crabgrind::count_errors() - before
        }),
    ];
    let line = |(what, count)| format!("{what}: {count} places");
    counted.map(line).join("\n")
}

/// How many places depend on the characters of a key in a text.
fn count(text: &str, key: &str, read: impl Fn(&str)) -> usize {
    let before = crabgrind::count_errors();
    let text = text.to_owned();
    let at = text.find(key).unwrap_or(0);
    hide_text(&text[at..at + key.len()]);
    read(black_box(&text));
    crabgrind::count_errors() - before
}
