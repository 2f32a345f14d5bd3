//! A clear run and the protected run behind it.

/// Two neighbouring runs of a sample (ISO/IEC 23001-7, 9.5): clear bytes, then protected ones.
///
/// ```text
/// sample    |clear| protected  |clear| protected |
///           |<- subsample 0  ->|<- subsample 1 ->|
/// ```
///
/// Every value is fine by itself, (0, 0) included. Whether a table of them fits a sample is the
/// business of [`SampleEncryption`](crate::SampleEncryption).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Subsample {
    /// Clear bytes (`BytesOfClearData`).
    pub clear: u16,
    /// Protected bytes after them (`BytesOfProtectedData`).
    pub protected: u32,
}

impl Subsample {
    /// `clear` bytes, then `protected` bytes.
    #[must_use]
    pub const fn new(clear: u16, protected: u32) -> Self {
        Self { clear, protected }
    }
}
