//! The account, what hangs on it, and its link.

use crate::input::Now;
use crate::port::LinkEvent;

use super::super::Machine;
use super::super::out::Asked;

impl Machine {
    pub(super) fn sign_out(&mut self) {
        self.call.leave(&mut self.out);
        self.call.dismiss(&mut self.out);
        self.account.sign_out(&mut self.out);
        self.compose.clear(&mut self.out);
        self.forget_server();
    }

    /// The session is over. What was typed stays.
    pub(super) fn expire(&mut self, now: Now) {
        self.call.leave(&mut self.out);
        self.call.dismiss(&mut self.out);
        self.account.expire(now.instant, &mut self.out);
        self.compose.suspend(&mut self.out);
        self.forget_server();
    }

    pub(super) fn forget_server(&mut self) {
        self.out
            .forget(|asked| !matches!(asked, Asked::SignOut | Asked::Describe));
        self.reload = None;
        self.network = crate::snapshot::Network::default();
        self.out.dirty(super::super::out::Part::Network);
        self.wish = None;
        self.meanwhile.clear();
        self.compose.link_down();
        self.clear_alerts();
        self.link.closed(&mut self.out);
        self.directory.clear(&mut self.out);
        self.timeline.clear(&mut self.out);
        self.chat_clear();
    }

    /// Asks for everything that a view shows.
    pub(in crate::machine) fn load_everything(&mut self) {
        self.reload = None;
        if !self.account.has_session() {
            return;
        }
        self.directory.load(&mut self.out);
        self.directory.calls.load(&mut self.out);
        if self.account.is_in() {
            self.timeline.missed(&mut self.out);
            self.chat.load(&mut self.out);
            for channel in self.compose.doubtful() {
                self.timeline.refresh(&channel, &mut self.out);
            }
        }
    }

    pub(in crate::machine) fn linked(&mut self, now: Now, event: LinkEvent) {
        if !self.account.has_session() {
            return; // The last words of a socket that is being closed.
        }
        let server = self.account.server_name();
        let up = matches!(event, LinkEvent::Up { .. });
        self.ringing.linked(now.instant, up);
        match event {
            LinkEvent::Up { resumed } => {
                self.link.up(now.instant, &server, &mut self.out);
                self.compose.link_up(now.instant, &mut self.out);
                // Loaded only now that events flow: loaded before, what happened in between would be missed.
                if !resumed || !self.account.is_in() {
                    self.load_everything();
                } else {
                    self.timeline.resumed(&mut self.out);
                }
            }
            LinkEvent::Down { attempt, retry_in } => {
                self.link
                    .down(now.instant, attempt, retry_in, &server, &mut self.out);
                self.compose.link_down();
                // Where WebSockets are blocked there is still something to read.
                let loading = self.out.waits(|asked| *asked == Asked::Directory);
                if !self.account.is_in() && !loading && self.reload.is_none() {
                    self.load_everything();
                }
            }
            LinkEvent::Unauthorised => self.expire(now),
            LinkEvent::Untrusted(distrust) => {
                self.account.distrusts(now.instant, distrust, &mut self.out);
            }
        }
    }
}
