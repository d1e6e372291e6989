//! How a call ends, and what the person is told about it.

use std::collections::BTreeMap;

use crate::effect::{CallWish, ClientEvent, Effect};
use crate::id::ChannelId;
use crate::input::Now;
use crate::port::{EndReason, Refusal};
use crate::snapshot::CallPhase;

use super::super::directory::Directory;
use super::super::out::Out;
use super::Call;

/// The port that firewalls block (calls-v1-signaling §7.1: UDP and TCP, by default).
const MEDIA_PORT: &str = "8443";

/// Why the last call failed, as long as it is shown.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) channel: ChannelId,
    code: &'static str,
    values: BTreeMap<String, String>,
    detail: Option<String>,
    retry: bool,
}

impl Failure {
    pub(super) fn new(code: &'static str, channel: ChannelId, directory: &Directory) -> Self {
        let place = directory
            .channel(&channel)
            .map(|place| directory.channel_name(place))
            .unwrap_or_default();
        Self {
            channel,
            code,
            values: BTreeMap::from([("channel".to_owned(), place)]),
            detail: None,
            retry: false,
        }
    }

    /// This call was lost, and goes on without us.
    pub(super) fn is_loss_of(&self, channel: &ChannelId) -> bool {
        self.channel == *channel && self.code == "call.lost"
    }

    pub(super) fn phase(&self) -> CallPhase {
        CallPhase::Failed {
            code: self.code.to_owned(),
            values: self.values.clone(),
            detail: self.detail.clone(),
            retry: self.retry,
        }
    }
}

impl Call {
    /// The call is over, for a reason. True if the account's session is over too.
    pub(super) fn ended(
        &mut self,
        now: Now,
        reason: EndReason,
        directory: &Directory,
        out: &mut Out,
    ) -> bool {
        tracing::info!(?reason, age = ?self.age(now.instant), "call ended");
        let host = self.host_name(directory);
        let people = self.users().count();
        let Some(current) = self.current.take() else {
            return false;
        };
        self.shut(out);
        // Frees what the back end still holds; it has nothing more to say.
        out.push(Effect::Call(current.number, CallWish::Leave));
        let (code, retry, detail) = match &reason {
            EndReason::Left | EndReason::EndedForAll | EndReason::Unauthorised => {
                (None, false, None)
            }
            EndReason::Removed => (Some("call.removed"), false, None),
            EndReason::MediaTimeout => (Some("call.media_timeout"), true, None),
            EndReason::Lost(why) => (Some("call.lost"), true, Some(why.clone())),
            EndReason::Unsupported(why) => (Some("call.unsupported"), false, Some(why.clone())),
            EndReason::Refused(refusal) => refused(refusal),
        };
        if let Some(code) = code {
            let mut failure = Failure::new(code, current.channel.clone(), directory);
            let config = directory.calls.config();
            let most = config.map_or(0, |config| config.max_participants);
            let running = directory
                .calls
                .running(&current.channel)
                .map_or(people, |call| call.participants.len());
            for (name, value) in [
                ("name", host),
                ("port", MEDIA_PORT.to_owned()),
                ("n", running.to_string()),
                ("max", most.to_string()),
            ] {
                failure.values.insert(name.to_owned(), value);
            }
            failure.detail = detail.filter(|detail| !detail.is_empty());
            failure.retry = retry;
            self.failure = Some(failure);
        }
        let expired = reason == EndReason::Unauthorised;
        out.tell(ClientEvent::Ended {
            reason,
            code: code.map(str::to_owned),
        });
        expired
    }
}

/// Code, whether trying again makes sense, and the server's words.
fn refused(refusal: &Refusal) -> (Option<&'static str>, bool, Option<String>) {
    let (code, retry, detail) = match refusal {
        Refusal::Forbidden => ("call.forbidden", false, None),
        Refusal::Archived => ("call.archived", false, None),
        Refusal::GroupCallsOff => ("call.group_off", false, None),
        Refusal::Disabled => ("call.disabled", false, None),
        Refusal::TestMode => ("call.test_mode", false, None),
        Refusal::Full => ("call.full", true, None),
        Refusal::Other(words) => ("call.refused", true, Some(words.clone())),
    };
    (Some(code), retry, detail)
}
