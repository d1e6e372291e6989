//! Servers whose certificate the system does not trust.

/// Why a server's certificate is not trusted, and what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distrust {
    /// Which host was meant, with its port: `chat.example:443`, `[::1]:8443`.
    pub host: String,
    /// The technical reason.
    pub why: String,
    /// The certificate, if it could be read.
    pub certificate: Option<Box<Certificate>>,
    /// The person trusted another one for this host and port.
    pub changed: bool,
}

impl std::fmt::Display for Distrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// A server's certificate, in its own words: nobody has vouched for any of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Whom it is for.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// Good from, Unix milliseconds.
    pub not_before: crate::id::Millis,
    /// Good until, Unix milliseconds.
    pub not_after: crate::id::Millis,
}

/// SHA-256 of a certificate: 64 hexadecimal digits in capitals, in pairs with colons between, as every other program shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a hash.
    #[must_use]
    pub fn of(hash: &[u8]) -> Self {
        let pairs: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        Self(pairs.join(":"))
    }

    /// Reads one; `None` if it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let pairs: Vec<&str> = text.split(':').collect();
        let hex = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
        (pairs.len() == 32 && pairs.iter().all(hex)).then(|| Self(text.to_ascii_uppercase()))
    }

    /// As it is shown and kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_written_in_one_way_only() {
        let of = Fingerprint::of(&[0xab; 32]);
        assert_eq!(of.as_str().len(), 95);
        assert_eq!(Fingerprint::read(&of.as_str().to_lowercase()), Some(of));
        for bad in ["", "AB", "AB:CD", &"AB".repeat(32), &"GG:".repeat(32)] {
            assert_eq!(Fingerprint::read(bad), None);
        }
    }
}
