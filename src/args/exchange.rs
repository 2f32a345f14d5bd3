//! The arguments of the license exchange: `request`, `license` and `init-data`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum, ValueHint};
use clearkey::{InitDataType, KeyId, SessionType};

use super::KeyArgs;

/// Print the license request that a page would send for a file
///
/// Without a file, for initialization data given as base64. The request goes through a session, as it
/// does in a browser; there is a line for each piece of initialization data.
#[derive(Debug, clap::Args)]
#[command(after_help = REQUEST_EXAMPLES)]
pub(crate) struct RequestArgs {
    /// The encrypted file; - is stdin
    #[arg(
        value_name = "IN", value_hint = ValueHint::FilePath,
        required_unless_present_any = ["keyids", "cenc", "webm"]
    )]
    pub(crate) input: Option<PathBuf>,

    /// The init segment of a media segment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "input")]
    pub(crate) init: Option<PathBuf>,

    /// Initialization data: a JSON list of key ids, as JSON or base64
    #[arg(long, value_name = "DATA")]
    pub(crate) keyids: Option<String>,

    /// Initialization data: pssh boxes, as base64
    #[arg(long, value_name = "BASE64")]
    pub(crate) cenc: Option<String>,

    /// Initialization data: the key id of a WebM track, as base64
    #[arg(long, value_name = "BASE64")]
    pub(crate) webm: Option<String>,

    /// The kind of session that asks
    #[arg(long = "type", value_name = "TYPE", default_value = "temporary")]
    pub(crate) session_type: SessionTypeArg,
}

const REQUEST_EXAMPLES: &str = "\
Examples:
  clearkey request in.mp4
  clearkey request in.mp4 | curl -d @- https://example.com/license > license.json
  clearkey request --keyids '{\"kids\":[\"LwVHf8JLtPrv2GUXFW2v_A\"]}'";

/// Print the license for keys
///
/// One line, or more if the keys do not fit into one license.
#[derive(Debug, clap::Args)]
#[command(after_help = LICENSE_EXAMPLES)]
pub(crate) struct LicenseArgs {
    #[command(flatten)]
    pub(crate) keys: KeyArgs,

    /// A license request to be answered, with the keys that it asks for; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) request: Option<PathBuf>,

    /// The kind of session that the license is for [default: that of the request, or temporary]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) session_type: Option<SessionTypeArg>,
}

const LICENSE_EXAMPLES: &str = "\
Examples:
  clearkey license --key 10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668
  clearkey request in.mp4 | clearkey license --request - --keys-file keys.txt

Exit codes: 0 done; 1 a key that the request asks for is not there; 2 anything else.";

/// Build initialization data, or say what they are
#[derive(Debug, clap::Args)]
pub(crate) struct InitDataArgs {
    #[command(subcommand)]
    pub(crate) command: InitDataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InitDataCommand {
    Build(BuildArgs),
    Explain(ExplainArgs),
}

/// Print initialization data for key ids, as base64
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: clearkey init-data build cenc 10000000100010001000100000000001")]
pub(crate) struct BuildArgs {
    /// The format
    pub(crate) init_data_type: InitDataTypeArg,

    /// Key ids: 32 hex digits, a UUID, or base64url
    #[arg(value_name = "KID", required = true)]
    pub(crate) kids: Vec<KeyId>,

    /// Print the octets themselves
    #[arg(long)]
    pub(crate) raw: bool,
}

/// Say what is in initialization data, and whether ClearKey can use them
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The format
    pub(crate) init_data_type: InitDataTypeArg,

    /// The data as base64 (a JSON list also as it is); - reads the octets themselves from stdin
    pub(crate) data: String,
}

/// `SessionType` as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SessionTypeArg {
    Temporary,
    PersistentLicense,
}

impl From<SessionTypeArg> for SessionType {
    fn from(arg: SessionTypeArg) -> Self {
        match arg {
            SessionTypeArg::Temporary => Self::Temporary,
            SessionTypeArg::PersistentLicense => Self::PersistentLicense,
        }
    }
}

/// `InitDataType` as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InitDataTypeArg {
    Cenc,
    Keyids,
    Webm,
}

impl From<InitDataTypeArg> for InitDataType {
    fn from(arg: InitDataTypeArg) -> Self {
        match arg {
            InitDataTypeArg::Cenc => Self::Cenc,
            InitDataTypeArg::Keyids => Self::Keyids,
            InitDataTypeArg::Webm => Self::Webm,
        }
    }
}
