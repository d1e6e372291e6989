//! One TLS provider for the whole process: rustls with ring. The certificates are the system's own.

use std::sync::Once;

/// Makes ring the process's default provider. Libraries that ask for "the default" panic without one.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only if the application has chosen a provider itself, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
