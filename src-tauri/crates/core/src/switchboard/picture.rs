//! What the pages see of several clients: one snapshot, drawn from theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::command::Command;
use crate::id::ServerNumber;
use crate::notice::Notice;
use crate::snapshot::{Alerts, Call, Directory, Incoming, Patch, Slice, Snapshot};

use super::{NOTICE_BITS, Switchboard};

/// Calls that come in at most, as of one client.
const MOST_CALLS: usize = 8;

/// Missed calls at most, as of one client.
const MOST_MISSED: usize = 20;

/// The clients' snapshots, by number.
type Lines = BTreeMap<ServerNumber, Arc<Snapshot>>;

/// One snapshot of all clients: what is shown is of the server that is shown, what is about the call of the one that
/// has it, and calls that come in are of all.
#[derive(Clone, Debug)]
pub struct Picture {
    held: Snapshot,
    /// Who was shown and who had the sound when it was drawn.
    of: (ServerNumber, ServerNumber),
}

impl Picture {
    /// Begins with what the pages have seen so far, of a client that was alone.
    #[must_use]
    pub fn new(held: Snapshot, of: ServerNumber) -> Self {
        Self { held, of: (of, of) }
    }

    /// What the pages see.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.held
    }

    /// Draws what follows from a changed slice of a client, or everything if another one is shown by now.
    pub fn handle_slice(
        &mut self,
        board: &Switchboard,
        lines: &Lines,
        from: ServerNumber,
        slice: &Slice,
    ) -> Vec<Patch> {
        let of = (board.shown(), board.sounding());
        if self.of != of {
            return self.draw_all(board, lines);
        }
        let (shown, sounding) = (from == of.0, from == of.1);
        let Some(sources) = Sources::of(board, lines) else {
            return Vec::new();
        };
        let mut new = Vec::new();
        match slice {
            Slice::Account(_)
            | Slice::Link(_)
            | Slice::Timeline(_)
            | Slice::Thread(_)
            | Slice::Compose(_)
            | Slice::Finder(_)
            | Slice::Emoji(_)
            | Slice::Network(_)
            | Slice::Appearance(_)
            | Slice::Calls(_) => new.extend(shown.then(|| newest(slice, sources.shown))),
            Slice::Chat(_) | Slice::Share(_) | Slice::Devices(_) => {
                new.extend(sounding.then(|| newest(slice, sources.sounding)));
            }
            Slice::Directory(_) => {
                let calls = (lines.get(&from)).is_some_and(|line| !line.incoming.calls.is_empty());
                if shown || sounding || calls {
                    new.push(Slice::Directory(sources.directory()));
                }
            }
            Slice::Call(_) => {
                if shown || sounding {
                    new.push(Slice::Call(Box::new(sources.call())));
                }
                if sounding && !shown {
                    new.push(Slice::Directory(sources.directory()));
                }
            }
            Slice::Incoming(_) => {
                new.push(Slice::Incoming(sources.incoming()));
                if !shown {
                    new.push(Slice::Directory(sources.directory()));
                }
            }
            Slice::Alerts(_) => new.push(Slice::Alerts(Box::new(sources.alerts()))),
            Slice::Notices(_) => new.push(Slice::Notices(sources.notices())),
            Slice::Servers(_) => {}
        }
        new.push(Slice::Servers(board.rows()));
        self.put(new)
    }

    /// Draws what follows from a wish.
    pub fn settle(&mut self, board: &Switchboard, lines: &Lines) -> Vec<Patch> {
        if self.of == (board.shown(), board.sounding()) {
            self.put(vec![Slice::Servers(board.rows())])
        } else {
            self.draw_all(board, lines)
        }
    }

    /// Draws everything.
    pub fn draw_all(&mut self, board: &Switchboard, lines: &Lines) -> Vec<Patch> {
        self.of = (board.shown(), board.sounding());
        let Some(sources) = Sources::of(board, lines) else {
            return Vec::new();
        };
        let (shown, sounding) = (sources.shown.clone(), sources.sounding);
        // The account first: a page that is drawn anew for another person throws the old one's drafts away with it.
        let new = vec![
            Slice::Account(shown.account),
            Slice::Servers(board.rows()),
            Slice::Link(shown.link),
            Slice::Directory(sources.directory()),
            Slice::Timeline(shown.timeline),
            Slice::Thread(shown.thread),
            Slice::Compose(shown.compose),
            Slice::Finder(shown.finder),
            Slice::Emoji(shown.emoji),
            Slice::Network(shown.network),
            Slice::Call(Box::new(sources.call())),
            Slice::Chat(sounding.chat.clone()),
            Slice::Devices(sounding.devices.clone()),
            Slice::Appearance(shown.appearance),
            Slice::Calls(shown.calls),
            Slice::Incoming(sources.incoming()),
            Slice::Alerts(Box::new(sources.alerts())),
            Slice::Share(sounding.share.clone()),
            Slice::Notices(sources.notices()),
        ];
        self.put(new)
    }

    fn put(&mut self, new: Vec<Slice>) -> Vec<Patch> {
        new.into_iter()
            .filter_map(|slice| self.held.put(slice))
            .collect()
    }
}

/// The same slice as it is by now: what is told of it may be older than what everything was drawn from last.
fn newest(slice: &Slice, now: &Snapshot) -> Slice {
    match slice {
        Slice::Account(_) => Slice::Account(now.account.clone()),
        Slice::Link(_) => Slice::Link(now.link.clone()),
        Slice::Timeline(_) => Slice::Timeline(now.timeline.clone()),
        Slice::Thread(_) => Slice::Thread(now.thread.clone()),
        Slice::Compose(_) => Slice::Compose(now.compose.clone()),
        Slice::Finder(_) => Slice::Finder(now.finder.clone()),
        Slice::Emoji(_) => Slice::Emoji(now.emoji.clone()),
        Slice::Network(_) => Slice::Network(now.network.clone()),
        Slice::Appearance(_) => Slice::Appearance(now.appearance.clone()),
        Slice::Calls(_) => Slice::Calls(now.calls.clone()),
        Slice::Chat(_) => Slice::Chat(now.chat.clone()),
        Slice::Share(_) => Slice::Share(now.share.clone()),
        Slice::Devices(_) => Slice::Devices(now.devices.clone()),
        composed => composed.clone(),
    }
}

/// Where things are taken from.
struct Sources<'a> {
    board: &'a Switchboard,
    lines: &'a Lines,
    shown: &'a Snapshot,
    sounding: &'a Snapshot,
}

impl<'a> Sources<'a> {
    fn of(board: &'a Switchboard, lines: &'a Lines) -> Option<Self> {
        Some(Self {
            board,
            lines,
            shown: lines.get(&board.shown())?,
            sounding: lines.get(&board.sounding())?,
        })
    }

    fn apart(&self) -> bool {
        self.board.shown() != self.board.sounding()
    }

    /// The call, with the question that the shown server asks about leaving it.
    fn call(&self) -> Call {
        let mut call = self.sounding.call.clone();
        if self.apart() {
            call.server = self.board.tag(self.board.sounding());
            call.switch_to.clone_from(&self.shown.call.switch_to);
        }
        call
    }

    /// The shown server's, and besides the people of a call elsewhere and those who call from elsewhere: their names
    /// and portraits are drawn too.
    fn directory(&self) -> Directory {
        let mut directory = self.shown.directory.clone();
        let known = &mut directory.people;
        let mut meet = |at: &Snapshot, user: &crate::id::UserId| {
            if let Some(person) = at.directory.people.get(user.as_str()) {
                known
                    .entry(user.as_str().to_owned())
                    .or_insert_with(|| person.clone());
            }
        };
        if self.apart() {
            for one in &self.sounding.call.participants {
                meet(self.sounding, &one.user);
            }
        }
        for (number, line) in self.lines {
            if *number != self.board.shown() {
                for call in &line.incoming.calls {
                    meet(line, &call.caller);
                }
            }
        }
        directory
    }

    fn incoming(&self) -> Incoming {
        let mut all = Incoming::default();
        for (number, line) in self.lines {
            let tag = self.board.tag(*number);
            all.calls.extend(line.incoming.calls.iter().cloned());
            all.missed.extend(line.incoming.missed.iter().cloned());
            let fresh = all.calls.len() - line.incoming.calls.len();
            for call in all.calls.iter_mut().skip(fresh) {
                call.server.clone_from(&tag);
                // What identifies it on the page must differ between servers.
                call.call = format!("{}.{}", number.0, call.call);
            }
            let fresh = all.missed.len() - line.incoming.missed.len();
            for call in all.missed.iter_mut().skip(fresh) {
                call.server.clone_from(&tag);
                call.call = format!("{}.{}", number.0, call.call);
            }
        }
        all.calls.sort_by_key(|call| call.since);
        all.calls.truncate(MOST_CALLS);
        all.missed.sort_by_key(|call| std::cmp::Reverse(call.at));
        all.missed.truncate(MOST_MISSED);
        all
    }

    fn alerts(&self) -> Alerts {
        let mut alerts = self.shown.alerts.clone();
        alerts.quitting = self.sounding.alerts.quitting;
        alerts
    }

    /// Of the server that is shown, and of the one with the call; what both say is said once.
    fn notices(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = Vec::new();
        let mut take = |number: ServerNumber, line: &Snapshot| {
            for notice in &line.notices {
                let said = notices
                    .iter()
                    .any(|held| held.code == notice.code && held.values == notice.values);
                if !said {
                    let id = (number.0 << NOTICE_BITS) + notice.id;
                    let at = |command| Command::At {
                        server: number,
                        command: Box::new(command),
                    };
                    notices.push(Notice {
                        id,
                        retry: notice.retry.clone().map(at),
                        ..notice.clone()
                    });
                }
            }
        };
        take(self.board.shown(), self.shown);
        if self.apart() {
            take(self.board.sounding(), self.sounding);
        }
        notices
    }
}
