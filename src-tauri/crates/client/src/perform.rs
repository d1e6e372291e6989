//! One arm for each effect: which adapter does it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use calls_core::effect::{CallWish, Effect, LinkWish, MediaWish, UploadWish};
use calls_core::id::{ChannelId, FileId, RequestId, TeamId, UploadId};
use calls_core::input::{CallNumber, Input, UploadEvent};
use calls_core::port::media::{ScreenFigures, ViewFigures, VoiceFigures};
use calls_core::port::{
    ActiveCall, CallBackend, CallEvent, EventSink, JoinTicket, Request, RequestError,
};
use calls_core::snapshot::{Levels, ShareQuality, WatchQuality};
use calls_media::Voice;
use calls_net::SocketEvent;
use tokio::task::{AbortHandle, JoinSet};

use crate::conductor::Inbox;
use crate::handle::Meter;
use crate::net::{Line, Net};
use crate::shell::Shell;
use crate::studio::Lease;

mod downloads;
mod engines;
mod port;

use engines::Engines;
pub(crate) use port::CallPort;

/// How long closing may take altogether: leaving a call has two seconds by contract, the rest is closing sockets and
/// telling the server that a session is over.
const CLOSING: Duration = Duration::from_secs(3);

/// The engine's readings. Weak, so that whoever holds a handle does not keep the devices open.
pub(crate) struct VoiceMeter(pub(crate) Weak<Voice>);

impl Meter for VoiceMeter {
    fn levels(&self) -> Levels {
        self.0
            .upgrade()
            .map(|voice| voice.levels())
            .unwrap_or_default()
    }

    fn figures(&self) -> VoiceFigures {
        self.0
            .upgrade()
            .map(|voice| voice.figures())
            .unwrap_or_default()
    }
}

/// Owns the adapters.
pub(crate) struct Performer {
    inbox: Inbox,
    lease: Arc<Lease>,
    net: Arc<dyn Net>,
    shell: Arc<dyn Shell>,
    backend: Option<Arc<dyn CallBackend>>,
    line: Option<Box<dyn Line>>,
    call: Option<Running>,
    /// Requests under way; dropped at the end.
    requests: JoinSet<()>,
    /// Files on their way to the server; dropping one stops it.
    uploads: BTreeMap<UploadId, AbortOnDrop>,
    /// Calls, sockets and sessions being closed; awaited at the end.
    closing: JoinSet<()>,
}

/// Stops a task when it is let go.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Running {
    number: CallNumber,
    call: Box<dyn ActiveCall>,
    port: Arc<CallPort>,
}

impl Performer {
    pub(crate) fn new(
        inbox: Inbox,
        lease: Arc<Lease>,
        net: Arc<dyn Net>,
        shell: Arc<dyn Shell>,
    ) -> Self {
        Self {
            inbox,
            lease,
            net,
            shell,
            backend: None,
            line: None,
            call: None,
            requests: JoinSet::new(),
            uploads: BTreeMap::new(),
            closing: JoinSet::new(),
        }
    }

    /// Starts doing it, and does not wait for it.
    pub(crate) fn perform(&mut self, effect: Effect) {
        // Ended tasks are collected here, so that the sets hold only what still runs.
        while let Some(ended) = self.requests.try_join_next() {
            report(ended);
        }
        while let Some(ended) = self.closing.try_join_next() {
            report(ended);
        }
        match effect {
            Effect::Account { server, token } => {
                self.backend = token
                    .clone()
                    .map(|token| self.net.backend(server.clone(), token));
                self.net.set_account(server, token);
            }
            Effect::Trust { host, fingerprint } => self.net.trust(&host, fingerprint),
            Effect::Request(id, request) => {
                if let Request::UploadLogs { channel, team, .. } = request {
                    self.upload_logs(id, channel, team);
                    return;
                }
                // A session is ended even if the program ends at once.
                let tasks = match request {
                    Request::SignOut => &mut self.closing,
                    _ => &mut self.requests,
                };
                let (answer, inbox) = (self.net.perform(request), self.inbox.clone());
                tasks.spawn(async move { inbox.send(Input::Reply(id, answer.await)) });
            }
            Effect::Upload(id, wish) => self.upload(id, *wish),
            Effect::StopUpload(id) => drop(self.uploads.remove(&id)),
            Effect::Save { file, name } => self.save(file, name),
            Effect::Link(wish) => self.link(wish),
            Effect::Call(number, wish) => self.call(number, wish),
            Effect::Media(wish) => self.lease.perform(wish),
            Effect::Alert(wish) => self.shell.alert(wish),
            Effect::Remember(what) => self.shell.remember(what),
            // The conductor publishes these two itself.
            Effect::Patch(_) | Effect::Tell(_) => {}
        }
    }

    /// The machine has no log; the shell has.
    fn upload_logs(&mut self, id: RequestId, channel: ChannelId, team: TeamId) {
        let (shell, net, inbox) = (
            Arc::clone(&self.shell),
            Arc::clone(&self.net),
            self.inbox.clone(),
        );
        self.requests.spawn(async move {
            let logs = shell.logs().await;
            let answer = match logs.filter(|logs| !logs.trim().is_empty()) {
                Some(logs) => {
                    let request = Request::UploadLogs {
                        channel,
                        team,
                        logs,
                    };
                    net.perform(request).await
                }
                None => Err(RequestError::Refused {
                    status: 0,
                    id: String::new(),
                    message: "there is no log yet".to_owned(),
                }),
            };
            inbox.send(Input::Reply(id, answer));
        });
    }

    fn upload(&mut self, id: UploadId, wish: UploadWish) {
        let (inbox, told) = (self.inbox.clone(), AtomicU64::new(0));
        let length = wish.bytes.len() as u64;
        // A hundred steps are what a bar can show; more would only fill the inbox.
        let step = (length / 100).max(64 * 1024);
        let progress = {
            let inbox = inbox.clone();
            move |sent: u64| {
                if sent >= told.load(Ordering::Relaxed) + step {
                    told.store(sent, Ordering::Relaxed);
                    inbox.send(Input::Upload(id, UploadEvent::Sent(sent)));
                }
            }
        };
        let answer = self.net.upload(wish, Box::new(progress));
        let task = self.requests.spawn(async move {
            inbox.send(Input::Upload(
                id,
                match answer.await {
                    Ok(file) => UploadEvent::Done(Box::new(file)),
                    Err(error) => UploadEvent::Failed(error),
                },
            ));
        });
        self.uploads.insert(id, AbortOnDrop(task));
        self.uploads.retain(|_, task| !task.0.is_finished());
    }

    fn save(&mut self, file: FileId, name: String) {
        let (inbox, net) = (self.inbox.clone(), Arc::clone(&self.net));
        let folder = self.shell.downloads();
        self.requests.spawn(async move {
            let result = match folder {
                Some(folder) => downloads::save(&*net, &file, &folder, &name).await,
                None => Err(RequestError::Offline("no folder for downloads".to_owned())),
            };
            inbox.send(Input::Saved { file, result });
        });
    }

    fn link(&mut self, wish: LinkWish) {
        match wish {
            LinkWish::Open { server, token } => {
                self.hang_up();
                let inbox = self.inbox.clone();
                let sink = move |event| {
                    inbox.send(match event {
                        SocketEvent::Link(event) => Input::Link(event),
                        SocketEvent::Server(event) => Input::Server(event),
                    });
                };
                self.line = Some(self.net.open_line(server, token, Arc::new(sink)));
            }
            LinkWish::Retry => {
                if let Some(line) = &self.line {
                    line.retry_now();
                }
            }
            LinkWish::Active(active) => {
                if let Some(line) = &self.line {
                    line.active(active);
                }
            }
            LinkWish::Close => self.hang_up(),
        }
    }

    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            self.closing.spawn(line.close());
        }
    }

    fn call(&mut self, number: CallNumber, wish: CallWish) {
        match wish {
            CallWish::Join(ticket) => self.join(number, *ticket),
            CallWish::Apply(intent) => {
                if let Some(running) = self.call.as_mut().filter(|call| call.number == number) {
                    running.call.apply(intent);
                }
            }
            CallWish::Leave => self.leave(),
        }
    }

    fn join(&mut self, number: CallNumber, ticket: JoinTicket) {
        self.leave();
        let Some(backend) = &self.backend else {
            return; // The machine joins only while it has an account.
        };
        let (voice, screens) = (self.lease.voice(), self.lease.screens());
        let port = Arc::new(CallPort::new(Arc::new(Engines {
            voice: voice.port(),
            screens: screens.port(),
        })));
        // Another client's call, if one still has the engine, is cut off from it first.
        self.lease.take(Some(Arc::clone(&port)));
        let screens = Arc::downgrade(screens);
        let (inbox, meter) = (self.inbox.clone(), VoiceMeter(Arc::downgrade(voice)));
        let before = meter.figures();
        let events: EventSink = Arc::new(move |mut event| {
            if let CallEvent::Quality(quality) = &mut event {
                let now = meter.figures();
                quality.jitter_target_ms = now.jitter_target_ms;
                quality.concealed_ratio = concealed_ratio(&before, &now);
                quality.xruns = xruns(&before, &now);
                if let Some(screens) = screens.upgrade() {
                    quality.share = screens.figures().map(share_quality);
                    let views = screens.views();
                    quality.watch = views.first().map(|view| watch_quality(view.figures()));
                }
            }
            inbox.send(Input::Call(number, event));
        });
        self.call = Some(Running {
            number,
            call: backend.join(ticket, port.clone(), events),
            port,
        });
    }

    fn leave(&mut self) {
        if let Some(Running { call, port, .. }) = self.call.take() {
            // At once, so that the next call finds the engine free, however long leaving takes.
            port.retire();
            self.closing.spawn(call.leave());
        }
    }

    /// Leaves the call, closes everything, and waits for it.
    pub(crate) async fn close(mut self) {
        self.lease.perform(MediaWish::Gate(false));
        self.lease.perform(MediaWish::Share(None));
        self.leave();
        self.hang_up();
        self.requests.shutdown().await;
        let closed = async {
            while let Some(ended) = self.closing.join_next().await {
                report(ended);
            }
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!("closing took too long and was given up");
        }
        self.lease.perform(MediaWish::Run {
            input: false,
            output: false,
        });
        let Some(voice) = Arc::into_inner(self.lease).and_then(Lease::end) else {
            // Another client needs it, or somebody reads a meter at this very moment and drops the engine when done.
            return;
        };
        // Joins the voice thread.
        if let Err(why) = tokio::task::spawn_blocking(move || voice.close()).await {
            tracing::error!(%why, "the voice engine panicked while closing");
        }
    }
}

fn share_quality(figures: ScreenFigures) -> ShareQuality {
    ShareQuality {
        width: figures.width,
        height: figures.height,
        fps: figures.fps,
        bitrate: figures.bitrate,
        target: figures.target,
        encode_ms: figures.encode_ms,
        quantizer: figures.quantizer,
    }
}

fn watch_quality(figures: ViewFigures) -> WatchQuality {
    WatchQuality {
        width: figures.width,
        height: figures.height,
        fps: figures.fps,
        decode_ms: figures.decode_ms,
        failed: u32::try_from(figures.failed).unwrap_or(u32::MAX),
    }
}

/// Share of the samples played since `before` that were concealed, 0..1.
fn concealed_ratio(before: &VoiceFigures, now: &VoiceFigures) -> f32 {
    let samples = now.samples.saturating_sub(before.samples);
    let concealed = now.concealed.saturating_sub(before.concealed);
    if samples == 0 {
        0.0
    } else {
        (concealed as f64 / samples as f64) as f32
    }
}

/// Samples lost at the devices since `before`.
fn xruns(before: &VoiceFigures, now: &VoiceFigures) -> u32 {
    let lost = |figures: &VoiceFigures| figures.capture_overruns + figures.playout_underruns;
    u32::try_from(lost(now).saturating_sub(lost(before))).unwrap_or(u32::MAX)
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    match ended {
        Err(why) if why.is_panic() => tracing::error!(%why, "a task panicked"),
        _ => {}
    }
}
