//! What every store does, and what a folder does besides.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use cdm::store::{DirectoryStore, LicenseStore, MemoryStore};

const ORIGIN: &str = "https://example.org";

fn laws(store: &dyn LicenseStore) {
    assert_eq!(store.get("1").unwrap(), None);
    store.delete("1").unwrap();
    store.put("1", b"one").unwrap();
    store.put("2", b"").unwrap();
    store.put("3", &vec![3; 1 << 20]).unwrap();
    let get = |name: &str| store.get(name).unwrap().map(|record| record.to_vec());
    assert_eq!(get("1").unwrap(), b"one");
    assert_eq!(get("2").unwrap(), b"");
    assert_eq!(get("3").unwrap(), vec![3; 1 << 20]);
    store.put("1", b"another, longer").unwrap();
    store.put("3", b"x").unwrap();
    assert_eq!(get("1").unwrap(), b"another, longer");
    assert_eq!(get("3").unwrap(), b"x");
    store.delete("1").unwrap();
    store.delete("1").unwrap();
    assert_eq!(get("1"), None);
    assert_eq!(get("2").unwrap(), b"");
}

#[test]
fn all_stores_obey_the_same_laws() {
    laws(&MemoryStore::default());
    let folder = tempfile::tempdir().unwrap();
    laws(&DirectoryStore::open(folder.path(), ORIGIN).unwrap());
    laws(&std::sync::Arc::new(MemoryStore::default()));
}

#[test]
fn memory_shows_names_only() {
    let store = MemoryStore::default();
    store.clone().put("7", b"secret").unwrap();
    assert_eq!(format!("{store:?}"), r#"MemoryStore(["7"])"#);
}

fn open(folder: &Path) -> DirectoryStore {
    DirectoryStore::open(folder, ORIGIN).unwrap()
}

/// All files below, with their permissions.
fn files(folder: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let name = entry.file_name().into_string().unwrap();
        if entry.metadata().unwrap().is_dir() {
            let below = files(&entry.path());
            found.extend(below.into_iter().map(|(below, mode)| (format!("{name}/{below}"), mode)));
        }
        found.insert(name, mode);
    }
    found
}

#[test]
fn a_folder_keeps_records_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("deep/down"));
    store.put("12", b"record").unwrap();
    let origin = "https%3a%2f%2fexample.org";
    let expected = [
        (origin.to_owned(), 0o700),
        (format!("{origin}/12.license"), 0o600),
        (format!("{origin}/lock"), 0o600),
    ];
    assert_eq!(files(&folder.path().join("deep/down")), BTreeMap::from(expected));
    // A record that others could read keeps that from nobody.
    let path = folder.path().join("deep/down").join(origin).join("12.license");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    store.put("12", b"new").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(store);
    assert_eq!(open(&folder.path().join("deep/down")).get("12").unwrap().unwrap().to_vec(), b"new");
}

#[test]
fn origins_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let a = DirectoryStore::open(folder.path(), "https://a.example").unwrap();
    let b = DirectoryStore::open(folder.path(), "https://A.example").unwrap();
    a.put("1", b"of a").unwrap();
    assert_eq!(b.get("1").unwrap(), None);
    for origin in ["", &"x".repeat(256), &"/".repeat(86)] {
        let error = DirectoryStore::open(folder.path(), origin).unwrap_err().to_string();
        assert!(error.starts_with(&format!("an origin of {} octets", origin.len())), "{error}");
    }
}

#[test]
fn an_origin_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = DirectoryStore::open(folder.path(), ORIGIN).unwrap_err().to_string();
    assert!(error.ends_with("this origin is open elsewhere"), "{error}");
    drop(store);
    open(folder.path());
}

#[test]
fn what_was_left_half_written_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let origin = folder.path().join("https%3a%2f%2fexample.org");
    fs::write(origin.join(".1.license.AbCdEf"), b"half").unwrap();
    fs::write(origin.join("1.license"), b"whole").unwrap();
    let store = open(folder.path());
    assert_eq!(files(&origin).into_keys().collect::<Vec<_>>(), ["1.license", "lock"]);
    assert_eq!(store.get("1").unwrap().unwrap().to_vec(), b"whole");
}

#[test]
fn names_cannot_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for name in ["", ".", "..", "../1", "a/b", "lock.x", "é", "a\0", &"1".repeat(65)] {
        for result in [store.get(name).map(drop), store.put(name, b"x"), store.delete(name)] {
            let error = result.unwrap_err().to_string();
            assert!(error.ends_with("is no name of a record"), "{error}");
        }
    }
    store.put(&"1".repeat(64), b"x").unwrap();
}

#[test]
fn what_is_no_record_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let origin = folder.path().join("https%3a%2f%2fexample.org");
    fs::create_dir(origin.join("1.license")).unwrap();
    store.put("4", b"x").unwrap();
    std::os::unix::fs::symlink(origin.join("4.license"), origin.join("2.license")).unwrap();
    let long = fs::File::create(origin.join("3.license")).unwrap();
    long.set_len((16 << 20) + 1).unwrap();
    for name in ["1", "2", "3"] {
        let error = store.get(name).unwrap_err().to_string();
        assert!(error.ends_with("not a file of at most 16777216 octets"), "{error}");
    }
    long.set_len(16 << 20).unwrap();
    assert_eq!(store.get("3").unwrap().unwrap().len(), 16 << 20);
    let refused = store.put("3", &vec![0; (16 << 20) + 1]).unwrap_err().to_string();
    assert_eq!(refused, "a record of 16777217 octets, at most 16777216 allowed");
    assert_eq!(store.get("3").unwrap().unwrap().len(), 16 << 20);
    store.put("3", &vec![7; 16 << 20]).unwrap();
    assert_eq!(store.get("3").unwrap().unwrap()[..2], [7; 2]);
    assert!(store.put("1", b"x").unwrap_err().to_string().starts_with("writing "));
    assert!(store.delete("1").unwrap_err().to_string().starts_with("deleting "));
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = DirectoryStore::open(&file, ORIGIN).unwrap_err().to_string();
    assert!(error.starts_with("making "), "{error}");
    // A folder that is not there any more is not the same as one without the record.
    fs::remove_dir_all(&origin).unwrap();
    let error = store.delete("4").unwrap_err().to_string();
    assert!(error.starts_with("syncing "), "{error}");
    fs::write(&origin, b"").unwrap();
    let error = store.get("4").unwrap_err().to_string();
    assert!(error.starts_with("reading "), "{error}");
}

#[test]
fn an_origin_is_as_long_as_the_name_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    DirectoryStore::open(folder.path(), &"a".repeat(255)).unwrap();
    let longer = [("a".repeat(256), 256, 256), (":".repeat(86), 86, 258), (String::new(), 0, 0)];
    for (origin, octets, name) in longer {
        let error = DirectoryStore::open(folder.path(), &origin).unwrap_err().to_string();
        let expected = format!("an origin of {octets} octets makes a folder name of {name}, ");
        assert_eq!(error, expected + "1 to 255 allowed");
    }
}

/// Runs itself again where files may have 32 KiB (64 blocks of 512 octets), and the signal that would
/// end a process which writes more is ignored: what a full disk does.
#[test]
fn a_record_that_does_not_fit_leaves_the_old_one() {
    const FOLDER: &str = "CLEARKEY_SMALL_DISK";
    let record = |store: &DirectoryStore| store.get("17").unwrap().map(|record| record.to_vec());
    if let Some(folder) = std::env::var_os(FOLDER) {
        let store = open(Path::new(&folder));
        store.put("17", &[7; 30_000]).unwrap();
        let refused = store.put("17", &[8; 100_000]).unwrap_err().to_string();
        assert!(refused.starts_with("writing ") && refused.contains("too large"), "{refused}");
        assert!(record(&store).unwrap() == [7; 30_000]);
        store.put("17", &[9; 30_000]).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 64; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "stores::a_record_that_does_not_fit_leaves_the_old_one"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let origin = folder.path().join("https%3a%2f%2fexample.org");
    assert_eq!(files(&origin).into_keys().collect::<Vec<_>>(), ["17.license", "lock"]);
    assert!(record(&open(folder.path())).unwrap() == [9; 30_000]);
}
