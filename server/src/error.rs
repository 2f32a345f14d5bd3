//! What can be wrong with the settings of a server, and with its key files.

use std::io;

use thiserror::Error as ThisError;

use crate::NoFile;

/// Why a server cannot be set up, or its keys not be read again. No variant ever holds a key.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A key file cannot be read.
    #[error("{path}: {reason}")]
    KeyFile {
        /// The file.
        path: String,
        /// What the system says.
        reason: io::Error,
    },

    /// A key file is longer than any sensible one.
    #[error("{path}: longer than {limit} octets")]
    KeyFileTooLong {
        /// The file.
        path: String,
        /// How long it may be.
        limit: u64,
    },

    /// A key file holds something that is no key.
    #[error("{place}: {reason}")]
    Keys {
        /// The file, and the line in it if it has lines.
        place: String,
        /// What is wrong.
        reason: clearkey::Error,
    },

    /// The folder of streams is none.
    #[error("{path}: {reason}")]
    Media {
        /// The folder.
        path: String,
        /// What the system says.
        reason: io::Error,
    },

    /// A key file without any key.
    #[error("{path}: no key in it")]
    NoKeyInFile {
        /// The file.
        path: String,
    },

    /// Nothing that keys could come from.
    #[error("no keys")]
    NoKeySource,

    /// An origin in a spelling that no browser sends.
    #[error("\"{text}\" is no origin: SCHEME://HOST, or SCHEME://HOST:PORT")]
    Origin {
        /// The text, quoted.
        text: String,
    },

    /// A seed that is too short.
    #[error("a seed of {len} octets, {least} are needed")]
    SeedTooShort {
        /// Its length.
        len: usize,
        /// The least length.
        least: usize,
    },
}

impl From<NoFile> for Error {
    fn from(NoFile { path, reason }: NoFile) -> Self {
        Self::KeyFile { path: path.display().to_string(), reason }
    }
}
