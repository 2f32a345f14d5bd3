//! A process that stores, removes and releases licenses is killed at any moment. Every license that was
//! acknowledged loads afterwards, and nothing half-written does. `CLEARKEY_KILLS` says how often; 50
//! times without it.
//!
//! The process is this test itself, with a folder in its environment. It tells each step on stdout
//! before it begins it and when it has come back, so that this side knows what was promised, and what
//! was under way.
// Tests may panic.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cdm::{
    Environment, MediaKeyStatus, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, SessionType, store::DirectoryStore,
};
use clearkey::{InitData, InitDataType, Jwk, KeyId, License};

const FOLDER: &str = "CLEARKEY_CRASH_FOLDER";
const ORIGIN: &str = "https://example.org";

fn media_keys(folder: &Path) -> MediaKeys {
    let store = DirectoryStore::open(folder, ORIGIN).unwrap();
    let configuration = MediaKeySystemConfiguration {
        audio_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: "audio/webm;codecs=opus".to_owned(),
            ..Default::default()
        }],
        session_types: Some(vec!["persistent-license".to_owned()]),
        ..Default::default()
    };
    let environment = Environment::builder().store(store).build();
    let access =
        environment.request_media_key_system_access("org.w3.clearkey", &[configuration]).unwrap();
    access.create_media_keys().unwrap()
}

/// What a session has been promised to hold.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Nothing,
    /// So many keys, the first of them 1, the next 2, and so on.
    Keys(u8),
    /// So many that are destroyed.
    Released(u8),
}

/// The process that will be killed. Each session goes `keys 1`, `keys 2`, …, `release`, `forget`, and is
/// closed and loaded in between.
#[test]
fn the_one_that_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let media_keys = media_keys(Path::new(&folder));
    let mut out = std::io::stdout();
    let mut tell = |line: String| {
        out.write_all((line + "\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let init_data = InitData::new(InitDataType::Keyids, vec![KeyId::from([1; 16])]).unwrap();
    for round in 0_u8.. {
        let mut session = media_keys.create_session(SessionType::PersistentLicense).unwrap();
        session.generate_request("keyids", init_data.as_bytes()).unwrap();
        let id = session.session_id();
        for count in 1..=1 + round % 4 {
            tell(format!("begin {id} keys {count}"));
            let jwk = Jwk::new(KeyId::from([count; 16]), [count; 16]);
            let license = License::new(vec![jwk], SessionType::PersistentLicense).unwrap();
            session.update(&license.to_json()).unwrap();
            tell(format!("done {id}"));
            if count % 2 == 0 {
                session.close().unwrap();
                session = media_keys.create_session(SessionType::PersistentLicense).unwrap();
                assert_eq!(session.load(&id), Ok(true));
            }
        }
        if round % 3 > 0 {
            tell(format!("begin {id} release {}", 1 + round % 4));
            session.remove().unwrap();
            tell(format!("done {id}"));
        }
        if round % 3 > 1 {
            tell(format!("begin {id} forget 0"));
            session.update(br#"{"kids":[]}"#).unwrap();
            tell(format!("done {id}"));
        } else {
            session.close().unwrap();
        }
        while media_keys.next_event().is_some() {}
    }
}

#[test]
fn every_acknowledged_license_survives() {
    let kills: u32 = env::var("CLEARKEY_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut promised: BTreeMap<String, Held> = BTreeMap::new();
    let (mut steps, mut cut, mut cut_and_done, mut temporaries, mut loaded) = (0, 0, 0, 0, 0);
    for kill in 0..kills {
        let under_way = run_and_kill(folder.path(), kill, &mut promised, &mut steps);
        temporaries += hidden_files(folder.path());

        let media_keys = media_keys(folder.path());
        assert_eq!(hidden_files(folder.path()), 0, "what was half-written is swept");
        // All of the last rounds, and those of before now and then.
        let all: Vec<_> = promised.keys().cloned().collect();
        for id in all {
            let found = load(&media_keys, &id);
            let expected = &promised[&id];
            if let Some((cut_id, wanted)) = &under_way
                && *cut_id == id
            {
                cut += 1;
                cut_and_done += u32::from(found == *wanted);
                assert!(found == *wanted || found == *expected, "{id}: {found:?} of {wanted:?}");
                promised.insert(id, found);
                continue;
            }
            assert_eq!(found, *expected, "{id}");
            loaded += u32::from(found != Held::Nothing);
        }
        promised.retain(|_, held| *held != Held::Nothing);
        // So that the folder does not grow for ever.
        while promised.len() > 60 {
            let (id, _) = promised.pop_first().unwrap();
            forget(&media_keys, &id);
        }
    }
    println!(
        "{kills} kills: {steps} steps acknowledged, {cut} cut short of which {cut_and_done} were done, \
         {loaded} licenses and releases loaded, {temporaries} unfinished files swept"
    );
    // On a slow disk few steps end before the kill, on a fast one few are cut short.
    assert!(steps > kills / 10 && cut > kills / 10 && loaded > kills / 10);
}

/// Runs the process for a while. Yields what was under way when it was killed.
fn run_and_kill(
    folder: &Path,
    kill: u32,
    promised: &mut BTreeMap<String, Held>,
    steps: &mut u32,
) -> Option<(String, Held)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_one_that_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The clock starts with the first step, or most would be killed before it.
    let first = lines.by_ref().find(|line| line.starts_with("begin "));
    let until = Instant::now() + Duration::from_micros(u64::from(kill * 7_919 % 25_000));
    thread::sleep(until.saturating_duration_since(Instant::now()));
    child.kill().unwrap();
    child.wait().unwrap();

    let mut under_way: Option<(String, Held)> = None;
    for line in first.into_iter().chain(lines) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["begin", id, what, count] => {
                let count = count.parse().unwrap();
                let held = match what {
                    "keys" => Held::Keys(count),
                    "release" => Held::Released(count),
                    _ => Held::Nothing,
                };
                promised.entry(id.to_owned()).or_insert(Held::Nothing);
                under_way = Some((id.to_owned(), held));
            }
            ["done", _] => {
                let (id, held) = under_way.take().unwrap();
                promised.insert(id, held);
                *steps += 1;
            }
            // A line that was cut short by the kill.
            _ => {}
        }
    }
    under_way
}

/// What a fresh session finds under an id, down to the keys themselves.
fn load(media_keys: &MediaKeys, id: &str) -> Held {
    let session = media_keys.create_session(SessionType::PersistentLicense).unwrap();
    if !session.load(id).unwrap_or_else(|error| panic!("{id}: {error}")) {
        return Held::Nothing;
    }
    let statuses: Vec<_> = session.key_statuses().iter().collect();
    let count = u8::try_from(statuses.len()).unwrap();
    for ((kid, _), octet) in statuses.iter().zip(1..) {
        assert_eq!(kid.as_bytes(), [octet; 16]);
    }
    let held = match statuses[0].1 {
        MediaKeyStatus::Usable => {
            for octet in 1..=count {
                let iv = cenc::Iv::new(&[0; 8]).unwrap();
                let pattern = cenc::Pattern::NONE;
                let encryption =
                    cenc::SampleEncryption::new(cenc::Scheme::Cenc, iv, pattern, None).unwrap();
                let (mut found, mut expected) = ([0; 16], [0; 16]);
                let outcome = media_keys.decrypt(&[octet; 16], &encryption, &mut found).unwrap();
                assert_eq!(outcome, cdm::Decryption::Done);
                let key = cenc::Key::new(&[octet; 16]);
                cenc::decrypt_sample(&key, &encryption, &mut expected).unwrap();
                assert_eq!(found, expected);
            }
            Held::Keys(count)
        }
        _ => Held::Released(count),
    };
    session.close().unwrap();
    held
}

fn forget(media_keys: &MediaKeys, id: &str) {
    let session = media_keys.create_session(SessionType::PersistentLicense).unwrap();
    assert_eq!(session.load(id), Ok(true));
    session.remove().unwrap();
    session.update(br#"{"kids":[]}"#).unwrap();
    assert_eq!(load(media_keys, id), Held::Nothing);
}

/// Files that were being written.
fn hidden_files(folder: &Path) -> usize {
    let Some(origin) = std::fs::read_dir(folder).unwrap().next() else { return 0 };
    let files = std::fs::read_dir(origin.unwrap().path()).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.').count()
}
