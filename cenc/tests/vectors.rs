//! Known answers: what others' tests, the standards and other tools' files say about a sample.
//!
//! Each entry of the file names the source of its expectation.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use cenc::{Error, Iv, Key, Pattern, SampleEncryption, Scheme, Subsample};
use data_encoding::HEXLOWER;
use serde::Deserialize;

#[test]
fn known_answers() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/sample_decrypt.json");
    let text = std::fs::read_to_string(path).unwrap();
    let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.len(), 38);
    for vector in &vectors {
        vector.run();
    }
}

/// Bytes of other projects' media are not part of this one. Whoever has them says where.
#[test]
fn samples_of_other_packagers() {
    let Some(folder) = std::env::var_os("CLEARKEY_VECTORS") else {
        // Not `eprintln!`, which a test that passes does not show.
        let note = "samples_of_other_packagers: not run, CLEARKEY_VECTORS is not set";
        writeln!(std::io::stderr(), "{note}").unwrap();
        return;
    };
    let text = std::fs::read_to_string(Path::new(&folder).join("vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    let vectors: Vec<_> =
        vectors.sample_decrypt.iter().filter(|vector| vector.basis == "packager-output").collect();
    assert_eq!(vectors.len(), 11);
    for vector in vectors {
        vector.run();
    }
}

#[derive(Deserialize)]
struct Vectors {
    sample_decrypt: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    basis: String,
    scheme: String,
    key: String,
    iv: String,
    subsamples: Option<Vec<(u16, u32)>>,
    crypt_byte_block: u8,
    skip_byte_block: u8,
    input_hex: String,
    expected: Expected,
    /// What well-known mistakes give, each under its name.
    #[serde(default)]
    not_expected: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Hex(String),
    Error(String),
}

impl Vector {
    fn run(&self) {
        let name = &self.name;
        let input = octets(&self.input_hex);
        let mut sample = input.clone();
        let decrypted = self.apply(cenc::decrypt_sample, &mut sample);
        match (&self.expected, decrypted) {
            (Expected::Hex(hex), Ok(())) => {
                assert_eq!(HEXLOWER.encode(&sample), *hex, "{name}");
                for (mistake, hex) in &self.not_expected {
                    assert_ne!(HEXLOWER.encode(&sample), *hex, "{name}: {mistake}");
                }
                assert_eq!(self.apply(cenc::encrypt_sample, &mut sample), Ok(()), "{name}");
                assert_eq!(HEXLOWER.encode(&sample), self.input_hex, "{name}, encrypted again");
            }
            (Expected::Error(kind), Err(error)) => {
                assert_eq!(kind_of(&error), kind, "{name}");
                assert_eq!(sample, input, "{name}: changed in spite of an error");
            }
            (Expected::Hex(_) | Expected::Error(_), got) => panic!("{name}: {got:?}"),
        }
    }

    fn apply(
        &self,
        call: fn(&Key, &SampleEncryption<'_>, &mut [u8]) -> Result<(), Error>,
        sample: &mut [u8],
    ) -> Result<(), Error> {
        let key = Key::try_from(octets(&self.key).as_slice())?;
        let iv = Iv::new(&octets(&self.iv))?;
        let pattern = Pattern::new(self.crypt_byte_block, self.skip_byte_block)?;
        let subsamples: Option<Vec<_>> = self.subsamples.as_ref().map(|table| {
            table.iter().map(|&(clear, protected)| Subsample::new(clear, protected)).collect()
        });
        let scheme: Scheme = self.scheme.parse()?;
        call(&key, &SampleEncryption::new(scheme, iv, pattern, subsamples.as_deref())?, sample)
    }
}

/// The name that the vectors have for an error.
fn kind_of(error: &Error) -> &'static str {
    match error {
        Error::InvalidProtectedSize { .. } | Error::InvalidSubsamples { .. } => "InvalidSubsamples",
        Error::InvalidPattern { .. } | Error::UnexpectedPattern { .. } => "InvalidPattern",
        _ => "another",
    }
}

fn octets(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).expect("the vectors hold hexadecimal octets")
}
