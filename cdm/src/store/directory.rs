//! Records as files.
//!
//! ```text
//! FOLDER/                      0700
//!   https%3a%2f%2fexample.org/ 0700, one for each origin
//!     lock                     held by the process that has the origin open
//!     1234567890.license       0600, a record
//!     .1234567890.license.xyz  a record that is being written, or was when its process died
//! ```
//!
//! A record is written beside the old one, synced, renamed over it, and the folder is synced:
//! whenever the process is killed, either of the two is there and whole. Files without a name
//! (`O_TMPFILE`) would not spare the sweeping: to replace a file they need a name before the rename,
//! too.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use atomic_write_file::{AtomicWriteFile, unix::OpenOptionsExt as _};
use zeroize::Zeroizing;

use super::{LicenseStore, StoreError};

/// A store in a folder, for one origin. As long as it lives no other process, and no other store of
/// this one, can open the same origin: a session must not be open twice.
#[derive(Debug)]
pub struct DirectoryStore {
    folder: PathBuf,
    /// Its lock goes with the process, however that ends.
    lock: File,
}

/// What a record has at most. A license of 64 KiB makes a record of 40 KiB; a session may hold
/// many.
const RECORD: u64 = 16 << 20;

/// Names of files have 255 octets at most.
const ORIGIN: usize = 255;
const NAME: usize = 64;

const LOCK: &str = "lock";
const SUFFIX: &str = ".license";

impl DirectoryStore {
    /// Opens the records of an origin, such as `https://example.org`, in a folder that is made if it
    /// is not there. What killed processes have left half-written is deleted.
    ///
    /// # Errors
    ///
    /// If the origin is empty or too long for a file name, if it is open elsewhere, or if the system
    /// refuses.
    pub fn open(folder: impl AsRef<Path>, origin: &str) -> Result<Self, StoreError> {
        let name = folder_name(origin);
        if name.is_empty() || name.len() > ORIGIN {
            return Err(StoreError::new(format!(
                "an origin of {} octets makes a folder name of {}, 1 to {ORIGIN} allowed",
                origin.len(),
                name.len()
            )));
        }
        let folder = folder.as_ref().join(name);
        make_folder(&folder)?;

        let path = folder.join(LOCK);
        let options = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let lock = options.map_err(told("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let said = format!("{}: this origin is open elsewhere", folder.display());
                return Err(StoreError::new(said));
            }
            Err(TryLockError::Error(error)) => return Err(told("locking", &path)(error)),
        }
        sweep(&folder)?;
        Ok(Self { folder, lock })
    }

    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let is_safe = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        if name.is_empty() || name.len() > NAME || !name.bytes().all(is_safe) {
            let quoted = clearkey::quote(name);
            return Err(StoreError::new(format!("\"{quoted}\" is no name of a record")));
        }
        Ok(self.folder.join(format!("{name}{SUFFIX}")))
    }
}

/// Closing the file would not do at once: a process that is being started may hold a copy of it.
impl Drop for DirectoryStore {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl LicenseStore for DirectoryStore {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path(name)?;
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(told("reading", &path))?,
        };
        let len = metadata.len();
        if !metadata.is_file() || len > RECORD {
            return Err(StoreError::new(format!(
                "{}: not a file of at most {RECORD} octets",
                path.display()
            )));
        }
        // Room for all from the start: a buffer that grows leaves keys behind.
        let room = usize::try_from(len).unwrap_or_default() + 1;
        let mut record = Zeroizing::new(Vec::with_capacity(room));
        let file = File::open(&path).map_err(told("reading", &path))?;
        file.take(len).read_to_end(&mut record).map_err(told("reading", &path))?;
        Ok(Some(record))
    }

    fn put(&self, name: &str, record: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name)?;
        if record.len() as u64 > RECORD {
            return Err(StoreError::new(format!(
                "a record of {} octets, at most {RECORD} allowed",
                record.len()
            )));
        }
        let write = || {
            let mut options = AtomicWriteFile::options();
            options.mode(0o600).preserve_mode(false);
            let mut file = options.open(&path)?;
            file.write_all(record)?;
            // Syncs the file, renames it, and syncs the folder.
            file.commit()
        };
        write().map_err(told("writing", &path))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(told("deleting", &path))?,
        }
        // Also when nothing was there: who deleted it may have died before this.
        sync(&self.folder)
    }
}

/// Makes a folder and all that is missing above it, each synced into the one that it lies in.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(told("making", folder))?;
    missing.into_iter().filter_map(Path::parent).try_for_each(sync)
}

fn sync(folder: &Path) -> Result<(), StoreError> {
    // What a relative path lies in has no name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(told("syncing", folder))
}

/// Deletes what was being written when a process died. Nobody else writes now: the origin is locked.
fn sweep(folder: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(folder).map_err(told("listing", folder))? {
        let entry = entry.map_err(told("listing", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            fs::remove_file(entry.path()).map_err(told("deleting", &entry.path()))?;
        }
    }
    Ok(())
}

/// Readable, different for different origins, and no way out of the folder. Capitals are escaped,
/// too: some file systems do not tell them from small letters. So is a dot in front.
fn folder_name(origin: &str) -> String {
    let mut name = String::new();
    for (at, octet) in origin.bytes().enumerate() {
        match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(octet.into()),
            b'.' if at > 0 => name.push('.'),
            _ => name.push_str(&format!("%{octet:02x}")),
        }
    }
    name
}

fn told<'p>(what: &'p str, path: &'p Path) -> impl FnOnce(io::Error) -> StoreError + 'p {
    move |error| StoreError::new(format!("{what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_origin_is_a_readable_folder() {
        assert_eq!(folder_name("https://example.org:8443"), "https%3a%2f%2fexample.org%3a8443");
        assert_eq!(folder_name(".."), "%2e.");
        assert_eq!(folder_name("A"), "%41");
    }

    proptest! {
        #[test]
        fn different_origins_have_different_folders(a in "\\PC{0,8}", b in "\\PC{0,8}") {
            prop_assert_eq!(a == b, folder_name(&a) == folder_name(&b));
        }

        #[test]
        fn no_origin_leaves_the_folder(origin in "[./\\\\a%]{1,8}") {
            let name = folder_name(&origin);
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\']));
        }
    }
}
