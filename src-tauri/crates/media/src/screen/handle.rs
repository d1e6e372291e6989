//! [`Screens`]: sharing and watching, as everybody else sees them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calls_core::id::{SourceId, TrackId};
use calls_core::port::media::{
    Feedback, FrameOutlet, MediaEvent, MediaKind, MediaPacket, MediaPort, PacketInlet, RemoteTrack,
    ScreenFigures, ScreenOutlet, ShareProblem, ShareRequest,
};

use super::layers::Limits;
use super::pattern::Pattern;
use super::sound::Sound;
use super::thread::{Order, ScreenThread, Shared, lock};
use super::{Look, Patch, ScreenError, ScreenHost, ScreenSource, convert};
use crate::device::AudioHost;
use crate::video::view::{self, View};
use crate::video::{I420, Size, png};
use crate::voice::handle::MediaEventSink;

/// How sharing and watching are set up.
#[derive(Clone, Default)]
pub struct ScreenConfig {
    /// Other limits than the server expects.
    pub limits: Limits,
    /// Where watched screens are stored; then they are decoded even if nobody looks.
    pub save: Option<PathBuf>,
    /// Where the sound that may go along comes from; without it there is none.
    pub sound: Option<Arc<dyn AudioHost>>,
}

/// Thumbnails are at most this large, pixels.
const THUMBNAIL: Size = Size {
    width: 320,
    height: 200,
};

/// Sharing and watching. Nothing runs until it is asked for.
pub struct Screens {
    inner: Arc<Inner>,
}

struct Inner {
    host: Arc<dyn ScreenHost>,
    config: ScreenConfig,
    events: MediaEventSink,
    share: Mutex<Option<Running>>,
    views: Mutex<BTreeMap<TrackId, Arc<View>>>,
    budget: Mutex<Option<u32>>,
    sound: Mutex<Option<Sound>>,
    /// The running share is held: its sound, too.
    paused: Mutex<Arc<AtomicBool>>,
}

struct Running {
    orders: Sender<Order>,
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
    }
}

impl Screens {
    /// Sharing of what `host` has; what happens is told to `events`, from several threads.
    #[must_use]
    pub fn new(host: Arc<dyn ScreenHost>, config: ScreenConfig, events: MediaEventSink) -> Self {
        Self {
            inner: Arc::new(Inner {
                host,
                config,
                events,
                share: Mutex::default(),
                views: Mutex::default(),
                budget: Mutex::default(),
                sound: Mutex::default(),
                paused: Mutex::default(),
            }),
        }
    }

    /// Asks what can be shared; the answer is [`MediaEvent::ShareSources`].
    pub fn list(&self) {
        let inner = Arc::clone(&self.inner);
        spawn("halloo-screens", move || {
            let sound = inner.config.sound.as_ref();
            (inner.events)(MediaEvent::ShareSound(
                sound.is_some_and(|host| host.has_played()),
            ));
            let found = inner.host.sources().map_err(|error| {
                tracing::info!(%error, "no screens");
                error.problem()
            });
            (inner.events)(MediaEvent::ShareSources(found));
        });
    }

    /// Starts looking at a source in place of any other ([`MediaEvent::ShareOpened`], or [`MediaEvent::ShareClosed`]);
    /// `None` stops at once and says nothing. Nothing is sent before the network has an outlet.
    pub fn share(&self, request: Option<ShareRequest>) {
        let mut share = lock(&self.inner.share);
        *share = None;
        *lock(&self.inner.sound) = None;
        *lock(&self.inner.paused) = Arc::default();
        let Some(request) = request else {
            return;
        };
        let (orders, inbox) = channel();
        let shared = Arc::new(Shared::default());
        if let Some(bits) = *lock(&self.inner.budget) {
            let _ = orders.send(Order::Feedback(Feedback::Budget(bits))); // The other end is right here.
        }
        *share = Some(Running {
            orders,
            shared: Arc::clone(&shared),
        });
        let inner = Arc::clone(&self.inner);
        spawn("halloo-screen", move || {
            let stopped = || shared.stopped.load(Ordering::Acquire);
            let opened = match Pattern::named(&request.source) {
                Some(pattern) => Ok(Box::new(pattern) as Box<dyn ScreenSource>),
                None => inner.host.open(&request.source, &stopped),
            };
            let source = match opened {
                Ok(source) => source,
                Err(error) => return inner.closed(&shared, &error),
            };
            if shared.stopped.load(Ordering::Acquire) {
                return;
            }
            let size = source.size();
            (inner.events)(MediaEvent::ShareOpened {
                width: size.width,
                height: size.height,
            });
            let _mark = inner.host.mark(&request.source);
            let thread = ScreenThread::new(
                source,
                inbox,
                Arc::clone(&shared),
                inner.config.limits,
                !request.motion,
            );
            if let Err(error) = thread.run() {
                inner.closed(&shared, &error);
            }
        });
    }

    /// Text (sharp) or moving pictures (smooth), for the running share.
    pub fn set_motion(&self, motion: bool) {
        self.inner.order(Order::Text(!motion));
    }

    /// Holds the shared picture as it is, and its sound back.
    pub fn pause(&self, paused: bool) {
        lock(&self.inner.paused).store(paused, Ordering::Release);
        self.inner.order(Order::Pause(paused));
    }

    /// What the screen thread counts.
    #[must_use]
    pub fn figures(&self) -> Option<ScreenFigures> {
        let share = lock(&self.inner.share);
        share.as_ref().map(|running| *lock(&running.shared.figures))
    }

    /// The remote screens there are.
    #[must_use]
    pub fn views(&self) -> Vec<Arc<View>> {
        lock(&self.inner.views).values().cloned().collect()
    }

    /// A small picture of a source as PNG. Blocks.
    ///
    /// # Errors
    /// It cannot be captured.
    pub fn thumbnail(&self, source: &SourceId) -> Result<Vec<u8>, ScreenError> {
        let mut source = match Pattern::named(source) {
            Some(pattern) => Box::new(pattern) as Box<dyn ScreenSource>,
            None => self.inner.host.glance(source)?,
        };
        let mut picture = I420::black(source.size());
        let mut paint = |picture: &mut I420| {
            source.look(Duration::ZERO, &mut |patch: Patch<'_>| {
                convert::paint(picture, &patch);
            })
        };
        if let Look::Resized(size) = paint(&mut picture)? {
            picture = I420::black(size);
            paint(&mut picture)?;
        }
        let size = picture.size();
        let factor = (f64::from(THUMBNAIL.width) / f64::from(size.width))
            .min(f64::from(THUMBNAIL.height) / f64::from(size.height))
            .min(1.0);
        let side = |side: u32| (f64::from(side) * factor).round().max(1.0) as u32;
        if let Some(small) = Size::checked(side(size.width), side(size.height)) {
            picture = picture.scaled(small);
        }
        let mut bytes = Vec::new();
        png::write(&picture, &mut bytes)
            .map_err(|error| ScreenError::Failed(Some(error.into())))?;
        Ok(bytes)
    }

    /// What we share ourselves, as it is now; asks for a newer one for the next time.
    #[must_use]
    pub fn preview(&self) -> Option<Arc<I420>> {
        let share = lock(&self.inner.share);
        let running = share.as_ref()?;
        running.shared.preview_wanted.store(true, Ordering::Release);
        lock(&running.shared.preview).clone()
    }

    /// The engine as a call back end sees it.
    #[must_use]
    pub fn port(&self) -> Arc<dyn MediaPort> {
        Arc::new(ScreenPort(Arc::clone(&self.inner)))
    }
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    // Not joined: a system's dialog may hold the thread for as long as a person likes.
    if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(work) {
        tracing::error!(%error, name, "no thread");
    }
}

impl Inner {
    fn order(&self, order: Order) {
        if let Some(running) = &*lock(&self.share) {
            let _ = running.orders.send(order); // The thread has ended, and said so.
        }
    }

    /// A share ended by itself.
    fn closed(&self, shared: &Arc<Shared>, error: &ScreenError) {
        if shared.stopped.load(Ordering::Acquire) {
            return; // Nobody is interested any more.
        }
        tracing::info!(%error, "the share ended");
        lock(&self.share).take_if(|running| Arc::ptr_eq(&running.shared, shared));
        *lock(&self.sound) = None;
        let problem: ShareProblem = error.problem();
        (self.events)(MediaEvent::ShareClosed(problem));
    }
}

struct ScreenPort(Arc<Inner>);

impl MediaPort for ScreenPort {
    fn set_voice_outlet(&self, _outlet: Option<Box<dyn FrameOutlet>>) {}

    fn set_screen_outlet(&self, outlet: Option<ScreenOutlet>) {
        self.0.order(Order::Outlet(outlet));
    }

    fn set_sound_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        let inner = &self.0;
        let started = outlet
            .zip(inner.config.sound.as_ref())
            .map(|(outlet, host)| {
                Sound::start(
                    Arc::clone(host),
                    outlet,
                    Arc::clone(&lock(&inner.paused)),
                    Arc::clone(&inner.events),
                )
            });
        *lock(&inner.sound) = started;
    }

    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        if track.kind != MediaKind::Screen {
            return Box::new(Nowhere);
        }
        let id = track.id.clone();
        let record = self.0.config.save.clone();
        let (view, inlet) = view::open(track, record, Arc::clone(&self.0.events));
        lock(&self.0.views).insert(id, view);
        inlet
    }

    fn close_track(&self, id: &TrackId) {
        lock(&self.0.views).remove(id);
    }

    fn feedback(&self, feedback: Feedback) {
        if let Feedback::Budget(bits) = feedback {
            *lock(&self.0.budget) = Some(bits);
        }
        self.0.order(Order::Feedback(feedback));
    }
}

/// Takes packets of what is not a picture.
struct Nowhere;

impl PacketInlet for Nowhere {
    fn push(&mut self, _packet: MediaPacket) -> bool {
        false
    }
}
