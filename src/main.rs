//! The `clearkey` command: arguments become a job, the job is run, its outcome is an exit code.
//!
//! Nothing here knows a format: `container` plans and decrypts, `clearkey` reads and writes messages, and
//! `cdm` has the sessions in between.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod checks;
mod copy;
mod decrypt;
mod encrypt;
mod in_place;
mod init_data;
mod input;
mod inspect;
mod keys;
mod license;
mod license_server;
mod no_keys;
mod output;
mod pieces;
mod pipeline;
mod progress;
mod report;
mod request;
mod rewrite;
mod serve;
mod sessions;
mod stages;
mod unfinished;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::{CommandFactory, Parser};

use crate::args::{Args, Command};

/// A protected sample had no key, or one that looks wrong.
const NO_KEY: u8 = 1;
/// Anything else went wrong.
const FAILED: u8 = 2;

/// What came of a job that did all it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All of it.
    Done,
    /// Something stays encrypted, for want of a key.
    LeftEncrypted,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::LeftEncrypted) => NO_KEY.into(),
        Err(error) if error.is::<output::ReaderGone>() => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr is gone too, there is nobody to tell.
            let _ = writeln!(io::stderr(), "clearkey: {error:#}");
            let has_no_key = error.downcast_ref::<no_keys::NoKeys>().is_some()
                || error.downcast_ref::<no_keys::UnknownKids>().is_some()
                || error.downcast_ref::<checks::WrongKeys>().is_some();
            if has_no_key { NO_KEY } else { FAILED }.into()
        }
    }
}

fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.command {
        Command::Decrypt(args) => decrypt::run(args.into_job()?),
        Command::Encrypt(args) => encrypt::run(args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Request(args) => request::run(&args),
        Command::License(args) => license::run(args),
        Command::Serve(args) => serve::run(args),
        Command::InitData(args) => init_data::run(&args),
        Command::Bench(args) => bench::run(args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "clearkey", &mut script);
            print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            args::man_page(&mut page)?;
            print(&page)
        }
    }
}

fn print(bytes: &[u8]) -> anyhow::Result<Outcome> {
    // Not by std's buffer, which nobody wipes: it may be a license.
    output::stdout().and_then(|stdout| say(stdout, bytes)).context("stdout")?;
    Ok(Outcome::Done)
}

/// Says something to somebody, who may have had enough: that is no error, and changes no exit code.
fn say(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
