//! `halloo call`: what a person would click, done by a small story: sign in, find the place, join, stay, leave.

use std::time::Duration;

use calls_client::ClientEvent;
use calls_core::command::Command;
use calls_core::id::{ChannelId, SourceId};
use calls_core::port::EndReason;
use calls_core::snapshot::{Account, CallPhase, Snapshot};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::report::Report;
use crate::args::{CallArguments, exit};
use crate::shell::terminated;
use crate::start::Running;

/// How long signing in and finding the channel may take. A slow server with a large account needs some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a call that has failed may take to say so as an event; after that the snapshot's word counts.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Where the story stands.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Until signed in and the channels are known.
    SigningIn,
    /// Until the team's channels, or the direct channel, are known.
    Finding,
    /// Joining, and in the call.
    InCall,
    /// Asked to leave.
    Leaving,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
enum Next {
    /// Ask the client.
    Ask(Command),
    /// It is over: say this, if anything, and end with this code.
    End(u8, Option<(&'static str, String)>),
}

/// The story, without clock and network, so that a test can tell it.
struct Story<'a> {
    arguments: &'a CallArguments,
    step: Step,
    team_asked: bool,
    direct_asked: bool,
    /// The client has begun to join: from now on the call's own end is told.
    joining: bool,
    unmuted: bool,
    shared: bool,
}

impl<'a> Story<'a> {
    fn new(arguments: &'a CallArguments) -> Self {
        Self {
            arguments,
            step: Step::SigningIn,
            team_asked: false,
            direct_asked: false,
            joining: false,
            unmuted: false,
            shared: false,
        }
    }

    /// Looks at the state; gives what to do now.
    fn see(&mut self, snapshot: &Snapshot) -> Option<Next> {
        match self.step {
            Step::SigningIn => {
                if !matches!(snapshot.account, Account::SignedIn { .. })
                    || snapshot.directory.teams.is_empty()
                {
                    return None;
                }
                self.step = Step::Finding;
                self.see(snapshot)
            }
            Step::Finding => self.find(snapshot),
            Step::InCall => {
                self.joining |= snapshot.call.phase != CallPhase::Idle;
                if self.arguments.unmuted && !self.unmuted && snapshot.call.phase == CallPhase::Live
                {
                    self.unmuted = true;
                    return Some(Next::Ask(Command::SetMuted { muted: false }));
                }
                if let Some(source) = &self.arguments.share
                    && !self.shared
                    && snapshot.call.phase == CallPhase::Live
                {
                    self.shared = true;
                    return Some(Next::Ask(Command::StartShare {
                        source: SourceId::from(source.as_str()),
                        motion: self.arguments.share_motion,
                        sound: self.arguments.share_sound,
                    }));
                }
                None
            }
            Step::Leaving => None,
        }
    }

    fn find(&mut self, snapshot: &Snapshot) -> Option<Next> {
        let directory = &snapshot.directory;
        if let Some(name) = &self.arguments.dm {
            return self.find_person(snapshot, name);
        }
        if let Some(name) = &self.arguments.team {
            let Some(team) = directory
                .teams
                .iter()
                .find(|team| same(&team.name, name) || same(&team.display_name, name))
            else {
                return Some(cannot_join("call.no_team", name));
            };
            if directory.team.as_ref() != Some(&team.id) {
                let ask = Next::Ask(Command::OpenTeam {
                    team: team.id.clone(),
                });
                return (!std::mem::replace(&mut self.team_asked, true)).then_some(ask);
            }
        }
        let name = self.arguments.channel.as_deref().unwrap_or_default();
        let rows = &directory.channels;
        let by_slug = rows.iter().find(|row| row.slug == name);
        // The name in addresses is the only one that is surely one channel's.
        match by_slug.or_else(|| rows.iter().find(|row| same(&row.name, name))) {
            Some(row) => Some(self.join(row.id.clone())),
            None => Some(cannot_join("call.no_channel", name)),
        }
    }

    fn find_person(&mut self, snapshot: &Snapshot, name: &str) -> Option<Next> {
        let directory = &snapshot.directory;
        let Some(person) = directory
            .people
            .values()
            .find(|person| person.user.username.eq_ignore_ascii_case(name))
        else {
            return Some(cannot_join("call.no_person", name));
        };
        let open = directory.channels.iter().find(|row| {
            row.user.as_ref() == Some(&person.user.id)
                && directory.channel.as_ref() == Some(&row.id)
        });
        match open {
            Some(row) => Some(self.join(row.id.clone())),
            None => {
                let ask = Next::Ask(Command::OpenDirect {
                    user: person.user.id.clone(),
                });
                (!std::mem::replace(&mut self.direct_asked, true)).then_some(ask)
            }
        }
    }

    fn join(&mut self, channel: ChannelId) -> Next {
        self.step = Step::InCall;
        Next::Ask(Command::JoinCall {
            channel,
            title: None,
            switch: false,
        })
    }

    /// Hears what happened; gives what to do now.
    fn hear(&mut self, event: &ClientEvent) -> Option<Next> {
        match event {
            ClientEvent::SignInRefused { .. } => Some(Next::End(exit::SIGN_IN, None)),
            ClientEvent::Joined { .. } => {
                self.joining = true;
                None
            }
            // The wish to join was refused at once, for a reason known before (calls are off here…).
            ClientEvent::Notice { code, .. }
                if self.step == Step::InCall
                    && !self.joining
                    && code.starts_with("call.")
                    // Only a wait: the wish is kept until the server has said what is possible.
                    && code != "call.loading" =>
            {
                Some(Next::End(exit::CANNOT_JOIN, None))
            }
            ClientEvent::Ended { reason, .. } => Some(Next::End(self.code_of(reason), None)),
            _ => None,
        }
    }

    fn code_of(&self, reason: &EndReason) -> u8 {
        match reason {
            _ if self.step == Step::Leaving => exit::OK,
            EndReason::Left | EndReason::EndedForAll | EndReason::Removed => exit::OK,
            EndReason::Unauthorised => exit::SIGN_IN,
            EndReason::MediaTimeout | EndReason::Lost(_) => exit::NO_MEDIA,
            EndReason::Refused(_) | EndReason::Unsupported(_) => exit::CANNOT_JOIN,
        }
    }

    /// The time for signing in and finding the place is over.
    fn late(&self) -> Next {
        match self.step {
            Step::SigningIn => Next::End(
                exit::SIGN_IN,
                Some(("server.late", "no sign-in in time".to_owned())),
            ),
            _ => Next::End(
                exit::CANNOT_JOIN,
                Some(("call.no_channel", "the channel did not open".to_owned())),
            ),
        }
    }
}

fn cannot_join(code: &'static str, name: &str) -> Next {
    Next::End(
        exit::CANNOT_JOIN,
        Some((code, format!("there is no \"{name}\" for this account"))),
    )
}

/// Names are compared as people type them: `town-square`, `Town Square` and `~town-square` are one.
fn same(name: &str, asked: &str) -> bool {
    let plain = |text: &str| {
        text.trim_start_matches(['~', '#'])
            .to_lowercase()
            .replace(' ', "-")
    };
    plain(name) == plain(asked)
}

/// Runs the story to its end; leaves the call whatever happens. Returns the exit code.
pub(crate) async fn run(running: &Running, arguments: &CallArguments) -> u8 {
    let mut report = Report::new(arguments.json, std::io::stdout());
    if arguments.share.is_some() {
        running.watch_lock();
    }
    let mut events = running.handle().events();
    let mut snapshots = running.handle().watch();
    let mut story = Story::new(arguments);
    let mut deadline = Some(Instant::now() + PATIENCE);
    let mut leave_at: Option<Instant> = None;
    let end = terminated();
    tokio::pin!(end);
    snapshots.mark_changed();

    let code = loop {
        let next = tokio::select! {
            // What has happened is told before what is done about it.
            biased;
            event = events.recv() => match event {
                Ok(event) => {
                    if report.event(&event).is_err() {
                        break exit::FAILED;
                    }
                    if let (ClientEvent::Connected { again: false, .. }, Some(seconds)) = (&event, arguments.duration) {
                        leave_at = Some(Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 1e8)));
                    }
                    story.hear(&event)
                }
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => break exit::FAILED,
            },
            changed = snapshots.changed() => {
                if changed.is_err() {
                    break exit::FAILED;
                }
                let snapshot = snapshots.borrow_and_update().clone();
                if let (Step::InCall, CallPhase::Failed { .. }) = (&story.step, &snapshot.call.phase) {
                    deadline = deadline.or(Some(Instant::now() + LAST_WORDS));
                }
                story.see(&snapshot)
            }
            () = &mut end, if story.step != Step::Leaving => Some(leave(&mut story)),
            () = at(leave_at) => {
                leave_at = None;
                Some(leave(&mut story))
            }
            () = at(deadline) => match story.step {
                Step::InCall => {
                    let snapshot = running.snapshot();
                    match &snapshot.call.phase {
                        CallPhase::Failed { code, detail, .. } => {
                            let _ = report.problem(code, detail.as_deref().unwrap_or_default());
                            break exit::CANNOT_JOIN;
                        }
                        _ => {
                            deadline = None;
                            None
                        }
                    }
                }
                Step::Leaving => break exit::OK,
                _ => Some(story.late()),
            },
        };
        match next {
            Some(Next::Ask(command)) => {
                if story.step == Step::InCall {
                    deadline = None;
                }
                if command == Command::LeaveCall {
                    // The client gives a call two seconds to say goodbye.
                    deadline = Some(Instant::now() + Duration::from_secs(3));
                }
                running.dispatch(command);
            }
            Some(Next::End(code, words)) => {
                if let Some((what, detail)) = words {
                    let _ = report.problem(what, &detail);
                }
                break code;
            }
            None => {}
        }
    };
    running.stop().await;
    code
}

fn leave(story: &mut Story<'_>) -> Next {
    let in_call = story.step == Step::InCall;
    story.step = Step::Leaving;
    if in_call {
        Next::Ask(Command::LeaveCall)
    } else {
        Next::End(exit::OK, None)
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use calls_core::id::{TeamId, UserId};
    use calls_core::model::{ChannelKind, Presence, Team, User};
    use calls_core::port::Refusal;
    use calls_core::snapshot::{ChannelRow, Person, ServerInfo};

    fn arguments(text: &[&str]) -> CallArguments {
        use clap::Parser;
        let line = ["halloo", "call"].iter().chain(text).copied();
        match crate::args::Arguments::try_parse_from(line).unwrap().action {
            Some(crate::args::Action::Call(call)) => *call,
            other => panic!("{other:?}"),
        }
    }

    fn row(id: &str, name: &str, user: Option<&str>) -> ChannelRow {
        ChannelRow {
            id: ChannelId::from(id),
            kind: ChannelKind::Public,
            name: name.to_owned(),
            slug: id.to_owned(),
            header: String::new(),
            user: user.map(UserId::from),
            unread: false,
            mentions: 0,
            muted: false,
            archived: false,
            call: None,
            call_blocked: None,
            calls_allowed: None,
            draft: String::new(),
        }
    }

    fn signed_in() -> Snapshot {
        let mut snapshot = Snapshot {
            account: Account::SignedIn {
                server: ServerInfo::default(),
                me: User::default(),
                remembered: false,
            },
            ..Snapshot::default()
        };
        snapshot.directory.teams = ["one", "two"]
            .map(|name| Team {
                id: TeamId::from(name),
                name: name.to_owned(),
                display_name: name.to_uppercase(),
            })
            .to_vec();
        snapshot.directory.team = Some(TeamId::from("one"));
        snapshot.directory.channels = vec![row("c1", "Town Square", None)];
        let bob = User {
            id: UserId::from("bob-id"),
            username: "bob".to_owned(),
            ..User::default()
        };
        snapshot.directory.people.insert(
            "bob-id".to_owned(),
            Person {
                user: bob,
                name: "Bob Tanaka".to_owned(),
                presence: Presence::Online,
            },
        );
        snapshot
    }

    fn join(channel: &str) -> Option<Next> {
        Some(Next::Ask(Command::JoinCall {
            channel: ChannelId::from(channel),
            title: None,
            switch: false,
        }))
    }

    #[test]
    fn it_waits_for_the_channels_then_joins_then_unmutes_once_live() {
        let arguments = arguments(&["--channel", "town-square", "--unmuted"]);
        let mut story = Story::new(&arguments);
        let mut snapshot = signed_in();
        assert_eq!(story.see(&Snapshot::default()), None);
        assert_eq!(story.see(&snapshot), join("c1"));
        assert_eq!(story.see(&snapshot), None);
        snapshot.call.phase = CallPhase::Live;
        assert_eq!(
            story.see(&snapshot),
            Some(Next::Ask(Command::SetMuted { muted: false }))
        );
        assert_eq!(story.see(&snapshot), None);
    }

    #[test]
    fn the_name_in_addresses_goes_before_the_name_on_screen() {
        let mut snapshot = signed_in();
        let misleading = row("c2", "c1", None);
        snapshot.directory.channels.insert(0, misleading);
        let by_slug = arguments(&["--channel", "c1"]);
        assert_eq!(Story::new(&by_slug).see(&snapshot), join("c1"));
    }

    #[test]
    fn another_team_is_opened_first_and_asked_for_once() {
        let arguments = arguments(&["--team", "TWO", "--channel", "Other"]);
        let mut story = Story::new(&arguments);
        let mut snapshot = signed_in();
        assert_eq!(
            story.see(&snapshot),
            Some(Next::Ask(Command::OpenTeam {
                team: TeamId::from("two")
            }))
        );
        assert_eq!(story.see(&snapshot), None);
        snapshot.directory.team = Some(TeamId::from("two"));
        snapshot.directory.channels = vec![row("c2", "Other", None)];
        assert_eq!(story.see(&snapshot), join("c2"));
    }

    #[test]
    fn a_person_is_called_in_the_direct_channel() {
        let arguments = arguments(&["--dm", "Bob"]);
        let mut story = Story::new(&arguments);
        let mut snapshot = signed_in();
        assert_eq!(
            story.see(&snapshot),
            Some(Next::Ask(Command::OpenDirect {
                user: UserId::from("bob-id")
            }))
        );
        assert_eq!(story.see(&snapshot), None);
        snapshot
            .directory
            .channels
            .push(row("d1", "Bob Tanaka", Some("bob-id")));
        assert_eq!(story.see(&snapshot), None, "not before it is open");
        snapshot.directory.channel = Some(ChannelId::from("d1"));
        assert_eq!(story.see(&snapshot), join("d1"));
    }

    #[test]
    fn a_wish_refused_at_once_is_the_end_and_later_notices_are_not() {
        let arguments = arguments(&["--channel", "town-square"]);
        let notice = ClientEvent::Notice {
            code: "call.disabled".to_owned(),
            detail: None,
        };
        let mut story = Story::new(&arguments);
        assert_eq!(story.see(&signed_in()), join("c1"));
        assert_eq!(
            story.hear(&notice),
            Some(Next::End(exit::CANNOT_JOIN, None))
        );
        let mut snapshot = signed_in();
        snapshot.call.phase = CallPhase::Joining;
        assert_eq!(story.see(&snapshot), None);
        assert_eq!(story.hear(&notice), None);
    }

    #[test]
    fn what_is_not_there_cannot_be_joined() {
        for line in [
            ["--team", "three", "--channel", "x"],
            ["--team", "one", "--channel", "x"],
        ] {
            let arguments = arguments(&line);
            let next = Story::new(&arguments).see(&signed_in());
            assert!(
                matches!(next, Some(Next::End(exit::CANNOT_JOIN, Some(_)))),
                "{next:?}"
            );
        }
        let arguments = arguments(&["--dm", "nobody"]);
        assert!(matches!(
            Story::new(&arguments).see(&signed_in()),
            Some(Next::End(exit::CANNOT_JOIN, Some(_)))
        ));
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let arguments = arguments(&["--channel", "x"]);
        let code = |step: Step, reason: EndReason| {
            let mut story = Story::new(&arguments);
            story.step = step;
            match story.hear(&ClientEvent::Ended { reason, code: None }) {
                Some(Next::End(code, None)) => code,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(code(Step::Leaving, EndReason::Left), exit::OK);
        assert_eq!(code(Step::InCall, EndReason::EndedForAll), exit::OK);
        assert_eq!(
            code(Step::InCall, EndReason::Refused(Refusal::Full)),
            exit::CANNOT_JOIN
        );
        assert_eq!(code(Step::InCall, EndReason::MediaTimeout), exit::NO_MEDIA);
        assert_eq!(code(Step::InCall, EndReason::Unauthorised), exit::SIGN_IN);
        let mut story = Story::new(&arguments);
        let refused = ClientEvent::SignInRefused {
            code: "account.wrong".to_owned(),
        };
        assert_eq!(story.hear(&refused), Some(Next::End(exit::SIGN_IN, None)));
    }
}
