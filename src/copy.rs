//! Decrypts into another file, or into a pipe: with all lengths as they are, or compact.

use std::{path::Path, sync::Arc};

use container::Relocation;

use crate::{
    args::DecryptJob,
    checks::too_late,
    decrypt::Keyring,
    input::Units,
    output::{Output, ReaderGone},
    pieces::{Pieces, WINDOW},
    report::DecryptReport,
    rewrite::{Rewrite, Unit},
};

/// Decrypts unit by unit, with all lengths as they are.
pub(crate) fn run(
    job: &DecryptJob,
    path: &Path,
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    write(job, path, units, keyring, &Relocation::new(), |_, plan| {
        let ready = keyring.resolve(plan)?;
        report.add(&ready);
        Ok(Unit { ready, corrections: Vec::new() })
    })
}

/// `--compact`: what protection leaves behind is taken out, and offsets are corrected.
///
/// Goes over the input twice: an index in front can only be right when all that follows is known.
pub(crate) fn run_compact(
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
    keyring.checks.forget();
    write(job, path, units, keyring, &relocation, |units, plan| {
        let ready = keyring.resolve(plan)?;
        let corrections = units.relocate(ready.plan().range(), &relocation)?;
        Ok(Unit { ready, corrections })
    })
}

fn write(
    job: &DecryptJob,
    path: &Path,
    units: &mut Units,
    keyring: &Keyring<'_>,
    relocation: &Relocation,
    mut start: impl FnMut(&Units, container::Plan) -> anyhow::Result<Unit> + Send,
) -> anyhow::Result<()> {
    let Keyring { stages, checks, .. } = keyring;
    let (threads, quiet, input) = (job.threads, job.quiet, units.file());
    let mut pieces = Pieces::new(units, |units, plan| {
        let unit = start(units, plan)?;
        let windows = unit.ready.plan().windows(WINDOW).collect();
        Ok((Arc::new(unit), windows))
    });
    let output = Rewrite { path, input: input.as_deref(), relocation, threads, quiet, stages }
        .run(
            |buffer| pieces.next(buffer),
            |turn, ready, at, bytes| {
                stages.decrypt.time(|| ready.decrypt(at, bytes))?;
                if checks.wait(turn) {
                    stages.check.time(|| checks.look(ready, at, bytes))?;
                }
                ready.edit(at, bytes);
                Ok(())
            },
            |done, is_out| {
                let judged = match done {
                    // A reader may have had enough of it just because it looks wrong.
                    Err(error) if error.is::<ReaderGone>() => {
                        checks.judge().map_err(Into::into).and(Err(error))
                    }
                    done => done.and_then(|()| Ok(checks.judge()?)),
                };
                judged.map_err(|error| match is_out {
                    true => too_late(error, "a part of the output is out already"),
                    false => error,
                })
            },
        )?;
    Output::finish([output])
}
