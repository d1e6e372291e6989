//! One encoding of the shared screen: what of it is worth encoding, when, and how much may leave.

use std::time::{Duration, Instant};

use super::layers::LayerPlan;
use super::sharpen::Sharpening;
use super::{Rect, scroll};
use crate::video::vpx::{Encoder, EncoderConfig, Packed};
use crate::video::{I420, Size, moves};

/// Key frames at most so often: each is as large as a second of everything else.
const KEY_PAUSE: Duration = Duration::from_millis(500);

/// The encoder's clock runs at most this much between two pictures, 90 kHz. A longer pause would be taken for a low
/// frame rate, and the next picture be given all the bits of the pause at once.
const LONGEST_STEP: u32 = 18_000;

/// So long may more be sent than the rate allows: while most of the picture moves (the first picture of a movement is
/// larger than its share), and for a key frame, or to make the picture sharp once it stands still.
const BURST_MOVING: f64 = 0.25;
const BURST_STILL: f64 = 1.0;

/// A page goes by until it has stood still for so long.
const GOES_BY: Duration = Duration::from_millis(200);

/// While one goes by, what is coarse waits when the rate is used up for so long, seconds; and so many bits a block is taken to need.
const SHORT: f64 = 0.15;
const FINER_BITS: f64 = 500.0;

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
    /// The screen as it was at the last picture, and what of it has changed since; none before the first.
    last: Option<I420>,
    area: Rect,
    /// When a page was last seen to be scrolled, and when it is next looked for one while the rate rests.
    scrolled_at: Option<Instant>,
    moves_due: Instant,
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
            last: None,
            area: Rect::default(),
            scrolled_at: None,
            moves_due: now,
        }
    }

    pub(super) fn restart(&mut self, size: Size) {
        self.encoder = None;
        self.sharpening = Sharpening::new(size);
        self.key_wanted = true;
        self.last = None;
        // A new size is shown at once: the old key frame is of no use to anybody.
        self.key_at = None;
    }

    pub(super) fn changed(&mut self, rect: Rect) {
        self.sharpening.changed(rect);
        let area = rect.width as usize * rect.height as usize;
        self.moved = self.moved.saturating_add(area);
        self.area = self.area.with(rect);
    }

    /// A frame that moves what was scrolled since the last picture, to be sent before the next one. The rest is for that one.
    pub(super) fn scroll(&mut self, picture: &I420, now: Instant) -> Option<Packed> {
        self.moves_due = now + Duration::from_secs(1) / self.plan.fps;
        if self.key_wanted || self.moved < picture.size().area() / STILL {
            return None;
        }
        let (last, encoder) = (self.last.as_ref()?, self.encoder.as_mut()?);
        let area = self.area.even_in(picture.size());
        let scrolled = scroll::find(last, picture, area)?;
        let data = moves::frame(&scrolled.moves)?;
        let moved = encoder
            .reference()
            .and_then(|before| encoder.set_reference(&before.shifted(&scrolled.moves)));
        if let Err(error) = moved {
            // Whatever the encoder has now, a key frame does not need it.
            tracing::warn!(%error, "the page is not scrolled");
            self.key_wanted = true;
            return None;
        }
        self.sharpening.moved(&scrolled);
        let known = scrolled.moves.moved.iter().zip(&scrolled.same);
        let known = known.filter(|(moved, same)| **moved || **same).count();
        self.moved = self.moved.min(area.width as usize * area.height as usize);
        self.moved = self.moved.saturating_sub(known * 256);
        self.scrolled_at = Some(now);
        // What is new waits for the next picture, and is known to be coarse until then.
        self.remember(picture);
        Some(Packed {
            data,
            key: false,
            quantizer: 0,
        })
    }

    /// Notes what the screen is like now: the next movement is looked for from here.
    fn remember(&mut self, picture: &I420) {
        let area = std::mem::take(&mut self.area).even_in(picture.size());
        match &mut self.last {
            Some(last) if last.size() == picture.size() => {
                last.copy_rows(picture, area.y, area.height)
            }
            last => *last = Some(picture.clone()),
        }
    }

    /// When something is to be done: encoded, or, while the rate rests, moved. A page that goes on being scrolled would otherwise
    /// be too far away to be found when the rest is over, and all of it be sent anew.
    pub(super) fn next(&self) -> Option<Instant> {
        let may_move = self.last.is_some() && !self.key_wanted;
        let moves = if may_move { self.moves_due } else { self.due };
        self.wants().then(|| self.due.min(moves))
    }

    /// The network has no room until then.
    pub(super) fn busy_until(&mut self, then: Instant) {
        self.due = self.due.max(then);
        self.moves_due = self.moves_due.max(then);
    }

    /// A page goes by: the next picture matters more than what this one looks like.
    pub(super) fn is_scrolling(&self, now: Instant) -> bool {
        self.scrolled_at
            .is_some_and(|at| now.saturating_duration_since(at) < GOES_BY)
    }

    /// For how many seconds the rate is used up.
    fn owed(&self, now: Instant) -> f64 {
        let (debt, since) = self.debt;
        let passed = now.saturating_duration_since(since).as_secs_f64();
        (debt / f64::from(self.rate.max(1)) - passed).max(0.0)
    }

    /// So much was sent.
    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        let rate = f64::from(self.rate.max(1));
        self.debt = (self.owed(now) * rate + bytes as f64 * 8.0, now);
    }

    /// How long to rest after this picture.
    pub(super) fn rest(&mut self, bytes: usize, key: bool, size: Size, now: Instant) -> Duration {
        let still =
            std::mem::take(&mut self.moved) < size.area() / STILL && !self.is_scrolling(now);
        let burst = if still || key {
            BURST_STILL
        } else {
            BURST_MOVING
        };
        let rate = f64::from(self.rate.max(1));
        self.spend(bytes, now);
        let over = (self.debt.0 / rate - burst).clamp(0.0, LONGEST_REST.as_secs_f64());
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
        if let Some(encoder) = &mut self.encoder
            && let Err(error) = encoder.set_bitrate(self.rate)
        {
            tracing::debug!(%error, rate = self.rate, "bit rate");
        }
        if key {
            self.sharpening.all_changed();
        }
        // While a page goes by what comes into sight comes first, and what is coarse becomes finer as the rate allows.
        let coarse = if self.is_scrolling(now) && !key {
            let room = (SHORT - self.owed(now)).max(0.0) * f64::from(self.rate);
            (room / FINER_BITS) as usize
        } else {
            usize::MAX
        };
        if !self.sharpening.admit(coarse) {
            return None;
        }
        let encoder = self.encoder.as_mut()?;
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
                self.remember(picture);
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

    /// A page of text that is scrolled: decoded as it goes by, at a rate at which libvpx alone shows one picture a second.
    #[test]
    fn a_page_that_is_scrolled_goes_by_smoothly() {
        use crate::screen::scroll::tests::page;
        use crate::video::vpx::Decoder;
        let from = Instant::now();
        let size = Size::checked(1280, 720).unwrap();
        let mut stream = Stream::new(layers::SINGLE[0], size, from);
        let mut decoder = Decoder::new().unwrap();
        let (mut sent, mut pictures, mut seen) = (0_u64, 0_u32, None);
        let (still, moving) = (150_u32, 90_u32);
        for n in 0..still + moving + 30 {
            let now = from + Duration::from_millis(33) * n;
            let steps = n.saturating_sub(still).min(moving) as usize;
            let picture = page(size, steps * 10);
            if n == 0 || (n > still && n <= still + moving) {
                stream.changed(Rect::all(size));
            }
            if stream.next().is_none_or(|due| due > now) {
                continue;
            }
            let mut bytes = 0;
            if let Some(moves) = stream.scroll(&picture, now) {
                bytes += moves.data.len();
                stream.spend(bytes, now);
                seen = decoder.decode(&moves.data).unwrap();
            }
            if stream.due <= now
                && let Some(packed) = stream.encode(&picture, true, n * 2970, now)
            {
                bytes += packed.data.len();
                seen = decoder.decode(&packed.data).unwrap();
                stream.due = now + stream.rest(packed.data.len(), packed.key, size, now);
            }
            if bytes > 0 && n > still && n <= still + moving {
                sent += bytes as u64 * 8;
                pictures += 1;
            }
        }
        let seconds = f64::from(moving) * 0.033;
        println!(
            "{pictures} pictures in {seconds:.1} s, {:.0} bit/s",
            sent as f64 / seconds
        );
        assert!(f64::from(pictures) > 12.0 * seconds, "{pictures}");
        // What is seen at last is what is there.
        let (seen, real) = (seen.unwrap(), page(size, moving as usize * 10));
        let (seen, real) = (seen.planes().0, real.planes().0);
        let off = seen
            .iter()
            .zip(real)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum::<u64>();
        let mean = off as f64 / seen.len() as f64;
        println!("each pixel is off by {mean:.2}");
        let other = page(size, 7_000);
        let else_off = other
            .planes()
            .0
            .iter()
            .zip(real)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum::<u64>();
        let otherwise = else_off as f64 / real.len() as f64;
        assert!(
            mean < 12.0 && mean * 4.0 < otherwise,
            "{mean} of {otherwise}"
        );
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
