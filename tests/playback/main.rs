//! W3C's playback-temporary-events without a media element: a real encrypted stream, and each event in
//! its place from the request to the end.
#![forbid(unsafe_code)]
// Tests may panic, and their files are far smaller than 4 GiB.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use cdm::{
    CloseReason, Decryption, EventType, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, SessionEvent, SessionType,
};
use cenc::SampleEncryption;
use clearkey::{Jwk, KeyId, LicenseRequest};
use container::{Plan, Planner, Step, Window};
use md5::{Digest as _, Md5};

const FILE: &str = "b4_cenc_avc_aac_fragb4.mp4";

fn plans(file: &[u8]) -> Vec<Plan> {
    let mut planner = Planner::new();
    let mut plans = Vec::new();
    while let Step::Unit(plan) = planner.next_unit(&Window::new(0, file), true).unwrap() {
        plans.push(plan);
    }
    plans
}

/// What `fixtures/media/manifest.json` says: keys, and the MD5 of the clear samples of each track.
fn manifest() -> (BTreeMap<KeyId, [u8; 16]>, Vec<String>) {
    let text =
        fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/media/manifest.json")).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let entry = all.iter().find(|entry| entry["file"] == FILE).unwrap();
    let keys = entry["keys"].as_array().unwrap().iter().map(|pair| {
        let (kid, key) = pair.as_str().unwrap().split_once(':').unwrap();
        let key = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap();
        (kid.parse().unwrap(), key.try_into().unwrap())
    });
    let md5s = entry["clear_md5"].as_object().unwrap().values();
    (keys.collect(), md5s.map(|md5| md5.as_str().unwrap().to_owned()).collect())
}

/// Decrypts all samples one by one, as a browser has a CDM do it. Yields how many had no key, and the
/// MD5 of each track.
fn play(media_keys: &MediaKeys, file: &[u8], plans: &[Plan]) -> (usize, Vec<String>) {
    let (mut without_key, mut tracks) = (0, BTreeMap::<u32, Md5>::new());
    for plan in plans {
        for sample in plan.samples() {
            let protection = &plan.protections()[sample.protection as usize];
            let mut bytes = file[sample.at as usize..sample.end() as usize].to_vec();
            let subsamples = plan.subsamples(sample);
            let encryption = SampleEncryption::new(
                protection.scheme,
                plan.iv(sample),
                protection.pattern,
                subsamples,
            );
            let kid = protection.kid.as_bytes();
            match media_keys.decrypt(kid, &encryption.unwrap(), &mut bytes).unwrap() {
                Decryption::Done => {
                    let track = plan.scopes()[protection.scope as usize].track;
                    tracks.entry(track).or_default().update(&bytes);
                }
                Decryption::NoKey => without_key += 1,
            }
        }
    }
    let md5s = tracks.into_values().map(|md5| data_encoding::HEXLOWER.encode(&md5.finalize()));
    (without_key, md5s.collect())
}

#[test]
fn playback_temporary_events() {
    let path = format!("{}/fixtures/media/{FILE}", env!("CARGO_MANIFEST_DIR"));
    let file = fs::read(path).unwrap();
    let plans = plans(&file);
    let (keys, md5s) = manifest();
    let samples: usize = plans.iter().map(|plan| plan.samples().len()).sum();

    let configuration = MediaKeySystemConfiguration {
        init_data_types: vec!["keyids".to_owned()],
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"video/mp4; codecs="avc1.4d401e""#.to_owned(),
            encryption_scheme: Some("cenc".to_owned()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration]).unwrap();
    let media_keys = access.create_media_keys().unwrap();
    let session = media_keys.create_session(SessionType::Temporary).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |what: String| log.lock().unwrap().push(what);

    // The page's handlers. The first answers as a license server would.
    let into = log.clone();
    session.add_event_listener(EventType::Message, move |session, event| {
        let SessionEvent::Message { message_type, message } = event else { panic!("{event:?}") };
        let request = LicenseRequest::parse(message).unwrap();
        into.lock().unwrap().push(format!("{message_type} for {} keys", request.kids().len()));
        let known = |kid: &KeyId| keys.get(kid).map(|key| Jwk::new(kid.clone(), *key));
        let license = request.answer(known).license.unwrap();
        let result = session.update(&license.to_json());
        into.lock().unwrap().push(format!("update {result:?}"));
    });
    let into = log.clone();
    session.add_event_listener(EventType::KeyStatusesChange, move |session, _| {
        let count = session.key_statuses().size();
        into.lock().unwrap().push(format!("keystatuseschange, {count} keys"));
    });

    assert_eq!(play(&media_keys, &file, &plans), (samples, Vec::new()), "waiting for a key");
    let mut kids: Vec<_> =
        plans.iter().flat_map(Plan::protections).map(|it| it.kid.clone()).collect();
    kids.sort();
    kids.dedup();
    let init_data = clearkey::InitData::new(clearkey::InitDataType::Keyids, kids).unwrap();
    let result = session.generate_request("keyids", init_data.as_bytes());
    note(format!("generate_request {result:?}"));
    media_keys.dispatch_events();

    let (without_key, mut found) = play(&media_keys, &file, &plans);
    let mut expected = md5s;
    found.sort();
    expected.sort();
    assert_eq!((without_key, found), (0, expected), "the clear samples");
    note("played".to_owned());

    let result = session.close();
    note(format!("close {result:?}, {:?}", session.closed()));
    media_keys.dispatch_events();
    assert_eq!(session.closed(), Some(CloseReason::ClosedByApplication));
    assert_eq!(play(&media_keys, &file, &plans).0, samples, "no key any more");
    assert_eq!(
        *log.lock().unwrap(),
        [
            "generate_request Ok(())",
            "license-request for 2 keys",
            "update Ok(())",
            "keystatuseschange, 2 keys",
            "played",
            "close Ok(()), Some(ClosedByApplication)",
            "keystatuseschange, 0 keys",
        ]
    );
}
