//! What the commands share: their arguments, and how they fail.

#![forbid(unsafe_code)]

use std::{env, error::Error, path::PathBuf, process::ExitCode};

/// What a command is asked to do.
pub struct Job {
    /// The encrypted file.
    pub input: PathBuf,
    /// Where the decrypted one goes.
    pub output: PathBuf,
    /// Key id, 32 hex digits.
    pub kid: String,
    /// Its key, 32 hex digits.
    pub key: String,
}

/// Does the job of the command line, and says on stderr why it cannot.
pub fn run(name: &str, decrypt: fn(&Job) -> Result<(), Box<dyn Error>>) -> ExitCode {
    let Some(job) = arguments() else {
        eprintln!("usage: {name} IN OUT KID:KEY");
        return ExitCode::from(2);
    };
    match decrypt(&job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {}: {error}", job.input.display());
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Option<Job> {
    let [input, output, keys]: [_; 3] =
        env::args_os().skip(1).collect::<Vec<_>>().try_into().ok()?;
    let (kid, key) = keys.to_str()?.split_once(':')?;
    Some(Job { input: input.into(), output: output.into(), kid: kid.into(), key: key.into() })
}
