//! `--compact`: what protection leaves behind is taken out, and offsets are corrected.

use std::{io::Write, path::Path};

use anyhow::Context;
use container::{Relocation, mp4::relocate};

use crate::{
    args::{DecryptJob, name},
    decrypt::{Keyring, WINDOW},
    input::Units,
    output::Output,
    progress,
    report::DecryptReport,
};

/// Goes over the input twice: an index in front can only be right when all that follows is known.
pub(crate) fn run(
    job: &DecryptJob,
    path: &Path,
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    units.keep()?;
    let mut relocation = Relocation::new();
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        report.add(&ready);
        ready.discards().for_each(|piece| relocation.remove(piece));
    }
    units.again();
    let to = || name(path, "stdout");
    let bar = progress::bar(units.len(), job.quiet);
    let mut output = Output::create(path).with_context(to)?;
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        let corrections = relocate(units.file()?, ready.plan().range(), &relocation)?;
        for window in ready.plan().windows(WINDOW) {
            let bytes = units.window(window.clone())?;
            ready.apply(window.start, bytes)?;
            for correction in &corrections {
                correction.write(window.start, bytes);
            }
            for kept in relocation.kept(window.clone()) {
                let start = usize::try_from(kept.start - window.start)?;
                let end = usize::try_from(kept.end - window.start)?;
                output.write_all(&bytes[start..end]).with_context(to)?;
            }
            bar.inc(window.end - window.start);
        }
    }
    output.finish().with_context(to)?;
    bar.finish_and_clear();
    Ok(())
}
