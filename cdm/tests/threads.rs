//! Eight threads decrypt while another updates, closes and opens sessions: no wrong byte, and no key
//! that could not be there. `CLEARKEY_SECONDS` says for how long; 3 seconds without it.
// Tests may panic.
#![allow(clippy::unwrap_used)]

use std::{
    env,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use cdm::{
    Decryption, MediaKeySystemConfiguration, MediaKeySystemMediaCapability, MediaKeys, SessionType,
};
use cenc::{Iv, Key, Pattern, SampleEncryption, Scheme, Subsample};
use clearkey::{InitData, InitDataType, Jwk, KeyId, License};

const READERS: usize = 8;
/// This one is always there; its key never changes.
const STEADY: u8 = 0xf0;
/// These come and go. Each has one of two keys: its own octet, or that and 0x80.
const COMING_AND_GOING: [u8; 3] = [1, 2, 3];

fn media_keys() -> MediaKeys {
    let configuration = MediaKeySystemConfiguration {
        audio_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: "audio/webm;codecs=opus".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration]).unwrap();
    access.create_media_keys().unwrap()
}

fn start(media_keys: &MediaKeys) -> cdm::MediaKeySession {
    let session = media_keys.create_session(SessionType::Temporary).unwrap();
    let kids = vec![KeyId::from([STEADY; 16])];
    let init_data = InitData::new(InitDataType::Keyids, kids).unwrap();
    session.generate_request("keyids", init_data.as_bytes()).unwrap();
    session
}

fn license(keys: &[(u8, u8)]) -> Vec<u8> {
    let keys = keys.iter().map(|(kid, key)| Jwk::new(KeyId::from([*kid; 16]), [*key; 16]));
    License::new(keys.collect(), SessionType::Temporary).unwrap().to_json().to_vec()
}

#[test]
fn no_wrong_byte_while_sessions_come_and_go() {
    let seconds = env::var("CLEARKEY_SECONDS").map_or(3, |seconds| seconds.parse().unwrap());
    let media_keys = media_keys();
    let steady = start(&media_keys);
    steady.update(&license(&[(STEADY, STEADY)])).unwrap();

    let subsamples = [Subsample::new(5, 507), Subsample::new(16, 4_096)];
    let iv = Iv::new(&[0x20; 8]).unwrap();
    let clear: Vec<u8> = (0..=255).cycle().take(4_624).collect();
    let encryptions = [
        SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, Some(&subsamples)).unwrap(),
        SampleEncryption::new(Scheme::Cbcs, iv, Pattern::new(1, 9).unwrap(), Some(&subsamples))
            .unwrap(),
    ];
    let encrypted_with = |key: u8| {
        encryptions.each_ref().map(|encryption| {
            let mut sample = clear.clone();
            cenc::encrypt_sample(&Key::new(&[key; 16]), encryption, &mut sample).unwrap();
            sample
        })
    };
    let steady_samples = encrypted_with(STEADY);
    let pairs = COMING_AND_GOING.map(|kid| (kid, encrypted_with(kid), kid | 0x80));

    let stop = AtomicBool::new(false);
    let (done, with_no_key, changes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..READERS {
            let (media_keys, encryptions, clear) = (media_keys.clone(), &encryptions, &clear);
            let (steady_samples, pairs, stop) = (&steady_samples, &pairs, &stop);
            let (done, with_no_key) = (&done, &with_no_key);
            scope.spawn(move || {
                let decrypt = |kid: u8, at: usize, sample: &[u8]| {
                    let mut sample = sample.to_vec();
                    let outcome =
                        media_keys.decrypt(&[kid; 16], &encryptions[at], &mut sample).unwrap();
                    (outcome, sample)
                };
                let mut turn = number;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let at = turn % encryptions.len();
                    let (outcome, sample) = decrypt(STEADY, at, &steady_samples[at]);
                    assert!(outcome == Decryption::Done && sample == *clear);
                    let (kid, samples, other) = &pairs[turn % pairs.len()];
                    match decrypt(*kid, at, &samples[at]) {
                        (Decryption::NoKey, sample) => {
                            assert_eq!(sample, samples[at]);
                            with_no_key.fetch_add(1, Ordering::Relaxed);
                        }
                        (Decryption::Done, sample) if sample == *clear => {}
                        // What the other key makes of it, whole.
                        (Decryption::Done, sample) => {
                            let mut expected = samples[at].clone();
                            let other = Key::new(&[*other; 16]);
                            cenc::decrypt_sample(&other, &encryptions[at], &mut expected).unwrap();
                            assert_eq!(sample, expected);
                        }
                    }
                    done.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut open = Vec::new();
        let mut turn = 0_usize;
        while Instant::now() < end {
            turn += 1;
            let kid = COMING_AND_GOING[turn % COMING_AND_GOING.len()];
            match turn % 5 {
                0 | 1 => open.push(start(&media_keys)),
                2 => open.iter().for_each(|session: &cdm::MediaKeySession| {
                    session.update(&license(&[(kid, kid), (kid ^ 1, kid ^ 1)])).unwrap();
                }),
                3 => open.iter().take(1).for_each(|session| {
                    session.update(&license(&[(kid, kid | 0x80)])).unwrap();
                }),
                _ if turn.is_multiple_of(2) => {
                    open.drain(..).for_each(|session| session.close().unwrap())
                }
                _ => open.drain(..).for_each(|session| session.remove().unwrap()),
            }
            changes.fetch_add(1, Ordering::Relaxed);
            while media_keys.next_event().is_some() {}
        }
        stop.store(true, Ordering::Relaxed);
    });
    let [done, with_no_key, changes] =
        [done, with_no_key, changes].map(|count| count.load(Ordering::Relaxed));
    println!(
        "{done} samples decrypted, {with_no_key} without a key, {changes} changes of sessions"
    );
    assert!(done > 1_000 && with_no_key > 0 && changes > 10);
}
