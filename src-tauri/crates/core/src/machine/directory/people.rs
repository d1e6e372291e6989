//! Who people are, and whether they are there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::id::UserId;
use crate::model::{Presence, User};
use crate::port::Request;

use super::super::out::{Asked, Out, Part};
use super::Directory;

/// How often the presence of others is asked for: the server tells only our own (mattermost-core §4.3).
pub(super) const PRESENCE_EVERY: Duration = Duration::from_secs(60);

/// Most users asked for at once; longer lists make addresses and answers that proxies refuse.
const USERS_AT_ONCE: usize = 200;

impl Directory {
    /// Whether somebody is there.
    pub(crate) fn presence(&self, id: &UserId) -> Presence {
        self.presences.get(id).copied().unwrap_or_default()
    }

    /// Whose user name this is.
    pub(crate) fn user_named(&self, name: &str) -> Option<UserId> {
        self.by_name.get(name).cloned()
    }

    pub(crate) fn person(&self, id: &UserId) -> Option<&User> {
        self.people.get(id)
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.people.get(&self.me).is_some_and(|me| me.is_admin)
    }

    /// People seen in an answer about something else.
    pub(crate) fn met_by_chance(&mut self, users: Vec<User>, out: &mut Out) {
        let strangers: Vec<_> = users
            .iter()
            .filter(|user| !self.people.contains_key(&user.id))
            .map(|user| user.id.clone())
            .collect();
        self.met(users);
        if !strangers.is_empty() {
            out.ask(Asked::Presences, Request::LoadPresences(strangers));
        }
        out.dirty(Part::Directory);
    }

    /// Knows these from now on.
    pub(super) fn met(&mut self, users: impl IntoIterator<Item = User>) {
        for user in users {
            self.strangers.remove(&user.id);
            self.by_name.insert(user.username.clone(), user.id.clone());
            self.people.insert(user.id.clone(), user);
        }
    }

    /// Somebody was seen; who is not known is asked for at the end of the turn.
    pub(crate) fn see(&mut self, user: &UserId) {
        let known =
            user.is_empty() || self.people.contains_key(user) || self.unknown.contains(user);
        if !known {
            self.strangers.insert(user.clone());
        }
    }

    /// Asks who the strangers are.
    pub(crate) fn look_up(&mut self, out: &mut Out) {
        if self.strangers.is_empty() || out.waits(|asked| matches!(asked, Asked::Users(_))) {
            return;
        }
        let users: Vec<_> = self.strangers.iter().take(USERS_AT_ONCE).cloned().collect();
        for user in &users {
            self.strangers.remove(user);
        }
        out.ask(Asked::Users(users.clone()), Request::LoadUsers(users));
    }

    /// Who they are.
    pub(crate) fn looked_up(&mut self, asked: Vec<UserId>, users: Vec<User>, out: &mut Out) {
        let here: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
        self.met(users);
        for id in asked {
            // They may have been seen again while the answer was on its way.
            self.strangers.remove(&id);
            if !self.people.contains_key(&id) {
                self.unknown.insert(id);
            }
        }
        if !here.is_empty() {
            out.ask(Asked::Presences, Request::LoadPresences(here));
        }
        out.dirty(Part::Directory);
        out.dirty(Part::Timeline);
        out.dirty(Part::Call);
        out.dirty(Part::Chat);
    }

    /// Somebody's account changed.
    pub(crate) fn user_changed(&mut self, user: User, out: &mut Out) {
        self.met([user]);
        out.dirty(Part::Directory);
        out.dirty(Part::Timeline);
        out.dirty(Part::Call);
        out.dirty(Part::Chat);
    }

    pub(crate) fn presences(&mut self, presences: Vec<(UserId, Presence)>, out: &mut Out) {
        self.presences.extend(presences);
        out.dirty(Part::Directory);
    }

    /// Asks for presences when it is time: those whom somebody may be looking at.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        visible: impl IntoIterator<Item = UserId>,
        online: bool,
        out: &mut Out,
    ) {
        if self.next_presence.is_none_or(|at| now < at) {
            return;
        }
        self.next_presence = Some(now + PRESENCE_EVERY);
        if !online {
            return;
        }
        let mut users: BTreeSet<_> = visible.into_iter().collect();
        users.insert(self.me.clone());
        users.extend(
            self.channels
                .values()
                .filter_map(|known| self.other(&known.channel)),
        );
        users.retain(|user| self.people.contains_key(user));
        out.ask(
            Asked::Presences,
            Request::LoadPresences(users.into_iter().collect()),
        );
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next_presence
    }
}
