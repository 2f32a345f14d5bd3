//! What can be wrong with a key, an IV, a pattern, a scheme or a table of subsamples.

use thiserror::Error;

use crate::{Pattern, Scheme};

/// Why a value could not be built, or a sample not be decrypted or encrypted.
///
/// No variant carries octets of a key or of a sample.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An IV has neither 8 nor 16 octets.
    #[error("iv of {size} octets, must be 8 or 16")]
    InvalidIvSize {
        /// Octets given.
        size: usize,
    },

    /// A key does not have 16 octets.
    #[error("key of {size} octets, must be 16")]
    InvalidKeySize {
        /// Octets given.
        size: usize,
    },

    /// A part of a pattern does not fit into its 4 bits.
    #[error("pattern {crypt_byte_block}:{skip_byte_block}, each part must be 0 to 15")]
    InvalidPattern {
        /// Protected blocks given.
        crypt_byte_block: u8,
        /// Skipped blocks given.
        skip_byte_block: u8,
    },

    /// A subsample of a `cbc1` sample protects something else than whole blocks.
    #[error("subsample {index} protects {protected} bytes, cbc1 takes multiples of 16")]
    InvalidProtectedSize {
        /// Place in the table of subsamples, from 0.
        index: usize,
        /// Protected bytes of that subsample.
        protected: u32,
    },

    /// The subsamples do not cover the sample exactly.
    #[error("subsamples cover {sum} bytes of a {size}-byte sample")]
    InvalidSubsamples {
        /// Bytes in all subsamples, clear and protected.
        sum: u64,
        /// Bytes in the sample.
        size: usize,
    },

    /// A pattern other than 0:0 came with a scheme that has none.
    #[error("pattern {pattern} with scheme {scheme}, which takes none")]
    UnexpectedPattern {
        /// The scheme, `cenc` or `cbc1`.
        scheme: Scheme,
        /// The pattern given.
        pattern: Pattern,
    },

    /// The name is none of `cenc`, `cens`, `cbc1` and `cbcs`.
    #[error("unsupported protection scheme `{fourcc}`")]
    UnsupportedScheme {
        /// The name given, escaped and cut at 64 characters.
        fourcc: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_plain_phrases() {
        let pattern = Pattern::new(1, 9).unwrap();
        let messages = [
            (Error::InvalidIvSize { size: 12 }, "iv of 12 octets, must be 8 or 16"),
            (Error::InvalidKeySize { size: 15 }, "key of 15 octets, must be 16"),
            (
                Error::InvalidPattern { crypt_byte_block: 100, skip_byte_block: 0 },
                "pattern 100:0, each part must be 0 to 15",
            ),
            (
                Error::InvalidProtectedSize { index: 3, protected: 20 },
                "subsample 3 protects 20 bytes, cbc1 takes multiples of 16",
            ),
            (
                Error::InvalidSubsamples { sum: 1002, size: 24 },
                "subsamples cover 1002 bytes of a 24-byte sample",
            ),
            (
                Error::UnexpectedPattern { scheme: Scheme::Cenc, pattern },
                "pattern 1:9 with scheme cenc, which takes none",
            ),
            (
                Error::UnsupportedScheme { fourcc: "piff".into() },
                "unsupported protection scheme `piff`",
            ),
        ];
        for (error, message) in messages {
            assert_eq!(error.to_string(), message);
        }
    }
}
