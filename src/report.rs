//! What a decryption did, for people and as JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use anyhow::Context;
use clearkey::KeyId;
use container::{Finding, ReadyPlan};
use serde::Serialize;

use crate::{checks::Check, say};

/// Counts by track.
#[derive(Debug, Default, Serialize)]
pub(crate) struct DecryptReport {
    tracks: BTreeMap<u32, TrackCounts>,
}

#[derive(Debug, Default, Serialize)]
struct TrackCounts {
    /// Samples that were protected and are clear now.
    decrypted: u64,
    /// Samples that were clear.
    clear: u64,
    /// Protected samples that stay as they are.
    left_encrypted: u64,
    /// The key ids of its protected samples.
    kids: BTreeSet<KeyId>,
    /// The key ids without a key, for want of which it is left.
    missing_kids: BTreeSet<KeyId>,
    /// What its samples show of its keys; nothing if they were not looked at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<KeyId, Check>,
}

impl DecryptReport {
    /// Adds the keys that are known to be missing.
    pub(crate) fn add_missing(&mut self, missing: BTreeMap<u32, BTreeSet<KeyId>>) {
        for (track, kids) in missing {
            self.tracks.entry(track).or_default().missing_kids = kids;
        }
    }

    /// Adds what samples show of keys.
    pub(crate) fn add_findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            let track = self.tracks.entry(finding.track).or_default();
            track.checks.insert(finding.kid.clone(), finding.into());
        }
    }

    pub(crate) fn add(&mut self, ready: &ReadyPlan) {
        let plan = ready.plan();
        for track in plan.tracks() {
            self.tracks.entry(track.id).or_default();
        }
        for scope in plan.scopes() {
            let track = self.tracks.entry(scope.track).or_default();
            track.clear += scope.clear;
            track.decrypted += scope.protected;
        }
        for protection in plan.protections() {
            let scope = &plan.scopes()[protection.scope as usize];
            let track = self.tracks.entry(scope.track).or_default();
            track.kids.insert(protection.kid.clone());
        }
        for scope in ready.left() {
            let track = self.tracks.entry(scope.track).or_default();
            track.decrypted -= scope.protected;
            track.left_encrypted += scope.protected;
        }
    }

    /// Whether nothing stays encrypted, and no key looks wrong.
    pub(crate) fn is_complete(&self) -> bool {
        let has_all = |track: &TrackCounts| track.missing_kids.is_empty();
        let is_wrong = |track: &TrackCounts| track.checks.values().any(Check::is_wrong);
        self.tracks.values().all(|track| has_all(track) && !is_wrong(track))
    }

    /// Says on stderr what was done.
    pub(crate) fn print(&self, input: &str) {
        let mut stderr = io::stderr().lock();
        for (id, track) in &self.tracks {
            let TrackCounts { decrypted, clear, left_encrypted, missing_kids, .. } = track;
            let mut line = format!("clearkey: {input}: track {id}: {decrypted} samples decrypted");
            if *clear > 0 {
                line += &format!(", {clear} were clear");
            }
            if let Some(kid) = missing_kids.first() {
                line += &format!(", {left_encrypted} left encrypted: no key for KID {kid}");
            }
            // If stderr is gone, the exit code still tells.
            let _ = writeln!(stderr, "{line}");
        }
    }

    /// Prints JSON on stdout, or on stderr if stdout is taken.
    pub(crate) fn print_json(&self, input: &str, stdout_is_taken: bool) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Report<'r> {
            input: &'r str,
            complete: bool,
            #[serde(flatten)]
            counts: &'r DecryptReport,
        }
        let report = Report { input, complete: self.is_complete(), counts: self };
        print_json(&report, stdout_is_taken)
    }
}

/// Prints a report as JSON on stdout, or on stderr if stdout is taken.
pub(crate) fn print_json(report: &impl Serialize, stdout_is_taken: bool) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    match stdout_is_taken {
        true => say(io::stderr(), json.as_bytes()).context("stderr"),
        false => say(io::stdout(), json.as_bytes()).context("stdout"),
    }
}
