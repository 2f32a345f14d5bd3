//! The two passes over a file: what goes in where, then writing it.

use std::{sync::Arc, vec};

use anyhow::Context;
use container::{
    Relocation,
    encrypt::{Encryptor, Settings},
};

use super::{Report, args::EncryptArgs};
use crate::{
    args::threads,
    input::Units,
    pieces::{Piece, WINDOW},
    rewrite::{Rewrite, Unit},
    stages::Stages,
};

/// Encrypts the file of `units`.
///
/// An index in front can only be right when all that follows is known, so all is planned before the first
/// byte is written.
pub(super) fn run(
    args: &EncryptArgs,
    units: &Units,
    settings: Settings,
    report: &mut Report,
) -> anyhow::Result<()> {
    let file = units.file().context("the input is not a file")?;
    let mut encryptor = Encryptor::new(settings);
    let (mut relocation, mut plans) = (Relocation::new(), Vec::new());
    while let Some(ready) = encryptor.next_unit(&*file)? {
        report.add(ready.plan());
        ready.edits().for_each(|edit| relocation.add(edit));
        plans.push(ready);
    }
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
        path: &args.output,
        len: units.len(),
        relocation: &relocation,
        threads: threads(args.threads),
        quiet: args.quiet,
        stages: &Stages::default(),
    };
    rewrite.run(
        next,
        |ready, at, bytes| {
            ready.encrypt(at, bytes)?;
            ready.edit(at, bytes);
            Ok(())
        },
        |done, _| done,
    )
}
