//! The exported symbols, the versions, and the file that a browser loads.

#![allow(unsafe_code, reason = "the functions of a library are called")]

use std::{
    ffi::CStr,
    fs::File,
    io::Read,
    os::fd::{AsRawFd, IntoRawFd},
    path::PathBuf,
    ptr,
};

use cdm_abi::{HostFile, InitDataType, SessionType};
use cdm_host::{Call, Disk, Host, Library};
use object::{
    elf::{DT_NEEDED, FileHeader64},
    endian::LittleEndian,
    read::elf::{Dyn, FileHeader},
};

use crate::support::{KEY_SYSTEM, exports, keyids, library};

#[test]
fn versions_10_to_12_are_there() {
    let library = library();
    for version in [9, 10, 11, 12, 13, -1] {
        let made = library.create(version, KEY_SYSTEM, &Host::new(Disk::default()));
        assert_eq!(made.is_some(), (10..=12).contains(&version), "{version}");
    }
}

#[test]
fn the_key_systems_are_those_of_the_browsers() {
    let library = library();
    let made = |name: &str| library.create(11, name, &Host::new(Disk::default())).is_some();
    assert!(made("org.w3.clearkey") && made("org.chromium.externalclearkey"));
    for other in
        ["", "org.w3.clearkey\0", "org.w3.clearke", "ORG.W3.CLEARKEY", "com.widevine.alpha"]
    {
        assert!(!made(other), "{other:?}");
    }
}

#[test]
fn without_a_host_there_is_no_instance() {
    unsafe extern "C" fn nobody(_: i32, _: *mut std::ffi::c_void) -> *mut std::ffi::c_void {
        ptr::null_mut()
    }
    let create = exports().create_cdm_instance;
    let (name, len) = (KEY_SYSTEM.as_ptr().cast(), u32::try_from(KEY_SYSTEM.len()).unwrap());
    let user = ptr::null_mut();
    // SAFETY: the text is as long as it says, and null pointers are allowed.
    unsafe {
        assert!(create(11, name, len, None, user).is_null());
        assert!(create(11, name, len, Some(nobody), user).is_null());
        assert!(create(11, ptr::null(), len, Some(nobody), user).is_null());
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = library().version().map(CStr::to_bytes);
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION").as_bytes()));
}

#[test]
fn the_hosts_files_are_closed() {
    let verify = exports().verify_cdm_host.unwrap();
    // A pipe reads to its end when its writing side is closed.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let number = writer.as_raw_fd();
    let files = [
        HostFile { file_path: ptr::null(), file: writer.into_raw_fd(), sig_file: -1 },
        HostFile {
            file_path: c"cdm".as_ptr(),
            file: -1,
            sig_file: File::open("/dev/null").unwrap().into_raw_fd(),
        },
    ];
    // SAFETY: two files, whose descriptors are given away.
    assert!(unsafe { verify(files.as_ptr(), 2) });
    assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 0, "{number} is closed");
    // SAFETY: no files.
    assert!(unsafe { verify(ptr::null(), 0) });
}

/// The file as Cargo has built it for this test.
fn file() -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    folder.with_file_name("libclearkeycdm.so")
}

#[test]
fn the_file_works_like_the_crate() {
    // SAFETY: it is this library.
    let library = unsafe { Library::load(&file()) }.unwrap();
    let all = library.exports();
    assert!(all.deinitialize_cdm_module.is_some() && all.verify_cdm_host.is_some());
    assert_eq!(library.version(), self::library().version());
    let host = Host::new(Disk::default());
    let cdm = library.create(12, KEY_SYSTEM, &host).unwrap();
    cdm.initialize(false, false, false);
    let kids = keyids(&[1]);
    cdm.create_session_and_generate_request(
        7,
        SessionType::TEMPORARY,
        InitDataType::KEY_IDS,
        &kids,
    );
    let calls = host.calls();
    assert!(
        matches!(
            &calls[..],
            [
                Call::Initialized { success: true },
                Call::ResolveNewSession { .. },
                Call::Message { .. }
            ]
        ),
        "{calls:?}"
    );
}

/// In a sandbox only what the process has loaded already can be loaded.
#[test]
fn the_file_needs_only_what_every_process_has() {
    let bytes = std::fs::read(file()).unwrap();
    let needed = needed(&bytes);
    assert!(needed.contains(&"libc.so.6"), "{needed:?}");
    for name in needed {
        assert!(["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"].contains(&name), "{name}");
    }
}

fn needed(bytes: &[u8]) -> Vec<&str> {
    let header = FileHeader64::<LittleEndian>::parse(bytes).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, bytes).unwrap();
    let (entries, link) = sections.dynamic(endian, bytes).unwrap().expect("a dynamic section");
    let strings = sections.strings(endian, bytes, link).unwrap();
    let names = entries.iter().filter(|entry| entry.d_tag(endian) == DT_NEEDED);
    names.map(|entry| str::from_utf8(entry.string(endian, strings).unwrap()).unwrap()).collect()
}
