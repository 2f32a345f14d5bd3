//! Where clear bytes go: beside their final name until they are whole, or straight on.

use std::{
    borrow::Cow,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::Mutex,
};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::{args::is_standard, pipeline::Turn};

/// An output. What is dropped before [`finish`](Self::finish) leaves no file and replaces none.
pub(crate) enum Output {
    /// A file that takes its name when it is whole.
    New { file: NamedTempFile, path: PathBuf },
    /// Stdout, or something that is there and is no file: a pipe, a device.
    Direct(File),
}

impl Output {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        if is_standard(path) {
            return Ok(Self::Direct(stdout()?));
        }
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self::Direct(File::options().write(true).open(&path)?));
        }
        let file = unnamed(&path, Readers::Usual)?;
        if let Ok(old) = fs::metadata(&path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        sweep_on_signal(file.path());
        Ok(Self::New { file, path })
    }

    /// Puts pieces that lie one behind the other where they belong, each with its offset in the output; or in
    /// turn, where there are no offsets.
    pub(crate) fn put<'b>(
        &self,
        turn: &Turn<'_>,
        pieces: impl Iterator<Item = (u64, &'b [u8])>,
    ) -> io::Result<()> {
        let mut pieces = pieces;
        let Some((at, first)) = pieces.next() else { return Ok(()) };
        // Blocks of WebM are thousands of pieces, and each would be a call to the system.
        let mut whole = Cow::Borrowed(first);
        pieces.for_each(|(_, bytes)| whole.to_mut().extend_from_slice(bytes));
        match self {
            Self::New { file, .. } => file.as_file().write_all_at(&whole, at),
            Self::Direct(file) if turn.wait() => {
                let mut file = file;
                file.write_all(&whole)
            }
            // Something before it is missing, and there is an error that says so.
            Self::Direct(_) => Ok(()),
        }
    }

    /// Whether what is put there is gone: not beside the final name.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    /// Gives the output its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::New { file, path } => {
                file.persist(&path).map_err(|error| error.error)?;
            }
            Self::Direct(mut file) => file.flush()?,
        }
        Ok(())
    }
}

/// Who may read a small file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Nobody but its owner: it holds keys.
    Owner,
    /// Whoever the user's umask lets; or those who could read the old one.
    Usual,
}

/// Writes a small file, which takes the place of an old one when it is whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], readers: Readers) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&path).ok();
    if old.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return fs::write(&path, bytes).with_context(place);
    }
    let mut file = unnamed(&path, readers).with_context(place)?;
    if let (Some(old), Readers::Usual) = (old, readers) {
        file.as_file().set_permissions(old.permissions()).with_context(place)?;
    }
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).with_context(place)?;
    file.persist(&path).map_err(|error| error.error).with_context(place)?;
    Ok(())
}

/// A new file beside the path that it is to have.
fn unnamed(path: &Path, readers: Readers) -> anyhow::Result<NamedTempFile> {
    let mode = match readers {
        Readers::Owner => 0o600,
        // Less what the user's umask takes away.
        Readers::Usual => 0o666,
    };
    let folder = folder(path);
    tempfile::Builder::new()
        .prefix(".clearkey-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .with_context(|| format!("a new file in {}", folder.display()))
}

/// The folder that a path names a file in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The new file has no other name yet, so one who interrupts the command could not know of it.
fn sweep_on_signal(path: &Path) {
    // One output is written at a time.
    static UNFINISHED: Mutex<PathBuf> = Mutex::new(PathBuf::new());
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        path.clone_into(&mut unfinished);
    }
    // Without a handler the command ends all the same, and leaves the file. The one of an earlier output
    // serves for this one.
    let _ = ctrlc::set_handler(|| {
        // If it has its final name by now, there is nothing here to remove.
        let _ = UNFINISHED.lock().map(|path| fs::remove_file(&*path));
        process::exit(INTERRUPTED);
    });
}

/// What shells take for "ended by the user": 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Stdout without the line buffer that std puts before it.
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
