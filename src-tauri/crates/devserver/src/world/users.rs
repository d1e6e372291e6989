//! Accounts, logins and presence.

use serde_json::json;

use super::model::User;
use super::{Login, World, now_ms};

impl World {
    /// The user of that name.
    pub(crate) fn user_named(&self, name: &str) -> Option<&User> {
        let name = name.trim_start_matches('@');
        self.users
            .values()
            .find(|u| u.username.eq_ignore_ascii_case(name))
    }

    /// A new login session; the answer is its token.
    pub(crate) fn login(&mut self, user: &str) -> String {
        let token = self.ids.next_id();
        let login = Login {
            user: user.to_owned(),
            id: self.ids.next_id(),
            create_at: now_ms(),
            expired: false,
            csrf: self.ids.next_id(),
        };
        self.logins.insert(token.clone(), login);
        token
    }

    /// Whose token it is, if it is still good.
    pub(crate) fn user_of_token(&self, token: &str) -> Option<&str> {
        self.logins
            .get(token)
            .filter(|l| !l.expired)
            .map(|l| l.user.as_str())
    }

    /// Ends a login as the server does: REST answers 401, open sockets stay but fall silent.
    pub(crate) fn expire_login(&mut self, token: &str) {
        if let Some(login) = self.logins.get_mut(token) {
            login.expired = true;
        }
        self.hub.silence(token);
    }

    /// Sets a presence and tells its owner (only the owner: others poll).
    pub(crate) fn set_status(&mut self, user: &str, status: &str, manual: bool, dnd_end: i64) {
        let Some(u) = self.users.get_mut(user) else {
            return;
        };
        u.status.last_activity_at = now_ms();
        u.status.dnd_end_time = dnd_end;
        u.status.manual = manual && status != "online";
        if u.status.status == status {
            return;
        }
        status.clone_into(&mut u.status.status);
        self.emit_user(
            user,
            "status_change",
            json!({"status": status, "user_id": user}),
        );
    }

    /// Activity and connections move the presence only while it was not chosen by hand.
    pub(crate) fn auto_status(&mut self, user: &str, status: &str) {
        let Some(u) = self.users.get_mut(user) else {
            return;
        };
        u.status.last_activity_at = now_ms();
        // A hand-set status survives coming and going; `offline` is what a closed window looks like.
        if !u.status.manual {
            self.set_status(user, status, false, 0);
        }
    }
}
