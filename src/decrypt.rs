//! `clearkey decrypt`: plan each unit, apply its plan, write it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Context;
use clearkey::KeyId;
use container::{Error, KeyDemand, Plan, Planner, ReadyPlan};

use crate::{
    Outcome,
    args::{DecryptJob, Target, is_standard, name},
    checks::{Checks, WrongKeys},
    copy, in_place,
    input::{Positioned, Units},
    no_keys::NoKeys,
    report::DecryptReport,
    sessions::Sessions,
    stages::Stages,
};

pub(crate) fn run(job: DecryptJob) -> anyhow::Result<Outcome> {
    let source = name(&job.input, "stdin");
    let mut report = DecryptReport::default();
    let result = decrypt(&job, &Stages::default(), &mut report);
    let is_wrong = result.as_ref().is_err_and(anyhow::Error::is::<WrongKeys>);
    let to_stdout = matches!(&job.target, Target::Output { path, .. } if is_standard(path));
    let printed = match job.json && (result.is_ok() || is_wrong) {
        true => report.print_json(&source, to_stdout),
        false => Ok(()),
    };
    // What came of the file counts for more than whether it could be told.
    result.with_context(|| source.clone())?;
    printed?;
    if !job.json && !job.quiet {
        report.print(&source);
    }
    Ok(if report.is_complete() { Outcome::Done } else { Outcome::LeftEncrypted })
}

/// Does a job, and says what was done and how long its stages took.
pub(crate) fn decrypt(
    job: &DecryptJob,
    stages: &Stages,
    report: &mut DecryptReport,
) -> anyhow::Result<()> {
    let planner = planner(job.init.as_deref())?;
    let mut units = match job.target {
        Target::Output { .. } => Units::open(&job.input, planner)?,
        Target::InPlace => Units::of_file(Positioned::open_to_change(&job.input)?, planner),
    };
    let mut missing = BTreeMap::new();
    if job.allow_missing_keys {
        units.keep()?;
        missing = missing_keys(&mut units, &job.sessions)?;
        units.again();
    }
    let leave = missing.keys().copied().collect();
    let keyring =
        Keyring { sessions: &job.sessions, leave, stages, checks: Checks::new(job.verify) };
    report.add_missing(missing);
    let result = match &job.target {
        Target::InPlace => in_place::run(job, &mut units, &keyring, report),
        Target::Output { path, compact: true } => {
            copy::run_compact(job, path, &mut units, &keyring, report)
        }
        Target::Output { path, compact: false } => {
            copy::run(job, path, &mut units, &keyring, report)
        }
    };
    report.add_findings(&keyring.checks.findings());
    // What else an error says is kept: of a file in place, that a part of it is decrypted.
    let missing = match &result {
        Err(error) => match error.downcast_ref() {
            Some(Error::NoKey { kid, track }) => {
                BTreeMap::from([(*track, BTreeSet::from([kid.clone()]))])
            }
            _ => return result,
        },
        Ok(()) => return Ok(()),
    };
    if is_standard(&job.input) {
        return Err(NoKeys(missing).into());
    }
    // The whole of a file is there to be asked which other keys it wants.
    units.again();
    Err(NoKeys(missing_keys(&mut units, &job.sessions).unwrap_or(missing)).into())
}

/// A planner that has read the init segment, if there is one.
pub(crate) fn planner(init: Option<&Path>) -> anyhow::Result<Planner> {
    let Some(path) = init else { return Ok(Planner::new()) };
    let place = || path.display().to_string();
    let init = Positioned::open(path).with_context(place)?;
    Planner::with_init(&init).with_context(place)
}

fn missing_keys(
    units: &mut Units,
    sessions: &Sessions,
) -> anyhow::Result<BTreeMap<u32, BTreeSet<KeyId>>> {
    let mut demand = KeyDemand::new();
    while let Some(plan) = units.next_unit()? {
        sessions.request_for(&plan)?;
        demand.add(&plan);
    }
    Ok(demand.missing(sessions))
}

/// Keys, the tracks that are left encrypted for want of some, whether those keys look wrong, and the time
/// that it all takes.
pub(crate) struct Keyring<'k> {
    sessions: &'k Sessions,
    leave: BTreeSet<u32>,
    pub(crate) stages: &'k Stages,
    pub(crate) checks: Checks,
}

impl Keyring<'_> {
    pub(crate) fn resolve(&self, plan: Plan) -> anyhow::Result<ReadyPlan> {
        self.sessions.request_for(&plan)?;
        let ready = plan.resolve(self.sessions, &self.leave)?;
        self.checks.begin(&ready);
        Ok(ready)
    }
}
