//! The arguments of `clearkey serve`.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{ValueEnum, ValueHint};
use data_encoding::BASE64;
use server::{KeySources, Origin, Seed, Settings};
use zeroize::Zeroizing;

use crate::{input::read_small, keys::Keys};

/// Serve licenses over HTTP, and a page that plays streams with them
///
/// Players post the license requests of their CDM to the address that is printed, and get licenses with those
/// keys that are known. The page at that address plays the streams of --media and shows what EME does.
/// Whoever reaches the server gets its keys: it is for tests.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address and port to listen at; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(super) bind: String,

    /// A key, as KID:KEY; may be repeated
    ///
    /// Others can see your arguments while the command runs: --keys-file and the environment variable
    /// CLEARKEY_KEYS (keys with white space or commas between them) do not have this problem.
    #[arg(short, long = "key", value_name = "KID:KEY")]
    keys: Vec<String>,

    /// A file with keys: a JWK set, or one KID:KEY on each line; may be repeated
    ///
    /// It is read again when it changes, without a request being lost. If it cannot be read then, or holds
    /// something that is no key, the keys stay as they were.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    keys_file: Vec<PathBuf>,

    /// A file with a PlayReady key seed as base64 (30 octets), which has a key for every key id
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    seed_file: Option<PathBuf>,

    /// A folder of streams: MP4, WebM, MPD and HLS files in it are served under /media/, and no others
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    media: Option<PathBuf>,

    /// Let only pages of this origin ask, as SCHEME://HOST or SCHEME://HOST:PORT; may be repeated
    ///
    /// Without it pages from everywhere may. The server's own page always may.
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,

    /// Licenses that a client may ask for in a second; 0: any number
    #[arg(long, value_name = "N", default_value_t = 1000)]
    rate: u32,

    /// Connections at the same time; more are closed at once
    #[arg(long, value_name = "N", default_value = "512")]
    pub(super) max_connections: NonZeroU32,

    /// The server's certificate, and those that vouch for it, as PEM: serves https
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,

    /// The private key of that certificate, as PEM; both are read again when they change
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,

    /// How the log is written, on stderr
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log: LogFormat,

    /// Log nothing but what goes wrong in the server
    #[arg(short, long)]
    pub(super) quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  clearkey serve --keys-file keys.txt --media streams
  clearkey serve --key 10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668
  clearkey serve --keys-file license.json --bind 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem
  curl -d \"$(clearkey request in.mp4)\" http://127.0.0.1:8080/

Exit codes: 0 stopped by SIGINT or SIGTERM; 2 anything else.";

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

impl ServeArgs {
    /// Reads what the keys are; files of keys are left to the server.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        let mut keys = Keys::default();
        keys.add_environment()?;
        for (number, text) in (1..).zip(&self.keys) {
            keys.add(text.clone().into()).with_context(|| format!("--key number {number}"))?;
        }
        if let Some((track, _)) = keys.by_track().next() {
            bail!("a key for track {track}: a server knows key ids only");
        }
        let fixed: Vec<_> = keys.by_kid().cloned().collect();
        let seed = self.seed_file.as_deref().map(read_seed).transpose()?;
        if fixed.is_empty() && self.keys_file.is_empty() && seed.is_none() {
            bail!("no keys: give --keys-file, --key or --seed-file");
        }
        Ok(Settings {
            keys: KeySources { fixed, files: self.keys_file.clone(), seed },
            media: self.media.clone(),
            origins: self.allow_origin.clone(),
            rate: NonZeroU32::new(self.rate),
        })
    }
}

/// The longest file with a seed, in octets: one line.
const SEED: usize = 4096;

fn read_seed(path: &Path) -> anyhow::Result<Seed> {
    let place = || format!("--seed-file {}", path.display());
    let text = Zeroizing::new(read_small(path, SEED).context("--seed-file")?);
    // The error would say a place in a secret, and nothing that helps.
    let octets = BASE64.decode(text.trim_ascii()).ok().map(Zeroizing::new);
    let octets = octets.with_context(|| format!("{}: not base64", place()))?;
    Seed::new(&octets).with_context(place)
}
