//! A host that calls back while it is called.

use std::{cell::Cell, rc::Rc};

use cdm_abi::{InitDataType, SessionType, Status};
use cdm_host::{Answers, Call, Cdm, Disk, Host};

use crate::support::{cdm, cdm_on, keyids, kind, license};

const TEMPORARY: SessionType = SessionType::TEMPORARY;
const PERSISTENT: SessionType = SessionType::PERSISTENT_LICENSE;

/// The whole life of a session, each call from within what the one before has led to. The instance ends
/// within call number `last` of its own, if there are so many.
fn live(cdm: &Cdm, host: &Host, session_type: SessionType, last: usize) {
    let license = license(kind(session_type), &[1]);
    let (within, count) = (cdm.clone(), Cell::new(0));
    host.react(move |call| {
        if count.replace(count.get() + 1) == last {
            return within.destroy();
        }
        match call {
            Call::Message { session_id, .. } => within.update_session(2, session_id, &license),
            Call::Resolve { promise: 2 } => {
                let (key_ids, data) = (InitDataType::KEY_IDS, b"no key ids");
                within.create_session_and_generate_request(9, TEMPORARY, key_ids, data);
            }
            Call::KeysChange { session_id, has_additional_usable_key: true, .. } => {
                within.close_session(3, session_id);
            }
            _ => {}
        }
    });
    let kids = keyids(&[1]);
    cdm.create_session_and_generate_request(1, session_type, InitDataType::KEY_IDS, &kids);
    host.disk().settle();
}

#[test]
fn a_host_may_call_back() {
    for (session_type, answers) in
        [(TEMPORARY, Answers::Later), (PERSISTENT, Answers::Later), (PERSISTENT, Answers::AtOnce)]
    {
        let disk = Disk::default();
        disk.answer(answers);
        let (cdm, host) = cdm_on(&disk);
        live(&cdm, &host, session_type, usize::MAX);
        let promises: Vec<_> = host
            .calls()
            .iter()
            .filter_map(|call| match call {
                Call::ResolveNewSession { promise, .. }
                | Call::Resolve { promise }
                | Call::Reject { promise, .. } => Some(*promise),
                _ => None,
            })
            .collect();
        assert_eq!(promises, [1, 2, 3, 9], "{session_type:?} {answers:?}");
        host.react(|_| ());
    }
}

/// Within every call of its life.
#[test]
fn a_host_may_destroy_within_a_call() {
    for (session_type, answers) in
        [(TEMPORARY, Answers::Later), (PERSISTENT, Answers::Later), (PERSISTENT, Answers::AtOnce)]
    {
        for last in 0..10 {
            let disk = Disk::default();
            disk.answer(answers);
            let (cdm, host) = cdm_on(&disk);
            live(&cdm, &host, session_type, last);
            let calls = host.calls();
            assert!(calls.len() <= last + 1, "{calls:?}");
            assert!(cdm.object().is_none() || calls.len() <= last);
            cdm.destroy();
            disk.settle();
            assert_eq!((host.calls(), disk.open()), (Vec::new(), 0));
            host.react(|_| ());
        }
    }
}

/// Files that another call waits for are closed by then, too.
#[test]
fn a_host_may_destroy_within_a_call_while_the_disk_works() {
    let (cdm, host) = cdm();
    cdm.load_session(7, PERSISTENT, "17");
    assert!(host.disk().open() > 0);
    let (within, disk, open) = (cdm.clone(), host.disk().clone(), Rc::new(Cell::new(usize::MAX)));
    let seen = Rc::clone(&open);
    host.react(move |call| {
        if matches!(call, Call::Message { .. }) {
            within.destroy();
            seen.set(disk.open());
        }
    });
    let kids = keyids(&[1]);
    cdm.create_session_and_generate_request(1, TEMPORARY, InitDataType::KEY_IDS, &kids);
    assert_eq!(open.get(), 0);
    host.disk().settle();
    assert_eq!(host.calls().len(), 2);
    host.react(|_| ());
}

#[test]
fn a_host_may_destroy_while_it_is_told_that_all_is_ready() {
    let host = Host::new(Disk::default());
    let cdm = crate::support::library().create(11, "org.w3.clearkey", &host).unwrap();
    let within = cdm.clone();
    host.react(move |_| within.destroy());
    cdm.initialize(false, true, false);
    assert!(cdm.object().is_none());
    let sample = cdm_host::Sample {
        data: &[1],
        scheme: cdm_abi::EncryptionScheme::UNENCRYPTED,
        kid: &[],
        iv: &[],
        subsamples: &[],
        pattern: cdm_abi::Pattern::default(),
        timestamp: 0,
    };
    assert_eq!(cdm.decrypt(&sample, |_, _| ()), Err(Status::INITIALIZATION_ERROR));
    host.react(|_| ());
}

#[test]
fn sessions_of_one_instance_may_be_many() {
    let (cdm, host) = cdm();
    let ids: Vec<_> =
        (1..=200).map(|octet| crate::support::licensed(&cdm, &host, TEMPORARY, &[octet])).collect();
    for session_id in &ids {
        cdm.close_session(1, session_id);
    }
    assert_eq!(host.calls().len(), 400);
}
