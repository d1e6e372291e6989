//! What is said before a line closes.

use super::Action;

/// What is said before a line closes.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    /// First, if the line has to be opened once more for them: the server does not know the new connection.
    pub(crate) reopened: Vec<Action>,
    /// Then.
    pub(crate) always: Vec<Action>,
}

impl LastWords {
    pub(super) fn all(mut self) -> Vec<Action> {
        self.reopened.append(&mut self.always);
        self.reopened
    }
}
