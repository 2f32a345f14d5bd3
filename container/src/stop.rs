//! How a plan in the making stops when what has arrived is not enough.

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

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
