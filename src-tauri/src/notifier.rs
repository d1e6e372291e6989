//! Notifications of the system, through notify-rust. A click becomes a command.
//!
//! One task owns what is shown; it is handed wishes through a short queue and never waited for. Whatever the
//! notification service does (it is not there, it hangs, it answers late, it ignores a withdrawal), rings and calls go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use calls_core::alert::{Note, NoteButton, NoteKey};
use calls_core::command::Command;
use calls_core::id::{ChannelId, ServerNumber};
use notify_rust::NotificationResponse;
use tokio::sync::mpsc;

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "notifier/linux.rs"]
mod system;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "notifier/other.rs"]
mod system;

/// Wishes that may wait. They come at a person's speed (the core limits them); more means that the service hangs.
const QUEUE: usize = 64;

/// How long a notification service may take to show something. Later it is taken for hung.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a hung service is left alone, unless another takes its place.
const REST: Duration = Duration::from_secs(20);

/// Longest reply taken from a service; servers take no longer message.
const REPLY: usize = 16_383;

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clicked {
    /// Itself.
    Itself,
    /// One of its buttons.
    Button(NoteButton),
    /// A reply was typed into it.
    Reply(String),
}

impl Clicked {
    /// What a notification service answered; none if the notification was closed, or the button is none of ours.
    fn from_response(response: &NotificationResponse) -> Option<Self> {
        match response {
            NotificationResponse::Default => Some(Self::Itself),
            NotificationResponse::Action(action) => button(action).map(Self::Button),
            NotificationResponse::Reply(text) => Some(Self::Reply(text.clone())),
            NotificationResponse::Closed(_) => None,
        }
    }
}

/// Whom to tell of clicks.
pub(crate) trait Clicks: Send + Sync + 'static {
    /// Does what a click asks for; `show` says that the window must come to the front.
    fn does(&self, command: Option<Command>, show: bool);
    /// Whether the test notification has arrived.
    fn shown(&self, shown: bool);
}

/// Which notification.
type Key = (ServerNumber, NoteKey);

#[derive(Debug)]
enum Wish {
    Show(ServerNumber, Box<Note>),
    Withdraw(ServerNumber, NoteKey),
}

/// Shows notifications.
#[derive(Debug)]
pub(crate) struct Notifier {
    wishes: mpsc::Sender<Wish>,
}

impl Notifier {
    /// Starts the task on the current runtime; it ends with the last handle.
    pub(crate) fn start(runtime: &tokio::runtime::Handle, clicks: Arc<dyn Clicks>) -> Self {
        let (wishes, inbox) = mpsc::channel(QUEUE);
        runtime.spawn(run(inbox, clicks));
        Self { wishes }
    }

    /// Shows a notification, in place of one of that server's with the same key.
    pub(crate) fn show(&self, server: ServerNumber, note: Box<Note>) {
        self.wish(Wish::Show(server, note));
    }

    /// Takes it away.
    pub(crate) fn withdraw(&self, server: ServerNumber, key: NoteKey) {
        self.wish(Wish::Withdraw(server, key));
    }

    fn wish(&self, wish: Wish) {
        if self.wishes.try_send(wish).is_err() {
            tracing::warn!("the notification service hangs");
        }
    }
}

/// A notification that is shown, or on its way.
struct Shown {
    /// Ends its task, which takes it away.
    withdraw: mpsc::Sender<()>,
    number: u64,
    /// What the service calls it, to be replaced.
    id: Arc<std::sync::atomic::AtomicU32>,
}

async fn run(mut inbox: mpsc::Receiver<Wish>, clicks: Arc<dyn Clicks>) {
    // What two servers call the same is not the same.
    let mut shown: BTreeMap<Key, Shown> = BTreeMap::new();
    let (over, mut ended) = mpsc::channel::<(Key, u64, Option<Hung>)>(QUEUE);
    let mut number = 0;
    let mut rest: Option<(tokio::time::Instant, Hung)> = None;
    loop {
        tokio::select! {
            biased;
            Some((key, which, hung)) = ended.recv() => {
                if let Some(hung) = hung {
                    rest = Some((tokio::time::Instant::now() + REST, hung));
                }
                if shown.get(&key).is_some_and(|one| one.number == which) {
                    shown.remove(&key);
                }
            }
            wish = inbox.recv() => match wish {
                Some(Wish::Show(server, note)) => {
                    let left_alone = rest
                        .as_ref()
                        .filter(|(until, _)| tokio::time::Instant::now() < *until)
                        .map(|(_, hung)| hung.clone())
                        .filter(|_| note.key != NoteKey::Test);
                    number += 1;
                    let key = (server, note.key.clone());
                    let replaced = shown.remove(&key);
                    let id = replaced.map(|one| one.id).unwrap_or_default();
                    let (withdraw, withdrawn) = mpsc::channel(1);
                    shown.insert(key.clone(), Shown { withdraw, number, id: Arc::clone(&id) });
                    let (over, clicks) = (over.clone(), Arc::clone(&clicks));
                    tokio::spawn(async move {
                        let hung = match left_alone {
                            // It is left alone for as long as was decided when it hung.
                            Some(Hung(who)) if system::owner().await == who => {
                                tracing::debug!("not shown: the notification service hangs");
                                None
                            }
                            _ => present(*note, id, withdrawn, clicks).await,
                        };
                        // The receiver lives as long as this loop.
                        let _ = over.send((key, number, hung)).await;
                    });
                }
                Some(Wish::Withdraw(server, key)) => {
                    if let Some(one) = shown.remove(&(server, key)) {
                        // Full means told already; closed, that it has ended.
                        let _ = one.withdraw.try_send(());
                    }
                }
                None => return,
            },
        }
    }
}

/// A service that hangs: under which name the bus knows it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hung(Option<String>);

/// Shows one notification until it is clicked, closed or withdrawn; tells if the service hangs.
async fn present(
    note: Note,
    id: Arc<std::sync::atomic::AtomicU32>,
    mut withdrawn: mpsc::Receiver<()>,
    clicks: Arc<dyn Clicks>,
) -> Option<Hung> {
    let test = note.key == NoteKey::Test;
    let handle = match tokio::time::timeout(PATIENCE, system::show(&note, &id)).await {
        Ok(Ok(handle)) => handle,
        Ok(Err(why)) => {
            tracing::info!(%why, "no notification");
            if test {
                clicks.shown(false);
            }
            return None;
        }
        Err(_) => {
            tracing::warn!("the notification service does not answer");
            if test {
                clicks.shown(false);
            }
            return Some(Hung(system::owner().await));
        }
    };
    if test {
        clicks.shown(true);
    }
    let clicked = tokio::select! {
        clicked = system::wait(&handle) => clicked,
        said = withdrawn.recv() => {
            // A newer one with the same key has taken its place on the screen: nothing to take away.
            if said.is_some() {
                let closed = tokio::time::timeout(PATIENCE, system::close(&handle)).await;
                return match closed {
                    Ok(()) => None,
                    Err(_) => Some(Hung(system::owner().await)),
                };
            }
            None
        }
    };
    if let Some(clicked) = clicked {
        // Not what was written: logs are read by others.
        let what = match &clicked {
            Clicked::Itself => "itself",
            Clicked::Button(button) => name(*button),
            Clicked::Reply(_) => "a reply",
        };
        tracing::info!(what, "a notification was clicked");
        let clicked = match clicked {
            Clicked::Reply(text) => Clicked::Reply(text.chars().take(REPLY).collect()),
            clicked => clicked,
        };
        let (command, show) = meaning(&note, &clicked);
        let command = command.map(|command| at(&note, command));
        clicks.does(command, show);
        // Most services take it away themselves; those that do not would go on offering a call that was answered.
        let closed = tokio::time::timeout(PATIENCE, system::close(&handle)).await;
        if closed.is_err() {
            return Some(Hung(system::owner().await));
        }
    }
    None
}

/// Done where the notification is from.
fn at(note: &Note, command: Command) -> Command {
    match &note.server {
        Some(server) => Command::At {
            server: server.number,
            command: Box::new(command),
        },
        None => command,
    }
}

/// The first line: with the server's name where there are several.
fn title(note: &Note) -> String {
    let said = crate::words::spoken().say(&note.title);
    match &note.server {
        Some(server) => format!("{said} · {}", server.name),
        None => said,
    }
}

/// What a click asks for, and whether the window must come to the front.
fn meaning(note: &Note, clicked: &Clicked) -> (Option<Command>, bool) {
    let Some(channel) = note.channel.clone() else {
        return (None, true);
    };
    let open = |channel: ChannelId| Some(Command::OpenChannel { channel });
    match clicked {
        Clicked::Itself | Clicked::Button(NoteButton::Reply) => (open(channel), true),
        Clicked::Button(NoteButton::Join) => (
            Some(Command::AnswerCall {
                channel,
                muted: false,
                switch: false,
            }),
            true,
        ),
        Clicked::Button(NoteButton::CallBack) => (
            Some(Command::JoinCall {
                channel,
                title: None,
                switch: false,
            }),
            true,
        ),
        Clicked::Button(NoteButton::Decline) => (Some(Command::DeclineCall { channel }), false),
        Clicked::Button(NoteButton::Ignore) => (Some(Command::IgnoreCall { channel }), false),
        Clicked::Reply(text) => (
            Some(Command::SendPost {
                channel,
                root: None,
                text: text.clone(),
            }),
            false,
        ),
    }
}

/// Under which name a button comes back.
fn name(button: NoteButton) -> &'static str {
    match button {
        NoteButton::Join => "join",
        NoteButton::Decline => "decline",
        NoteButton::Ignore => "ignore",
        NoteButton::Reply => "reply",
        NoteButton::CallBack => "call-back",
    }
}

fn button(named: &str) -> Option<NoteButton> {
    [
        NoteButton::Join,
        NoteButton::Decline,
        NoteButton::Ignore,
        NoteButton::Reply,
        NoteButton::CallBack,
    ]
    .into_iter()
    .find(|button| name(*button) == named)
}

/// Text that a service takes for markup, spelled so that it shows as it is (Desktop Notifications 1.3, "Markup").
#[cfg(any(test, all(unix, not(target_os = "macos"))))]
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use calls_core::alert::Words;

    fn note(key: NoteKey) -> Note {
        Note {
            key,
            server: None,
            channel: Some("c".into()),
            title: Words::Plain("t".to_owned()),
            body: Words::Plain("b".to_owned()),
            silent: true,
            buttons: vec![NoteButton::Join],
        }
    }

    #[test]
    fn what_a_service_answers_is_told_apart() {
        use notify_rust::CloseReason;
        for (response, clicked) in [
            (NotificationResponse::Default, Some(Clicked::Itself)),
            (
                NotificationResponse::Action("join".to_owned()),
                Some(Clicked::Button(NoteButton::Join)),
            ),
            (
                NotificationResponse::Action("self-destruct".to_owned()),
                None,
            ),
            (
                NotificationResponse::Reply("Coming".to_owned()),
                Some(Clicked::Reply("Coming".to_owned())),
            ),
            (NotificationResponse::Closed(CloseReason::Dismissed), None),
        ] {
            assert_eq!(Clicked::from_response(&response), clicked, "{response:?}");
        }
    }

    #[test]
    fn a_click_means_what_is_written_on_it() {
        let call = note(NoteKey::Call("x".into()));
        assert_eq!(
            meaning(&call, &Clicked::Button(NoteButton::Ignore)),
            (
                Some(Command::IgnoreCall {
                    channel: "c".into()
                }),
                false
            )
        );
        assert_eq!(
            meaning(&call, &Clicked::Itself),
            (
                Some(Command::OpenChannel {
                    channel: "c".into()
                }),
                true
            )
        );
        for one in [
            NoteButton::Join,
            NoteButton::Decline,
            NoteButton::Ignore,
            NoteButton::Reply,
            NoteButton::CallBack,
        ] {
            assert_eq!(button(name(one)), Some(one));
        }
        assert_eq!(button("default"), None);
    }

    #[test]
    fn where_there_are_several_servers_a_note_names_its_own_and_a_click_leads_there() {
        let mut note = note(NoteKey::Call("x".into()));
        let open = || Command::OpenChannel {
            channel: "c".into(),
        };
        assert_eq!((title(&note), at(&note, open())), ("t".to_owned(), open()));
        note.server = Some(calls_core::snapshot::ServerTag {
            number: ServerNumber(2),
            name: "Acme".to_owned(),
        });
        assert_eq!(title(&note), "t · Acme");
        assert_eq!(
            at(&note, open()),
            Command::At {
                server: ServerNumber(2),
                command: Box::new(open())
            }
        );
    }

    #[test]
    fn markup_is_shown_not_obeyed() {
        assert_eq!(escaped("<a href='x'>&amp;"), "&lt;a href='x'&gt;&amp;amp;");
    }
}
