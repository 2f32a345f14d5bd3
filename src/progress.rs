//! A progress bar for work that takes long enough to want one.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Smaller inputs are done before a bar could be read.
const WORTHWHILE: u64 = 64 << 20;

/// A bar over `len` bytes, on stderr if that is a terminal; otherwise one that nobody sees.
pub(crate) fn bar(len: Option<u64>, quiet: bool) -> ProgressBar {
    let Some(len) = len.filter(|&len| len >= WORTHWHILE) else { return ProgressBar::hidden() };
    if quiet || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr());
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
