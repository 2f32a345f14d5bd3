//! What can be wrong with a codec configuration or a clear sample.

/// Why a configuration or a sample could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end inside of something.
    #[error("{what} ends after {at} bytes, in the middle of it")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes there are.
        at: usize,
    },
    /// A value that the codec's standard forbids.
    #[error("{what} is {value}, which the codec does not allow")]
    Invalid {
        /// The syntax element, by its name in the standard.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// Something that is right, but refers to what is not there.
    #[error("{what} {value} is not there")]
    Missing {
        /// What is referred to, such as a parameter set.
        what: &'static str,
        /// Its number.
        value: u64,
    },
}
