//! What a desktop remembers us by.

/// Keeps the token by which a desktop knows a permission again. It is worth something only to the program that it was
/// given to, and only on this computer.
pub trait PortalMemory: Send + Sync {
    /// The token of the last permission.
    fn token(&self) -> Option<String>;

    /// Replaces it; `None` forgets it.
    fn keep(&self, token: Option<&str>);
}

/// Remembers nothing: the desktop asks each time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl PortalMemory for Forgetful {
    fn token(&self) -> Option<String> {
        None
    }

    fn keep(&self, _token: Option<&str>) {}
}
