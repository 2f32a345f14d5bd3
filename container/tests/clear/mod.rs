//! Clear files, and how tests encrypt them.

use std::{sync::Arc, time::Duration};

use cenc::{Key, Pattern, Scheme};
use clearkey::KeyId;
use container::{
    Error, FourCc, ReadyPlan, Relocation, Window,
    encrypt::{Encryptor, IvSettings, Settings, TrackKey, TrackSettings},
};

use crate::common::{assert_laws, index, media, plans};

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

/// The units of an input, and where everything goes.
pub(crate) fn planned(
    input: &[u8],
    settings: &Settings,
) -> Result<(Vec<ReadyPlan>, Relocation), Error> {
    let (mut encryptor, window) = (Encryptor::new(settings.clone()), Window::new(0, input));
    let (mut units, mut relocation) = (Vec::new(), Relocation::new());
    while let Some(unit) = encryptor.next_unit(&window)? {
        assert_laws(unit.plan());
        unit.edits().for_each(|edit| relocation.add(edit));
        units.push(unit);
    }
    Ok((units, relocation))
}

/// The input encrypted, window by window.
pub(crate) fn encrypted(input: &[u8], settings: &Settings, window: u64) -> Result<Vec<u8>, Error> {
    let (units, relocation) = planned(input, settings)?;
    let encryptor = Encryptor::new(settings.clone());
    let mut output = Vec::new();
    for unit in &units {
        let range = unit.plan().range();
        let corrections = encryptor.relocate(&Window::new(0, input), range, &relocation)?;
        for window in unit.plan().windows(window) {
            let mut bytes = input[index(&window)].to_vec();
            unit.encrypt(window.start, &mut bytes)?;
            let overwrites = unit.edits().chain(&corrections);
            overwrites.for_each(|edit| edit.write(window.start, &mut bytes));
            for (at, piece) in unit.pieces(&relocation, window.start, &bytes) {
                assert_eq!(at, output.len() as u64);
                output.extend_from_slice(piece);
            }
        }
    }
    Ok(output)
}
