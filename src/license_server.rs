//! A license server, asked as players ask it: the request as the body of a POST.

use std::{fmt, fs, io::Read, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clearkey::limits;
use ureq::{
    Agent,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};
use zeroize::Zeroizing;

/// A license server by its address.
#[derive(Debug)]
pub(crate) struct LicenseServer {
    url: String,
    agent: Agent,
}

/// A license is a few kilobytes: who takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl LicenseServer {
    /// Whether a text is an address rather than a path.
    pub(crate) fn is_url(text: &str) -> bool {
        let begins = |scheme: &str| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        begins("http://") || begins("https://")
    }

    pub(crate) fn new(url: &str, trusted: RootCerts) -> Self {
        let tls = TlsConfig::builder().root_certs(trusted).build();
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).tls_config(tls).build();
        Self { url: url.to_owned(), agent: config.into() }
    }

    /// Sends a license request and reads the answer, up to the length of a license.
    pub(crate) fn post(&self, request: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let sent = self.agent.post(&self.url).content_type("application/json").send(request);
        let mut answer = match sent {
            Err(ureq::Error::StatusCode(status)) => bail!("it answers with status {status}"),
            other => other.context("it does not answer")?,
        };
        // Room for all from the start: a buffer that grows leaves keys behind.
        let mut response = Zeroizing::new(Vec::with_capacity(limits::LICENSE + 1));
        let body = answer.body_mut().as_reader();
        body.take(limits::LICENSE as u64 + 1)
            .read_to_end(&mut response)
            .context("its answer breaks off")?;
        Ok(response)
    }
}

/// The certificate authorities of a file of PEM; without one, those that Mozilla trusts.
pub(crate) fn trusted(file: Option<&Path>) -> anyhow::Result<RootCerts> {
    let Some(path) = file else { return Ok(RootCerts::WebPki) };
    let place = || format!("--ca-cert {}", path.display());
    let pem = fs::read(path).with_context(place)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.with_context(place)? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        bail!("{}: no certificate in it", place());
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

impl fmt::Display for LicenseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "license server {}", self.url)
    }
}
