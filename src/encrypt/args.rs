//! The arguments of `clearkey encrypt`.

use std::{num::NonZero, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::{ValueEnum, ValueHint};

/// Encrypt files, to have test streams
///
/// Takes clear MP4 files, fragmented or progressive, and WebM, and protects their video and audio as
/// Common Encryption has it (ISO/IEC 23001-7; WebM Encryption). What stays clear in a sample follows its
/// codec: headers of NAL units and slices (AVC, HEVC), of OBUs and frames (AV1), of frames (VP9).
///
/// With --mpd and --hls it writes what players open: a DASH manifest, and HLS playlists. Inputs are then
/// fragmented MP4 with one `sidx` box in front, or WebM with `Cues`, each with one track; of others it says
/// how FFmpeg makes them so.
///
/// Outputs, keys and manifests take their names when all of them are whole. Until then they lie beside them as
/// `.clearkey-…`, which stay if the command is killed outright (SIGKILL), and can be deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EncryptArgs {
    /// The clear file; - is stdin, which is kept in a temporary file. Of several, each has one track
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath, required = true)]
    pub(super) inputs: Vec<PathBuf>,

    /// Where the encrypted file goes; - is stdout. Of several inputs, the folder, which is made if need be
    ///
    /// In a folder the files have their inputs' names.
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::AnyPath)]
    pub(super) output: PathBuf,

    /// The protection scheme; WebM has cenc only
    #[arg(long, value_name = "SCHEME", default_value = "cenc")]
    pub(super) scheme: SchemeArg,

    /// Blocks encrypted and left, over and over; for cens and cbcs
    ///
    /// Without it, cens and cbcs have 1:9 for video, and 0:0 (all blocks) for audio.
    #[arg(long, value_name = "CRYPT:SKIP", value_parser = pattern)]
    pub(super) pattern: Option<(u8, u8)>,

    /// A key, as KID:KEY, for all tracks without keys of their own
    ///
    /// Several, by --key again, take turns under --rotate. KID is 32 hex digits, a UUID, or base64url; KEY
    /// is 32 hex digits or base64url. Without any, a key with its id comes from the system's randomness,
    /// and --license-out or --keys-out is needed to learn it. Others can see your arguments while the
    /// command runs; --keys-file does not have this problem.
    #[arg(short, long = "key", value_name = "KID:KEY")]
    pub(super) keys: Vec<String>,

    /// A file with one KID:KEY on each line, as if given by --key; # begins a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) keys_file: Vec<PathBuf>,

    /// Keys of one track, or of its kind: video=KID:KEY, 2=KID:KEY,KID:KEY, audio=clear; may be repeated
    ///
    /// A track is named by its id, or by what it is: video or audio, in all inputs. `clear` leaves it as it
    /// is. Of several inputs none has its track named by an id.
    #[arg(long = "track", value_name = "TRACK=KEYS")]
    pub(super) tracks: Vec<String>,

    /// 8 or 16: the size of IVs from the system's randomness; or the first IV itself, as hex digits
    ///
    /// Without it they are random, of 8 octets for cenc and cens and 16 for cbc1 and cbcs. Each sample has
    /// the next one; the IVs of a second track, in this input or the
    /// next, begin 2^48 later in their first 8 octets. In cbcs it is the
    /// constant IV of all samples.
    #[arg(long, value_name = "SIZE|IV")]
    pub(super) iv: Option<String>,

    /// Give each sample an IV of its own in cbcs, too, where one is constant otherwise
    #[arg(long)]
    pub(super) per_sample_iv: bool,

    /// Leave the first seconds clear
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) clear_lead: Option<Duration>,

    /// Change to the next key every so many seconds (MP4)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) rotate: Option<Duration>,

    /// Initialization data in the movie header (MP4): `common` names all key ids, `none`, or a file of pssh
    /// boxes
    ///
    /// Of several inputs, each names the key ids of all.
    #[arg(long, value_name = "common|none|FILE", default_value = "common")]
    pub(super) pssh: String,

    /// Write the boxes of PIFF 1.1 (Smooth Streaming), for cenc and cbc1
    #[arg(long)]
    pub(super) piff: bool,

    /// Write the license for all keys used: the JWK set that a server would answer
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) license_out: Option<PathBuf>,

    /// Write all keys used, one KID:KEY a line: what decrypt takes as --keys-file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) keys_out: Option<PathBuf>,

    /// Write a DASH manifest of all outputs
    ///
    /// Its URLs lead from it to them. Key ids, initialization data and the license server are told in the
    /// ways that players look for. With cens or cbc1 it is right, but browsers play neither.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) mpd: Option<PathBuf>,

    /// Write an HLS playlist of all outputs (MP4; cenc or cbcs), and one of each beside it, as NAME.m3u8
    ///
    /// NAME is that of the output. The key must not change.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) hls: Option<PathBuf>,

    /// What playlists say of the key: clearkey, its id (hls.js); identity, the key itself (Shaka Player)
    ///
    /// With `identity` the playlists hold the key, and only their owner can read them. Players that know
    /// the one do not know the other.
    #[arg(long, value_name = "FORMAT", default_value = "clearkey", requires = "hls")]
    pub(super) hls_keyformat: HlsKeyFormat,

    /// The license server that the DASH manifest names; without it, pages tell players of one
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "mpd")]
    pub(super) license_url: Option<String>,

    /// Threads that read, encrypt and write at the same time [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZero<usize>>,

    /// Print what was done as JSON, on stdout (on stderr if the output goes to stdout); a list, of several
    /// inputs
    #[arg(long)]
    pub(super) json: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    pub(super) quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  clearkey encrypt in.mp4 -o out.mp4 --keys-out keys.txt
  clearkey encrypt in.mp4 -o out.mp4 --scheme cbcs --key 10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668
  clearkey encrypt in.mp4 -o out.mp4 --track video=10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668 --track audio=clear
  clearkey encrypt in.mp4 -o out.mp4 --keys-file keys.txt --rotate 2 --clear-lead 4 --license-out license.json
  clearkey encrypt in.webm -o out.webm --keys-file keys.txt
  clearkey encrypt video.mp4 audio.mp4 -o out --keys-out keys.txt --mpd out/stream.mpd --license-url http://localhost:8080/
  clearkey encrypt video.mp4 audio.mp4 -o out --keys-file keys.txt --scheme cbcs --hls out/stream.m3u8

Exit codes: 0 done; 2 anything else.";

/// `cenc::Scheme` as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemeArg {
    Cenc,
    Cens,
    Cbc1,
    Cbcs,
}

impl From<SchemeArg> for cenc::Scheme {
    fn from(arg: SchemeArg) -> Self {
        match arg {
            SchemeArg::Cenc => Self::Cenc,
            SchemeArg::Cens => Self::Cens,
            SchemeArg::Cbc1 => Self::Cbc1,
            SchemeArg::Cbcs => Self::Cbcs,
        }
    }
}

/// `manifest::hls::KeyFormat` as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HlsKeyFormat {
    Clearkey,
    Identity,
}

fn pattern(text: &str) -> anyhow::Result<(u8, u8)> {
    let (crypt, skip) = text.split_once(':').context("a pattern is written CRYPT:SKIP")?;
    Ok((crypt.parse()?, skip.parse()?))
}

fn seconds(text: &str) -> anyhow::Result<Duration> {
    let seconds = Duration::try_from_secs_f64(text.parse()?)?;
    if seconds.is_zero() {
        bail!("not a time: it is 0");
    }
    Ok(seconds)
}
