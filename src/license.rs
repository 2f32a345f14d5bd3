//! `clearkey license`: what a license server would answer.

use std::path::Path;

use anyhow::{Context, bail};
use clearkey::{KeyId, License, LicenseRequest, SessionType, limits};
use zeroize::Zeroizing;

use crate::{
    Outcome,
    args::{LicenseArgs, name},
    input::read_small,
    no_keys::UnknownKids,
    print,
    sessions::licenses,
};

/// Prints a license, or as many as it takes for all keys, one a line.
pub(crate) fn run(args: LicenseArgs) -> anyhow::Result<Outcome> {
    let asked = args.request.as_deref().map(read_request).transpose()?;
    let session_type = args.session_type.map(SessionType::from);
    let keys = args.keys.read()?;
    let (licenses, missing) = match asked {
        Some(request) => {
            if session_type.is_some_and(|given| given != request.session_type()) {
                bail!("--type is not the {} of the request", request.session_type());
            }
            let known = |kid: &KeyId| keys.by_kid().find(|jwk| jwk.kid() == kid).cloned();
            let answer = request.answer(known);
            (answer.license.into_iter().collect(), answer.missing)
        }
        None => {
            let session_type = session_type.unwrap_or(SessionType::Temporary);
            (licenses(keys.by_kid(), session_type)?, Vec::new())
        }
    };
    if licenses.is_empty() && missing.is_empty() {
        bail!("a license needs a key with its key id: --key KID:KEY");
    }
    let licenses: Vec<_> = licenses.iter().map(License::to_json).collect();
    // Room for all from the start: a buffer that grows leaves keys behind.
    let room = licenses.iter().map(|json| json.len() + 1).sum();
    let mut lines = Zeroizing::new(Vec::with_capacity(room));
    for json in &licenses {
        lines.extend_from_slice(json);
        lines.push(b'\n');
    }
    print(&lines)?;
    if missing.is_empty() { Ok(Outcome::Done) } else { Err(UnknownKids(missing).into()) }
}

fn read_request(path: &Path) -> anyhow::Result<LicenseRequest> {
    let bytes = read_small(path, limits::REQUEST)?;
    LicenseRequest::parse(&bytes).with_context(|| name(path, "stdin"))
}
