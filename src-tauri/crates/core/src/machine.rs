//! [`Machine`]: every decision of the product.
//!
//! Run rule: one [`Machine::handle`], then drain [`Machine::poll_effect`] until it is empty, before the next
//! `handle`; and a [`crate::input::Input::Tick`] when [`Machine::poll_timeout`] has come. It knows no clock and does
//! nothing itself.
//!
//! Each file under `machine/` is one part with its own state. Parts do not call each other's decisions: `route.rs`
//! brings what happened to those whom it concerns, and says in one place what follows where two must agree.

use std::time::Instant;

use crate::alert::{AlertWish, NoteKey};
use crate::effect::{ClientEvent, Effect};
use crate::input::{Input, Memory, Now};
use crate::snapshot::{Network, Slice, Snapshot};

mod account;
mod alerts;
mod busy;
mod call;
mod callchat;
mod chat;
mod clock;
mod compose;
mod cues;
mod desktop;
mod devices;
mod directory;
mod finder;
mod link;
mod messages;
mod network;
mod notices;
mod out;
mod places;
mod ringing;
mod route;
mod row;
mod share;
mod talk;
#[cfg(test)]
mod tests;
mod thread;
mod timeline;
mod typing;

use account::Account;
use alerts::Alerts;
use busy::Busy;
use call::Call;
use callchat::CallChat;
use clock::ServerClock;
use compose::Compose;
use desktop::Desktop;
use devices::Devices;
use directory::{Directory, Draw};
use finder::Finder;
use link::Link;
use messages::Messages;
use out::{Out, Part};
pub(crate) use places::is_address_of;
use ringing::Ringing;
use share::Share;
use thread::Thread;
use timeline::Timeline;
use typing::Typing;

/// The whole state of a client, and everything it decides. See the module's page for how to run it.
#[derive(Debug, Default)]
pub struct Machine {
    account: Account,
    link: Link,
    directory: Directory,
    timeline: Timeline,
    thread: Thread,
    typing: Typing,
    finder: Finder,
    compose: Compose,
    call: Call,
    chat: CallChat,
    devices: Devices,
    alerts: Alerts,
    ringing: Ringing,
    messages: Messages,
    desktop: Desktop,
    busy: Busy,
    /// An address that is to be opened after sign-in.
    address: Option<String>,
    share: Share,
    network: Network,
    clock: ServerClock,
    appearance: crate::preferences::Appearance,
    /// The window with the open channel has the person's attention.
    focused: bool,
    headless: bool,
    /// The channel that was open at the end of the last run, until it is shown again.
    place: Option<crate::id::ChannelId>,
    /// A call to join (with its title) as soon as the server has said what is possible.
    wish: Option<(crate::id::ChannelId, Option<String>)>,
    /// When to ask again for the first data.
    reload: Option<Instant>,
    /// What the server told while the directory was on its way: the answer may be older.
    meanwhile: Vec<crate::port::ServerEvent>,
    out: Out,
    snapshot: Snapshot,
}

impl Machine {
    /// A client that has just been installed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            focused: true,
            ..Self::default()
        }
    }

    /// Takes one input, and all that follows from it.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Start(memory) => self.start(now, *memory),
            Input::Command(command) => self.command(now, command),
            Input::Server(event) => self.server(now, event),
            Input::Link(event) => self.linked(now, event),
            Input::Reply(id, result) => self.replied(now, id, result),
            Input::Call(number, event) => self.called(now, number, event),
            Input::Media(event) => self.sounded(now, event),
            Input::Attach(attach) => self.attach(now, *attach),
            Input::Upload(id, event) => self.compose.uploads.heard(id, event, &mut self.out),
            Input::Saved { file, result } => self.saved(now, &file, result),
            Input::SessionKept(kept) => self.account.kept(now.instant, kept, &mut self.out),
            Input::Zone(minutes) => self.zone_is(minutes),
            Input::NoteShown(shown) => self.note_shown(shown),
            Input::Desktop(news) => self.desktop_told(now, news),
            Input::Tick => {}
        }
        self.handle_timeouts(now);
        self.settle_alerts(now);
        self.settle_presence(now.instant);
        self.settle_quit();
        self.settle_busy(now);
        let output = self.devices.slice().output.clone();
        self.call
            .settle_calling(now.instant, &self.directory, output.as_ref(), &mut self.out);
        self.share.follow(self.call.number(), &mut self.out);
        self.devices
            .run(now.instant, self.call.ends(), &mut self.out);
        self.chat
            .follow(self.call.chat(), &self.directory, &mut self.out);
        self.directory.look_up(&mut self.out);
        self.publish(now);
    }

    /// The next thing to do, in order; `None` when all is done.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        loop {
            match self.out.pop()? {
                // The last door, whoever wanted it shown; what the person tries out is theirs.
                Effect::Alert(AlertWish::Show(note))
                    if !self.alerts.settings.trust.notify && note.key != NoteKey::Test => {}
                effect => return Some(effect),
            }
        }
    }

    /// When to hand in a [`Input::Tick`]; `None` if nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.account.poll_timeout(),
            self.link.poll_timeout(),
            self.directory.poll_timeout(),
            self.compose.poll_timeout(),
            self.alerts.poll_timeout(),
            self.ringing.poll_timeout(),
            self.messages.poll_timeout(),
            self.call.poll_timeout(),
            self.call.calling_ends(),
            self.typing.poll_timeout(),
            self.out.notices.poll_timeout(),
            self.devices.poll_timeout(),
            self.out.poll_timeout(),
            self.reload,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The state, as views draw it.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn start(&mut self, now: Now, memory: Memory) {
        self.headless = memory.headless;
        self.place = memory.place;
        self.devices.remembered(
            memory.input,
            memory.output,
            memory.device_names,
            memory.sound,
            &mut self.out,
        );
        self.appearance = memory.appearance.sound();
        self.out.dirty(Part::Appearance);
        self.compose.remembered(memory.drafts);
        self.call
            .remembered(memory.volumes, memory.calls, &mut self.out);
        self.call
            .listens_only(!memory.alerts.trust.microphone, &mut self.out);
        self.alerts.remembered(memory.alerts, &mut self.out);
        self.account
            .start(memory.session, memory.server, &mut self.out);
        tracing::debug!(unix = now.unix, "started");
    }

    fn handle_timeouts(&mut self, now: Now) {
        let instant = now.instant;
        self.out.notices.handle_timeout(instant);
        self.out.handle_timeout(instant);
        self.devices.handle_timeout(instant, &mut self.out);
        self.account.handle_timeout(instant, &mut self.out);
        self.link.handle_timeout(instant, &mut self.out);
        self.call.handle_timeout(instant, &mut self.out);
        self.typing.handle_timeout(instant, &mut self.out);
        if self.compose.poll_timeout().is_some_and(|at| at <= instant) {
            self.compose.send(instant, &mut self.out);
        }
        if self.reload.is_some_and(|at| at <= instant) {
            self.load_everything();
        }
        if self
            .directory
            .poll_timeout()
            .is_some_and(|at| at <= instant)
        {
            let visible = self.timeline.authors().chain(self.call.users());
            self.directory.handle_timeout(
                instant,
                visible.collect::<Vec<_>>(),
                self.link.is_up(),
                &mut self.out,
            );
        }
    }

    /// Draws what has changed: at most one patch for each slice, and none if it looks the same as before.
    fn publish(&mut self, now: Now) {
        for part in self.out.take_dirty() {
            let slice = self.draw(now, part);
            if let Slice::Call(after) = &slice {
                self.cue(after);
            }
            self.patch(slice);
        }
        if let Some(notices) = self.out.notices.take_changed() {
            self.patch(Slice::Notices(notices));
        }
        for (code, detail) in self.out.notices.take_fresh() {
            self.tell_of_notice(&code);
            self.out.tell(ClientEvent::Notice { code, detail });
        }
    }

    fn draw(&self, now: Now, part: Part) -> Slice {
        match part {
            Part::Account => Slice::Account(self.account.phase().clone()),
            Part::Link => Slice::Link(self.link.state().clone()),
            Part::Directory => Slice::Directory(self.directory.draw(&Draw {
                drafts: self.compose.drafts(),
                ours: self.call.row(&self.clock, now.unix),
            })),
            Part::Timeline => Slice::Timeline(self.timeline.draw(
                &self.directory,
                &self.compose,
                &self.typing,
                &self.out,
            )),
            Part::Thread => Slice::Thread(self.thread.draw(
                &self.directory,
                &self.compose,
                &self.typing,
            )),
            Part::Compose => Slice::Compose(self.draw_compose()),
            Part::Finder => Slice::Finder(self.finder.slice().clone()),
            Part::Emoji => Slice::Emoji(self.finder.emoji().to_vec()),
            Part::Call => Slice::Call(Box::new(self.call.draw(
                &self.directory,
                &self.devices,
                &self.clock,
                self.account.site(),
                now.unix,
            ))),
            Part::Chat => Slice::Chat(self.chat.draw(&self.directory, &self.compose)),
            Part::Devices => Slice::Devices(self.devices.slice().clone()),
            Part::Appearance => Slice::Appearance(self.appearance.clone()),
            Part::Calls => Slice::Calls(self.call.preferences().clone()),
            Part::Incoming => Slice::Incoming(self.draw_incoming()),
            Part::Alerts => Slice::Alerts(Box::new(self.draw_alerts())),
            Part::Network => Slice::Network(self.network.clone()),
            Part::Share => Slice::Share(self.share.draw(self.may_share())),
        }
    }

    fn patch(&mut self, slice: Slice) {
        if let Some(patch) = self.snapshot.put(slice) {
            self.out.push(Effect::Patch(Box::new(patch)));
        }
    }
}
