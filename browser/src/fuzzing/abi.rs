//! Any sequence of calls of a host: what always holds.

#![allow(unsafe_code, reason = "a host that passes pointers to nowhere")]

mod calls;
mod stored;

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::{Rc, Weak},
};

use cdm_abi::{HdcpVersion, InitDataType, SessionType};
use cdm_host::{Answers, Cdm, Disk, Exports, Fault, Host, Library};
use clearkey::{Jwk, KeyId, License};

use super::{
    account::{Account, Keys, Licenses, Pending},
    sample::Sample,
    script::{Call, Id, Response, read},
};

/// Plays a script of calls ([`script`](super::script) has its form) of hosts that share a disk. Each promise is
/// settled once, each session is known before it is told of and closed once, samples are what the keys of open
/// sessions make of them, and when all is over nothing is left. Whether a key has decrypted.
pub fn abi(script: &[u8]) -> bool {
    let world = World::new();
    let told = || world.panic.take().map_or((), |panic| resume_unwind(panic));
    for call in read(script) {
        world.perform(&call);
        told();
    }
    world.end();
    told();
    world.has_decrypted.get()
}

/// Instances in all.
const INSTANCES: usize = 4;

struct World {
    me: Weak<Self>,
    library: Library,
    disk: Disk,
    instances: RefCell<Vec<Rc<Instance>>>,
    licenses: RefCell<Licenses>,
    /// The ids that were ever told, with the kind of session.
    ids: RefCell<Vec<(String, u32)>>,
    last_promise: Cell<u32>,
    /// Calls of the host that have not returned.
    depth: Cell<usize>,
    /// There may be no answer to something that was asked of a file.
    is_lossy: Cell<bool>,
    /// The disk has kept what it was given.
    is_faithful: Cell<bool>,
    /// The ids of licenses and releases that are stored.
    stored: RefCell<BTreeSet<String>>,
    has_decrypted: Cell<bool>,
    /// What was wrong with something that an instance said.
    panic: RefCell<Option<Box<dyn Any + Send>>>,
}

struct Instance {
    cdm: Cdm,
    host: Host,
    account: RefCell<Account>,
    then: RefCell<Option<Call>>,
    has_little_memory: Cell<bool>,
}

impl World {
    fn new() -> Rc<Self> {
        let exports = Exports {
            initialize_cdm_module: crate::InitializeCdmModule_4,
            create_cdm_instance: crate::CreateCdmInstance,
            deinitialize_cdm_module: Some(crate::DeinitializeCdmModule),
            get_cdm_version: Some(crate::GetCdmVersion),
            verify_cdm_host: Some(crate::VerifyCdmHost_0),
        };
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            // SAFETY: the exports of this library.
            library: unsafe { Library::linked(exports) },
            disk: Disk::default(),
            instances: RefCell::default(),
            licenses: RefCell::default(),
            ids: RefCell::default(),
            last_promise: Cell::new(0),
            depth: Cell::new(0),
            is_lossy: Cell::new(false),
            is_faithful: Cell::new(true),
            stored: RefCell::default(),
            has_decrypted: Cell::new(false),
            panic: RefCell::default(),
        })
    }

    /// Makes a call. Nothing is borrowed meanwhile.
    fn perform(&self, call: &Call) {
        self.depth.set(self.depth.get() + 1);
        self.call(call);
        self.depth.set(self.depth.get() - 1);
    }

    fn call(&self, call: &Call) {
        match call {
            Call::Create { version, is_persistent } => self.create(*version, *is_persistent),
            Call::Turn => {
                let _ = self.disk.turn();
            }
            Call::Settle => self.disk.settle(),
            Call::AnswerAtOnce(is_at_once) => {
                self.disk.answer(if *is_at_once { Answers::AtOnce } else { Answers::Later });
            }
            Call::Fault { kind, len } => self.fault(*kind, *len),
            Call::Damage { file, at, change } => self.damage(*file, *at, *change),
            Call::Initialize { at }
            | Call::Policy { at, .. }
            | Call::Certificate { at, .. }
            | Call::Generate { at, .. }
            | Call::Load { at, .. }
            | Call::Update { at, .. }
            | Call::Remove { at, .. }
            | Call::Close { at, .. }
            | Call::Decrypt { at, .. }
            | Call::Nowhere { at, .. }
            | Call::React { at, .. }
            | Call::Destroy { at }
            | Call::Memory { at, .. } => {
                let instance = self.instances.borrow().get(*at).cloned();
                if let Some(instance) = instance {
                    self.of_instance(&instance, call);
                }
            }
        }
    }

    fn create(&self, version: i32, is_persistent: bool) {
        if self.instances.borrow().len() == INSTANCES {
            return;
        }
        let host = Host::new(self.disk.clone());
        let cdm = self.library.create(version, "org.w3.clearkey", &host);
        assert_eq!(cdm.is_some(), (10..=12).contains(&version));
        let Some(cdm) = cdm else { return };
        let instance = Rc::new(Instance {
            cdm,
            host,
            account: RefCell::default(),
            then: RefCell::default(),
            has_little_memory: Cell::new(false),
        });
        let (world, of) = (Weak::clone(&self.me), Rc::downgrade(&instance));
        instance.host.react(move |call| {
            if let (Some(world), Some(instance)) = (world.upgrade(), of.upgrade()) {
                // A panic goes no way through C++.
                let hear = AssertUnwindSafe(|| world.hear(&instance, call));
                if let Err(panic) = catch_unwind(hear) {
                    world.panic.borrow_mut().get_or_insert(panic);
                }
            }
        });
        self.instances.borrow_mut().push(Rc::clone(&instance));
        instance.cdm.initialize(false, is_persistent, false);
        assert!(instance.account.borrow().is_initialized);
    }

    /// The instance says something, and the host may call back.
    fn hear(&self, instance: &Rc<Instance>, call: &cdm_host::Call) {
        self.remember(instance, call);
        let mut account = instance.account.borrow_mut();
        account.hear(call, &mut self.licenses.borrow_mut());
        if let cdm_host::Call::ResolveNewSession { session_id: Some(id), .. } = call {
            let kind = u32::from(account.sessions[id].is_persistent);
            let mut ids = self.ids.borrow_mut();
            if !ids.iter().any(|(known, _)| known == id) {
                ids.push((id.clone(), kind));
            }
        }
        drop(account);
        let then = instance.then.take();
        if let Some(then) = then {
            self.perform(&then);
        }
    }

    fn of_instance(&self, instance: &Rc<Instance>, call: &Call) {
        let cdm = &instance.cdm;
        match call {
            Call::Initialize { .. } => cdm.initialize(false, true, true),
            Call::Policy { version, .. } => {
                let pending = if *version <= 9 { Pending::Policy } else { Pending::Refused };
                self.promise(instance, pending, true, |promise| {
                    cdm.get_status_for_policy(promise, HdcpVersion(*version));
                });
            }
            Call::Certificate { certificate, .. } => {
                self.promise(instance, Pending::Certificate, true, |promise| {
                    cdm.set_server_certificate(promise, certificate);
                });
            }
            Call::Generate { kind, data_type, data, .. } => {
                let (session_type, data_type) = (SessionType(*kind), InitDataType(*data_type));
                let pending = match kind {
                    0 | 1 => Pending::Generate { kind: *kind },
                    _ => Pending::Refused,
                };
                self.promise(instance, pending, *kind != 1, |promise| {
                    cdm.create_session_and_generate_request(promise, session_type, data_type, data);
                });
            }
            Call::Load { kind, id, .. } => {
                let id = match id {
                    Id::Of(at) => self.id(*at).0,
                    Id::Text(text) => text.clone(),
                };
                let pending =
                    if *kind == 1 { Pending::Load { id: id.clone() } } else { Pending::Refused };
                self.promise(instance, pending, *kind != 1, |promise| {
                    cdm.load_session(promise, SessionType(*kind), &id);
                });
            }
            Call::Update { id, response, .. } => {
                let (id, kind) = self.id(*id);
                let is_persistent = kind == 1;
                let octets = match response {
                    Response::Octets(octets) => octets.clone(),
                    Response::License(keys) => license(is_persistent, keys),
                };
                let new = keys(&octets);
                let mut licenses = self.licenses.borrow_mut();
                let known = licenses.entry(id.clone()).or_default();
                for (kid, key) in &new {
                    known.entry(*kid).or_default().insert(*key);
                }
                drop(licenses);
                let pending = Pending::Update { id: id.clone(), new };
                self.promise(instance, pending, !is_persistent, |promise| {
                    cdm.update_session(promise, &id, &octets);
                });
            }
            Call::Remove { id, .. } => {
                let (id, kind) = self.id(*id);
                self.promise(instance, Pending::Remove { id: id.clone() }, kind == 0, |promise| {
                    cdm.remove_session(promise, &id);
                });
            }
            Call::Close { id, .. } => {
                let (id, _) = self.id(*id);
                self.promise(instance, Pending::Close { id: id.clone() }, true, |promise| {
                    cdm.close_session(promise, &id);
                });
                let is_over = self.depth.get() == 1 && cdm.object().is_some();
                assert!(!is_over || !instance.account.borrow().is_open(&id), "{id} is open");
            }
            Call::Decrypt { what, .. } => self.decrypt(instance, &Sample::read(what)),
            Call::Nowhere { method, .. } => self.nowhere(instance, *method),
            Call::React { then, .. } => {
                let then = then.as_deref().cloned();
                drop(instance.then.replace(then));
            }
            Call::Destroy { .. } => {
                cdm.destroy();
                instance.account.borrow_mut().is_destroyed = true;
                let instances = self.instances.borrow();
                let is_last = instances.iter().all(|instance| instance.cdm.object().is_none());
                assert!(!is_last || self.disk.open() == 0, "a file is open after Destroy");
            }
            Call::Memory { kind, .. } => {
                let little = [u32::MAX, 40, u32::MAX, u32::MAX][usize::from(*kind)];
                instance.host.limit_buffers(little);
                instance.host.lack(u32::from(*kind == 2));
                instance.host.begin_full(*kind == 3);
                instance.has_little_memory.set([1, 2].contains(kind));
            }
            _ => unreachable!("a call of no instance"),
        }
    }

    /// Makes a call with a new promise; one that waits for no file is settled when it returns.
    fn promise(
        &self,
        instance: &Instance,
        pending: Pending,
        is_at_once: bool,
        call: impl FnOnce(u32),
    ) {
        if instance.account.borrow().is_destroyed || instance.cdm.object().is_none() {
            return;
        }
        let promise = self.last_promise.get() + 1;
        self.last_promise.set(promise);
        instance.account.borrow_mut().pending.insert(promise, pending);
        call(promise);
        let account = instance.account.borrow();
        // Within a call of the instance's, what it is asked may come later.
        if is_at_once && self.depth.get() == 1 && !account.is_destroyed {
            assert!(!account.pending.contains_key(&promise), "{:?}", account.pending[&promise]);
        }
    }

    /// The id that was told as number so and so, or one that nobody has.
    fn id(&self, at: usize) -> (String, u32) {
        self.ids.borrow().get(at).cloned().unwrap_or(("17".to_owned(), 0))
    }

    fn fault(&self, kind: u8, len: usize) {
        let fault = match kind {
            1 => Fault::Open,
            2 => Fault::Read,
            3 => Fault::Write(len),
            4 => Fault::Short(len),
            5 => Fault::Twice,
            6 => Fault::Never,
            7 => Fault::Crash(len),
            _ => Fault::NoFiles,
        };
        self.is_lossy.set(self.is_lossy.get() || kind >= 6);
        // An answer that comes twice spoils nothing.
        self.is_faithful.set(self.is_faithful.get() && kind == 5);
        let is_there = kind == 0 && len & 1 == 0;
        self.disk.fault((!is_there).then_some(fault));
    }

    fn damage(&self, file: usize, at: usize, change: u8) {
        self.is_faithful.set(false);
        let files = self.disk.files();
        let Some((name, content)) = files.iter().nth(file % files.len().max(1)) else { return };
        let mut content = content.clone();
        match content.get_mut(at) {
            Some(octet) if change != 0 => *octet ^= change,
            _ => content.truncate(at),
        }
        self.disk.put(name, content);
    }

    /// The disk is well again, everything comes to its end, and nothing is left.
    fn end(&self) {
        self.depth.set(1);
        self.disk.fault(None);
        self.disk.settle();
        if self.panic.borrow().is_some() {
            return;
        }
        let instances = self.instances.borrow().clone();
        for instance in &instances {
            let account = instance.account.borrow();
            let is_waiting = !account.pending.is_empty() && instance.cdm.object().is_some();
            assert!(!is_waiting || self.is_lossy.get(), "{:?} for ever", account.pending);
        }
        for instance in &instances {
            instance.cdm.destroy();
            instance.account.borrow_mut().is_destroyed = true;
        }
        self.disk.settle();
        assert_eq!(self.disk.open(), 0, "a file is open");
        for instance in &instances {
            assert_eq!(instance.host.buffers(), 0, "a buffer is left");
        }
    }
}

fn license(is_persistent: bool, keys: &[(u8, u8)]) -> Vec<u8> {
    let keys = keys.iter().map(|(kid, key)| Jwk::new(KeyId::from([*kid; 16]), [*key; 16]));
    let session_type = match is_persistent {
        true => cdm::SessionType::PersistentLicense,
        false => cdm::SessionType::Temporary,
    };
    License::new(keys.collect(), session_type).unwrap().to_json().to_vec()
}

/// The keys in a license, as far as their ids are 16 times the same octet.
fn keys(response: &[u8]) -> Keys {
    let Ok(clearkey::Response::License(license)) = clearkey::Response::parse(response) else {
        return Keys::new();
    };
    let named = license.keys.iter().filter_map(|jwk| {
        let octets = <[u8; 16]>::try_from(jwk.kid().as_bytes()).ok()?;
        (octets == [octets[0]; 16]).then_some((octets[0], *jwk.key()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::fuzzing::seeds::seeds;

    /// Calls, of which scripts are made.
    const WORDS: [&str; 48] = [
        "c00 ",
        "c01 ",
        "c02 ",
        "c11 ",
        "c03 ",
        "i0 ",
        "g0t1 ",
        "g0p1 ",
        "g0p2 ",
        "g1t1 ",
        "g1p1 ",
        "u0011a ",
        "u0021a2b ",
        "u0111c ",
        "u0211d ",
        "u1011b ",
        "u1111b ",
        "b00{}\n",
        "a00 ",
        "a01 ",
        "r00 ",
        "r01 ",
        "r10 ",
        "x00 ",
        "x01 ",
        "x11 ",
        "l0p0 ",
        "l0p1 ",
        "l1p0 ",
        "l1p1 ",
        "s0p17\n",
        "d011000A\n",
        "d01211300ABCD\n",
        "d111000A\n",
        "n05 ",
        "h0",
        "h1",
        "z0 ",
        "z1 ",
        "t ",
        "e ",
        "o1 ",
        "o0 ",
        "f10 ",
        "f3! ",
        "f50 ",
        "m01 ",
        "v0@@ ",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_laws_hold_for_any_script(words in vec(select(&WORDS[..]), 0..40)) {
            abi(words.concat().as_bytes());
        }
    }

    #[test]
    fn every_seed_comes_to_a_clear_sample() {
        let stop_short = |(_, seed): &(_, Vec<u8>)| !abi(seed);
        let short: Vec<_> = seeds("abi").into_iter().filter(stop_short).collect();
        assert!(short.is_empty(), "{short:?}");
    }
}
