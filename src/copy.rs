//! Decrypts into another file, or into a pipe: with all lengths as they are, or compact.

use std::{ops::Range, path::Path, sync::Arc};

use anyhow::Context;
use container::{Edit, ReadyPlan, Relocation};

use crate::{
    args::{DecryptJob, name},
    checks::too_late,
    decrypt::Keyring,
    input::Units,
    output::Output,
    pieces::{Pieces, WINDOW},
    pipeline, progress,
    report::DecryptReport,
};

/// A unit, and the offsets in it that change.
struct Unit {
    ready: ReadyPlan,
    corrections: Vec<Edit>,
}

/// Decrypts unit by unit, with all lengths as they are.
pub(crate) fn run(
    job: &DecryptJob,
    path: &Path,
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    write(job, path, units, keyring, &Relocation::new(), |units, plan| {
        let _ = units;
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
    let to = || name(path, "stdout");
    let bar = progress::bar(units.len(), job.quiet);
    let output = Output::create(path).with_context(to)?;
    let mut pieces = Pieces::new(units, |units, plan| {
        let unit = start(units, plan)?;
        let windows = unit.ready.plan().windows(WINDOW).collect();
        Ok((Arc::new(unit), windows))
    });
    let done = pipeline::run(
        job.threads,
        |buffer| pieces.next(buffer),
        |piece, buffer, turn| {
            let Unit { ready, corrections } = &*piece.unit;
            let Range { start, end } = piece.window;
            let bytes = stages.read.time(|| piece.bytes(buffer))?;
            stages.decrypt.time(|| ready.decrypt(start, bytes))?;
            stages.check.time(|| checks.look(ready, start, bytes))?;
            ready.edit(start, bytes);
            for correction in corrections {
                correction.write(start, bytes);
            }
            let kept = relocation.kept(start..end).map(|kept| {
                let place = |at| usize::try_from(at - start).unwrap_or(usize::MAX);
                let [from, to] = [kept.start, kept.end].map(place);
                (relocation.moved(kept.start), &bytes[from..to])
            });
            stages.write.time(|| output.put(turn, kept)).with_context(to)?;
            bar.inc(end - start);
            Ok(())
        },
    );
    let judged = done.and_then(|()| Ok(checks.judge()?));
    judged.map_err(|error| match output.is_direct() {
        true => too_late(error, "a part of the output is out already"),
        false => error,
    })?;
    output.finish().with_context(to)?;
    bar.finish_and_clear();
    Ok(())
}
