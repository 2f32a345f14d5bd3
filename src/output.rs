//! Where bytes go: beside their final name until they are whole, or straight on.

use std::{
    borrow::Cow,
    error, fmt,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::{
    args::is_standard,
    pipeline::Turn,
    unfinished::{Readers, Unfinished},
};

/// An output. What is dropped before [`finish`](Self::finish) leaves no file and replaces none.
pub(crate) enum Output {
    /// A file that takes its name when it is whole.
    New(Unfinished),
    /// Stdout, or something that is there and is no file: a pipe, a device.
    Direct(File),
}

impl Output {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        if is_standard(path) {
            return Ok(Self::Direct(stdout()?));
        }
        Self::at(path, Readers::Usual)
    }

    /// A small file with all its bytes, synced.
    pub(crate) fn whole(path: &Path, bytes: &[u8], readers: Readers) -> anyhow::Result<Self> {
        let write = || -> anyhow::Result<Self> {
            let output = Self::at(path, readers)?;
            match &output {
                Self::New(new) => {
                    let mut file = new.file();
                    file.write_all(bytes).and_then(|()| file.sync_all())?;
                }
                Self::Direct(file) => {
                    let mut file = file;
                    file.write_all(bytes)?;
                }
            }
            Ok(output)
        };
        write().with_context(|| path.display().to_string())
    }

    fn at(path: &Path, readers: Readers) -> anyhow::Result<Self> {
        match fs::metadata(path) {
            Ok(old) if old.is_file() => {}
            Ok(_) => return Ok(Self::Direct(File::options().write(true).open(path)?)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Err(_) if fs::symlink_metadata(path).is_ok() => bail!("a link that leads nowhere"),
            Err(_) => return Ok(Self::New(Unfinished::new(path.to_owned(), readers)?)),
        }
        // A link stays a link: what it points to is replaced.
        Ok(Self::New(Unfinished::new(real(path), readers)?))
    }

    /// Puts pieces that lie one behind the other where they belong, each with its offset in the output; or in
    /// turn, where there are no offsets.
    pub(crate) fn put<'b>(
        &self,
        turn: &Turn<'_>,
        pieces: impl Iterator<Item = (u64, &'b [u8])>,
    ) -> anyhow::Result<()> {
        if let Self::New(_) = self {
            // There they need no order.
            turn.pass();
        }
        let mut pieces = pieces;
        let Some((at, first)) = pieces.next() else { return Ok(()) };
        // Blocks of WebM are thousands of pieces, and each would be a call to the system.
        let mut whole = Cow::Borrowed(first);
        pieces.for_each(|(_, bytes)| whole.to_mut().extend_from_slice(bytes));
        match self {
            Self::New(new) => Ok(new.file().write_all_at(&whole, at)?),
            Self::Direct(file) if turn.wait() => {
                let mut file = file;
                file.write_all(&whole).map_err(ReaderGone::told)
            }
            // Something before it is missing, and there is an error that says so.
            Self::Direct(_) => Ok(()),
        }
    }

    /// Whether what is put there is gone: not beside the final name.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    /// Where its bytes are before it has its name; none, if they are gone.
    pub(crate) fn place(&self) -> Option<&Path> {
        match self {
            Self::New(new) => Some(new.place()),
            Self::Direct(_) => None,
        }
    }

    /// Gives outputs their names, in this order.
    pub(crate) fn finish(outputs: impl IntoIterator<Item = Self>) -> anyhow::Result<()> {
        Unfinished::finish(outputs.into_iter().filter_map(|output| match output {
            Self::New(new) => Some(new),
            // Nothing of it is in a buffer of ours.
            Self::Direct(_) => None,
        }))
    }
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Who reads the output has had enough. That is how `… | head` ends, and no failure.
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl ReaderGone {
    fn told(error: io::Error) -> anyhow::Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe => anyhow::Error::new(error).context(Self),
            _ => error.into(),
        }
    }
}

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads it any more")
    }
}

impl error::Error for ReaderGone {}

/// Stdout without the line buffer that std puts before it.
pub(crate) fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
