//! Encrypts a file that is in memory whole.

use container::{
    Error, ReadyPlan, Relocation, Window,
    encrypt::{Encryptor, Settings},
};

use super::laws::{assert_laws, index};

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
