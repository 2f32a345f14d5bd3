//! Writes another file: windows of units are read, changed, and put out in pieces.

use std::{num::NonZero, ops::Range, path::Path};

use anyhow::Context;
use container::{Edit, ReadAt, ReadyPlan, Relocation};

use crate::{
    args::name,
    input::Positioned,
    output::Output,
    pieces::Piece,
    pipeline::{self, Turn},
    progress,
    stages::Stages,
};

/// A unit, and the offsets in it that change.
pub(crate) struct Unit {
    pub(crate) ready: ReadyPlan,
    pub(crate) corrections: Vec<Edit>,
}

/// Where a file goes, and how.
pub(crate) struct Rewrite<'r> {
    pub(crate) path: &'r Path,
    /// The file that is read; none, if bytes come once only.
    pub(crate) input: Option<&'r Positioned>,
    pub(crate) relocation: &'r Relocation,
    pub(crate) threads: NonZero<usize>,
    pub(crate) quiet: bool,
    pub(crate) stages: &'r Stages,
}

impl Rewrite<'_> {
    /// Writes all windows that `next` finds, as `change` makes them. The output is whole then, and has no name yet.
    ///
    /// `judge` has the last word: it gets what came of it, and whether the bytes are out already.
    pub(crate) fn run(
        &self,
        next: impl FnMut(&mut Vec<u8>) -> anyhow::Result<Option<Piece<Unit>>> + Send,
        change: impl Fn(&Turn<'_>, &ReadyPlan, u64, &mut [u8]) -> anyhow::Result<()> + Sync,
        judge: impl FnOnce(anyhow::Result<()>, bool) -> anyhow::Result<()>,
    ) -> anyhow::Result<Output> {
        let to = || name(self.path, "stdout");
        let bar = progress::bar(self.input.map(|file| file.available().end), self.quiet);
        let output = Output::create(self.path).with_context(to)?;
        let done = pipeline::run(self.threads, next, |piece, buffer, turn| {
            let Unit { ready, corrections } = &*piece.unit;
            let Range { start, end } = piece.window;
            let bytes = self.stages.read.time(|| piece.bytes(buffer))?;
            change(turn, ready, start, bytes)?;
            for correction in corrections {
                correction.write(start, bytes);
            }
            let pieces = ready.pieces(self.relocation, start, bytes);
            self.stages.write.time(|| output.put(turn, pieces)).with_context(to)?;
            bar.inc(end - start);
            Ok(())
        });
        let done = done.and_then(|()| self.input.map_or(Ok(()), Positioned::refuse_changed));
        judge(done, output.is_direct())?;
        bar.finish_and_clear();
        Ok(output)
    }
}
