//! Samples, whose keys are known; and pointers to nowhere.

use std::{collections::BTreeSet, ptr};

use cdm_abi::{InitDataType, SessionType, Status};

use super::{Instance, World};
use crate::fuzzing::{
    account::{Keys, Pending},
    sample::{Expected, Sample},
};

impl World {
    pub(super) fn decrypt(&self, instance: &Instance, sample: &Sample) {
        let Sample { data, kid, scheme, iv, subsamples, pattern } = sample;
        let (scheme, pattern) = (*scheme, *pattern);
        let timestamp = i64::from(self.last_promise.get()) - 2;
        let passed = cdm_host::Sample { data, scheme, kid, iv, subsamples, pattern, timestamp };
        let got = instance.cdm.decrypt(&passed, |clear, time| {
            assert_eq!(time, timestamp);
            clear.to_vec()
        });
        if instance.cdm.object().is_none() {
            return assert_eq!(got, Err(Status::INITIALIZATION_ERROR));
        }
        assert!(instance.host.buffers() == 0, "a buffer is left");
        let account = instance.account.borrow();
        let licenses = self.licenses.borrow();
        let candidates: BTreeSet<_> = account
            .may_have_keys()
            .filter_map(|id| licenses.get(id)?.get(&kid[0]))
            .flatten()
            .collect();
        let has_no_room = instance.has_little_memory.get() && got == Err(Status::DECRYPT_ERROR);
        match (sample.expected(), got) {
            (_, _) if !account.is_initialized => {}
            (Expected::Error, got) => assert_eq!(got, Err(Status::DECRYPT_ERROR), "{sample:?}"),
            _ if has_no_room => {}
            (Expected::Clear, got) => assert_eq!(got.as_ref(), Ok(data), "{sample:?}"),
            (Expected::Key, Err(Status::NO_KEY)) => {
                // What is under way may have taken the key away.
                let is_quiet = account.pending.is_empty() && self.depth.get() == 1;
                assert!(!is_quiet || !account.has(kid), "a usable key does not serve");
            }
            (Expected::Key, Ok(clear)) => {
                let is_one = candidates.into_iter().any(|key| sample.clear(key) == clear);
                assert!(is_one, "no key that should serve makes this of {sample:?}");
                let is_quiet = account.pending.is_empty() && self.depth.get() == 1;
                assert!(!is_quiet || account.has(kid), "a key serves that is not usable");
                self.has_decrypted.set(true);
            }
            (Expected::Key, got) => panic!("{got:?} of {sample:?}"),
        }
    }

    /// Pointers to nowhere, and as many octets there as a host may say.
    pub(super) fn nowhere(&self, instance: &Instance, method: u8) {
        let Some(object) = instance.cdm.object() else { return };
        let this = object.as_ptr();
        let len = u32::from(method & 4) * 1000;
        let refused = if len == 0 { None } else { Some(Pending::Refused) };
        let id = String::new();
        let at = method & 3;
        let pending = refused.unwrap_or(match at {
            0 => Pending::Refused,
            1 => Pending::Update { id, new: Keys::new() },
            2 => Pending::Certificate,
            _ => Pending::Close { id },
        });
        // A session that is nowhere is none, and so closed.
        let pending = if at == 3 { Pending::Close { id: String::new() } } else { pending };
        self.promise(instance, pending, true, |promise| {
            // SAFETY: an object that is not destroyed; null pointers are allowed, whatever the lengths.
            unsafe {
                let methods = &*(*this).vtable;
                match at {
                    0 => (methods.create_session_and_generate_request)(
                        this,
                        promise,
                        SessionType::TEMPORARY,
                        InitDataType::CENC,
                        ptr::null(),
                        len,
                    ),
                    1 => {
                        (methods.update_session)(this, promise, ptr::null(), len, ptr::null(), len)
                    }
                    2 => (methods.set_server_certificate)(this, promise, ptr::null(), len),
                    _ => (methods.close_session)(this, promise, ptr::null(), len),
                }
            }
        });
        if let Some(object) = instance.cdm.object() {
            let this = object.as_ptr();
            // SAFETY: as above; the interface allows no null here, and it is refused.
            let status = unsafe { ((*(*this).vtable).decrypt)(this, ptr::null(), ptr::null_mut()) };
            assert_eq!(status, Status::DECRYPT_ERROR);
        }
    }
}
