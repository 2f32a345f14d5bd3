//! Clear movies for tests, and what becomes of them.

use std::sync::Arc;

use cenc::{Key, Pattern, Scheme};

use super::Encryptor;
use crate::{
    Error, ReadAt, ReadyPlan, Relocation, Window,
    encrypt::{IvSettings, Settings, TrackKey, TrackSettings},
    mp4::{
        relocate,
        testing::{KID, Written, empty_table, full, mvex, plain, tkhd},
    },
};

/// Settings for track 1: scheme `cenc` with one key and IVs of 8 bytes, the first of which is 0.
pub(super) fn settings() -> Settings {
    let key = TrackKey { kid: KID.into(), key: Arc::new(Key::new(&[1; 16])) };
    let iv = IvSettings::PerSample { size: 8, first: [0; 16] };
    let track = TrackSettings { track: 1, keys: vec![key], pattern: Pattern::NONE, iv };
    Settings {
        scheme: Scheme::Cenc,
        tracks: vec![track],
        pssh: Vec::new(),
        piff: false,
        clear_lead: None,
        rotate: None,
    }
}

/// A sample entry of a codec that nobody knows.
pub(super) fn entry() -> Written {
    plain(b"abcd").zeros(78)
}

/// A track of video with ten units of time in a second.
pub(super) fn trak(track: u32, table: &Written) -> Written {
    let mdhd = full(b"mdhd", 0, 0).u32(0).u32(0).u32(10).u32(0).u32(0);
    let hdlr = full(b"hdlr", 0, 0).u32(0).put(b"vide");
    let mdia = plain(b"mdia").put(mdhd).put(hdlr).put(plain(b"minf").put(table));
    plain(b"trak").put(tkhd(track)).put(mdia)
}

/// The header of a fragmented movie with track 1.
pub(super) fn moov() -> Written {
    let table = empty_table(&[entry()]).put(full(b"stts", 0, 0).u32(0));
    plain(b"moov").put(trak(1, &table)).put(mvex(1))
}

/// The units of an input, and where everything goes.
pub(super) fn planned(
    input: &dyn ReadAt,
    settings: Settings,
) -> Result<(Vec<ReadyPlan>, Relocation), Error> {
    let (mut units, mut relocation) = (Vec::new(), Relocation::new());
    let mut encryptor = Encryptor::new(settings);
    while let Some(unit) = encryptor.next_unit(input)? {
        unit.edits().for_each(|edit| relocation.add(edit));
        units.push(unit);
    }
    Ok((units, relocation))
}

/// A file with all edits, and its samples as they were.
pub(super) fn edited(file: &[u8], settings: Settings) -> Result<Vec<u8>, Error> {
    let window = Window::new(0, file);
    let (units, relocation) = planned(&window, settings)?;
    let mut output = Vec::new();
    for unit in &units {
        let range = unit.plan().range();
        let corrections = relocate(&window, range.clone(), &relocation)?;
        let [from, to] = [range.start, range.end].map(|at| usize::try_from(at).unwrap());
        let mut bytes = file[from..to].to_vec();
        let edits = unit.edits().chain(&corrections);
        edits.for_each(|edit| edit.write(range.start, &mut bytes));
        for (_, piece) in unit.pieces(&relocation, range.start, &bytes) {
            output.extend_from_slice(piece);
        }
    }
    Ok(output)
}
