//! The two passes over a file: what goes in where, then writing it.

use std::{path::Path, sync::Arc, vec};

use anyhow::Context;
use container::{
    ReadyPlan, Relocation,
    encrypt::{Encryptor, Settings},
};

use super::{Report, args::EncryptArgs};
use crate::{
    args::threads,
    input::{Positioned, Units},
    output::Output,
    pieces::{Piece, WINDOW},
    rewrite::{Rewrite, Unit},
    stages::Stages,
};

/// A file of which every unit is planned: an index in front can only be right when all that follows is
/// known.
pub(super) struct Planned {
    file: Arc<Positioned>,
    encryptor: Encryptor,
    plans: Vec<ReadyPlan>,
    relocation: Relocation,
}

impl Planned {
    /// The first pass.
    pub(super) fn new(
        units: &Units,
        settings: Settings,
        report: &mut Report,
    ) -> anyhow::Result<Self> {
        let file = units.file().context("the input is not a file")?;
        let mut encryptor = Encryptor::new(settings);
        let (mut relocation, mut plans) = (Relocation::new(), Vec::new());
        while let Some(ready) = encryptor.next_unit(&*file)? {
            report.add(ready.plan());
            ready.edits().for_each(|edit| relocation.add(edit));
            plans.push(ready);
        }
        Ok(Self { file, encryptor, plans, relocation })
    }

    /// The second pass. The output is whole then, and has no name yet.
    pub(super) fn write(self, to: &Path, args: &EncryptArgs) -> anyhow::Result<Output> {
        let Self { file, encryptor, plans, relocation } = self;
        let mut plans = plans.into_iter();
        let mut current: Option<(Arc<Unit>, vec::IntoIter<_>)> = None;
        let next = |_: &mut Vec<u8>| loop {
            if let Some((unit, windows)) = &mut current
                && let Some(window) = windows.next()
            {
                return Ok(Some(Piece::of_file(unit, window, &file)));
            }
            let Some(ready) = plans.next() else { return Ok(None) };
            let corrections = encryptor.relocate(&*file, ready.plan().range(), &relocation)?;
            let windows: Vec<_> = ready.plan().windows(WINDOW).collect();
            current = Some((Arc::new(Unit { ready, corrections }), windows.into_iter()));
        };
        let rewrite = Rewrite {
            path: to,
            input: Some(&file),
            relocation: &relocation,
            threads: threads(args.threads),
            quiet: args.quiet,
            stages: &Stages::default(),
        };
        rewrite.run(
            next,
            |_, ready, at, bytes| {
                ready.encrypt(at, bytes)?;
                ready.edit(at, bytes);
                Ok(())
            },
            |done, _| done,
        )
    }
}
