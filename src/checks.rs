//! Whether keys look wrong, asked while decrypting.

use std::{fmt, ops::Range};

use container::{Finding, ReadyPlan, Verdict, Verifier};
use serde::Serialize;

use crate::pipeline::Turn;

/// Looks at decrypted samples, unless the user has forbidden it.
#[derive(Debug)]
pub(crate) struct Checks(Option<Verifier>);

impl Checks {
    pub(crate) fn new(verify: bool) -> Self {
        Self(verify.then(Verifier::new))
    }

    /// Forgets what has been seen.
    pub(crate) fn forget(&self) {
        if let Some(verifier) = &self.0 {
            verifier.forget();
        }
    }

    /// Takes notice of a unit, before its first window.
    pub(crate) fn begin(&self, ready: &ReadyPlan) {
        if let Some(verifier) = &self.0 {
            verifier.begin(ready);
        }
    }

    /// The windows of a unit that show the first samples of its keys, out of these.
    pub(crate) fn first_windows(
        &self,
        ready: &ReadyPlan,
        mut windows: Vec<Range<u64>>,
    ) -> Vec<Range<u64>> {
        let Some(verifier) = &self.0 else { return Vec::new() };
        windows.retain(|window| verifier.has_first(ready, window));
        windows
    }

    /// Waits until the windows before this one have been looked at, so that what is found does not depend on
    /// which thread was faster. `false`: this one need not be looked at.
    pub(crate) fn wait(&self, turn: &Turn<'_>) -> bool {
        self.0.is_some() && turn.wait()
    }

    /// Looks at a window behind its decryption. Fails when the evidence against a key is
    /// overwhelming: what is written can as well stop there.
    pub(crate) fn look(&self, ready: &ReadyPlan, at: u64, window: &[u8]) -> Result<(), WrongKeys> {
        match &self.0 {
            Some(verifier) if verifier.look(ready, at, window) => self.judge(),
            _ => Ok(()),
        }
    }

    /// Fails if a key looks wrong by what has been seen.
    pub(crate) fn judge(&self) -> Result<(), WrongKeys> {
        let mut findings = self.findings();
        findings.retain(|finding| finding.verdict == Verdict::Wrong);
        if findings.is_empty() { Ok(()) } else { Err(WrongKeys(findings)) }
    }

    /// What has been seen, by track and key.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.0.as_ref().map(Verifier::findings).unwrap_or_default()
    }
}

/// Keys that look wrong.
#[derive(Debug)]
pub(crate) struct WrongKeys(Vec<Finding>);

impl fmt::Display for WrongKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let Finding { track, kid, checked, implausible, .. } = finding;
            let comma = if index == 0 { "" } else { ", " };
            write!(
                f,
                "{comma}key for KID {kid} looks wrong: {implausible} of {checked} samples implausible (track {track})"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for WrongKeys {}

/// Says of a finding, if the error is one, what it came too late for.
pub(crate) fn too_late(error: anyhow::Error, because: &'static str) -> anyhow::Error {
    if error.is::<WrongKeys>() { error.context(because) } else { error }
}

/// A finding for the report.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    checked: u64,
    implausible: u64,
    verdict: &'static str,
}

impl Check {
    pub(crate) fn is_wrong(&self) -> bool {
        self.verdict == WRONG
    }
}

const WRONG: &str = "wrong";

impl From<&Finding> for Check {
    fn from(&Finding { checked, implausible, verdict, .. }: &Finding) -> Self {
        let verdict = match verdict {
            Verdict::Unknown => "unknown",
            Verdict::Plausible => "plausible",
            Verdict::Wrong => WRONG,
        };
        Self { checked, implausible, verdict }
    }
}
