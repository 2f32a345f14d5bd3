//! Clear files, and how tests encrypt them.

#[path = "../../src/fuzzing/rewriting.rs"]
pub(crate) mod rewriting;

use std::{sync::Arc, time::Duration};

use cenc::{Key, Pattern, Scheme};
use clearkey::KeyId;
use container::{
    FourCc,
    encrypt::{IvSettings, Settings, TrackKey, TrackSettings},
};

use crate::common::{laws, laws::plans, media};

pub(crate) fn clear(name: &str) -> Vec<u8> {
    media(&format!("../clear/{name}"))
}

pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

/// The key of a key id, whatever the track.
pub(crate) fn key(kid: &KeyId) -> Arc<Key> {
    Arc::new(Key::new(&[kid.as_bytes()[0] ^ 0xff; 16]))
}

pub(crate) const PER_SAMPLE_8: IvSettings = {
    let mut first = [0; 16];
    first[7] = 0xfe;
    IvSettings::PerSample { size: 8, first }
};
pub(crate) const PER_SAMPLE_16: IvSettings = IvSettings::PerSample { size: 16, first: [0xff; 16] };

/// Settings for all tracks of a file: three keys each, of which one serves if they do not take turns.
pub(crate) fn settings(input: &[u8], scheme: Scheme, iv: IvSettings) -> Settings {
    let tracks =
        plans(input).unwrap().iter().flat_map(|plan| plan.tracks().to_vec()).collect::<Vec<_>>();
    let pattern = |handler: FourCc| match scheme {
        Scheme::Cens | Scheme::Cbcs if handler == *b"vide" => Pattern::new(1, 9).unwrap(),
        _ => Pattern::NONE,
    };
    let tracks = tracks.iter().map(|track| TrackSettings {
        track: track.id,
        keys: (0..3)
            .map(|turn| KeyId::from([u8::try_from(track.id).unwrap() * 16 + turn; 16]))
            .map(|kid| TrackKey { key: key(&kid), kid })
            .collect(),
        pattern: pattern(track.handler),
        iv,
    });
    let tracks = tracks.collect();
    Settings { scheme, tracks, pssh: Vec::new(), piff: false, clear_lead: None, rotate: None }
}
