//! `--compact`: what protection leaves behind is taken out, and offsets are corrected.

use std::{io::Write, path::Path};

use anyhow::Context;
use container::{
    Relocation,
    mp4::{Planner, relocate},
};

use crate::{
    args::{DecryptJob, name},
    decrypt::{Keyring, WINDOW},
    input::{Positioned, Units},
    output::Output,
    progress,
    report::DecryptReport,
};

/// Goes over the input twice: an index in front can only be right when all that follows is known.
pub(crate) fn run(
    job: &DecryptJob,
    path: &Path,
    keyring: &Keyring<'_>,
    planner: Planner,
) -> anyhow::Result<DecryptReport> {
    let input = Units::open(&job.input, planner.clone())?.into_file()?;
    let mut units = Units::of_file(input, planner.clone());
    let (mut relocation, mut report) = (Relocation::new(), DecryptReport::default());
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        report.add(&ready);
        ready.discards().for_each(|piece| relocation.remove(piece));
    }
    let input = units.into_file()?;
    let mut output = Output::create(path).with_context(|| name(path, "stdout"))?;
    write(input, job, keyring, planner, &relocation, &mut output)
        .and_then(|()| output.finish())
        .with_context(|| name(path, "stdout"))?;
    Ok(report)
}

fn write(
    input: Positioned,
    job: &DecryptJob,
    keyring: &Keyring<'_>,
    planner: Planner,
    relocation: &Relocation,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut units = Units::of_file(input, planner);
    let bar = progress::bar(units.len(), job.quiet);
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        let corrections = relocate(units.file()?, ready.plan().range(), relocation)?;
        for window in ready.plan().windows(WINDOW) {
            let bytes = units.window(window.clone())?;
            ready.apply(window.start, bytes)?;
            for correction in &corrections {
                correction.write(window.start, bytes);
            }
            for kept in relocation.kept(window.clone()) {
                let start = usize::try_from(kept.start - window.start)?;
                let end = usize::try_from(kept.end - window.start)?;
                output.write_all(&bytes[start..end])?;
            }
            bar.inc(window.end - window.start);
        }
    }
    bar.finish_and_clear();
    Ok(())
}
