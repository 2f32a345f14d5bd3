//! The media of `fixtures/media`, each with the keys that its manifest tells.

#[allow(dead_code, reason = "not every test asks for all of them")]
#[path = "../../src/fuzzing/laws.rs"]
pub(crate) mod laws;

use std::{collections::BTreeMap, fmt, fs, path::PathBuf, sync::Arc};

use cenc::Key;
use clearkey::KeyId;
use container::KeySource;
use data_encoding::HEXLOWER;
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) keys: BTreeMap<KeyId, Arc<Key>>,
}

impl Fixture {
    #[allow(dead_code, reason = "as for the function that calls it")]
    pub(crate) fn is_webm(&self) -> bool {
        self.name.ends_with(".webm")
    }
}

/// A failed case tells the file, not its bytes.
impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl KeySource for Fixture {
    fn key(&self, _: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.keys.get(kid).cloned()
    }
}

/// All files that the manifest lists.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let manifest: Vec<Value> = serde_json::from_slice(&media("manifest.json")).unwrap();
    manifest
        .iter()
        .map(|entry| {
            let name = entry["file"].as_str().unwrap().to_owned();
            let keys = entry["keys"].as_array().unwrap().iter().map(|pair| {
                let (kid, key) = pair.as_str().unwrap().split_once(':').unwrap();
                let key = HEXLOWER.decode(key.as_bytes()).unwrap();
                (kid.parse().unwrap(), Arc::new(Key::try_from(key.as_slice()).unwrap()))
            });
            Fixture { bytes: media(&name), keys: keys.collect(), name }
        })
        .collect()
}

/// Those that are MP4.
#[allow(dead_code, reason = "not every test asks for a format")]
pub(crate) fn mp4_fixtures() -> Vec<Fixture> {
    let mut fixtures = fixtures();
    fixtures.retain(|fixture| !fixture.is_webm());
    fixtures
}

/// The bytes of a file in `fixtures/media`.
pub(crate) fn media(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/media");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
