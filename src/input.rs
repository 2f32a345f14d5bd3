//! An input cut into units: a file by position, stdin as it comes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context, bail};
use container::{Edit, Plan, Planner, ReadAt, Relocation, Step, Window};
use zeroize::Zeroizing;

use crate::args::{is_standard, name};

/// Reads a message from a file or stdin: one octet more than it may have at most, so that too many show.
pub(crate) fn read_small(path: &Path, limit: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    // Room for all from the start: a buffer that grows leaves keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 2));
    let limit = limit as u64 + 1;
    let read = match is_standard(path) {
        true => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.with_context(|| name(path, "stdin"))?;
    Ok(bytes)
}

/// A file that is read, and in place written, by position.
#[derive(Debug)]
pub(crate) struct Positioned {
    file: File,
    /// Offset in the input of the file's first byte: not 0 if what came before has been dealt with.
    base: u64,
    len: u64,
    /// When its content was last changed.
    modified: SystemTime,
}

impl Positioned {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        Self::with(path, File::options().read(true))
    }

    /// To be written, too.
    pub(crate) fn open_to_change(path: &Path) -> anyhow::Result<Self> {
        Self::with(path, File::options().read(true).write(true))
    }

    fn with(path: &Path, options: &OpenOptions) -> anyhow::Result<Self> {
        // A pipe that nobody writes to would not be opened: it would be waited for.
        if !fs::metadata(path)?.is_file() {
            bail!("not a regular file; pipe it to stdin instead");
        }
        Self::of(options.open(path)?, 0)
    }

    fn of(file: File, base: u64) -> anyhow::Result<Self> {
        let metadata = file.metadata()?;
        let modified = metadata.modified()?;
        Ok(Self { file, base, len: metadata.len(), modified })
    }

    /// Refuses a file that somebody has written to since it was opened: what was read of it may be half of one
    /// and half of another.
    pub(crate) fn refuse_changed(&self) -> anyhow::Result<()> {
        let metadata = self.file.metadata()?;
        if metadata.len() != self.len {
            bail!("it was changed while it was read: {} bytes, now {}", self.len, metadata.len());
        }
        if metadata.modified()? != self.modified {
            bail!("it was changed while it was read");
        }
        Ok(())
    }

    pub(crate) fn write_all_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at - self.base)
    }
}

impl ReadAt for Positioned {
    fn available(&self) -> Range<u64> {
        self.base..self.base + self.len
    }

    fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, at - self.base)
    }
}

/// Bytes that come once.
struct Stream {
    reader: Box<dyn Read + Send>,
    /// What has come and is still needed, from offset `at` of the input on.
    buffer: Vec<u8>,
    at: u64,
    is_at_end: bool,
}

impl Stream {
    fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, buffer: Vec::new(), at: 0, is_at_end: false }
    }

    /// Reads on up to offset `until`, or to the end. The buffer grows with what comes, not with what
    /// a file says, and nothing is waited for that is not needed: the input may be live.
    fn fill(&mut self, until: u64) -> io::Result<()> {
        while !self.is_at_end && self.at + (self.buffer.len() as u64) < until {
            let len = self.buffer.len();
            self.buffer.resize(len + READ, 0);
            let found = loop {
                match self.reader.read(&mut self.buffer[len..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.buffer.truncate(len + *found.as_ref().unwrap_or(&0));
            self.is_at_end = found? == 0;
        }
        Ok(())
    }

    fn drop_before(&mut self, at: u64) {
        let dropped = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        self.buffer.drain(..dropped.min(self.buffer.len()));
        self.at = at;
    }

    /// Puts all that is left into a file without a name.
    fn spool(mut self) -> anyhow::Result<Positioned> {
        let mut file = tempfile::tempfile()?;
        file.write_all(&self.buffer)?;
        io::copy(&mut self.reader, &mut file)?;
        Positioned::of(file, self.at)
    }
}

/// Stdin is read in pieces of up to this size: what a pipe holds.
const READ: usize = 64 << 10;

enum Input {
    File(Arc<Positioned>),
    Stream(Stream),
    /// Being replaced.
    Nothing,
}

/// The units of an input, one after the other.
pub(crate) struct Units {
    /// The planner as it was at the start.
    start: Planner,
    planner: Planner,
    input: Input,
    done: u64,
}

impl Units {
    /// Opens a file or stdin.
    pub(crate) fn open(path: &Path, planner: Planner) -> anyhow::Result<Self> {
        Ok(match is_standard(path) {
            true => Self::new(Input::Stream(Stream::new(Box::new(io::stdin()))), planner),
            false => Self::of_file(Positioned::open(path)?, planner),
        })
    }

    pub(crate) fn of_file(file: Positioned, planner: Planner) -> Self {
        Self::new(Input::File(Arc::new(file)), planner)
    }

    fn new(input: Input, planner: Planner) -> Self {
        Self { start: planner.clone(), planner, input, done: 0 }
    }

    /// The size of the input in bytes, where it is known.
    pub(crate) fn len(&self) -> Option<u64> {
        match &self.input {
            Input::File(file) => Some(file.available().end),
            Input::Stream(_) | Input::Nothing => None,
        }
    }

    /// Makes it possible to go over the input [`again`](Self::again): stdin is kept in a file.
    pub(crate) fn keep(&mut self) -> anyhow::Result<()> {
        self.spool()
    }

    /// Goes back to the first unit.
    pub(crate) fn again(&mut self) {
        (self.planner, self.done) = (self.start.clone(), 0);
    }

    /// The file that is read; none, if bytes come once only.
    pub(crate) fn file(&self) -> Option<Arc<Positioned>> {
        match &self.input {
            Input::File(file) => Some(Arc::clone(file)),
            Input::Stream(_) | Input::Nothing => None,
        }
    }

    /// Plans the next unit.
    pub(crate) fn next_unit(&mut self) -> anyhow::Result<Option<Plan>> {
        if let Input::Stream(stream) = &mut self.input {
            stream.drop_before(self.done);
        }
        loop {
            let step = match &self.input {
                Input::File(file) => self.planner.next_unit(&**file, true)?,
                Input::Stream(Stream { at, buffer, is_at_end, .. }) => {
                    self.planner.next_unit(&Window::new(*at, buffer), *is_at_end)?
                }
                Input::Nothing => bail!("the input is gone"),
            };
            match (step, &mut self.input) {
                (Step::Unit(plan), _) => {
                    self.done = plan.range().end;
                    return Ok(Some(plan));
                }
                (Step::End, _) => return Ok(None),
                (Step::More(until), Input::Stream(stream)) => stream.fill(until)?,
                (Step::Everything, Input::Stream(_)) => self.spool()?,
                (Step::More(_) | Step::Everything, _) => bail!("there is no more of the input"),
            }
        }
    }

    /// Whether the input is WebM, as far as it has been read.
    pub(crate) fn is_webm(&self) -> bool {
        self.planner.is_webm()
    }

    /// The edits that a unit needs once the pieces of a relocation are moved.
    pub(crate) fn relocate(
        &self,
        unit: Range<u64>,
        relocation: &Relocation,
    ) -> anyhow::Result<Vec<Edit>> {
        let file = self.file().context("the input is not a file")?;
        Ok(self.planner.relocate(&*file, unit, relocation)?)
    }

    fn spool(&mut self) -> anyhow::Result<()> {
        self.input = match std::mem::replace(&mut self.input, Input::Nothing) {
            Input::Stream(stream) => {
                let file = stream.spool().context("keeping stdin in a temporary file")?;
                Input::File(Arc::new(file))
            }
            other => other,
        };
        Ok(())
    }

    /// The bytes of a window of the unit planned last, where there is no file to read them from.
    pub(crate) fn arrived(&self, window: &Range<u64>) -> anyhow::Result<&[u8]> {
        let Input::Stream(Stream { at, buffer, .. }) = &self.input else {
            bail!("the input is a file")
        };
        let [start, end] = [window.start, window.end].map(|place| usize::try_from(place - at));
        buffer.get(start?..end?).context("a unit that has not come whole")
    }
}
