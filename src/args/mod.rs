//! The arguments as typed, and what they mean.

mod exchange;

use std::{
    io::{self, Write},
    num::NonZero,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use clearkey::limits;

pub(crate) use self::exchange::{
    ExplainArgs, InitDataArgs, InitDataCommand, LicenseArgs, RequestArgs,
};
use crate::{
    bench,
    encrypt::EncryptArgs,
    input::read_small,
    keys::Keys,
    license_server::{LicenseServer, trusted},
    serve::ServeArgs,
    sessions::Sessions,
};

/// Encrypts, decrypts and inspects media files with Common Encryption (ISO/IEC 23001-7) and keys that
/// you have.
#[derive(Debug, Parser)]
#[command(name = "clearkey", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 something protected had no key, or its key looks wrong; \
2 anything else.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Decrypt(DecryptArgs),
    Encrypt(EncryptArgs),
    Inspect(InspectArgs),
    Request(RequestArgs),
    License(LicenseArgs),
    Serve(ServeArgs),
    InitData(InitDataArgs),
    Bench(bench::BenchArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: clearkey completions bash > ~/.local/share/bash-completion/completions/clearkey"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, in roff
    #[command(after_help = "Example: clearkey man | man -l -")]
    Man,
}

/// Decrypt a file, so that every player opens it
///
/// Takes MP4 and WebM files, fragmented or progressive, and media segments with their init segment; schemes
/// cenc, cens, cbc1 and cbcs, and PIFF 1.1. All lengths and offsets stay as they were: the boxes
/// that protection needed become `free` boxes. The output takes its final name only when it is whole. Until then it
/// lies beside it as `.clearkey-…`, which stays if the command is killed outright (SIGKILL), and can be deleted. An
/// input that somebody changes meanwhile is refused at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = DECRYPT_EXAMPLES)]
pub(crate) struct DecryptArgs {
    /// The encrypted file; - is stdin, which is decrypted fragment by fragment as it comes
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    input: PathBuf,

    /// Where the clear file goes; - is stdout
    #[arg(
        short, long, value_name = "OUT", value_hint = ValueHint::FilePath,
        required_unless_present = "in_place", conflicts_with = "in_place"
    )]
    output: Option<PathBuf>,

    #[command(flatten)]
    keys: KeyArgs,

    /// A ClearKey license, or the license server that has one; may be repeated
    ///
    /// A license is the JWK set that a server answers, of either type. A server, as http://… or
    /// https://…, is sent a license request for the keys that are not given otherwise, by POST, as
    /// players send it.
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::AnyPath)]
    license: Vec<String>,

    /// Certificate authorities to trust when a license server is asked by https, as PEM, and no others
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "license")]
    ca_cert: Option<PathBuf>,

    /// The init segment of a media segment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    init: Option<PathBuf>,

    /// Decrypt the file itself
    ///
    /// All of the file is checked before the first byte is written, and the keys by the first samples of
    /// each. But there is no way back: if
    /// the command is killed or the disk fails on the way, then a part of the file is decrypted and
    /// the rest is not, and no tool can tell which. Keep a copy, or use -o. What was written may
    /// reach the disk some time after the command has ended, as with cp.
    #[arg(long, conflicts_with = "compact")]
    in_place: bool,

    /// Take the boxes that protection needed out, and correct all sizes and offsets
    #[arg(long)]
    compact: bool,

    /// Leave tracks without all their keys as they are, instead of writing nothing
    ///
    /// They stay encrypted and are marked as encrypted, so that they can be decrypted later. The exit
    /// code is 1 all the same. The input is read twice; stdin goes through a temporary file.
    #[arg(long)]
    allow_missing_keys: bool,

    /// Write what keys make of the file even if it looks wrong
    ///
    /// Decrypted samples are looked at: with a wrong key they break the rules of their codec. Without this,
    /// a file that looks wrong is not written, and the exit code is 1.
    #[arg(long)]
    no_verify: bool,

    /// Threads that read, decrypt and write at the same time [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Print what was done as JSON, on stdout (on stderr if the output goes to stdout)
    #[arg(long)]
    json: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

const DECRYPT_EXAMPLES: &str = "\
Examples:
  clearkey decrypt in.mp4 -o out.mp4 --key 10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668
  clearkey decrypt in.mp4 -o out.mp4 --keys-file keys.txt
  clearkey decrypt seg-1.m4s --init init.mp4 -o clear-1.m4s --license license.json
  clearkey decrypt in.mp4 -o out.mp4 --license https://example.com/license
  clearkey decrypt in.mp4 -o out.mp4 --license https://localhost:8443/ --ca-cert cert.pem
  curl -s https://example.com/live.mp4 | clearkey decrypt - -o - --keys-file keys.txt | ffplay -

Exit codes: 0 done; 1 something protected had no key, or its key looks wrong; 2 anything else.";

/// Where keys come from.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// A key, as KID:KEY or TRACK:KEY; may be repeated
    ///
    /// KID is 32 hex digits, a UUID, or base64url; TRACK is a track id; KEY is 32 hex digits or
    /// base64url. Others can see your arguments while the command runs: --keys-file and the
    /// environment variable CLEARKEY_KEYS (keys with white space or commas between them) do not
    /// have this problem.
    #[arg(short, long = "key", value_name = "KID:KEY")]
    keys: Vec<String>,

    /// A file with one KID:KEY or TRACK:KEY on each line; # begins a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    keys_file: Vec<PathBuf>,
}

impl KeyArgs {
    /// All keys; of two for the same key id the argument counts before the environment, and that before
    /// a file.
    pub(crate) fn read(&self) -> anyhow::Result<Keys> {
        let mut keys = Keys::default();
        for path in &self.keys_file {
            keys.add_file(path)?;
        }
        keys.add_environment()?;
        for (number, text) in (1..).zip(&self.keys) {
            keys.add(text.clone().into()).with_context(|| format!("--key number {number}"))?;
        }
        Ok(keys)
    }
}

/// Show what a file protects, how, and with which keys
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct InspectArgs {
    /// The file; - is stdin
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,

    /// The init segment of a media segment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) init: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a decrypted file goes.
#[derive(Debug)]
pub(crate) enum Target {
    InPlace,
    Output { path: PathBuf, compact: bool },
}

/// A decryption as it is meant.
#[derive(Debug)]
pub(crate) struct DecryptJob {
    pub(crate) input: PathBuf,
    pub(crate) target: Target,
    pub(crate) init: Option<PathBuf>,
    pub(crate) sessions: Sessions,
    pub(crate) allow_missing_keys: bool,
    pub(crate) verify: bool,
    pub(crate) threads: NonZero<usize>,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl DecryptArgs {
    /// Reads the keys, and sees to it that the rest makes sense.
    pub(crate) fn into_job(self) -> anyhow::Result<DecryptJob> {
        let (servers, licenses): (Vec<_>, Vec<_>) =
            self.license.iter().partition(|license| LicenseServer::is_url(license));
        let trusted = trusted(self.ca_cert.as_deref())?;
        let server = |url| LicenseServer::new(url, trusted.clone());
        let mut sessions = Sessions::open(servers.into_iter().map(|url| server(url)).collect())?;
        for path in licenses {
            let license = read_small(Path::new(path), limits::LICENSE)?;
            sessions.add_license(&license).with_context(|| path.clone())?;
        }
        sessions.add_keys(&self.keys.read()?)?;
        let target = match self.output {
            Some(path) => Target::Output { path, compact: self.compact },
            None if is_standard(&self.input) => bail!("--in-place needs a file, not stdin"),
            None => Target::InPlace,
        };
        Ok(DecryptJob {
            input: self.input,
            target,
            init: self.init,
            sessions,
            allow_missing_keys: self.allow_missing_keys,
            verify: !self.no_verify,
            threads: threads(self.threads),
            json: self.json,
            quiet: self.quiet,
        })
    }
}

/// As many threads as are given, or as there are cores.
pub(crate) fn threads(given: Option<NonZero<usize>>) -> NonZero<usize> {
    given.unwrap_or_else(|| thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN))
}

/// Whether a path stands for stdin or stdout.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How messages call a path.
pub(crate) fn name(path: &Path, standard: &str) -> String {
    if is_standard(path) { standard.to_owned() } else { path.display().to_string() }
}

/// Writes the manual page: the command, then each subcommand.
pub(crate) fn man_page(out: &mut impl Write) -> io::Result<()> {
    let mut command = Args::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        writeln!(out, ".SH \"CLEARKEY {}\"", subcommand.get_name().to_uppercase())?;
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)?;
    }
    Ok(())
}
