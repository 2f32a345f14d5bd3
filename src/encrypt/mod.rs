//! `clearkey encrypt`: tracks and keys become settings, the units of the file are planned, and written.

mod args;
mod secrets;
mod settings;
mod tracks;
mod write;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anyhow::{Context, bail};
use clearkey::KeyId;
use container::{Planner, Track};
use serde::Serialize;

pub(crate) use self::args::EncryptArgs;
use self::{settings::settings, tracks::Choice, write::Planned};
use crate::{
    Outcome,
    args::{is_standard, name},
    input::Units,
    report::print_json,
};

pub(crate) fn run(args: EncryptArgs) -> anyhow::Result<Outcome> {
    let source = name(&args.input, "stdin");
    let report = encrypt(&args).with_context(|| source.clone())?;
    if args.json {
        report.print_json(&source, is_standard(&args.output))?;
    } else if !args.quiet {
        report.print(&source);
    }
    Ok(Outcome::Done)
}

fn encrypt(args: &EncryptArgs) -> anyhow::Result<Report> {
    let choice = Choice::read(args)?;
    let mut units = Units::open(&args.input, Planner::new())?;
    units.keep()?;
    let tracks = tracks(&mut units)?;
    let (settings, keys) = settings(args, &choice, &tracks, units.is_webm())?;
    let mut report = Report::default();
    let planned = Planned::new(&units, settings, &mut report)?;
    // Before the file: whoever has the file needs them.
    if let Some(path) = &args.license_out {
        secrets::write_license(path, &keys)?;
    }
    if let Some(path) = &args.keys_out {
        secrets::write_keys(path, &keys)?;
    }
    planned.write(args)?;
    Ok(report)
}

/// The tracks that the first header declares.
fn tracks(units: &mut Units) -> anyhow::Result<Vec<Track>> {
    while let Some(plan) = units.next_unit()? {
        if !plan.tracks().is_empty() {
            return Ok(plan.tracks().to_vec());
        }
    }
    bail!("no tracks");
}

/// Counts by track.
#[derive(Debug, Default, Serialize)]
struct Report {
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
    fn add(&mut self, plan: &container::Plan) {
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

    fn print(&self, input: &str) {
        let mut stderr = io::stderr().lock();
        for (id, track) in &self.tracks {
            let TrackCounts { encrypted, clear, kids } = track;
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

    fn print_json(&self, input: &str, stdout_is_taken: bool) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Named<'r> {
            input: &'r str,
            #[serde(flatten)]
            report: &'r Report,
        }
        print_json(&Named { input, report: self }, stdout_is_taken)
    }
}
