//! How a plan in the making stops when what has arrived is not enough.

use std::io;

use crate::Error;

/// Why planning a unit stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The input up to this offset is needed.
    More(u64),
    /// The whole input is needed.
    Everything,
    Failed(Error),
}

impl Stop {
    /// The error of an input that is all there: it cannot be more than it is.
    pub(crate) fn of_whole(self, at: u64) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::More(_) | Self::Everything => {
                Error::Read { at, source: io::ErrorKind::UnexpectedEof.into() }
            }
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
