//! What goes wrong between us and a server, by what can be done about it.

use calls_core::port::{Distrust, RequestError};
use rustls::CertificateError;

use crate::tls::Distrusted;

/// An error of the WebSockets and of the media connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// Nothing answers, or the line broke. Try again later.
    #[error("offline: {0}")]
    Offline(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time. Try again later.
    #[error("timed out while {0}")]
    TimedOut(&'static str),
    /// The session is over. Sign in again.
    #[error("session expired")]
    Unauthorised,
    /// The address is not one that we can connect to.
    #[error("not an address: {0}")]
    Address(String),
    /// The other side speaks something else.
    #[error("not understood: {0}")]
    Protocol(String),
    /// The media stack refused.
    #[error("media connection: {0}")]
    Media(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl NetError {
    /// Wraps an error of the line.
    pub(crate) fn offline(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Offline(Box::new(error))
    }
}

/// The innermost cause in words, which for network errors is the one that says something.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What is wrong with the other side's certificate, if that is what an error is about.
pub(crate) fn distrust(error: &(dyn std::error::Error + 'static)) -> Option<Distrust> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(tls @ rustls::Error::InvalidCertificate(why)) = cause.downcast_ref() {
            let ours = match why {
                CertificateError::Other(other) => other.0.downcast_ref::<Distrusted>(),
                _ => None,
            };
            return Some(match ours {
                Some(Distrusted(distrust)) => distrust.clone(),
                None => Distrust {
                    why: tls.to_string(),
                    ..Distrust::default()
                },
            });
        }
        // An I/O error names the source of what it wraps as its own, and so leaves that out.
        let wrapped = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// Sorts an HTTP error by remedy.
pub(crate) fn from_http(error: &reqwest::Error) -> RequestError {
    if let Some(why) = distrust(error) {
        RequestError::Untrusted(why)
    } else if error.is_timeout() {
        RequestError::TimedOut
    } else if error.is_decode() {
        RequestError::NotUnderstood(root_cause(error))
    } else {
        RequestError::Offline(root_cause(error))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn distrust_is_found_however_deep_it_is_wrapped() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert!(distrust(&error).is_some_and(|why| why.why.contains("UnknownIssuer")));
        let other = io::Error::other(rustls::Error::HandshakeNotComplete);
        assert_eq!(distrust(&other), None);
        assert_eq!(distrust(&io::Error::other("cable cut")), None);
    }
}
