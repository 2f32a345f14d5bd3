//! Samples: known answers through the interface, and what a host may pass that makes no sense.

use std::path::Path;

use cdm_abi::{EncryptionScheme, InitDataType, Pattern, SessionType, Status, SubsampleEntry};
use cdm_host::{Call, Cdm, Host, Sample};
use clearkey::{Jwk, KeyId, License};
use data_encoding::HEXLOWER;
use serde::Deserialize;

use crate::support::{cdm, keyids, licensed, session};

#[derive(Deserialize)]
struct Vector {
    name: String,
    scheme: String,
    key: String,
    iv: String,
    subsamples: Option<Vec<(u32, u32)>>,
    crypt_byte_block: u32,
    skip_byte_block: u32,
    input_hex: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Hex(String),
    Error(String),
}

fn octets(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

#[test]
fn known_answers() {
    let path = "../fixtures/vectors/sample_decrypt.json";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
    let (cdm, host) = cdm();
    let session_id = session(&cdm, &host, SessionType::TEMPORARY, &[1]);
    let mut count = 0;
    for vector in vectors {
        let scheme = match vector.scheme.as_str() {
            "cenc" => EncryptionScheme::CENC,
            "cbcs" => EncryptionScheme::CBCS,
            _ => continue, // the interface has no others
        };
        count += 1;
        let key: [u8; 16] = octets(&vector.key).try_into().unwrap();
        let jwk = Jwk::new(KeyId::from([1; 16]), key);
        let license = License::new(vec![jwk], cdm::SessionType::Temporary).unwrap();
        cdm.update_session(2, &session_id, &license.to_json());
        let (data, iv) = (octets(&vector.input_hex), octets(&vector.iv));
        let entry = |&(clear_bytes, cipher_bytes)| SubsampleEntry { clear_bytes, cipher_bytes };
        let subsamples = vector.subsamples.iter().flatten().map(entry).collect::<Vec<_>>();
        // No subsamples and an empty table are the same to the interface.
        if vector.subsamples.is_some() && subsamples.is_empty() {
            continue;
        }
        let (crypt_byte_block, skip_byte_block) = (vector.crypt_byte_block, vector.skip_byte_block);
        let sample = Sample {
            data: &data,
            scheme,
            kid: &[1; 16],
            iv: &iv,
            subsamples: &subsamples,
            pattern: Pattern { crypt_byte_block, skip_byte_block },
            timestamp: i64::from(count),
        };
        let clear = cdm.decrypt(&sample, |clear, timestamp| {
            assert_eq!(timestamp, i64::from(count));
            HEXLOWER.encode(clear)
        });
        match vector.expected {
            Expected::Hex(hex) => assert_eq!(clear, Ok(hex), "{}", vector.name),
            Expected::Error(what) => {
                assert_eq!(clear, Err(Status::DECRYPT_ERROR), "{}: {what}", vector.name);
            }
        }
    }
    assert!(count >= 25, "{count} of the interface's schemes");
    assert_eq!(host.buffers(), 0);
}

/// An instance with a key for the key id of 16 times 1.
fn with_key() -> (Cdm, Host) {
    let (cdm, host) = cdm();
    licensed(&cdm, &host, SessionType::TEMPORARY, &[1]);
    (cdm, host)
}

fn sample(data: &[u8]) -> Sample<'_> {
    Sample {
        data,
        scheme: EncryptionScheme::CENC,
        kid: &[1; 16],
        iv: &[7; 8],
        subsamples: &[],
        pattern: Pattern::default(),
        timestamp: -1,
    }
}

fn decrypt(cdm: &Cdm, sample: &Sample<'_>) -> Result<Vec<u8>, Status> {
    cdm.decrypt(sample, |clear, timestamp| {
        assert_eq!(timestamp, sample.timestamp);
        clear.to_vec()
    })
}

#[test]
fn clear_samples_pass_without_a_key() {
    let (cdm, _host) = cdm();
    let data = [5; 70];
    let clear =
        Sample { scheme: EncryptionScheme::UNENCRYPTED, kid: &[], iv: &[], ..sample(&data) };
    assert_eq!(decrypt(&cdm, &clear), Ok(data.to_vec()));
    // As Firefox passes the clear samples of a protected track.
    let entries = [SubsampleEntry { clear_bytes: 70, cipher_bytes: 0 }];
    for scheme in [EncryptionScheme::CENC, EncryptionScheme::CBCS] {
        let clear = Sample { scheme, iv: &[], subsamples: &entries, ..sample(&data) };
        assert_eq!(decrypt(&cdm, &clear), Ok(data.to_vec()));
    }
    assert_eq!(decrypt(&cdm, &Sample { iv: &[], ..sample(&data) }), Err(Status::DECRYPT_ERROR));
}

#[test]
fn without_the_key_nothing_comes_out() {
    let (cdm, host) = with_key();
    let data = [5; 70];
    for kid in [&[2; 16][..], &[1; 15], &[1; 17], &[]] {
        assert_eq!(decrypt(&cdm, &Sample { kid, ..sample(&data) }), Err(Status::NO_KEY));
    }
    assert_eq!(host.buffers(), 0);
}

#[test]
fn a_key_serves_until_its_session_is_closed() {
    let (cdm, host) = cdm();
    let data = [5; 70];
    assert_eq!(decrypt(&cdm, &sample(&data)), Err(Status::NO_KEY));
    let session_id = licensed(&cdm, &host, SessionType::TEMPORARY, &[1]);
    let clear = decrypt(&cdm, &sample(&data)).unwrap();
    assert_ne!(clear, data);
    cdm.close_session(3, &session_id);
    assert_eq!(decrypt(&cdm, &sample(&data)), Err(Status::NO_KEY));
}

#[test]
fn no_octets_are_a_sample_too() {
    let (cdm, host) = with_key();
    assert_eq!(decrypt(&cdm, &sample(&[])), Ok(Vec::new()));
    assert_eq!(host.buffers(), 0);
}

#[test]
fn a_long_clear_run_is_not_cut() {
    let (cdm, _host) = with_key();
    let data: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let entry = |clear_bytes, cipher_bytes| SubsampleEntry { clear_bytes, cipher_bytes };
    let short: Vec<_> = (0..4).map(|_| entry(40_000, 0)).chain([entry(0, 40_000)]).collect();
    let long = [entry(160_000, 40_000)];
    for (scheme, iv) in [(EncryptionScheme::CENC, &[7; 8][..]), (EncryptionScheme::CBCS, &[7; 16])]
    {
        let with = |subsamples| decrypt(&cdm, &Sample { scheme, iv, subsamples, ..sample(&data) });
        let clear = with(&long).unwrap();
        assert_eq!(clear, with(&short).unwrap());
        assert_eq!(clear[..160_000], data[..160_000]);
        assert_ne!(clear[160_000..], data[160_000..]);
    }
}

#[test]
fn what_makes_no_sense_is_a_decrypt_error() {
    let (cdm, host) = with_key();
    let data = [5; 70];
    let entry = |clear_bytes, cipher_bytes| SubsampleEntry { clear_bytes, cipher_bytes };
    let pattern = |crypt_byte_block, skip_byte_block| Pattern { crypt_byte_block, skip_byte_block };
    let cbcs = Sample { scheme: EncryptionScheme::CBCS, iv: &[7; 16], ..sample(&data) };
    for (what, sample) in [
        ("scheme", Sample { scheme: EncryptionScheme(3), ..sample(&data) }),
        ("IV of 7", Sample { iv: &[7; 7], ..sample(&data) }),
        ("IV of 17", Sample { iv: &[7; 17], ..sample(&data) }),
        ("too short", Sample { subsamples: &[entry(10, 59)], ..sample(&data) }),
        ("too long", Sample { subsamples: &[entry(10, 61)], ..sample(&data) }),
        ("far too long", Sample { subsamples: &[entry(u32::MAX, u32::MAX); 9], ..sample(&data) }),
        ("a pattern for cenc", Sample { pattern: pattern(1, 9), ..sample(&data) }),
        ("a pattern of 16", Sample { pattern: pattern(16, 0), ..cbcs.clone() }),
        ("a pattern of 256", Sample { pattern: pattern(1, 256), ..cbcs.clone() }),
    ] {
        assert_eq!(decrypt(&cdm, &sample), Err(Status::DECRYPT_ERROR), "{what}");
    }
    assert!(decrypt(&cdm, &Sample { pattern: pattern(1, 9), ..cbcs }).is_ok());
    assert_eq!(host.buffers(), 0);
}

#[test]
fn a_host_without_memory_gets_an_error() {
    let (cdm, host) = with_key();
    host.limit_buffers(69);
    assert_eq!(decrypt(&cdm, &sample(&[5; 70])), Err(Status::DECRYPT_ERROR));
    assert!(decrypt(&cdm, &sample(&[5; 69])).is_ok());
    assert_eq!(host.buffers(), 0);
}

#[test]
fn a_buffer_that_is_too_small_is_given_back() {
    let (cdm, host) = with_key();
    host.lack(1);
    let clear = Sample { scheme: EncryptionScheme::UNENCRYPTED, ..sample(&[5; 70]) };
    for sample in [sample(&[5; 70]), clear] {
        assert_eq!(decrypt(&cdm, &sample), Err(Status::DECRYPT_ERROR));
    }
    assert_eq!(host.buffers(), 0);
}

#[test]
fn the_latest_key_counts() {
    let (cdm, host) = with_key();
    let first = decrypt(&cdm, &sample(&[5; 70])).unwrap();
    let second = session(&cdm, &host, SessionType::TEMPORARY, &[1]);
    let jwk = Jwk::new(KeyId::from([1; 16]), [9; 16]);
    let license = License::new(vec![jwk], cdm::SessionType::Temporary).unwrap();
    cdm.update_session(2, &second, &license.to_json());
    assert_ne!(decrypt(&cdm, &sample(&[5; 70])).unwrap(), first);
    cdm.close_session(3, &second);
    assert_eq!(decrypt(&cdm, &sample(&[5; 70])).unwrap(), first);
}

#[test]
fn before_initialize_nothing_is_decrypted() {
    let host = Host::new(cdm_host::Disk::default());
    let cdm = crate::support::library().create(11, "org.w3.clearkey", &host).unwrap();
    assert_eq!(decrypt(&cdm, &sample(&[5; 70])), Err(Status::DECRYPT_ERROR));
    let kids = keyids(&[1]);
    cdm.initialize(false, false, false);
    cdm.create_session_and_generate_request(
        1,
        SessionType::TEMPORARY,
        InitDataType::KEY_IDS,
        &kids,
    );
    assert!(matches!(host.calls()[..], [Call::Initialized { .. }, ..]));
}
