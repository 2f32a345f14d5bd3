//! `fixtures/vectors/session_scripts.json`: each step a call, and what has to come of it. Steps that
//! are prose there are interpreted here, each sentence by name; one that is not known fails.

use std::collections::HashMap;

use cdm::{MediaKeySession, MediaKeys, SessionType};
use serde_json::{Value, json};

use crate::support::{
    KEYIDS, events, in_memory, key_in_use, kid, media_keys_in, statuses, temporary,
};

#[test]
fn session_scripts() {
    let json = include_str!("../../../fixtures/vectors/session_scripts.json");
    let scripts: Vec<Value> = serde_json::from_str(json).unwrap();
    assert_eq!(scripts.len(), 13);
    for script in &scripts {
        let name = script["name"].as_str().unwrap();
        match name {
            "key status lookups" => lookups(script),
            _ => Stage::new().play(name, script),
        }
    }
}

/// The media keys of one script, its sessions by name, and the last thing that was decrypted.
struct Stage {
    media_keys: MediaKeys,
    sessions: HashMap<String, MediaKeySession>,
    waiting: Vec<String>,
}

/// Key ids as scripts write them: `AAECAw`.
const KID: [u8; 4] = [0, 1, 2, 3];

impl Stage {
    fn new() -> Self {
        let media_keys = media_keys_in(&in_memory().0);
        Self { media_keys, sessions: HashMap::new(), waiting: Vec::new() }
    }

    fn play(mut self, name: &str, script: &Value) {
        let steps: Vec<Vec<&Value>> = script["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step.as_array().unwrap().iter().collect())
            .collect();
        // One script begins in the middle.
        if !steps[0][0].as_str().unwrap().contains("createSession") {
            self.create("", SessionType::Temporary);
            self.session("").generate_request("keyids", KEYIDS.as_bytes()).unwrap();
        }
        for step in &steps {
            let place = format!("{name}: {step:?}");
            let words: Vec<&str> = step[1..].iter().filter_map(|value| value.as_str()).collect();
            let verb = step[0].as_str().unwrap();
            let value = step.last().copied().unwrap();
            match verb.rsplit_once(['.', '=']) {
                Some((who, verb)) if who.len() == 1 => self.step(who, verb, &words, value, &place),
                _ => self.step("", verb, &words, value, &place),
            }
        }
    }

    fn create(&mut self, who: &str, session_type: SessionType) {
        let session = self.media_keys.create_session(session_type).unwrap();
        self.sessions.insert(who.to_owned(), session);
    }

    fn session(&self, who: &str) -> MediaKeySession {
        self.sessions[who].clone()
    }

    fn step(&mut self, who: &str, verb: &str, words: &[&str], value: &Value, place: &str) {
        if verb == "createSession" {
            let session_type = words.first().map_or(SessionType::Temporary, |w| w.parse().unwrap());
            return self.create(who, session_type);
        }
        if verb == "decrypt" {
            return self.decrypt(words[0], place);
        }
        let session = self.session(who);
        if ["generateRequest", "update", "remove", "close"].contains(&verb) {
            // What a script does not ask for, it does not care about.
            self.waiting.clear();
            events(&session);
        }
        let outcome = |result: Result<(), cdm::Error>| match result {
            Ok(()) => "ok",
            Err(error) => error.exception().name(),
        };
        match (verb, words) {
            ("generateRequest", [init_data_type, init_data, expected]) => {
                let result = session.generate_request(init_data_type, init_data.as_bytes());
                assert_eq!(outcome(result), *expected, "{place}");
            }
            ("generateRequest", []) => {
                session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
            }
            ("load", [session_id, expected]) => {
                let result = session.load(session_id);
                let result = result.unwrap_err().exception().name();
                assert_eq!(result, *expected, "{place}");
            }
            ("update", [response, expected]) => {
                // "0011" are octets, all others text.
                let response = match *response {
                    "0011" => vec![0x00, 0x11],
                    text => text.as_bytes().to_vec(),
                };
                assert_eq!(outcome(session.update(&response)), *expected, "{place}");
            }
            ("update", [prose]) => session.update(license(prose, place).as_bytes()).unwrap(),
            ("close", []) => session.close().unwrap(),
            ("close", [expected]) => assert_eq!(outcome(session.close()), *expected, "{place}"),
            ("remove", [expected]) => assert_eq!(outcome(session.remove()), *expected, "{place}"),
            ("event", expected) => {
                self.waiting.extend(events(&session));
                assert!(!self.waiting.is_empty(), "{place}");
                assert_eq!(self.waiting.remove(0), expected.join(" "), "{place}");
            }
            ("no event", [expected]) => {
                self.waiting.extend(events(&session));
                let told = self.waiting.iter().any(|event| event.starts_with(expected));
                assert!(!told, "{place}");
            }
            ("closed", [reason]) => {
                assert_eq!(session.closed().unwrap().as_str(), *reason, "{place}");
            }
            ("size", []) => assert_eq!(json!(session.key_statuses().size()), *value, "{place}"),
            ("keyStatuses.size", []) => {
                assert_eq!(json!(session.key_statuses().size()), *value, "{place}");
            }
            ("keyStatuses", []) => assert_eq!(json!(statuses(&session)), *value, "{place}"),
            ("load same id in a new session", ["false"]) => {
                let id = session.session_id();
                let new = self.media_keys.create_session(SessionType::PersistentLicense).unwrap();
                assert_eq!(new.load(&id), Ok(false), "{place}");
            }
            other => panic!("{place}: {other:?} is not known"),
        }
    }

    /// Key `K1` is 16 times 0x11 here, `K2` 16 times 0x22, the right key 16 times 0x77.
    fn decrypt(&self, prose: &str, place: &str) {
        let expected = match prose {
            "uses K1" | "uses K1 again" => Some(0x11),
            "uses K2 (latest)" => Some(0x22),
            "wrong output, no error" => Some(0xee),
            "right output" => Some(0x77),
            "NoKey" => None,
            other => panic!("{place}: {other} is not known"),
        };
        assert_eq!(key_in_use(&self.media_keys, &KID), expected, "{place}");
    }
}

/// The license that a step describes.
fn license(prose: &str, place: &str) -> String {
    let octet = match prose {
        "kid AAECAw key K1" => 0x11,
        "kid AAECAw key K2" => 0x22,
        "kid AAECAw key ee*16" => 0xee,
        "kid AAECAw right key" => 0x77,
        other => panic!("{place}: {other} is not known"),
    };
    let k = clearkey::base64url::encode(&[octet; 16]);
    format!(r#"{{"keys":[{{"kty":"oct","kid":"AAECAw","k":"{k}"}}]}}"#)
}

/// WPT keystatuses.js: what is not exactly the key id is another.
fn lookups(script: &Value) {
    let media_keys = media_keys_in(&in_memory().0);
    let session = temporary(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    let steps = script["steps"].as_array().unwrap();
    let ids: Vec<Vec<u8>> = steps[0][1]
        .as_str()
        .unwrap()
        .split(' ')
        .map(|id| data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap())
        .collect();
    // In the wrong order, so that sorting shows.
    let keys = ids.iter().rev().map(|id| {
        let kid = clearkey::base64url::encode(id);
        format!(r#"{{"kty":"oct","kid":"{kid}","k":"AAAAAAAAAAAAAAAAAAAAAA"}}"#)
    });
    let license = format!(r#"{{"keys":[{}]}}"#, keys.collect::<Vec<_>>().join(","));
    session.update(license.as_bytes()).unwrap();

    let map = session.key_statuses();
    let found: Vec<_> = map.keys().map(|kid| kid.as_bytes().to_vec()).collect();
    assert_eq!(steps[1][1], "13a7.. then ee73..");
    assert_eq!(found, ids);
    for id in &ids {
        assert!(map.has(id));
        let mut first = id.clone();
        first[0] += 1;
        let mut last = id.clone();
        last[15] -= 1;
        let near = HashMap::from([
            ("has(prefix of 15 bytes)", id[..15].to_vec()),
            ("has(suffix of 15 bytes)", id[1..].to_vec()),
            ("has(first byte +1)", first),
            ("has(last byte -1)", last),
            ("has(00 || id)", [&[0][..], id].concat()),
            ("has(id || 00)", [id, &[0][..]].concat()),
        ]);
        let asked: Vec<_> = steps[2..8].iter().map(|step| step[0].as_str().unwrap()).collect();
        for question in asked {
            assert!(!map.has(&near[question]), "{question}");
            assert_eq!(map.get(&near[question]), None, "{question}");
        }
    }
    assert_eq!(steps[8], json!(["get(any of those)", "undefined"]));
    assert_eq!(steps.len(), 9);
    assert!(!map.has(&[]) && map.get(&[]).is_none());
    assert!(!map.has(kid(1).as_bytes()));
}
