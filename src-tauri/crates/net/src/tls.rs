//! TLS as everything here uses it: rustls with ring, the system's own list of authorities, and what the person has decided about
//! single servers.
//!
//! A certificate that the system does not trust is refused, and what it says of itself goes along with the refusal, so that the
//! person can be asked. If they trust it, exactly that certificate (its SHA-256) is good for exactly that host and port from then
//! on, also when its dates or its names do not fit: it is known by itself. There is no way to trust "anything". That the server
//! has the certificate's key is proved in every case.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Once, PoisonError, RwLock};

use calls_core::port::{Certificate, Distrust, Fingerprint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Longest name of a certificate that is shown, characters.
const MAX_NAME: usize = 200;

/// Makes ring the process's default provider. Libraries that ask for "the default" panic without one.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only if the application has chosen a provider itself, which is as good.
        let _ = ring::default_provider().install_default();
    });
}

/// Certificates that the person trusts, by place: host and port, as `chat.example:443` or `[::1]:8443`. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<RwLock<BTreeMap<String, Fingerprint>>>);

impl Trust {
    /// The decisions of earlier runs.
    #[must_use]
    pub fn new(pins: BTreeMap<String, Fingerprint>) -> Self {
        Self(Arc::new(RwLock::new(pins)))
    }

    /// Trusts this certificate for this place instead of an earlier one.
    pub fn add(&self, place: &str, fingerprint: Fingerprint) {
        let mut pins = self.0.write().unwrap_or_else(PoisonError::into_inner);
        pins.insert(place.to_ascii_lowercase(), fingerprint);
    }

    fn of(&self, place: &str) -> Option<Fingerprint> {
        let pins = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pins.get(place).cloned()
    }
}

/// A configuration for clients; with `trust` also for servers that the person trusts, at this port alone: TLS itself knows no
/// ports. No protocol is named (ALPN).
///
/// # Errors
/// The system's authorities cannot be read.
pub(crate) fn client(trust: Option<(&Trust, u16)>) -> io::Result<Arc<ClientConfig>> {
    install();
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    // A system without any authorities trusts nobody; a person still can.
    let system: Arc<dyn ServerCertVerifier> = match Verifier::new(Arc::clone(&provider)) {
        Ok(verifier) => Arc::new(verifier),
        Err(error) => {
            tracing::warn!(%error, "no system certificates");
            Arc::new(Nobody(provider))
        }
    };
    let verifier = Pinned {
        system,
        trust: trust.map(|(trust, port)| (trust.clone(), port)),
    };
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The system's judgement first, then the person's.
#[derive(Debug)]
struct Pinned {
    system: Arc<dyn ServerCertVerifier>,
    trust: Option<(Trust, u16)>,
}

/// How a place is written in the list.
fn place(name: &ServerName<'_>, port: u16) -> String {
    let host = name.to_str().to_ascii_lowercase();
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let refused = match self.system.verify_server_cert(leaf, chain, name, ocsp, now) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        let Some((trust, port)) = &self.trust else {
            return Err(refused);
        };
        let place = place(name, *port);
        let (pinned, shown) = (trust.of(&place), fingerprint(leaf));
        if pinned.as_ref() == Some(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let distrust = Distrusted(Distrust {
            host: place,
            why: refused.to_string(),
            certificate: describe(leaf, shown).map(Box::new),
            changed: pinned.is_some(),
        });
        let other = OtherError(Arc::new(distrust));
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(
            other,
        )))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

/// The judgement of a system that knows no authority.
#[derive(Debug)]
struct Nobody(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What is not trusted, on its way through the layers that wrap errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Distrusted(pub(crate) Distrust);

/// SHA-256 of the certificate as it came, by rustls's own provider.
fn fingerprint(leaf: &CertificateDer<'_>) -> Fingerprint {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite
        .tls13()
        .map(|suite| suite.common.hash_provider.hash(leaf));
    Fingerprint::of(hash.as_ref().map_or(&[], |hash| hash.as_ref()))
}

/// What a certificate says of itself; `None` if it is none.
fn describe(leaf: &CertificateDer<'_>, fingerprint: Fingerprint) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(leaf).ok()?;
    let name = |name: String| {
        name.chars()
            .filter(|c| !c.is_control())
            .take(MAX_NAME)
            .collect()
    };
    let validity = parsed.validity();
    Some(Certificate {
        fingerprint,
        subject: name(parsed.subject().to_string()),
        issuer: name(parsed.issuer().to_string()),
        not_before: validity.not_before.timestamp().saturating_mul(1000),
        not_after: validity.not_after.timestamp().saturating_mul(1000),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (name, port, written) in [
            ("Chat.Example", 443, "chat.example:443"),
            ("10.0.0.1", 8443, "10.0.0.1:8443"),
            ("::1", 8443, "[::1]:8443"),
        ] {
            assert_eq!(place(&name.try_into().unwrap(), port), written);
        }
    }
}
