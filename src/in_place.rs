//! `--in-place`: the input is its own output.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use container::ReadyPlan;

use crate::{
    args::DecryptJob,
    checks::too_late,
    decrypt::Keyring,
    input::{Positioned, Units},
    pieces::{Pieces, WINDOW},
    pipeline, progress,
    report::DecryptReport,
};

/// A unit whose samples are being decrypted.
struct Unit {
    ready: ReadyPlan,
    /// Windows that are not decrypted yet.
    undone: AtomicUsize,
}

/// Rehearses, so that what is wrong shows before the first write; then decrypts. What says that samples
/// are protected goes after the samples, and the headers that declare tracks go last: if this is cut
/// short, then the file still says that it is encrypted, or all of its samples are clear.
pub(crate) fn run(
    job: &DecryptJob,
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    rehearse(units, keyring, report)?;
    let file = units.file().context("the input is not a file")?;
    file.refuse_changed()?;
    units.again();
    let is_begun = AtomicBool::new(false);
    decrypt(job, units, keyring, &file, &is_begun).map_err(|error| {
        match is_begun.into_inner() {
            true => {
                error.context("a part of the file is decrypted already, and there is no way back")
            }
            false => error,
        }
    })?;
    let judged = keyring.checks.judge().map_err(anyhow::Error::from);
    judged.map_err(|error| too_late(error, "the file has been decrypted with it already"))
}

/// The second pass, which writes.
fn decrypt(
    job: &DecryptJob,
    units: &mut Units,
    keyring: &Keyring<'_>,
    file: &Positioned,
    is_begun: &AtomicBool,
) -> anyhow::Result<()> {
    let bar = progress::bar(units.len(), job.quiet);
    let headers = Mutex::new(Vec::new());
    let close = |unit: &Arc<Unit>| {
        if unit.ready.plan().tracks().is_empty() {
            is_begun.store(true, Ordering::Relaxed);
            return edit(&unit.ready, file);
        }
        let mut headers = headers.lock().unwrap_or_else(PoisonError::into_inner);
        headers.push(Arc::clone(unit));
        Ok(())
    };
    let mut pieces = Pieces::new(units, |_, plan| {
        let ready = keyring.resolve(plan)?;
        let windows = windows_with_samples(&ready);
        let unit = Arc::new(Unit { ready, undone: AtomicUsize::new(windows.len()) });
        if windows.is_empty() {
            close(&unit)?;
        }
        Ok((unit, windows))
    });
    pipeline::run(
        job.threads,
        |buffer| pieces.next(buffer),
        |piece, buffer, turn| {
            let bytes = piece.bytes(buffer)?;
            let Unit { ready, .. } = &*piece.unit;
            ready.decrypt(piece.window.start, bytes)?;
            // All of the file under a wrong key is better than a part of it: what is found is told later.
            if keyring.checks.wait(turn) {
                let _ = keyring.checks.look(ready, piece.window.start, bytes);
            }
            turn.pass();
            ready.shift(piece.window.start, bytes);
            is_begun.store(true, Ordering::Relaxed);
            piece.write_back(bytes)?;
            bar.inc(piece.window.end - piece.window.start);
            // A window that fails leaves the count above zero, and the unit as it was.
            if piece.unit.undone.fetch_sub(1, Ordering::AcqRel) == 1 {
                close(&piece.unit)?;
            }
            Ok(())
        },
    )?;
    for unit in headers.into_inner().unwrap_or_else(PoisonError::into_inner) {
        is_begun.store(true, Ordering::Relaxed);
        edit(&unit.ready, file)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Plans everything, and decrypts the first samples of each key in memory, to see whether it is right.
fn rehearse(
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    let checks = &keyring.checks;
    let mut pieces = Pieces::new(units, |_, plan| {
        let ready = keyring.resolve(plan)?;
        report.add(&ready);
        let windows = checks.first_windows(&ready, windows_with_samples(&ready));
        Ok((Arc::new(ready), windows))
    });
    let mut buffer = Vec::new();
    while let Some(piece) = pieces.next(&mut buffer)? {
        let bytes = piece.bytes(&mut buffer)?;
        piece.unit.decrypt(piece.window.start, bytes)?;
        checks.look(&piece.unit, piece.window.start, bytes)?;
    }
    checks.judge()?;
    checks.forget();
    Ok(())
}

/// The windows that have samples, or something that is shifted. The others stay as they are.
fn windows_with_samples(ready: &ReadyPlan) -> Vec<Range<u64>> {
    let mut samples = ready.plan().samples().iter().map(|sample| sample.at).peekable();
    let mut shifts = ready.edits().filter(|edit| edit.is_shift()).map(|edit| edit.at).peekable();
    let mut has_samples = |window: &Range<u64>| {
        let mut found = false;
        while samples.next_if(|at| *at < window.end).is_some() {
            found = true;
        }
        while shifts.next_if(|at| *at < window.end).is_some() {
            found = true;
        }
        found
    };
    ready.plan().windows(WINDOW).filter(|window| has_samples(window)).collect()
}

/// Makes all edits that are not made with the samples.
fn edit(ready: &ReadyPlan, file: &Positioned) -> anyhow::Result<()> {
    for change in ready.edits().filter(|edit| !edit.is_shift()) {
        let Range { mut start, end } = change.range();
        while start < end {
            let next = end.min(start + WINDOW);
            let mut bytes = vec![0; usize::try_from(next - start)?];
            change.write(start, &mut bytes);
            let written = file.write_all_at(start, &bytes);
            written.with_context(|| format!("writing at byte {start}"))?;
            start = next;
        }
    }
    Ok(())
}
