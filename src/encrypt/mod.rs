//! `clearkey encrypt`: tracks and keys become settings, the units of files are planned, and written; then
//! what players open.

mod args;
mod manifests;
mod report;
mod secrets;
mod settings;
mod suggest;
mod targets;
mod tracks;
mod urls;
mod write;

use anyhow::{Context, bail};
use clearkey::Jwk;
use container::{Planner, Track};

pub(crate) use self::args::EncryptArgs;
use self::{
    manifests::Manifests,
    report::Report,
    settings::Maker,
    targets::{Target, Targets},
    tracks::{Choice, Kind},
    write::Planned,
};
use crate::{
    Outcome,
    args::{is_standard, name},
    input::Units,
    output::Output,
};

pub(crate) fn run(args: EncryptArgs) -> anyhow::Result<Outcome> {
    let reports = match args.inputs.as_slice() {
        [input] => encrypt(&args).with_context(|| name(input, "stdin"))?,
        _ => encrypt(&args)?,
    };
    if args.json {
        report::print_json(&reports, is_standard(&args.output))?;
    } else if !args.quiet {
        reports.iter().for_each(Report::print);
    }
    Ok(Outcome::Done)
}

/// An input, and what it declares.
struct Input {
    target: Target,
    units: Units,
    tracks: Vec<Track>,
}

fn encrypt(args: &EncryptArgs) -> anyhow::Result<Vec<Report>> {
    let choice = Choice::read(args)?;
    let manifests = Manifests::of(args)?;
    let targets = Targets::of(args, &manifests)?;
    let mut inputs = Vec::new();
    for target in targets.files {
        let blame = target.blame.clone();
        inputs.push(blamed(&blame, Input::open(target, args, &manifests))?);
    }
    choice.check(&inputs.iter().map(|input| input.tracks.as_slice()).collect::<Vec<_>>())?;
    let mut maker = Maker::new(args, choice)?;
    let mut settings = Vec::new();
    for Input { target, tracks, .. } in &inputs {
        settings.push(blamed(&target.blame, maker.settings(tracks))?);
    }
    let mut jobs = Vec::new();
    for (Input { target, units, .. }, mut settings) in inputs.iter().zip(settings) {
        let mut report = Report::new(&target.source);
        let plan = || {
            settings.pssh = maker.pssh(&settings, units.is_webm())?;
            manifests.check_settings(&settings)?;
            Planned::new(units, settings, &mut report)
        };
        let planned = blamed(&target.blame, plan())?;
        jobs.push((target, planned, report));
    }
    let keys = maker.into_keys();
    // Nothing is written before here.
    let Some(folder) = &targets.new_folder else { return write(args, &keys, jobs, &manifests) };
    std::fs::create_dir(folder).with_context(|| folder.display().to_string())?;
    let written = write(args, &keys, jobs, &manifests);
    if written.is_err() {
        // Unless something is in it.
        let _ = std::fs::remove_dir(folder);
    }
    written
}

/// Writes everything, and then gives all of it its names: the keys of old files are not lost before the new files
/// are whole.
fn write(
    args: &EncryptArgs,
    keys: &[Jwk],
    jobs: Vec<(&Target, Planned, Report)>,
    manifests: &Manifests,
) -> anyhow::Result<Vec<Report>> {
    // Before the files: whoever has a file needs them.
    let mut secrets = Vec::new();
    if let Some(path) = &args.license_out {
        secrets.push(secrets::write_license(path, keys)?);
    }
    if let Some(path) = &args.keys_out {
        secrets.push(secrets::write_keys(path, keys)?);
    }
    let (mut files, mut reports) = (Vec::new(), Vec::new());
    for (target, planned, report) in jobs {
        let file = blamed(&target.blame, planned.write(&target.output, args))?;
        files.push((target.output.as_path(), file));
        reports.push(report);
    }
    let placed: Vec<_> = files.iter().map(|(path, file)| (*path, file)).collect();
    let manifests = manifests.write(&placed, keys)?;
    let files = files.into_iter().map(|(_, file)| file);
    Output::finish(secrets.into_iter().chain(files).chain(manifests))?;
    Ok(reports)
}

impl Input {
    fn open(target: Target, args: &EncryptArgs, manifests: &Manifests) -> anyhow::Result<Self> {
        let mut units = Units::open(&target.input, Planner::new())?;
        units.keep()?;
        let tracks = tracks(&mut units)?;
        let is_single = matches!(tracks.as_slice(), [track] if Kind::of(track).is_some());
        if !manifests.are_none() || (args.inputs.len() > 1 && !is_single) {
            let file = units.file().context("the input is not a file")?;
            manifests.check_input(&*file, &target.input, &tracks, units.is_webm())?;
        }
        Ok(Self { target, units, tracks })
    }
}

/// Names the input that an error is about, where that is not plain.
fn blamed<T>(input: &Option<String>, result: anyhow::Result<T>) -> anyhow::Result<T> {
    match input {
        Some(input) => result.with_context(|| input.clone()),
        None => result,
    }
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
