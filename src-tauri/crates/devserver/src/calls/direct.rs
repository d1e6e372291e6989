//! The newer behaviour of direct calls (REST reference, chapter 28), behind the switch `dm_calls`.

use super::Call;
use crate::clock::Timer;
use crate::world::World;
use crate::world::model::Kind;

impl World {
    fn is_direct(&self, channel: &str) -> bool {
        self.switches.dm_calls
            && self
                .channels
                .get(channel)
                .is_some_and(|c| c.kind == Kind::Direct)
    }

    /// A direct call began: somebody should answer within 30 s. (The timer looks at the people when it
    /// fires, so an answer has nothing to cancel.)
    pub(crate) fn expect_answer(&mut self, channel: &str) {
        if !self.is_direct(channel) {
            return;
        }
        if let Some(call) = self.calls.active.get(channel) {
            let call = call.id.clone();
            let delay = self.timings.no_answer;
            self.timers.after(delay, Timer::NoAnswer { call });
        }
    }

    /// The time to answer is over.
    pub(crate) fn no_answer(&mut self, call: &str) {
        let Some(channel) = self.channel_of_call(call) else {
            return;
        };
        let alone = self
            .calls
            .active
            .get(&channel)
            .is_some_and(|c| c.sessions.len() == 1 && c.participants.len() == 1);
        if alone {
            self.end_direct(&channel, "no_answer");
        }
    }

    /// `call_end`, and the caller's session is closed at once.
    fn end_direct(&mut self, channel: &str, verdict: &'static str) {
        self.calls_to_channel(channel, "call_end", serde_json::json!({}));
        let Some(call) = self.calls.active.get_mut(channel) else {
            return;
        };
        call.verdict = Some(verdict);
        let id = call.id.clone();
        self.force_end(&id);
    }

    /// `POST /calls/{channel}/decline`: status and text of the answer.
    pub(crate) fn decline(&mut self, channel: &str, user: &str) -> Result<(), (u16, &'static str)> {
        if !self.is_direct(channel) {
            return Err((400, "calls can only be declined in direct messages"));
        }
        if !self.can_post(user, channel) {
            return Err((403, "forbidden"));
        }
        let Some(call) = self.calls.active.get(channel) else {
            return Err((400, "no call ongoing"));
        };
        if call.has_user(user) {
            return Err((403, "user is in the call"));
        }
        if call.sessions.len() != 1 {
            return Ok(());
        }
        // There is a call, so dismissing cannot fail.
        let _ = self.dismiss(channel, user);
        self.end_direct(channel, "declined");
        Ok(())
    }

    /// Somebody left and somebody is still there: a direct call ends for both.
    pub(crate) fn one_left(&mut self, channel: &str, user: &str) {
        if !self.is_direct(channel) {
            return;
        }
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        let gone = !call.has_user(user);
        if gone && !call.ending {
            self.end_for_all(channel);
        }
    }

    /// What a call that ended by itself counts as.
    pub(crate) fn verdict(&self, call: &Call, last: Option<&str>) -> Option<&'static str> {
        let alone = call.participants.len() == 1 && last == Some(call.owner.as_str());
        (self.is_direct(&call.channel) && alone).then_some("canceled_by_caller")
    }
}
