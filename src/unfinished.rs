//! New files that have no name yet: they lie beside it until they are whole, and whoever is interrupted leaves none.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use tempfile::NamedTempFile;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Nobody but its owner: it holds keys.
    Owner,
    /// Whoever the user's umask lets; or those who could read the old one.
    Usual,
}

/// A new file beside the path that it is to have. What is dropped leaves no file and replaces none.
pub(crate) struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
}

/// Those of this process. A signal waits for the lock, so it finds each either here or finished.
static ALL: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

impl Unfinished {
    /// Makes one in the folder of `path`, which names a file or nothing.
    pub(crate) fn new(path: PathBuf, readers: Readers) -> anyhow::Result<Self> {
        let mode = match readers {
            Readers::Owner => 0o600,
            // Less what the user's umask takes away.
            Readers::Usual => 0o666,
        };
        let folder = folder(&path);
        sweep_on_signal();
        let mut all = all();
        let file = tempfile::Builder::new()
            .prefix(".clearkey-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .with_context(|| format!("a new file in {}", folder.display()))?;
        all.insert(file.path().to_owned());
        drop(all);
        if let (Ok(old), Readers::Usual) = (fs::metadata(&path), readers) {
            file.as_file().set_permissions(old.permissions())?;
        }
        Ok(Self { file, path })
    }

    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Where it is until it has its name.
    pub(crate) fn place(&self) -> &Path {
        self.file.path()
    }

    /// Gives all of them their names. No signal comes between.
    pub(crate) fn finish(files: impl IntoIterator<Item = Self>) -> anyhow::Result<()> {
        let mut all = all();
        for Self { file, path } in files {
            let place = file.path().to_owned();
            let named = file.persist(&path).map_err(|error| error.error);
            named.with_context(|| path.display().to_string())?;
            all.remove(&place);
        }
        Ok(())
    }
}

fn all() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files have no other name yet, so one who interrupts the command could not know of them.
fn sweep_on_signal() {
    // Without a handler the command ends all the same, and leaves the files. The first one serves for all.
    let _ = ctrlc::set_handler(|| {
        let all = all();
        for place in &*all {
            let _ = fs::remove_file(place);
        }
        // Nobody makes or names a file any more: the lock is held.
        process::exit(INTERRUPTED);
    });
}

/// What shells take for "ended by the user": 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// The folder that a path names a file in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
