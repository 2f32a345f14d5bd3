//! A license server, asked as players ask it: the request as the body of a POST.

use std::{fmt, io::Read, time::Duration};

use anyhow::{Context, bail};
use clearkey::limits;
use ureq::Agent;
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

    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).build();
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

impl fmt::Display for LicenseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "license server {}", self.url)
    }
}
