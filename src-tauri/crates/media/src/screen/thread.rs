//! The screen thread: look, convert, encode, send. It owns the source and one encoder per layer.
//!
//! Nothing is ever queued: what cannot be sent now is not encoded now, and by the time it can, the screen may show
//! something newer. A picture is encoded at most as often as the layer's plan allows, at most as often as leaves a
//! fifth of a core free, and not at all when nothing has changed and everything is sharp.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use calls_core::port::media::{
    EncodedFrame, Feedback, Layer, MediaKind, ScreenFigures, ScreenOutlet,
};

use super::layers::{self, LayerPlan, Limits};
use super::stream::Stream;
use super::{Look, ScreenError, ScreenSource, convert};
use crate::video::I420;
use crate::video::vpx::Packed;

/// How long a look at an unchanging screen may take: orders are heard in between. Twenty wake-ups a second cost
/// nothing that can be measured; more delay would be seen when somebody comes and needs a key frame.
const IDLE: Duration = Duration::from_millis(50);

/// Wait before the network is asked again whether it has room.
const BUSY: Duration = Duration::from_millis(5);

/// So much earlier than the picture that follows it a frame of moves is shown, 90 kHz: two frames may not be of one moment.
const MOVES_LEAD: u32 = 180;

/// Orders to the thread.
pub(super) enum Order {
    /// Frames go there; `None` keeps looking and sends nothing.
    Outlet(Option<ScreenOutlet>),
    /// The network's word.
    Feedback(Feedback),
    /// Text, or moving pictures.
    Text(bool),
    /// Hold the picture as it is, or go on.
    Pause(bool),
}

/// What both sides touch.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) stopped: AtomicBool,
    pub(super) figures: Mutex<ScreenFigures>,
    /// The newest picture, for our own preview; filled only while somebody wants it.
    pub(super) preview: Mutex<Option<Arc<I420>>>,
    pub(super) preview_wanted: AtomicBool,
}

/// The thread's state.
pub(super) struct ScreenThread {
    source: Box<dyn ScreenSource>,
    orders: Receiver<Order>,
    shared: Arc<Shared>,
    limits: Limits,
    text: bool,
    paused: bool,
    picture: I420,
    outlet: Option<ScreenOutlet>,
    streams: Vec<Stream>,
    budget: Option<u32>,
    epoch: Instant,
    /// When the last second of figures began, and what was sent since.
    second: (Instant, u32, u64),
}

impl ScreenThread {
    pub(super) fn new(
        source: Box<dyn ScreenSource>,
        orders: Receiver<Order>,
        shared: Arc<Shared>,
        limits: Limits,
        text: bool,
    ) -> Self {
        let picture = I420::black(source.size());
        let now = Instant::now();
        Self {
            source,
            orders,
            shared,
            limits,
            text,
            paused: false,
            picture,
            outlet: None,
            streams: Vec::new(),
            budget: None,
            epoch: now,
            second: (now, 0, 0),
        }
    }

    /// Runs until it is stopped, or what is shared is gone.
    ///
    /// # Errors
    /// The source's.
    pub(super) fn run(mut self) -> Result<(), ScreenError> {
        while self.hear() {
            if self.streams.is_empty() {
                // Before the network is ready nothing needs to be looked at.
                match self.orders.recv_timeout(IDLE) {
                    Ok(order) => self.obey(order),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                continue;
            }
            let now = Instant::now();
            match self.next_due() {
                Some(due) if due > now => {
                    // Looking earlier would fetch pixels that are painted over before they can be sent.
                    std::thread::sleep((due - now).min(IDLE));
                    if due - now > IDLE {
                        continue;
                    }
                    self.look(Duration::ZERO)?;
                }
                Some(_) => self.look(Duration::ZERO)?,
                None => self.look(IDLE)?,
            }
            self.preview();
            self.encode();
            self.measure();
        }
        Ok(())
    }

    /// Takes all orders; false when it is time to end.
    fn hear(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.obey(order),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        !self.shared.stopped.load(Ordering::Acquire)
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Outlet(outlet) => {
                let plans = outlet
                    .as_ref()
                    .map(|outlet| layers::plan(outlet.simulcast, self.limits))
                    .unwrap_or_default();
                let now = Instant::now();
                let size = self.picture.size();
                self.streams = plans
                    .into_iter()
                    .map(|plan| Stream::new(plan, size, now))
                    .collect();
                self.outlet = outlet;
                self.divide();
            }
            Order::Feedback(Feedback::KeyFrame(layer)) => {
                if let Some(stream) = self.streams.iter_mut().find(|s| s.plan.layer == layer) {
                    stream.key_wanted = true;
                }
            }
            Order::Feedback(Feedback::Budget(bits)) => {
                self.budget = Some(bits);
                self.divide();
            }
            Order::Feedback(Feedback::VoiceLoss { .. }) => {}
            Order::Text(text) => {
                if self.text != text {
                    self.text = text;
                    for stream in &mut self.streams {
                        stream.restart(self.picture.size());
                    }
                }
            }
            Order::Pause(paused) => self.paused = paused,
        }
    }

    fn divide(&mut self) {
        let plans: Vec<LayerPlan> = self.streams.iter().map(|stream| stream.plan).collect();
        for (stream, rate) in self
            .streams
            .iter_mut()
            .zip(layers::divide(&plans, self.budget))
        {
            if stream.rate == 0 && rate > 0 {
                stream.key_wanted = true;
            }
            stream.rate = rate;
        }
    }

    /// When the next picture is to be encoded; `None` while there is nothing to do.
    fn next_due(&self) -> Option<Instant> {
        self.streams.iter().filter_map(Stream::next).min()
    }

    fn look(&mut self, wait: Duration) -> Result<(), ScreenError> {
        if self.paused {
            std::thread::sleep(wait);
            return Ok(());
        }
        let Self {
            source,
            picture,
            streams,
            ..
        } = self;
        let looked = source.look(wait, &mut |patch| {
            if convert::paint(picture, &patch) {
                for stream in streams.iter_mut() {
                    stream.changed(patch.rect);
                }
            }
        })?;
        match looked {
            Look::Same | Look::Changed => {}
            Look::Resized(size) => {
                tracing::debug!(%size, "the shared picture has another size");
                self.picture = I420::black(size);
                for stream in &mut self.streams {
                    stream.restart(size);
                }
                // The pixels come with the next look.
                self.source.look(Duration::ZERO, &mut |patch| {
                    convert::paint(&mut self.picture, &patch);
                })?;
            }
        }
        Ok(())
    }

    fn preview(&self) {
        if self.shared.preview_wanted.swap(false, Ordering::AcqRel) {
            let picture = Arc::new(self.picture.clone());
            *lock(&self.shared.preview) = Some(picture);
        }
    }

    fn encode(&mut self) {
        let Some(outlet) = &mut self.outlet else {
            return;
        };
        let now = Instant::now();
        let rtp_time = ((now - self.epoch).as_micros() * 9 / 100) as u32;
        for stream in &mut self.streams {
            if stream.next().is_none_or(|due| due > now) {
                continue;
            }
            let rests = stream.due > now;
            if !outlet.frames.ready() {
                stream.busy_until(now + BUSY);
                continue;
            }
            let started = Instant::now();
            // A page that was scrolled moves first, in a frame of its own just before that of what is new.
            let mut rtp_time = rtp_time;
            if let Some(moves) = stream.scroll(&self.picture, now) {
                let size = moves.data.len();
                stream.spend(size, now);
                let sent = outlet.frames.try_send(frame(stream, moves, rtp_time));
                self.second.2 += size as u64;
                lock(&self.shared.figures).dropped += u64::from(!sent);
                stream.key_wanted |= !sent;
                rtp_time = rtp_time.wrapping_add(MOVES_LEAD);
                if !rests && !stream.wants() {
                    stream.due = now + Duration::from_secs(1) / stream.plan.fps;
                    self.second.1 += 1;
                    continue;
                }
            }
            if rests {
                continue;
            }
            let packed = stream.encode(&self.picture, self.text, rtp_time, now);
            let took = started.elapsed();
            // At most four fifths of a core, whatever the plan says.
            stream.due = now + (Duration::from_secs(1) / stream.plan.fps).max(took * 5 / 4);
            let Some(packed) = packed else {
                // The rate control dropped it; the next try is coarser, and needs no pause. While a page goes by there may be
                // nothing but the page's going by.
                stream.due = if stream.is_scrolling(now) {
                    now + Duration::from_secs(1) / stream.plan.fps
                } else {
                    now + took.max(BUSY)
                };
                continue;
            };
            let (size, quantizer, key) = (packed.data.len(), packed.quantizer, packed.key);
            // A picture can be too large for the rate even at its coarsest, and libvpx sends it all the same. What the
            // network does not carry would wait in some queue, with our voice behind it; and whoever set the rate (the
            // server's people, or ours) meant what leaves, not what was aimed at.
            let rest = stream.rest(size, key, self.picture.size(), now);
            stream.due = stream.due.max(now + rest);
            let sent = outlet.frames.try_send(frame(stream, packed, rtp_time));
            if !sent {
                // Whoever watches misses a frame now, and needs one that stands alone.
                stream.key_wanted = true;
            }
            let mut figures = lock(&self.shared.figures);
            figures.frames += 1;
            figures.keys += u64::from(key);
            figures.dropped += u64::from(!sent);
            figures.width = self.picture.size().width;
            figures.height = self.picture.size().height;
            let took = took.as_secs_f32() * 1000.0;
            figures.encode_ms += (took - figures.encode_ms) * 0.1;
            figures.quantizer = quantizer;
            figures.target = stream.rate;
            self.second.1 += 1;
            self.second.2 += size as u64;
        }
    }

    fn measure(&mut self) {
        let (since, frames, bytes) = self.second;
        let passed = since.elapsed();
        if passed >= Duration::from_secs(1) {
            let seconds = passed.as_secs_f32();
            let mut figures = lock(&self.shared.figures);
            figures.fps = frames as f32 / seconds;
            figures.bitrate = (bytes as f32 * 8.0 / seconds) as u32;
            drop(figures);
            self.second = (Instant::now(), 0, 0);
        }
    }
}

fn frame(stream: &Stream, packed: Packed, rtp_time: u32) -> EncodedFrame {
    EncodedFrame {
        kind: MediaKind::Screen,
        layer: stream.plan.layer,
        rtp_time,
        duration: 90_000 / stream.plan.fps,
        key: packed.key,
        level: None,
        talk_start: false,
        data: packed.data.into(),
    }
}

/// Held for microseconds by code that cannot panic; a poisoned one would still hold good data.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names a layer in logs.
#[must_use]
pub fn name(layer: Layer) -> &'static str {
    match layer {
        Layer::Low => "l",
        Layer::High => "h",
    }
}
