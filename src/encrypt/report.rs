//! What was encrypted, for people and as JSON.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use clearkey::KeyId;
use serde::Serialize;

/// Counts of one input by track.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    input: String,
    tracks: BTreeMap<u32, TrackCounts>,
}

#[derive(Debug, Default, Serialize)]
struct TrackCounts {
    /// Samples that are protected now.
    encrypted: u64,
    /// Samples that stay clear.
    clear: u64,
    /// Protected samples by key id.
    kids: BTreeMap<KeyId, u64>,
}

impl Report {
    pub(super) fn new(input: &str) -> Self {
        Self { input: input.to_owned(), tracks: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, plan: &container::Plan) {
        for scope in plan.scopes() {
            let track = self.tracks.entry(scope.track).or_default();
            track.encrypted += scope.protected;
            track.clear += scope.clear;
        }
        for sample in plan.samples() {
            let protection = &plan.protections()[sample.protection as usize];
            let track = plan.scopes()[protection.scope as usize].track;
            let track = self.tracks.entry(track).or_default();
            *track.kids.entry(protection.kid.clone()).or_default() += 1;
        }
    }

    pub(super) fn print(&self) {
        let mut stderr = io::stderr().lock();
        for (id, track) in &self.tracks {
            let TrackCounts { encrypted, clear, kids } = track;
            let input = &self.input;
            let mut line = format!("clearkey: {input}: track {id}: {encrypted} samples encrypted");
            if *clear > 0 {
                line += &format!(", {clear} clear");
            }
            for kid in kids.keys() {
                line += &format!(", KID {kid}");
            }
            // If stderr is gone, the exit code still tells.
            let _ = writeln!(stderr, "{line}");
        }
    }
}

/// One report by itself; several as a list.
pub(super) fn print_json(reports: &[Report], stdout_is_taken: bool) -> anyhow::Result<()> {
    match reports {
        [report] => crate::report::print_json(report, stdout_is_taken),
        reports => crate::report::print_json(&reports, stdout_is_taken),
    }
}
