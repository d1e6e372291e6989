//! Identities as the server makes them: 26 characters of a base32 alphabet without look-alikes.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Mattermost's alphabet (z-base-32, server `model/utils.go`).
const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Length of every id and of every session token.
const LENGTH: usize = 26;

/// Makes ids; a development server needs uniqueness, not secrecy.
#[derive(Debug)]
pub(crate) struct IdSource {
    state: u64,
}

impl IdSource {
    /// A source that differs from run to run, so that a restarted server does not know the
    /// connection ids of its former life.
    pub(crate) fn fresh() -> Self {
        Self {
            state: RandomState::new().build_hasher().finish(),
        }
    }

    /// The id of a seeded object: the same in every run, so that tests and bookmarks survive a restart.
    pub(crate) fn named(kind: &str, name: &str) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in kind.bytes().chain([b'/']).chain(name.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self { state: hash }.next_id()
    }

    /// A new id.
    pub(crate) fn next_id(&mut self) -> String {
        let mut bits = 0_u64;
        let mut left = 0;
        (0..LENGTH)
            .map(|_| {
                if left < 5 {
                    bits = self.next_u64();
                    left = 60;
                }
                let index = (bits & 31) as usize;
                bits >>= 5;
                left -= 5;
                char::from(ALPHABET[index])
            })
            .collect()
    }

    /// splitmix64: passes through every state once, which is all that uniqueness asks.
    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// True for what the Calls routes accept as an id: `[a-z0-9]{26}`.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_servers_form_and_differ() {
        let mut ids = IdSource::fresh();
        let (a, b) = (ids.next_id(), ids.next_id());
        assert!(is_id(&a) && is_id(&b));
        assert_ne!(a, b);
    }

    #[test]
    fn seeded_objects_keep_their_id() {
        assert_eq!(
            IdSource::named("user", "alice"),
            IdSource::named("user", "alice")
        );
        assert_ne!(
            IdSource::named("user", "alice"),
            IdSource::named("user", "bob")
        );
    }
}
