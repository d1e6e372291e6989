//! [`Clients`]: a client for each of the person's servers, seen as one.
//!
//! With one server it is that client: commands go to it, and its snapshots and patches are passed on as they are. From
//! the second one on the [`Switchboard`] decides who gets what, and one
//! [`Picture`](calls_core::switchboard::Picture) is drawn of all of them. Nothing is shared between clients but sound
//! and screens, which one of them has at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use calls_core::alert::DesktopNews;
use calls_core::command::Command;
use calls_core::effect::ClientEvent;
use calls_core::id::{ServerNumber, UserId};
use calls_core::input::Attach;
use calls_core::port::media::VoiceFigures;
use calls_core::snapshot::{Levels, Snapshot};
use calls_core::switchboard::Switchboard;
use calls_media::{AudioHost, Screens};
use tokio::sync::{broadcast, watch};

use crate::ClientConfig;
use crate::handle::{ClientHandle, Patches};
use crate::net::Image;
use crate::studio::Studio;

mod exchange;
mod house;

pub use house::{House, NoHouse};

use exchange::{Exchange, Outlets, State};

/// Patches that a reader may be behind, as for one client.
const OUTBOX: usize = 1024;

/// All clients of a person. Cheap to clone; they stop when [`Clients::stop`] is called or the last clone is gone.
#[derive(Clone)]
pub struct Clients {
    exchange: Arc<Exchange>,
}

impl Clients {
    /// Starts a client for each of these (at least one) on the current tokio runtime; they are numbered from 0 on.
    /// Sound, screens and what holds for all are as the first says; `shown` is the one that the windows show.
    pub fn start(
        configs: Vec<ClientConfig>,
        shown: ServerNumber,
        audio: Arc<dyn AudioHost>,
        house: Arc<dyn House>,
    ) -> Self {
        let mut configs = configs;
        if configs.is_empty() {
            configs.push(ClientConfig::default());
        }
        let first = &configs[0];
        let studio = Arc::new(Studio::open(first, audio));
        let (snapshots, snapshot) = watch::channel(Arc::new(Snapshot::default()));
        let (patches, _) = broadcast::channel(OUTBOX);
        let count = u32::try_from(configs.len()).unwrap_or(u32::MAX);
        let exchange = Arc::new(Exchange {
            user_agent: first.user_agent.clone(),
            screens: Arc::clone(studio.screens()),
            house,
            snapshots: snapshot,
            runtime: tokio::runtime::Handle::current(),
            state: Mutex::new(State {
                board: Switchboard::new(count, shown),
                handles: BTreeMap::new(),
                picture: None,
                seen: BTreeMap::new(),
                out: Some(Outlets { snapshots, patches }),
                studio: Arc::downgrade(&studio),
                desktop: Vec::new(),
                zone: None,
                leaving: Vec::new(),
            }),
        });
        let several = configs.len() > 1;
        let mut state = exchange.state();
        let shown = state.board.shown();
        for (number, config) in (0..).map(ServerNumber).zip(configs) {
            let handle = exchange.open(&studio, number, config);
            if number != shown {
                handle.dispatch(Command::SetFocus { focused: false });
            }
            state.handles.insert(number, handle);
        }
        if several {
            state.grow();
        }
        drop(state);
        Self { exchange }
    }

    /// Asks for something. What comes of it shows in the snapshot.
    pub fn dispatch(&self, command: Command) {
        let mut state = self.exchange.state();
        if state.picture.is_none() && matches!(command, Command::AddServer) {
            state.grow();
        }
        state.board.handle_command(command);
        self.exchange.settle(&mut state);
    }

    /// As [`ClientHandle::session_kept`], for one server.
    pub fn session_kept(&self, server: ServerNumber, kept: bool) {
        if let Some(handle) = self.exchange.state().handles.get(&server) {
            handle.session_kept(kept);
        }
    }

    /// As [`ClientHandle::zone`].
    pub fn zone(&self, minutes: i32) {
        let mut state = self.exchange.state();
        state.zone = Some(minutes);
        for handle in state.handles.values() {
            handle.zone(minutes);
        }
    }

    /// As [`ClientHandle::note_shown`].
    pub fn note_shown(&self, shown: bool) {
        for handle in self.exchange.state().handles.values() {
            handle.note_shown(shown);
        }
    }

    /// As [`ClientHandle::desktop`].
    pub fn desktop(&self, news: DesktopNews) {
        let mut state = self.exchange.state();
        state.board.handle_news(&news);
        let kind = std::mem::discriminant(&news);
        state
            .desktop
            .retain(|held| std::mem::discriminant(held) != kind);
        if matches!(
            news,
            DesktopNews::Keys(_)
                | DesktopNews::Idle(_)
                | DesktopNews::DoNotDisturb(_)
                | DesktopNews::Demo
        ) {
            state.desktop.push(news);
        }
        self.exchange.settle(&mut state);
    }

    /// The state now, as the pages see it.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let state = self.exchange.state();
        match (&state.picture, state.handles.values().next()) {
            (None, Some(alone)) => alone.snapshot(),
            _ => self.exchange.snapshots.borrow().clone(),
        }
    }

    /// The state now, and every later one; who reads slowly skips some.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.exchange.snapshots.clone()
    }

    /// As [`ClientHandle::patches`].
    #[must_use]
    pub fn patches(&self) -> Patches {
        let patches = match &self.exchange.state().out {
            Some(out) => out.patches.subscribe(),
            None => broadcast::channel(1).1,
        };
        Patches {
            patches,
            snapshots: self.exchange.snapshots.clone(),
        }
    }

    /// What happens to the first client from now on, for scripts, which have but one.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ClientEvent> {
        match self.exchange.state().handles.values().next() {
            Some(handle) => handle.events(),
            None => broadcast::channel(1).1,
        }
    }

    /// Loudness now.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.any().map(|it| it.levels()).unwrap_or_default()
    }

    /// The voice engine's counters since the start.
    #[must_use]
    pub fn figures(&self) -> VoiceFigures {
        self.any().map(|it| it.figures()).unwrap_or_default()
    }

    /// Sharing and watching: pictures are pulled from here.
    #[must_use]
    pub fn screens(&self) -> Arc<Screens> {
        Arc::clone(&self.exchange.screens)
    }

    /// The client that knows somebody, for their portrait: the one that is shown, if several do. Nobody is asked for
    /// people of another server's.
    #[must_use]
    pub fn of_person(&self, user: &UserId) -> Option<ClientHandle> {
        let state = self.exchange.state();
        let knows = |number: &ServerNumber| {
            let seen = state.seen.get(number);
            seen.is_some_and(|it| it.directory.people.contains_key(user.as_str()))
        };
        let shown = state.board.shown();
        let other = state.seen.keys().find(|number| knows(number)).copied();
        let whose = if knows(&shown) {
            shown
        } else {
            other.unwrap_or(shown)
        };
        state.handles.get(&whose).cloned()
    }

    /// The client that a picture is of: the one that is shown, but for what hangs on posts of a call elsewhere.
    #[must_use]
    pub fn of_image(&self, of: &Image) -> Option<ClientHandle> {
        let state = self.exchange.state();
        let sounding = state.board.sounding();
        let there = state.seen.get(&sounding).is_some_and(|it| match of {
            Image::Thumbnail(id) | Image::Preview(id) | Image::Whole(id) => {
                let mut files = it.chat.posts.iter().flat_map(|post| &post.files);
                files.any(|file| file.id == *id)
            }
            Image::Emoji(id) => it.emoji.iter().any(|one| one.id == *id),
        });
        let shown = state.board.shown();
        let here = state.seen.get(&shown).is_none_or(
            |it| matches!(of, Image::Emoji(id) if it.emoji.iter().any(|one| one.id == *id)),
        );
        let whose = if there && !here { sounding } else { shown };
        state.handles.get(&whose).cloned()
    }

    /// Attaches a file to what is being written, at the server that is shown or another one.
    pub fn attach(&self, server: Option<ServerNumber>, attach: Attach) {
        let state = self.exchange.state();
        let whose = server.unwrap_or_else(|| state.board.shown());
        if let Some(handle) = state.handles.get(&whose) {
            handle.attach(attach);
        }
    }

    /// Leaves any call (two seconds at most), closes everything, and returns when it is closed.
    pub async fn stop(&self) {
        let (handles, leaving) = {
            let mut state = self.exchange.state();
            let leaving = std::mem::take(&mut state.leaving);
            (std::mem::take(&mut state.handles), leaving)
        };
        let stopping = handles.into_values();
        let stopping: Vec<_> = stopping.map(|handle| tokio::spawn(handle.stop())).collect();
        for stopped in stopping.into_iter().chain(leaving) {
            if let Err(why) = stopped.await {
                tracing::error!(%why, "a client panicked while stopping");
            }
        }
        self.exchange.state().out = None;
    }

    fn any(&self) -> Option<ClientHandle> {
        self.exchange.state().handles.values().next().cloned()
    }
}
