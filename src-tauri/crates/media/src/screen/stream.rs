//! One encoding of the shared screen: what of it is worth encoding, when, and how much may leave.

use std::time::{Duration, Instant};

use super::Rect;
use super::layers::LayerPlan;
use super::sharpen::Sharpening;
use crate::video::vpx::{Encoder, EncoderConfig, Packed};
use crate::video::{I420, Size};

/// Key frames at most so often: each is as large as a second of everything else.
const KEY_PAUSE: Duration = Duration::from_millis(500);

/// The encoder's clock runs at most this much between two pictures, 90 kHz. A longer pause would be taken for a low
/// frame rate, and the next picture be given all the bits of the pause at once.
const LONGEST_STEP: u32 = 18_000;

/// So long may more be sent than the rate allows: while most of the picture moves (the first picture of a movement is
/// larger than its share), and for a key frame, or to make the picture sharp once it stands still.
const BURST_MOVING: f64 = 0.25;
const BURST_STILL: f64 = 1.0;

/// A picture of which less than one part in so many has changed since the last one stands still.
const STILL: usize = 16;

/// However much was too much, something is shown again after this.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// One encoding.
pub(super) struct Stream {
    pub(super) plan: LayerPlan,
    encoder: Option<Encoder>,
    pub(super) sharpening: Sharpening,
    /// Not before.
    pub(super) due: Instant,
    pub(super) key_wanted: bool,
    key_at: Option<Instant>,
    /// Bits per second now; 0 rests.
    pub(super) rate: u32,
    last_rtp: Option<u32>,
    encoder_time: i64,
    /// Bits sent beyond what the rate has allowed since, and when that was.
    debt: (f64, Instant),
    /// Pixels that have changed since the last picture; some are counted again.
    moved: usize,
}

impl Stream {
    pub(super) fn new(plan: LayerPlan, size: Size, now: Instant) -> Self {
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

    pub(super) fn restart(&mut self, size: Size) {
        self.encoder = None;
        self.sharpening = Sharpening::new(size);
        self.key_wanted = true;
        // A new size is shown at once: the old key frame is of no use to anybody.
        self.key_at = None;
    }

    pub(super) fn changed(&mut self, rect: Rect) {
        self.sharpening.changed(rect);
        let area = rect.width as usize * rect.height as usize;
        self.moved = self.moved.saturating_add(area);
    }

    /// How long to rest after this picture.
    pub(super) fn rest(&mut self, bytes: usize, key: bool, size: Size, now: Instant) -> Duration {
        let still = std::mem::take(&mut self.moved) < size.area() / STILL;
        let burst = if still || key {
            BURST_STILL
        } else {
            BURST_MOVING
        };
        let rate = f64::from(self.rate.max(1));
        let (debt, since) = self.debt;
        let carried = now.saturating_duration_since(since).as_secs_f64() * rate;
        let debt = (debt - carried).max(0.0) + bytes as f64 * 8.0;
        self.debt = (debt, now);
        let over = (debt / rate - burst).clamp(0.0, LONGEST_REST.as_secs_f64());
        Duration::from_secs_f64(over)
    }

    pub(super) fn wants(&self) -> bool {
        self.rate > 0 && (self.key_wanted || self.sharpening.pending())
    }

    pub(super) fn encode(
        &mut self,
        picture: &I420,
        text: bool,
        rtp_time: u32,
        now: Instant,
    ) -> Option<Packed> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::layers;

    #[test]
    fn what_the_rate_does_not_allow_is_rested_for_and_forgotten_when_it_is_through() {
        let now = Instant::now();
        let size = Size::checked(64, 64).unwrap();
        let mut stream = Stream::new(layers::SINGLE[0], size, now);
        assert_eq!(stream.rate, 1_000_000);
        // Half a second's worth is a burst; two seconds' worth is one too many.
        assert_eq!(stream.rest(62_500, false, size, now), Duration::ZERO);
        let rest = stream.rest(187_500, false, size, now);
        assert!(
            rest.abs_diff(Duration::from_secs(1)) < Duration::from_millis(1),
            "{rest:?}"
        );
        let later = now + Duration::from_secs(2);
        assert_eq!(stream.rest(100, false, size, later), Duration::ZERO);
        // However large it was, the screen comes back.
        assert_eq!(stream.rest(50_000_000, false, size, later), LONGEST_REST);
        // While all of it moves less may go ahead: what stops is to become sharp at once.
        let mut stream = Stream::new(layers::SINGLE[0], size, now);
        stream.changed(Rect::all(size));
        let rest = stream.rest(62_500, false, size, now);
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
                stream.due = now + stream.rest(packed.data.len(), packed.key, size, now);
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
