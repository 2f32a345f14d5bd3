//! What the commands share: their arguments, and how they fail.

#![forbid(unsafe_code)]

pub mod encrypt;

use std::{env, error::Error, path::PathBuf, process::ExitCode};

/// What a command is asked to do.
pub struct Job {
    /// The file to read.
    pub input: PathBuf,
    /// Where the other one goes.
    pub output: PathBuf,
    /// Key ids, each with its key: 32 hex digits both. There is at least one.
    pub keys: Vec<(String, String)>,
}

/// Does the job of the command line, and says on stderr why it cannot.
pub fn run(name: &str, work: fn(&Job) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let Some(job) = arguments() else {
        eprintln!("usage: {name} IN OUT KID:KEY…");
        return ExitCode::from(2);
    };
    match work(&job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {}: {error}", job.input.display());
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Option<Job> {
    let mut arguments = env::args_os().skip(1);
    let (input, output) = (arguments.next()?.into(), arguments.next()?.into());
    let keys: Option<Vec<_>> = arguments.map(|pair| split(pair.to_str()?)).collect();
    let keys = keys.filter(|keys| !keys.is_empty())?;
    Some(Job { input, output, keys })
}

fn split(pair: &str) -> Option<(String, String)> {
    let (kid, key) = pair.split_once(':')?;
    Some((kid.to_owned(), key.to_owned()))
}
