//! What goes on between the clients, the switchboard and the pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use calls_core::alert::DesktopNews;
use calls_core::command::Command;
use calls_core::id::ServerNumber;
use calls_core::snapshot::{Account, Patch, Snapshot};
use calls_core::switchboard::{Act, Picture, Switchboard};
use calls_core::trust::Trust;
use calls_media::Screens;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use super::house::{House, LineShell};
use crate::handle::{ClientHandle, Patches, Update};
use crate::net::RealNet;
use crate::studio::Studio;
use crate::{ClientConfig, conductor};

/// How long a client that is removed may take to hear of it. It needs milliseconds.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct Exchange {
    // The one lock: never held while waiting. Clients take it to say what they want played or shown.
    pub(super) state: Mutex<State>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) house: Arc<dyn House>,
    pub(super) screens: Arc<Screens>,
    pub(super) user_agent: String,
    pub(super) runtime: tokio::runtime::Handle,
}

pub(super) struct State {
    pub(super) board: Switchboard,
    pub(super) handles: BTreeMap<ServerNumber, ClientHandle>,
    /// What the pages see, from the second server on; one that is alone is passed on as it is.
    pub(super) picture: Option<Picture>,
    /// The clients' snapshots, while a picture is drawn of them.
    pub(super) seen: BTreeMap<ServerNumber, Arc<Snapshot>>,
    /// `None` when all have stopped, so that readers see the end.
    pub(super) out: Option<Outlets>,
    // Weak: the clients keep it alive, so that the last one can close it.
    pub(super) studio: Weak<Studio>,
    /// What clients that come later must know of the desktop.
    pub(super) desktop: Vec<DesktopNews>,
    pub(super) zone: Option<i32>,
    /// Clients that were removed and are ending their sessions.
    pub(super) leaving: Vec<JoinHandle<()>>,
}

pub(super) struct Outlets {
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) patches: broadcast::Sender<Arc<Patch>>,
}

impl Exchange {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a client, and listens to it.
    pub(super) fn open(
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
    pub(super) fn settle(self: &Arc<Self>, state: &mut State) {
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
    pub(super) fn grow(&mut self) {
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
async fn follow(clients: Weak<Exchange>, number: ServerNumber, mut patches: Patches) {
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
