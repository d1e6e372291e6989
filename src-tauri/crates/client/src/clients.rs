//! [`Clients`]: a client for each of the person's servers, seen as one.
//!
//! With one server it is that client: commands go to it, and its snapshots and patches are passed on as they are. From
//! the second one on the [`Switchboard`] decides who gets what, and a [`Picture`] is drawn of all of them. Nothing is
//! shared between clients but sound and screens, which one of them has at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use calls_core::alert::{AlertWish, DesktopNews};
use calls_core::command::Command;
use calls_core::effect::ClientEvent;
use calls_core::id::{ServerNumber, UserId};
use calls_core::input::Attach;
use calls_core::port::BoxFuture;
use calls_core::port::media::VoiceFigures;
use calls_core::snapshot::{Account, Levels, Patch, Snapshot};
use calls_core::switchboard::{Act, Picture, Switchboard};
use calls_core::trust::Trust;
use calls_media::{AudioHost, Screens};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::handle::{ClientHandle, Patches, Update};
use crate::net::{Image, RealNet};
use crate::shell::{Remember, Shell};
use crate::studio::Studio;
use crate::{ClientConfig, conductor};

/// Patches that a reader may be behind, as for one client.
const OUTBOX: usize = 1024;

/// How long a client that is removed may take to hear of it. It needs milliseconds.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the program around several clients does for them: a [`Shell`] that knows which server asks.
pub trait House: Send + Sync {
    /// Keeps something of a server's, or of the person's, for the next run; as [`Shell::remember`].
    fn remember(&self, server: ServerNumber, what: Remember);

    /// Something is to be heard or shown; as [`Shell::alert`].
    fn alert(&self, _server: ServerNumber, _wish: AlertWish) {}

    /// The windows show this server from now on.
    fn shows(&self, _server: ServerNumber) {}

    /// Nothing of this server is to be kept any more.
    fn forget(&self, _server: ServerNumber) {}

    /// As [`Shell::logs`].
    fn logs(&self) -> BoxFuture<Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// As [`Shell::downloads`].
    fn downloads(&self) -> Option<std::path::PathBuf> {
        None
    }
}

/// Remembers nothing: for tests, bots and the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHouse;

impl House for NoHouse {
    fn remember(&self, _server: ServerNumber, _what: Remember) {}
}

/// All clients of a person. Cheap to clone; they stop when [`Clients::stop`] is called or the last clone is gone.
#[derive(Clone)]
pub struct Clients {
    inner: Arc<Inner>,
}

struct Inner {
    // The one lock: never held while waiting. Clients take it to say what they want played or shown.
    state: Mutex<State>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    house: Arc<dyn House>,
    screens: Arc<Screens>,
    user_agent: String,
    runtime: tokio::runtime::Handle,
}

struct State {
    board: Switchboard,
    handles: BTreeMap<ServerNumber, ClientHandle>,
    /// What the pages see, from the second server on; one that is alone is passed on as it is.
    picture: Option<Picture>,
    /// The clients' snapshots, while a picture is drawn of them.
    seen: BTreeMap<ServerNumber, Arc<Snapshot>>,
    /// `None` when all have stopped, so that readers see the end.
    out: Option<Outlets>,
    // Weak: the clients keep it alive, so that the last one can close it.
    studio: Weak<Studio>,
    /// What clients that come later must know of the desktop.
    desktop: Vec<DesktopNews>,
    zone: Option<i32>,
    /// Clients that were removed and are ending their sessions.
    leaving: Vec<JoinHandle<()>>,
}

struct Outlets {
    snapshots: watch::Sender<Arc<Snapshot>>,
    patches: broadcast::Sender<Arc<Patch>>,
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
        let inner = Arc::new(Inner {
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
        let mut state = inner.state();
        let shown = state.board.shown();
        for (number, config) in (0..).map(ServerNumber).zip(configs) {
            let handle = inner.open(&studio, number, config);
            if number != shown {
                handle.dispatch(Command::SetFocus { focused: false });
            }
            state.handles.insert(number, handle);
        }
        if several {
            state.grow();
        }
        drop(state);
        Self { inner }
    }

    /// Asks for something. What comes of it shows in the snapshot.
    pub fn dispatch(&self, command: Command) {
        let mut state = self.inner.state();
        if state.picture.is_none() && matches!(command, Command::AddServer) {
            state.grow();
        }
        state.board.handle_command(command);
        self.inner.settle(&mut state);
    }

    /// As [`ClientHandle::session_kept`], for one server.
    pub fn session_kept(&self, server: ServerNumber, kept: bool) {
        if let Some(handle) = self.inner.state().handles.get(&server) {
            handle.session_kept(kept);
        }
    }

    /// As [`ClientHandle::zone`].
    pub fn zone(&self, minutes: i32) {
        let mut state = self.inner.state();
        state.zone = Some(minutes);
        for handle in state.handles.values() {
            handle.zone(minutes);
        }
    }

    /// As [`ClientHandle::note_shown`].
    pub fn note_shown(&self, shown: bool) {
        for handle in self.inner.state().handles.values() {
            handle.note_shown(shown);
        }
    }

    /// As [`ClientHandle::desktop`].
    pub fn desktop(&self, news: DesktopNews) {
        let mut state = self.inner.state();
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
        self.inner.settle(&mut state);
    }

    /// The state now, as the pages see it.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let state = self.inner.state();
        match (&state.picture, state.handles.values().next()) {
            (None, Some(alone)) => alone.snapshot(),
            _ => self.inner.snapshots.borrow().clone(),
        }
    }

    /// The state now, and every later one; who reads slowly skips some.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.snapshots.clone()
    }

    /// As [`ClientHandle::patches`].
    #[must_use]
    pub fn patches(&self) -> Patches {
        let patches = match &self.inner.state().out {
            Some(out) => out.patches.subscribe(),
            None => broadcast::channel(1).1,
        };
        Patches {
            patches,
            snapshots: self.inner.snapshots.clone(),
        }
    }

    /// What happens to the first client from now on, for scripts, which have but one.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ClientEvent> {
        match self.inner.state().handles.values().next() {
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
        Arc::clone(&self.inner.screens)
    }

    /// The client that knows somebody, for their portrait: the one that is shown, if several do. Nobody is asked for
    /// people of another server's.
    #[must_use]
    pub fn of_person(&self, user: &UserId) -> Option<ClientHandle> {
        let state = self.inner.state();
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
        let state = self.inner.state();
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
        let state = self.inner.state();
        let whose = server.unwrap_or_else(|| state.board.shown());
        if let Some(handle) = state.handles.get(&whose) {
            handle.attach(attach);
        }
    }

    /// Leaves any call (two seconds at most), closes everything, and returns when it is closed.
    pub async fn stop(&self) {
        let (handles, leaving) = {
            let mut state = self.inner.state();
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
        self.inner.state().out = None;
    }

    fn any(&self) -> Option<ClientHandle> {
        self.inner.state().handles.values().next().cloned()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a client, and listens to it.
    fn open(
        self: &Arc<Self>,
        studio: &Arc<Studio>,
        number: ServerNumber,
        config: ClientConfig,
    ) -> ClientHandle {
        let net = Arc::new(RealNet::new(&config.user_agent, config.trusted.clone()));
        let shell = Arc::new(LineShell {
            number,
            house: Arc::clone(&self.house),
            clients: Arc::downgrade(self),
        });
        let _inside = self.runtime.enter();
        let handle = conductor::start(config, studio, shell, net);
        let patches = handle.patches();
        self.runtime
            .spawn(follow(Arc::downgrade(self), number, patches));
        handle
    }

    /// What a client has told before anybody listened.
    fn greet(self: &Arc<Self>, number: ServerNumber) {
        let snapshot = self
            .state()
            .handles
            .get(&number)
            .map(ClientHandle::snapshot);
        if let Some(snapshot) = snapshot {
            self.heard(number, Update::Whole(snapshot));
        }
    }

    /// A client has changed.
    fn heard(self: &Arc<Self>, number: ServerNumber, update: Update) {
        let mut held = self.state();
        let state = &mut *held;
        let Some(snapshot) = state.handles.get(&number).map(ClientHandle::snapshot) else {
            return; // Removed meanwhile.
        };
        let Some(picture) = &mut state.picture else {
            let Some(out) = &state.out else { return };
            // The snapshot first: who is told of a patch may ask for the whole at once.
            out.snapshots.send_replace(snapshot);
            match update {
                // Sending fails only when nobody listens.
                Update::Patch(patch) => drop(out.patches.send(patch)),
                Update::Whole(snapshot) => {
                    let revision = snapshot.revision;
                    for slice in snapshot.slices() {
                        let _ = out.patches.send(Arc::new(Patch { revision, slice }));
                    }
                }
            }
            return;
        };
        state.board.handle_snapshot(number, &snapshot);
        state.seen.insert(number, snapshot);
        let patches = match &update {
            Update::Patch(patch) => {
                picture.handle_slice(&state.board, &state.seen, number, &patch.slice)
            }
            Update::Whole(_) => picture.draw_all(&state.board, &state.seen),
        };
        state.publish(patches);
        self.settle(state);
    }

    /// Does what the switchboard wants, and draws what follows.
    fn settle(self: &Arc<Self>, state: &mut State) {
        while let Some(act) = state.board.poll_act() {
            match act {
                Act::Command(number, command) => {
                    if let Some(handle) = state.handles.get(&number) {
                        handle.dispatch(command);
                    }
                }
                Act::News(number, news) => {
                    if let Some(handle) = state.handles.get(&number) {
                        handle.desktop(news);
                    }
                }
                Act::Alert(number, wish) => self.house.alert(number, wish),
                Act::Start(number) => self.start_blank(state, number),
                Act::Stop(number) => self.stop_one(state, number),
                Act::Lend(number) => {
                    if let Some(handle) = state.handles.get(&number) {
                        handle.lend();
                    }
                }
                Act::Show(number) => self.house.shows(number),
            }
        }
        if let Some(picture) = &mut state.picture {
            let patches = picture.settle(&state.board, &state.seen);
            state.publish(patches);
        }
    }

    /// A client that knows no server, with all that is the person's own.
    fn start_blank(self: &Arc<Self>, state: &mut State, number: ServerNumber) {
        let Some(studio) = state.studio.upgrade() else {
            return; // All have stopped.
        };
        let like = state.seen.values().next().cloned().unwrap_or_default();
        let mut alerts = like.alerts.settings.clone();
        alerts.channels.clear();
        alerts.blocked.clear();
        alerts.trust = Trust::default();
        let config = ClientConfig {
            user_agent: self.user_agent.clone(),
            input: like.devices.input.clone(),
            output: like.devices.output.clone(),
            sound: like.devices.sound,
            appearance: like.appearance.clone(),
            calls: like.calls.clone(),
            alerts,
            ..ClientConfig::default()
        };
        let handle = self.open(&studio, number, config);
        if let Some(zone) = state.zone {
            handle.zone(zone);
        }
        for news in &state.desktop {
            handle.desktop(news.clone());
        }
        state.seen.insert(number, handle.snapshot());
        state.handles.insert(number, handle);
    }

    fn stop_one(&self, state: &mut State, number: ServerNumber) {
        state.seen.remove(&number);
        let Some(handle) = state.handles.remove(&number) else {
            return;
        };
        handle.dispatch(Command::SignOut);
        let house = Arc::clone(&self.house);
        state.leaving.retain(|task| !task.is_finished());
        state.leaving.push(self.runtime.spawn(async move {
            let mut snapshots = handle.watch();
            let out = snapshots.wait_for(|it| {
                !matches!(
                    it.account,
                    Account::SignedIn { .. } | Account::SigningIn { .. }
                )
            });
            let _ = tokio::time::timeout(FAREWELL, out).await;
            house.forget(number);
            // Waits until the server has ended the session, if it can be reached.
            handle.stop().await;
        }));
    }
}

impl State {
    /// From now on there are several: what the pages have seen so far is where the picture begins.
    fn grow(&mut self) {
        for (number, handle) in &self.handles {
            let snapshot = handle.snapshot();
            self.board.handle_snapshot(*number, &snapshot);
            self.seen.insert(*number, snapshot);
        }
        let first = self.seen.get(&self.board.shown());
        let mut picture = Picture::new(
            first.map(|it| (**it).clone()).unwrap_or_default(),
            self.board.shown(),
        );
        let patches = picture.draw_all(&self.board, &self.seen);
        self.picture = Some(picture);
        self.publish(patches);
    }

    fn publish(&self, patches: Vec<Patch>) {
        let (Some(out), Some(picture)) = (&self.out, &self.picture) else {
            return;
        };
        if patches.is_empty() {
            return;
        }
        out.snapshots
            .send_replace(Arc::new(picture.snapshot().clone()));
        for patch in patches {
            let _ = out.patches.send(Arc::new(patch)); // Fails only when nobody listens.
        }
    }
}

/// Passes on what a client tells, until it or all have stopped.
async fn follow(clients: Weak<Inner>, number: ServerNumber, mut patches: Patches) {
    if let Some(clients) = clients.upgrade() {
        clients.greet(number);
    }
    while let Some(update) = patches.next().await {
        let Some(clients) = clients.upgrade() else {
            return;
        };
        clients.heard(number, update);
    }
}

/// One client's way out.
struct LineShell {
    number: ServerNumber,
    house: Arc<dyn House>,
    clients: Weak<Inner>,
}

impl Shell for LineShell {
    fn remember(&self, what: Remember) {
        self.house.remember(self.number, what);
    }

    fn alert(&self, wish: AlertWish) {
        let Some(clients) = self.clients.upgrade() else {
            return;
        };
        let mut state = clients.state();
        state.board.handle_alert(self.number, wish);
        clients.settle(&mut state);
    }

    fn logs(&self) -> BoxFuture<Option<String>> {
        self.house.logs()
    }

    fn downloads(&self) -> Option<std::path::PathBuf> {
        self.house.downloads()
    }
}
