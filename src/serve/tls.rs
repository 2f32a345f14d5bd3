//! Certificates, which are renewed while the server runs.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use server::Watch;

use super::door::Door;

/// A certificate with its key, as files.
pub(super) struct Tls {
    config: RustlsConfig,
    /// The certificate, then the key.
    files: [PathBuf; 2],
    watch: Watch,
}

impl Tls {
    pub(super) fn read(cert: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let files = [cert, key];
        let watch = Watch::new(files.to_vec());
        let config = RustlsConfig::from_config(config(&files)?);
        Ok(Self { config, files, watch })
    }

    /// What shakes hands before anything is said.
    pub(super) fn acceptor(&self, door: Door) -> RustlsAcceptor<Door> {
        RustlsAcceptor::new(self.config.clone()).acceptor(door)
    }

    /// Reads the files again if they have changed. New connections have the new certificate.
    pub(super) fn refresh(&mut self) {
        match self.watch.read_changed(|_| config(&self.files)) {
            None => {}
            Some(Ok(config)) => {
                self.config.reload_from_config(config);
                tracing::info!("the certificate was read again");
            }
            Some(Err(error)) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "the certificate stays as it was");
            }
        }
    }
}

fn config([cert, key]: &[PathBuf; 2]) -> anyhow::Result<Arc<ServerConfig>> {
    let in_cert = || format!("--tls-cert {}", cert.display());
    let chain = CertificateDer::pem_file_iter(cert).with_context(in_cert)?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().with_context(in_cert)?;
    if chain.is_empty() {
        bail!("{}: no certificate in it", in_cert());
    }
    let in_key = || format!("--tls-key {}", key.display());
    let key = PrivateKeyDer::from_pem_file(key).with_context(in_key)?;
    let builder = ServerConfig::builder().with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).with_context(in_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
