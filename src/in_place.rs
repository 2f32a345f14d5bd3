//! `--in-place`: the input is its own output.

use container::ReadyPlan;

use crate::{
    args::DecryptJob,
    decrypt::{Keyring, WINDOW},
    input::{Positioned, Units},
    progress,
    report::DecryptReport,
};

/// Plans everything, so that what is wrong shows before the first write; then decrypts. What says
/// that samples are protected goes after the samples, and movie headers go last: if this is cut
/// short, then the file still says that it is encrypted.
pub(crate) fn run(
    job: &DecryptJob,
    units: &mut Units,
    keyring: &Keyring<'_>,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    while let Some(plan) = units.next_unit()? {
        report.add(&keyring.resolve(plan)?);
    }
    units.again();
    let bar = progress::bar(units.len(), job.quiet);
    let mut movie_headers = Vec::new();
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        decrypt(&ready, units)?;
        if ready.plan().tracks().is_empty() {
            edit(&ready, units.file()?)?;
        } else {
            movie_headers.push(ready);
        }
        bar.set_position(units.position());
    }
    for ready in movie_headers {
        edit(&ready, units.file()?)?;
    }
    units.file()?.sync()?;
    bar.finish_and_clear();
    Ok(())
}

fn decrypt(ready: &ReadyPlan, units: &mut Units) -> anyhow::Result<()> {
    let mut samples = ready.plan().samples().iter().peekable();
    for window in ready.plan().windows(WINDOW) {
        if samples.next_if(|sample| sample.at < window.end).is_none() {
            continue;
        }
        while samples.next_if(|sample| sample.at < window.end).is_some() {}
        let bytes = units.window(window.clone())?;
        ready.decrypt(window.start, bytes)?;
        units.write_back(window.start)?;
    }
    Ok(())
}

fn edit(ready: &ReadyPlan, file: &Positioned) -> anyhow::Result<()> {
    for edit in ready.edits() {
        let range = edit.range();
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + WINDOW);
            let mut bytes = vec![0; usize::try_from(end - at)?];
            edit.write(at, &mut bytes);
            file.write_all_at(at, &bytes)?;
            at = end;
        }
    }
    Ok(())
}
