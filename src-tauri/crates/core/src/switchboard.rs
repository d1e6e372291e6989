//! [`Switchboard`]: several servers, one person. A pure machine above the clients.
//!
//! Each server has a whole client of its own, which knows of no other. What is single stands here: which server the
//! windows show, which one has the call (and with it microphone and loudspeaker), whose call rings first, and where a
//! wish of the person's goes. Joining at one server while in a call at another is asked about by the client that is to
//! join (it was told of the other call, [`Elsewhere`]); the answer is held back here until the other call is over.
//!
//! Run rule: one of the `handle_*` methods, then drain [`Switchboard::poll_act`] before the next. It knows no clock.

use std::collections::VecDeque;

use crate::alert::{AlertSettings, AlertWish, DesktopNews, Elsewhere, Ring};
use crate::command::Command;
use crate::id::ServerNumber;
use crate::machine::is_address_of;
use crate::snapshot::{ServerRow, ServerStanding, ServerTag, Snapshot};

mod glance;
mod picture;
mod reach;
#[cfg(test)]
mod tests;

pub use picture::Picture;

use glance::Glance;
use reach::Reach;

/// Servers at most. Each costs a directory, a timeline and a connection; nobody works for more.
const MOST: usize = 9;

/// A notice's number carries its server's in these high bits. No client ever shows a million notices.
const NOTICE_BITS: u32 = 20;

/// One thing the switchboard wants done. Performed in order, without waiting.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Hand this to a client.
    Command(ServerNumber, Command),
    /// Tell a client.
    News(ServerNumber, DesktopNews),
    /// Play or show this, which that client wants.
    Alert(ServerNumber, AlertWish),
    /// Start a client that knows no server yet.
    Start(ServerNumber),
    /// Sign out, stop the client, and forget all about its server.
    Stop(ServerNumber),
    /// Microphone, loudspeaker and screens are this client's from now on.
    Lend(ServerNumber),
    /// The windows show this server from now on.
    Show(ServerNumber),
}

/// Which client gets what. See the module's page.
#[derive(Debug)]
pub struct Switchboard {
    /// In order of display.
    lines: Vec<Line>,
    shown: ServerNumber,
    /// Who has the call.
    call: Option<ServerNumber>,
    /// Who has just joined one.
    joined: Option<ServerNumber>,
    /// Who has the sound.
    lent: ServerNumber,
    /// The window has the person's attention.
    focused: bool,
    /// Who rings, the first to begin first: only that one is heard.
    rings: Vec<(ServerNumber, Ring)>,
    /// What is to be done as soon as the present call is over.
    waiting: Option<(ServerNumber, Command)>,
    last: ServerNumber,
    acts: VecDeque<Act>,
}

/// What is known of a client.
#[derive(Debug)]
struct Line {
    number: ServerNumber,
    glance: Glance,
    /// What its client was told of the others.
    told: Elsewhere,
    /// Added by the person, and not signed in since.
    fresh: bool,
}

impl Switchboard {
    /// For so many clients, numbered from 0 on (at least one, at most nine), one of them shown.
    #[must_use]
    pub fn new(count: u32, shown: ServerNumber) -> Self {
        let count = count.clamp(1, MOST as u32);
        let shown = ServerNumber(shown.0.min(count - 1));
        Self {
            lines: (0..count)
                .map(|n| Line::new(ServerNumber(n), false))
                .collect(),
            shown,
            call: None,
            joined: None,
            lent: shown,
            focused: true,
            rings: Vec::new(),
            waiting: None,
            last: ServerNumber(count - 1),
            acts: VecDeque::new(),
        }
    }

    /// The server that the windows show.
    #[must_use]
    pub fn shown(&self) -> ServerNumber {
        self.shown
    }

    /// The client that has the call; else the one that is shown: where sound is, and what is about sound goes.
    #[must_use]
    pub fn sounding(&self) -> ServerNumber {
        self.call.unwrap_or(self.shown)
    }

    /// How the person knows a server; nothing while there is but one.
    #[must_use]
    pub fn tag(&self, number: ServerNumber) -> Option<ServerTag> {
        if self.lines.len() < 2 {
            return None;
        }
        let line = self.line(number)?;
        Some(ServerTag {
            number,
            name: line.glance.name.clone(),
        })
    }

    /// All servers for the switcher; none while there is but one.
    #[must_use]
    pub fn rows(&self) -> Vec<ServerRow> {
        if self.lines.len() < 2 {
            return Vec::new();
        }
        let rows = self
            .lines
            .iter()
            .map(|Line { number, glance, .. }| ServerRow {
                number: *number,
                name: glance.name.clone(),
                url: glance.url.clone(),
                standing: glance.standing,
                unread: glance.channels > 0 || glance.mentions > 0,
                mentions: glance.mentions,
                channels: glance.channels,
                ringing: glance.ringing,
                in_call: glance.in_call,
                trust: glance.trust,
                shown: *number == self.shown,
            });
        rows.collect()
    }

    /// A person's wish.
    pub fn handle_command(&mut self, command: Command) {
        match command {
            Command::At { server, command } => self.at(server, *command),
            Command::ShowServer { server } => self.show(server),
            Command::AddServer => self.add(),
            Command::RemoveServer { server } => self.remove(server),
            Command::SetFocus { focused } => {
                self.focused = focused;
                self.hand(self.shown, Command::SetFocus { focused });
            }
            Command::OpenAddress { address } => {
                // One that is of no server of ours is explained by the one that is shown.
                let named = self.lines.iter().find(|line| {
                    !line.glance.url.is_empty() && is_address_of(&address, &line.glance.url)
                });
                let number = named.map_or(self.shown, |line| line.number);
                self.at(number, Command::OpenAddress { address });
            }
            Command::DismissNotice { id } => {
                let (server, id) = (id >> NOTICE_BITS, id & ((1 << NOTICE_BITS) - 1));
                self.hand(ServerNumber(server), Command::DismissNotice { id });
            }
            command => self.at(self.shown, command),
        }
        self.settle();
    }

    /// What the desktop tells.
    pub fn handle_news(&mut self, news: &DesktopNews) {
        let front = matches!(news, DesktopNews::CallInFront(_));
        for number in self.numbers() {
            if !front || number == self.sounding() {
                self.acts.push_back(Act::News(number, news.clone()));
            }
        }
    }

    /// What a client wants heard or shown.
    pub fn handle_alert(&mut self, number: ServerNumber, wish: AlertWish) {
        match wish {
            AlertWish::Ring(_) if self.line(number).is_none() => {}
            AlertWish::Ring(ring) => {
                match self.rings.iter_mut().find(|(whose, _)| *whose == number) {
                    Some((_, held)) => *held = ring,
                    None => self.rings.push((number, ring)),
                }
                if self
                    .rings
                    .first()
                    .is_some_and(|(whose, _)| *whose == number)
                {
                    self.ring();
                }
            }
            AlertWish::Silence => self.silence(number),
            AlertWish::Show(mut note) => {
                note.server = self.tag(number);
                self.acts
                    .push_back(Act::Alert(number, AlertWish::Show(note)));
            }
            wish => self.acts.push_back(Act::Alert(number, wish)),
        }
    }

    /// A client looks like this now.
    pub fn handle_snapshot(&mut self, number: ServerNumber, snapshot: &Snapshot) {
        let glance = Glance::of(snapshot);
        let Some(line) = self.lines.iter_mut().find(|line| line.number == number) else {
            return; // It has been removed, and speaks its last.
        };
        let asks = glance.asks && !line.glance.asks;
        if glance.in_call && !line.glance.in_call {
            self.joined = Some(number);
        }
        line.fresh &= !glance.signed_in;
        let fresh = line.fresh;
        line.glance = glance;
        if asks {
            // The question is about a channel of that server's.
            self.show(number);
        }
        if fresh && let Some(same) = self.same(number) {
            // One account for each server: whoever adds one that is there already wants to see it.
            self.remove(number);
            self.show(same);
        }
        self.settle();
    }

    /// The next thing to do, in order; `None` when all is done.
    pub fn poll_act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    fn line(&self, number: ServerNumber) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }

    fn numbers(&self) -> Vec<ServerNumber> {
        self.lines.iter().map(|line| line.number).collect()
    }

    fn same(&self, number: ServerNumber) -> Option<ServerNumber> {
        let url = &self.line(number)?.glance.url;
        let same = |line: &&Line| line.number != number && line.glance.url == *url;
        let other = self.lines.iter().filter(|_| !url.is_empty()).find(same)?;
        Some(other.number)
    }

    fn hand(&mut self, number: ServerNumber, command: Command) {
        if self.line(number).is_some() {
            self.acts.push_back(Act::Command(number, command));
        }
    }

    /// A wish at a server, unless it is about what is single.
    fn at(&mut self, number: ServerNumber, command: Command) {
        if self.line(number).is_none() {
            return; // Removed meanwhile.
        }
        match reach::of(&command) {
            Reach::All => {
                for number in self.numbers() {
                    self.hand(number, command.clone());
                }
            }
            Reach::Person => {
                for other in self.numbers() {
                    let fitted = self.fitted(number, other, &command);
                    self.hand(other, fitted);
                }
            }
            Reach::Sound => self.hand(self.sounding(), command),
            Reach::Place => {
                self.show(number);
                self.hand(number, command);
            }
            Reach::Switch => {
                self.show(number);
                match self.call.filter(|call| *call != number) {
                    Some(call) => {
                        self.waiting = Some((number, command));
                        self.hand(call, Command::LeaveCall);
                    }
                    None => self.hand(number, command),
                }
            }
            Reach::One => self.hand(number, command),
        }
    }

    /// A setting of the person's, for another server than the one it was changed at: people and channels stay its own.
    fn fitted(&self, from: ServerNumber, to: ServerNumber, command: &Command) -> Command {
        match (command, self.line(to)) {
            (Command::SetAlerts { settings }, Some(line)) if from != to => {
                let (channels, blocked) = line.glance.own.clone();
                Command::SetAlerts {
                    settings: Box::new(AlertSettings {
                        channels,
                        blocked,
                        ..(**settings).clone()
                    }),
                }
            }
            _ => command.clone(),
        }
    }

    fn show(&mut self, number: ServerNumber) {
        if self.shown == number || self.line(number).is_none() {
            return;
        }
        // Nobody looks at what is not shown: nothing there counts as read.
        self.hand(self.shown, Command::SetFocus { focused: false });
        self.shown = number;
        self.acts.push_back(Act::Show(number));
        let focused = self.focused;
        self.hand(number, Command::SetFocus { focused });
    }

    fn add(&mut self) {
        let blank = |line: &&Line| line.fresh && line.glance.standing == ServerStanding::New;
        if let Some(line) = self.lines.iter().find(blank) {
            return self.show(line.number);
        }
        if self.lines.len() >= MOST {
            return;
        }
        self.last.0 += 1;
        self.lines.push(Line::new(self.last, true));
        self.acts.push_back(Act::Start(self.last));
        self.show(self.last);
    }

    fn remove(&mut self, number: ServerNumber) {
        let Some(at) = self.lines.iter().position(|line| line.number == number) else {
            return;
        };
        if self.lines.len() == 1 {
            return self.hand(number, Command::SignOut);
        }
        if self.shown == number {
            let next = if at == 0 { 1 } else { at - 1 };
            if let Some(next) = self.lines.get(next).map(|line| line.number) {
                self.show(next);
            }
        }
        self.lines.remove(at);
        if self.rings.iter().any(|(whose, _)| *whose == number) {
            self.silence(number);
        }
        self.waiting.take_if(|(whose, _)| *whose == number);
        self.acts.push_back(Act::Stop(number));
    }

    fn ring(&mut self) {
        if let Some((number, ring)) = self.rings.first().cloned() {
            self.acts
                .push_back(Act::Alert(number, AlertWish::Ring(ring)));
        }
    }

    /// A client rings no more. Who waited for that is heard now.
    fn silence(&mut self, number: ServerNumber) {
        let heard = self.rings.first().is_none_or(|(whose, _)| *whose == number);
        self.rings.retain(|(whose, _)| *whose != number);
        if heard {
            self.acts.push_back(Act::Alert(number, AlertWish::Silence));
            self.ring();
        }
    }

    /// What follows from all that is known now.
    fn settle(&mut self) {
        if let Some(new) = self.joined.take()
            && self.call != Some(new)
            && let Some(old) = self.call.replace(new)
        {
            // Joined without having been asked (a wish that was older than the other call): one call at a time.
            self.hand(old, Command::LeaveCall);
        }
        let goes_on = |line: &&Line| line.glance.in_call;
        let held = self.call.and_then(|call| self.line(call));
        if held.filter(goes_on).is_none() {
            let other = self.lines.iter().find(goes_on);
            self.call = other.map(|line| line.number);
        }
        let sounding = self.sounding();
        if self.lent != sounding {
            // Who tries out their microphone and looks at another server does so no more.
            for command in [
                Command::WatchLevel { on: false },
                Command::HearMyself { on: false },
            ] {
                self.hand(self.lent, command);
            }
            self.lent = sounding;
            self.acts.push_back(Act::Lend(sounding));
        }
        let call = self.call;
        let everything = self
            .lines
            .iter()
            .find(|line| Some(line.number) == call)
            .is_some_and(|line| line.glance.shows_everything);
        for line in &mut self.lines {
            let there = call.is_some_and(|call| call != line.number);
            let news = Elsewhere {
                in_call: there,
                shows_everything: there && everything,
            };
            if line.told != news {
                line.told = news;
                let news = DesktopNews::Elsewhere(news);
                self.acts.push_back(Act::News(line.number, news));
            }
        }
        if self.call.is_none()
            && let Some((number, command)) = self.waiting.take()
        {
            self.hand(number, command);
        }
    }
}

impl Line {
    fn new(number: ServerNumber, fresh: bool) -> Self {
        Self {
            number,
            glance: Glance::default(),
            told: Elsewhere::default(),
            fresh,
        }
    }
}
