//! Writes another file: windows of units are read, changed, and put out in pieces.

use std::{num::NonZero, ops::Range, path::Path};

use anyhow::Context;
use container::{Edit, ReadyPlan, Relocation};

use crate::{args::name, output::Output, pieces::Piece, pipeline, progress, stages::Stages};

/// A unit, and the offsets in it that change.
pub(crate) struct Unit {
    pub(crate) ready: ReadyPlan,
    pub(crate) corrections: Vec<Edit>,
}

/// Where a file goes, and how.
pub(crate) struct Rewrite<'r> {
    pub(crate) path: &'r Path,
    /// The size of the input in bytes, where it is known.
    pub(crate) len: Option<u64>,
    pub(crate) relocation: &'r Relocation,
    pub(crate) threads: NonZero<usize>,
    pub(crate) quiet: bool,
    pub(crate) stages: &'r Stages,
}

impl Rewrite<'_> {
    /// Writes all windows that `next` finds, as `change` makes them.
    ///
    /// `judge` has the last word before the output takes its name: it gets what came of it, and whether
    /// the bytes are out already.
    pub(crate) fn run(
        &self,
        next: impl FnMut(&mut Vec<u8>) -> anyhow::Result<Option<Piece<Unit>>> + Send,
        change: impl Fn(&ReadyPlan, u64, &mut [u8]) -> anyhow::Result<()> + Sync,
        judge: impl FnOnce(anyhow::Result<()>, bool) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let to = || name(self.path, "stdout");
        let bar = progress::bar(self.len, self.quiet);
        let output = Output::create(self.path).with_context(to)?;
        let done = pipeline::run(self.threads, next, |piece, buffer, turn| {
            let Unit { ready, corrections } = &*piece.unit;
            let Range { start, end } = piece.window;
            let bytes = self.stages.read.time(|| piece.bytes(buffer))?;
            change(ready, start, bytes)?;
            for correction in corrections {
                correction.write(start, bytes);
            }
            let pieces = ready.pieces(self.relocation, start, bytes);
            self.stages.write.time(|| output.put(turn, pieces)).with_context(to)?;
            bar.inc(end - start);
            Ok(())
        });
        judge(done, output.is_direct())?;
        output.finish().with_context(to)?;
        bar.finish_and_clear();
        Ok(())
    }
}
