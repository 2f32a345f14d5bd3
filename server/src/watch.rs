//! Files that change while a server runs.

use std::{fs, io, os::unix::fs::MetadataExt, path::PathBuf};

use thiserror::Error as ThisError;

/// Files, as they were when they were last taken note of.
#[derive(Debug)]
pub struct Watch {
    paths: Vec<PathBuf>,
    /// As they were when a change was last told.
    told: Vec<Stamp>,
    /// As they were at the last look.
    seen: Vec<Stamp>,
}

/// What was a file is none any more. A pipe without a writer would be waited for, and nothing would be looked at
/// meanwhile.
#[derive(Debug, ThisError)]
#[error("{}", path.display())]
pub struct NoFile {
    /// What is to be read again.
    pub path: PathBuf,
    /// What the system says, or that there is something else.
    #[source]
    pub reason: io::Error,
}

/// What of a file changes when its content does: device, inode, length, and the times, in nanoseconds, at which
/// content and inode were changed. `None`: there is no such file. What is read from a pipe comes once, and is no
/// change of it.
type Stamp = Option<(u64, u64, u64, (i64, i64), (i64, i64))>;

impl Watch {
    /// Takes note of files as they are. Who reads them after that misses no change.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let stamps = stamps(&paths);
        Self { paths, told: stamps.clone(), seen: stamps }
    }

    /// The files.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What `read` makes of the files, if one has changed, or come, or gone since it was last called. `None`: none
    /// has; or one still changes, or did while it was read, so that half of it may have been read. Who writes into
    /// a file is given the time between two calls to finish.
    ///
    /// # Errors
    ///
    /// What `read` says, and [`NoFile`] for what is not read at all.
    pub fn read_changed<T, E: From<NoFile>>(
        &mut self,
        read: impl FnOnce(&[PathBuf]) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        if !self.has_changed() {
            return None;
        }
        let read = self.are_files().map_err(E::from).and_then(|()| read(&self.paths));
        (stamps(&self.paths) == self.seen).then_some(read)
    }

    fn has_changed(&mut self) -> bool {
        let stamps = stamps(&self.paths);
        let is_at_rest = stamps == self.seen;
        self.seen = stamps;
        let is_news = is_at_rest && self.seen != self.told;
        if is_news {
            self.told.clone_from(&self.seen);
        }
        is_news
    }

    fn are_files(&self) -> Result<(), NoFile> {
        self.paths.iter().try_for_each(|path| {
            let is_file = fs::metadata(path).map(|found| found.is_file());
            let refused = |reason| NoFile { path: path.clone(), reason };
            match is_file.map_err(refused)? {
                true => Ok(()),
                false => Err(refused(io::Error::other("not a regular file"))),
            }
        })
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let file = fs::metadata(path).ok()?;
        if !file.is_file() {
            return Some((file.dev(), file.ino(), file.mode().into(), (0, 0), (0, 0)));
        }
        let modified = (file.mtime(), file.mtime_nsec());
        Some((file.dev(), file.ino(), file.len(), modified, (file.ctime(), file.ctime_nsec())))
    };
    paths.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pipe_has_said_is_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut watch = Watch::new(vec![fifo.clone()]);
        let file = fs::File::options().read(true).write(true).open(&fifo).unwrap();
        io::Write::write_all(&mut &file, b"keys").unwrap();
        for _ in 0..3 {
            assert!(watch.read_changed(|_| Ok::<_, NoFile>(())).is_none());
        }
    }

    #[test]
    fn what_changes_while_it_is_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "1").unwrap();
        let mut watch = Watch::new(vec![file.clone()]);
        let plain = |paths: &[PathBuf]| Ok(fs::read_to_string(&paths[0]).unwrap());
        let read = |watch: &mut Watch, how: &dyn Fn(&[PathBuf]) -> Result<String, NoFile>| {
            watch.read_changed(how).map(Result::unwrap)
        };
        assert_eq!(read(&mut watch, &plain), None);

        fs::write(&file, "12").unwrap();
        assert_eq!(read(&mut watch, &plain), None);
        let disturbed = |paths: &[PathBuf]| {
            let half = plain(paths);
            fs::write(&file, "123").unwrap();
            half
        };
        assert_eq!(read(&mut watch, &disturbed), None);
        assert_eq!(read(&mut watch, &plain), None);
        assert_eq!(read(&mut watch, &plain), Some("123".to_owned()));
        assert_eq!(read(&mut watch, &plain), None);
    }
}
