//! An input in pieces that threads share out: windows of units.

use std::{ops::Range, sync::Arc, vec};

use anyhow::Context;
use container::Plan;

use crate::input::{Positioned, Units};

/// Bytes that are read, decrypted and written at a time: few calls to the system, and no more than
/// what caches hold.
pub(crate) const WINDOW: u64 = 512 << 10;

/// Cuts units into pieces. `U` is what is to be known of a unit.
pub(crate) struct Pieces<'u, U, F> {
    units: &'u mut Units,
    start: F,
    unit: Option<Arc<U>>,
    windows: vec::IntoIter<Range<u64>>,
}

/// A window of a unit.
pub(crate) struct Piece<U> {
    pub(crate) unit: Arc<U>,
    pub(crate) window: Range<u64>,
    /// Where its bytes are to be read; `None`: they are in the buffer already.
    file: Option<Arc<Positioned>>,
}

impl<'u, U, F> Pieces<'u, U, F>
where
    F: FnMut(&Units, Plan) -> anyhow::Result<(Arc<U>, Vec<Range<u64>>)>,
{
    /// `start` looks at each unit and says which windows of it are wanted.
    pub(crate) fn new(units: &'u mut Units, start: F) -> Self {
        Self { units, start, unit: None, windows: Vec::new().into_iter() }
    }

    /// The next piece, with its bytes in the buffer if they come once only.
    pub(crate) fn next(&mut self, buffer: &mut Vec<u8>) -> anyhow::Result<Option<Piece<U>>> {
        loop {
            if let (Some(window), Some(unit)) = (self.windows.next(), &self.unit) {
                let file = self.units.file();
                if file.is_none() {
                    buffer.clear();
                    buffer.extend_from_slice(self.units.arrived(&window)?);
                }
                return Ok(Some(Piece { unit: Arc::clone(unit), window, file }));
            }
            let Some(plan) = self.units.next_unit()? else { return Ok(None) };
            let (unit, windows) = (self.start)(self.units, plan)?;
            (self.unit, self.windows) = (Some(unit), windows.into_iter());
        }
    }
}

impl<U> Piece<U> {
    /// A window of a file.
    pub(crate) fn of_file(unit: &Arc<U>, window: Range<u64>, file: &Arc<Positioned>) -> Self {
        Self { unit: Arc::clone(unit), window, file: Some(Arc::clone(file)) }
    }

    /// Its bytes, in the buffer.
    pub(crate) fn bytes<'b>(&self, buffer: &'b mut Vec<u8>) -> anyhow::Result<&'b mut [u8]> {
        let Some(file) = &self.file else { return Ok(buffer) };
        let len = usize::try_from(self.window.end - self.window.start)?;
        // A buffer that shrinks would be cleared when it grows again.
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        let bytes = &mut buffer[..len];
        let read = container::ReadAt::read_exact_at(&**file, self.window.start, bytes);
        read.with_context(|| format!("reading at byte {}", self.window.start))?;
        Ok(bytes)
    }

    /// Writes its bytes back to where they were read.
    pub(crate) fn write_back(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let file = self.file.as_ref().context("the input is not a file")?;
        let at = self.window.start;
        file.write_all_at(at, bytes).with_context(|| format!("writing at byte {at}"))
    }
}
