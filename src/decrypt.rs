//! `clearkey decrypt`: plan each unit, apply its plan, write it.

use std::{collections::BTreeSet, io::Write, path::Path};

use anyhow::Context;
use container::{Error, MissingKeys, Plan, ReadyPlan, mp4::Planner};

use crate::{
    Outcome,
    args::{DecryptJob, Target, is_standard, name},
    compact, in_place,
    input::{Positioned, Units},
    keys::{Keys, NoKeys},
    output::Output,
    progress,
    report::DecryptReport,
};

/// Bytes that are read, decrypted and written at a time: they fit into a core's cache.
pub(crate) const WINDOW: u64 = 256 << 10;

pub(crate) fn run(job: DecryptJob) -> anyhow::Result<Outcome> {
    let planner = planner(job.init.as_deref())?;
    let source = name(&job.input, "stdin");
    let keyring = Keyring { keys: &job.keys, missing: job.missing_keys };
    let report = match &job.target {
        Target::InPlace => in_place::run(&job, &keyring, planner),
        Target::Output { path, compact: true } => compact::run(&job, path, &keyring, planner),
        Target::Output { path, compact: false } => copy(&job, path, &keyring, planner),
    };
    // The whole of a file is there to be asked which other keys it wants.
    let report = report.map_err(|error| match error.downcast() {
        Ok(Error::NoKey { kid, track }) => {
            let mut missing = BTreeSet::from([(track, kid)]);
            if !is_standard(&job.input) {
                missing.extend(missing_keys(&job).unwrap_or_default());
            }
            NoKeys(missing).into()
        }
        Ok(error) => error.into(),
        Err(error) => error,
    });
    let report = report.with_context(|| source.clone())?;
    let to_stdout = matches!(&job.target, Target::Output { path, .. } if is_standard(path));
    if job.json {
        report.print_json(&source, to_stdout)?;
    } else if !job.quiet {
        report.print(&source);
    }
    Ok(if report.is_complete() { Outcome::Done } else { Outcome::LeftEncrypted })
}

/// A planner that has read the init segment, if there is one.
pub(crate) fn planner(init: Option<&Path>) -> anyhow::Result<Planner> {
    let Some(path) = init else { return Ok(Planner::new()) };
    let place = || path.display().to_string();
    let init = Positioned::open(path).with_context(place)?;
    Planner::with_init(&init).with_context(place)
}

/// Keys, and what to do without one.
pub(crate) struct Keyring<'k> {
    keys: &'k Keys,
    missing: MissingKeys,
}

impl Keyring<'_> {
    pub(crate) fn resolve(&self, plan: Plan) -> Result<ReadyPlan, Error> {
        plan.resolve(self.keys, self.missing)
    }
}

/// Decrypts unit by unit, with all lengths as they are.
fn copy(
    job: &DecryptJob,
    path: &Path,
    keyring: &Keyring<'_>,
    planner: Planner,
) -> anyhow::Result<DecryptReport> {
    let mut units = Units::open(&job.input, planner)?;
    let bar = progress::bar(units.len(), job.quiet);
    let mut output = Output::create(path).with_context(|| name(path, "stdout"))?;
    let mut report = DecryptReport::default();
    while let Some(plan) = units.next_unit()? {
        let ready = keyring.resolve(plan)?;
        report.add(&ready);
        for window in ready.plan().windows(WINDOW) {
            let bytes = units.window(window.clone())?;
            ready.apply(window.start, bytes)?;
            output.write_all(bytes).with_context(|| name(path, "stdout"))?;
            bar.inc(window.end - window.start);
        }
    }
    output.finish().with_context(|| name(path, "stdout"))?;
    bar.finish_and_clear();
    Ok(report)
}

/// All keys that a file wants and that are not there.
fn missing_keys(job: &DecryptJob) -> anyhow::Result<BTreeSet<(u32, clearkey::KeyId)>> {
    use container::KeySource;
    let mut units = Units::open(&job.input, planner(job.init.as_deref())?)?;
    let mut missing = BTreeSet::new();
    while let Some(plan) = units.next_unit()? {
        for protection in plan.protections() {
            let track = plan.scopes()[protection.scope as usize].track;
            if job.keys.key(track, &protection.kid).is_none() {
                missing.insert((track, protection.kid.clone()));
            }
        }
    }
    Ok(missing)
}
