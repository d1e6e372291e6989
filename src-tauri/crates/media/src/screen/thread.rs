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
use super::sharpen::Sharpening;
use super::{Look, Rect, ScreenError, ScreenSource, convert};
use crate::video::vpx::{Encoder, EncoderConfig};
use crate::video::{I420, Size};

/// How long a look at an unchanging screen may take: orders are heard in between. Twenty wake-ups a second cost
/// nothing that can be measured; more delay would be seen when somebody comes and needs a key frame.
const IDLE: Duration = Duration::from_millis(50);

/// Key frames at most so often: each is as large as a second of everything else.
const KEY_PAUSE: Duration = Duration::from_millis(500);

/// Wait before the network is asked again whether it has room.
const BUSY: Duration = Duration::from_millis(5);

/// The encoder's clock runs at most this much between two pictures, 90 kHz. A longer pause would be taken for a low
/// frame rate, and the next picture be given all the bits of the pause at once.
const LONGEST_STEP: u32 = 18_000;

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

/// So long may more be sent than the rate allows while most of the picture moves, and to make it sharp once it stands
/// still: a key frame, or the first picture of a movement, is larger than its share.
const BURST_MOVING: f64 = 0.25;
const BURST_STILL: f64 = 1.0;

/// A picture of which less than one part in so many has changed since the last one stands still.
const STILL: usize = 16;

/// However much was too much, something is shown again after this.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// One encoding.
struct Stream {
    plan: LayerPlan,
    encoder: Option<Encoder>,
    sharpening: Sharpening,
    /// Not before.
    due: Instant,
    key_wanted: bool,
    key_at: Option<Instant>,
    /// Bits per second now; 0 rests.
    rate: u32,
    last_rtp: Option<u32>,
    encoder_time: i64,
    /// Bits sent beyond what the rate has allowed since, and when that was.
    debt: (f64, Instant),
    /// Pixels that have changed since the last picture; some are counted again.
    moved: usize,
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
            Order::Feedback(Feedback::VoiceLoss(_)) => {}
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
        self.streams
            .iter()
            .filter(|stream| stream.wants())
            .map(|stream| stream.due)
            .min()
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
            if !stream.wants() || stream.due > now {
                continue;
            }
            if !outlet.frames.ready() {
                stream.due = now + BUSY;
                continue;
            }
            let started = Instant::now();
            let packed = stream.encode(&self.picture, self.text, rtp_time, now);
            let took = started.elapsed();
            // At most four fifths of a core, whatever the plan says.
            stream.due = now + (Duration::from_secs(1) / stream.plan.fps).max(took * 5 / 4);
            let Some(packed) = packed else {
                // The rate control dropped it; the next try is coarser, and needs no pause.
                stream.due = now + took.max(BUSY);
                continue;
            };
            let (size, quantizer) = (packed.data.len(), packed.quantizer);
            // A picture can be too large for the rate even at its coarsest, and libvpx sends it all the same. What the
            // network does not carry would wait in some queue, with our voice behind it; and whoever set the rate (the
            // server's people, or ours) meant what leaves, not what was aimed at.
            let rest = stream.rest(size, self.picture.size(), now);
            stream.due = stream.due.max(now + rest);
            let sent = outlet.frames.try_send(EncodedFrame {
                kind: MediaKind::Screen,
                layer: stream.plan.layer,
                rtp_time,
                duration: 90_000 / stream.plan.fps,
                key: packed.key,
                level: None,
                talk_start: false,
                data: packed.data.into(),
            });
            if !sent {
                // Whoever watches misses a frame now, and needs one that stands alone.
                stream.key_wanted = true;
            }
            let mut figures = lock(&self.shared.figures);
            figures.frames += 1;
            figures.keys += u64::from(packed.key);
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

impl Stream {
    fn new(plan: LayerPlan, size: Size, now: Instant) -> Self {
        Self {
            plan,
            encoder: None,
            sharpening: Sharpening::new(size),
            due: now,
            key_wanted: true,
            key_at: None,
            rate: plan.bitrate,
            last_rtp: None,
            encoder_time: 0,
            debt: (0.0, now),
            moved: 0,
        }
    }

    fn restart(&mut self, size: Size) {
        self.encoder = None;
        self.sharpening = Sharpening::new(size);
        self.key_wanted = true;
        // A new size is shown at once: the old key frame is of no use to anybody.
        self.key_at = None;
    }

    fn changed(&mut self, rect: Rect) {
        self.sharpening.changed(rect);
        let area = rect.width as usize * rect.height as usize;
        self.moved = self.moved.saturating_add(area);
    }

    /// How long to rest after a picture of so many bytes.
    fn rest(&mut self, bytes: usize, size: Size, now: Instant) -> Duration {
        let still = std::mem::take(&mut self.moved) < size.area() / STILL;
        let burst = if still { BURST_STILL } else { BURST_MOVING };
        let rate = f64::from(self.rate.max(1));
        let (debt, since) = self.debt;
        let carried = now.saturating_duration_since(since).as_secs_f64() * rate;
        let debt = (debt - carried).max(0.0) + bytes as f64 * 8.0;
        self.debt = (debt, now);
        let over = (debt / rate - burst).clamp(0.0, LONGEST_REST.as_secs_f64());
        Duration::from_secs_f64(over)
    }

    fn wants(&self) -> bool {
        self.rate > 0 && (self.key_wanted || self.sharpening.pending())
    }

    fn encode(
        &mut self,
        picture: &I420,
        text: bool,
        rtp_time: u32,
        now: Instant,
    ) -> Option<crate::video::vpx::Packed> {
        let key = self.key_wanted
            && self
                .key_at
                .is_none_or(|at| now.saturating_duration_since(at) >= KEY_PAUSE);
        if !key && !self.sharpening.pending() {
            return None; // Only a key frame is wanted, and it is too early for it.
        }
        if self.encoder.is_none() {
            let config = EncoderConfig {
                size: picture.size(),
                bitrate: self.rate,
                fps: self.plan.fps,
                threads: threads(picture.size()),
                speed: 6,
                screen: text,
            };
            match Encoder::new(config) {
                Ok(encoder) => self.encoder = Some(encoder),
                Err(error) => {
                    tracing::warn!(%error, "no encoder for the screen");
                    self.rate = 0;
                    return None;
                }
            }
        }
        let encoder = self.encoder.as_mut()?;
        if let Err(error) = encoder.set_bitrate(self.rate) {
            tracing::debug!(%error, rate = self.rate, "bit rate");
        }
        if key {
            self.sharpening.all_changed();
        }
        if let Err(error) = encoder.set_active(self.sharpening.map()) {
            tracing::debug!(%error, "active map");
        }
        let least = 90_000 / self.plan.fps / 2;
        let step = self.last_rtp.map_or(least, |last| {
            rtp_time.wrapping_sub(last).clamp(least, LONGEST_STEP)
        });
        self.last_rtp = Some(rtp_time);
        self.encoder_time += i64::from(step);
        match encoder.encode(picture, self.encoder_time, step, key) {
            Ok(Some(packed)) => {
                self.sharpening.encoded(packed.quantizer);
                if packed.key {
                    self.key_wanted = false;
                    self.key_at = Some(now);
                }
                Some(packed)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, "the screen's encoder begins anew");
                self.restart(picture.size());
                None
            }
        }
    }
}

/// libvpx's threads wait for each other by spinning: where there are few cores they cost more than they bring.
fn threads(size: Size) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cores >= 4 && size.area() >= Rect::FULL_HD {
        2
    } else {
        1
    }
}

impl Rect {
    /// Pixels of 1920×1080.
    const FULL_HD: usize = 1920 * 1080;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rate_does_not_allow_is_rested_for_and_forgotten_when_it_is_through() {
        let now = Instant::now();
        let size = Size::checked(64, 64).unwrap();
        let mut stream = Stream::new(layers::SINGLE[0], size, now);
        assert_eq!(stream.rate, 1_000_000);
        // Half a second's worth is a burst; two seconds' worth is one too many.
        assert_eq!(stream.rest(62_500, size, now), Duration::ZERO);
        let rest = stream.rest(187_500, size, now);
        assert!(
            rest.abs_diff(Duration::from_secs(1)) < Duration::from_millis(1),
            "{rest:?}"
        );
        let later = now + Duration::from_secs(2);
        assert_eq!(stream.rest(100, size, later), Duration::ZERO);
        // However large it was, the screen comes back.
        assert_eq!(stream.rest(50_000_000, size, later), LONGEST_REST);
        // While all of it moves less may go ahead: what stops is to become sharp at once.
        let mut stream = Stream::new(layers::SINGLE[0], size, now);
        stream.changed(Rect::all(size));
        let rest = stream.rest(62_500, size, now);
        assert!(
            rest.abs_diff(Duration::from_millis(250)) < Duration::from_millis(1),
            "{rest:?}"
        );
    }

    /// Noise that moves is larger than any rate even at its coarsest.
    #[test]
    fn what_leaves_keeps_to_the_rate_when_everything_moves() {
        let from = Instant::now();
        let size = Size::checked(640, 480).unwrap();
        let mut picture = I420::black(size);
        let mut stream = Stream::new(layers::SINGLE[0], size, from);
        let (mut sent, mut pictures, mut seed) = (0_u64, 0_u32, 1_u32);
        let (step, seconds) = (Duration::from_millis(100), 20);
        for n in 0..seconds * 10 {
            let now = from + step * n;
            for pixel in picture.planes_mut().0 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *pixel = (seed >> 24) as u8;
            }
            stream.changed(Rect::all(size));
            if stream.due > now {
                continue;
            }
            if let Some(packed) = stream.encode(&picture, true, n * 9000, now) {
                stream.due = now + stream.rest(packed.data.len(), size, now);
                sent += packed.data.len() as u64 * 8;
                pictures += 1;
            }
        }
        // With the second that may go ahead.
        let rate = sent / u64::from(seconds);
        println!("{pictures} pictures in {seconds} s, {rate} bit/s");
        assert!(rate <= 1_100_000, "{rate} bit/s");
        assert!(pictures > seconds / 2, "{pictures} pictures");
    }

    #[test]
    fn whoever_begs_for_key_frames_gets_two_a_second() {
        let from = Instant::now();
        let size = Size::checked(64, 64).unwrap();
        let picture = I420::black(size);
        let mut stream = Stream::new(layers::SINGLE[0], size, from);
        let mut keys = Vec::new();
        // Three seconds, asked for a hundred times a second while everything changes.
        for step in 0..300_u32 {
            let now = from + Duration::from_millis(10) * step;
            stream.key_wanted = true;
            stream.sharpening.all_changed();
            let packed = stream.encode(&picture, true, step * 900, now);
            if packed.is_some_and(|packed| packed.key) {
                keys.push(now);
            }
        }
        assert_eq!(keys.len(), 6, "{keys:?}");
        let pauses = keys.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(pauses.min() >= Some(KEY_PAUSE));
    }
}
