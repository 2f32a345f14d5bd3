//! Keys as a player has them: through license requests, licenses, and the sessions that hold both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use cdm::{
    Environment, MediaKeySession, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, SessionEvent, store::MemoryStore,
};
use cenc::Key;
use clearkey::{InitData, InitDataType, Jwk, KeyId, KeyOctets, License, SessionType, limits};
use container::{KeySource, Plan};

use crate::{keys::Keys, license_server::LicenseServer};

/// The sessions of one run. What they hold goes with the process.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Those with what the user gave.
    given: MediaKeys,
    /// Those with what servers answer, which counts for less: they may answer more than they are asked.
    served: MediaKeys,
    /// A track with a key for whatever key id it has gets media keys of its own: two tracks may have
    /// the same key id, and different keys.
    tracks: BTreeMap<u32, Track>,
    servers: Vec<LicenseServer>,
    asked: Mutex<BTreeSet<KeyId>>,
}

#[derive(Debug)]
struct Track {
    media_keys: MediaKeys,
    key: KeyOctets,
}

impl Sessions {
    /// Sessions that have nothing yet.
    pub(crate) fn open(servers: Vec<LicenseServer>) -> anyhow::Result<Self> {
        Ok(Self {
            given: media_keys()?,
            served: media_keys()?,
            tracks: BTreeMap::new(),
            servers,
            asked: Mutex::default(),
        })
    }

    /// Takes a license as a server has answered it. What is added later counts for more.
    pub(crate) fn add_license(&self, message: &[u8]) -> anyhow::Result<()> {
        add_license(&self.given, message)
    }

    /// Takes single keys, as licenses.
    pub(crate) fn add_keys(&mut self, keys: &Keys) -> anyhow::Result<()> {
        for license in licenses(keys.by_kid(), SessionType::Temporary)? {
            self.add_license(&license.to_json())?;
        }
        for (track, key) in keys.by_track() {
            let mut track_key = KeyOctets::default();
            track_key.copy_from_slice(key);
            let media_keys = media_keys()?;
            self.tracks.insert(track, Track { media_keys, key: track_key });
        }
        Ok(())
    }

    /// Requests licenses for the keys of a unit that are not there yet, in one request: those that a
    /// player would be told of, and those that samples use besides; not those of tracks that have
    /// their key.
    pub(crate) fn request_for(&self, plan: &Plan) -> anyhow::Result<()> {
        if self.servers.is_empty() {
            return Ok(());
        }
        let told = plan.init_data().iter().filter_map(parse);
        let told = told.map(|init_data| init_data.kids().to_vec());
        let without_key = kids_of(plan).filter(|(track, _)| !self.tracks.contains_key(track));
        let mut wanted: Vec<_> =
            told.flatten().chain(without_key.map(|(_, kid)| kid.clone())).collect();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.retain(|kid| asked.insert(kid.clone()));
        drop(asked);
        for server in &self.servers {
            wanted
                .retain(|kid| find(&self.given, kid).or_else(|| find(&self.served, kid)).is_none());
            for kids in wanted.chunks(limits::KIDS) {
                self.request(server, kids).with_context(|| server.to_string())?;
            }
        }
        Ok(())
    }

    fn request(&self, server: &LicenseServer, kids: &[KeyId]) -> anyhow::Result<()> {
        let session = self.served.create_session(SessionType::Temporary)?;
        let init_data = InitData::new(InitDataType::Keyids, kids.to_vec())?;
        let request = request(&session, &init_data)?;
        let response = server.post(&request)?;
        session.update(&response).context("its answer")
    }
}

impl KeySource for Sessions {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        let of_track = || {
            let Track { media_keys, key } = self.tracks.get(&track)?;
            find(media_keys, kid).or_else(|| {
                // The track shows only now which key id its key has.
                let jwk = Jwk::with_key(kid.clone(), key);
                let license = License::new(vec![jwk], SessionType::Temporary).ok()?;
                add_license(media_keys, &license.to_json()).ok()?;
                find(media_keys, kid)
            })
        };
        find(&self.given, kid).or_else(of_track).or_else(|| find(&self.served, kid))
    }
}

fn find(media_keys: &MediaKeys, kid: &KeyId) -> Option<Arc<Key>> {
    media_keys.key_store().key(kid.as_bytes())
}

/// Initialization data of a unit, if ClearKey can use them.
pub(crate) fn parse(found: &container::InitData) -> Option<InitData> {
    InitData::parse(found.init_data_type.as_str(), &found.bytes).ok()
}

/// The key ids of a unit by track: those that its tracks declare, then those that its samples use.
pub(crate) fn kids_of(plan: &Plan) -> impl Iterator<Item = (u32, &KeyId)> {
    let declared = plan.tracks().iter().flat_map(|track| {
        let protections = track.entries.iter().filter_map(|entry| entry.protection.as_ref());
        let named = protections.filter(|it| it.is_protected && !it.kid.is_zero());
        named.map(|protection| (track.id, &protection.kid))
    });
    let used = plan
        .protections()
        .iter()
        .map(|protection| (plan.scopes()[protection.scope as usize].track, &protection.kid));
    declared.chain(used)
}

/// Media keys with both kinds of sessions, whose licenses are kept in memory.
pub(crate) fn media_keys() -> anyhow::Result<MediaKeys> {
    let environment = Environment::builder().store(MemoryStore::default()).build();
    let types = [SessionType::Temporary, SessionType::PersistentLicense];
    let configuration = MediaKeySystemConfiguration {
        // The sessions want one; the file decides by itself what it is.
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: "video/mp4; codecs=\"avc1.42e01e\"".to_owned(),
            ..Default::default()
        }],
        session_types: Some(types.iter().map(ToString::to_string).collect()),
        ..Default::default()
    };
    let access =
        environment.request_media_key_system_access("org.w3.clearkey", &[configuration])?;
    Ok(access.create_media_keys()?)
}

/// The request that a session makes of initialization data.
pub(crate) fn request(session: &MediaKeySession, init_data: &InitData) -> anyhow::Result<Vec<u8>> {
    session.generate_request(init_data.init_data_type().as_str(), init_data.as_bytes())?;
    match session.next_event() {
        Some(SessionEvent::Message { message, .. }) => Ok(message),
        _ => anyhow::bail!("the session makes no request"),
    }
}

/// A session of the license's kind, with its keys. The first of them is what the session asks for: a
/// license may hold more keys than a request can name.
fn add_license(media_keys: &MediaKeys, message: &[u8]) -> anyhow::Result<()> {
    let license = License::parse(message)?;
    let kids = license.keys.iter().take(1).map(|jwk| jwk.kid().clone()).collect();
    let session = media_keys.create_session(license.license_type)?;
    let init_data = InitData::new(InitDataType::Keyids, kids)?;
    request(&session, &init_data)?;
    Ok(session.update(message)?)
}

/// Keys as licenses, each with as many as a request can name and an answer can hold.
pub(crate) fn licenses<'k>(
    keys: impl Iterator<Item = &'k Jwk>,
    session_type: SessionType,
) -> anyhow::Result<Vec<License>> {
    // What an element of the license has at most: base64url makes four characters of three octets.
    let room = |jwk: &Jwk| 64 + jwk.kid().as_bytes().len().div_ceil(3) * 4;
    let mut licenses = Vec::new();
    let (mut part, mut len) = (Vec::new(), 0);
    for jwk in keys {
        if part.len() == limits::KIDS || len + room(jwk) > limits::LICENSE - 64 {
            licenses.push(License::new(std::mem::take(&mut part), session_type)?);
            len = 0;
        }
        len += room(jwk);
        part.push(jwk.clone());
    }
    if !part.is_empty() {
        licenses.push(License::new(part, session_type)?);
    }
    Ok(licenses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwks(count: u32, len: usize) -> Vec<Jwk> {
        let kid = |n: u32| KeyId::new(&[&n.to_be_bytes()[..], &[7; 512]].concat()[..len]);
        (0..count).map(|n| Jwk::new(kid(n).unwrap(), [9; 16])).collect()
    }

    #[test]
    fn keys_are_spread_over_licenses_that_can_be_requested_and_read() {
        for (count, len, expected) in
            [(0, 16, vec![]), (128, 16, vec![128]), (300, 16, vec![128, 128, 44])]
        {
            let keys = jwks(count, len);
            let licenses = licenses(keys.iter(), SessionType::Temporary).unwrap();
            let counts: Vec<_> = licenses.iter().map(|license| license.keys.len()).collect();
            assert_eq!(counts, expected);
        }
        let keys = jwks(200, 512);
        let licenses = licenses(keys.iter(), SessionType::Temporary).unwrap();
        assert!(licenses.len() > 2);
        assert_eq!(licenses.iter().map(|license| license.keys.len()).sum::<usize>(), 200);
        for license in &licenses {
            assert!(License::parse(&license.to_json()).is_ok());
        }
    }

    #[test]
    fn all_keys_are_found_and_those_of_tracks_only_there() {
        let mut keys = Keys::default();
        for n in 0..300 {
            keys.add(format!("{n:032x}:{n:032x}").into()).unwrap();
        }
        keys.add(format!("7:{:032x}", 5).into()).unwrap();
        let mut sessions = Sessions::open(Vec::new()).unwrap();
        sessions.add_keys(&keys).unwrap();
        let kid = |n: u128| KeyId::from(n.to_be_bytes());
        assert!((0..300).all(|n| sessions.key(1, &kid(n)).is_some()));
        assert!(sessions.key(1, &kid(300)).is_none());
        assert!(sessions.key(7, &kid(300)).is_some());
        assert!(sessions.key(1, &kid(300)).is_none());
    }

    #[test]
    fn a_persistent_license_is_taken() {
        let sessions = Sessions::open(Vec::new()).unwrap();
        let license = License::new(jwks(200, 16), SessionType::PersistentLicense).unwrap();
        sessions.add_license(&license.to_json()).unwrap();
        assert!(license.keys.iter().all(|jwk| sessions.key(1, jwk.kid()).is_some()));
        let error = sessions.add_license(br#"{"keys":[]}"#).unwrap_err();
        assert_eq!(error.to_string(), "keys: an empty list");
    }
}
