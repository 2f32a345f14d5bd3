//! The table of kernels, and which of them is used.

use std::fmt;
use std::sync::LazyLock;

#[cfg(target_arch = "x86_64")]
use super::x86_64;
use super::{Block, Cipher, portable};

/// A means to do AES that this CPU has.
///
/// | name | what it needs | blocks in a register |
/// |---|---|---|
/// | `vaes512` | x86-64 with VAES and AVX-512 | 4 |
/// | `vaes256` | x86-64 with VAES and AVX2 | 2 |
/// | `aesni` | x86-64 with AES-NI and AVX | 1 |
/// | `portable` | nothing; the crate `aes`, which has kernels of its own | |
///
/// The environment variable `CLEARKEY_KERNEL` names the one that keys are made for by default; if
/// it names none that the CPU can run, or is not set, then it is the fastest.
#[derive(Clone, Copy)]
pub struct Kernel(&'static Row);

/// A row of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Whether the CPU has what it needs. A CPU does not lose features.
    pub(super) detect: fn() -> bool,
    /// Expands a key.
    pub(super) expand: fn(&Block) -> Box<dyn Cipher>,
}

/// Fastest first. The last one runs on every CPU.
pub(super) static ROWS: &[&Row] = &[
    #[cfg(target_arch = "x86_64")]
    &x86_64::VAES512,
    #[cfg(target_arch = "x86_64")]
    &x86_64::VAES256,
    #[cfg(target_arch = "x86_64")]
    &x86_64::AESNI,
    &portable::PORTABLE,
];

impl Kernel {
    /// Those that this CPU can run, fastest first; `portable` is the last.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().copied().filter(|row| (row.detect)()).map(Self)
    }

    /// The one that keys are made for by default.
    #[must_use]
    pub fn chosen() -> Self {
        static CHOSEN: LazyLock<Kernel> =
            LazyLock::new(|| Kernel::named(std::env::var(VARIABLE).ok().as_deref()));
        *CHOSEN
    }

    /// The one of that name, or else the fastest.
    pub(super) fn named(name: Option<&str>) -> Self {
        let named = Self::all().find(|kernel| name == Some(kernel.name()));
        named.or_else(|| Self::all().next()).unwrap_or(Self(&portable::PORTABLE))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    pub(crate) fn expand(self, key: &Block) -> Box<dyn Cipher> {
        (self.0.expand)(key)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({})", self.name())
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

pub(super) const VARIABLE: &str = "CLEARKEY_KERNEL";
