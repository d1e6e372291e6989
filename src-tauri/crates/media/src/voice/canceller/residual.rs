//! What the linear filter leaves of the echo, estimated in three ways and damped per frequency.
//!
//! - By the filter's own uncertainty: right while it learns.
//! - By how what is left goes up and down with what was predicted (the leakage of Valin 2007, "On adjusting the learning rate in
//!   frequency domain echo cancellation with double-talk"): finds bent sound, too, which a linear filter never predicts.
//! - By the coherence of both: finds a way that has just changed, or changes all the time because clocks drift.
//!
//! The damping is a short filter in time, so that it costs 2.5 ms of delay and not a block.

use realfft::num_complex::Complex32;

use super::damper::{Damper, HALF, TAPS};
use super::{BINS, BLOCK, SPAN, Spectrum, Transform};

/// Damping ends here while somebody talks here, too: what is damped more sounds like a gap in the line. −26 dB.
const FLOOR: f32 = 0.05;
/// The same while all that is left seems to be echo: nobody is there whom a gap could hurt. −46 dB.
const FLOOR_ALONE: f32 = 0.005;
/// By so much more than itself the echo is then believed to be: its estimate goes up and down.
const DOUBT: f32 = 3.0;
/// Share of the echo in what is left from which on nobody seems to talk here.
const MOSTLY: f32 = 0.7;
/// Weight of the filter's uncertainty, which knows nothing of what bends: it is too sure of itself.
const CAUTION: f32 = 2.0;
/// Of a window's power against that of the same transform without a window, for this window.
const WINDOWED: f32 = 0.25;
/// Smoothing of the coherence: a mean over some 60 ms.
const SMOOTH: f32 = 0.85;
/// Coherence that such a mean has of things that have nothing to do with each other.
const CHANCE: f32 = 0.12;
/// From this mean coherence on the way has changed.
const CHANGED: f32 = 0.3;
/// Bins that decide whether the way has changed: 200 Hz to 8 kHz.
const TELLING: std::ops::Range<usize> = 4..160;
/// How fast damping sets in. It is given up at once: who begins to talk here is not to be cut.
const IN: f32 = 0.6;
/// Of what fluctuates with the prediction so much is believed to be echo…
const LEAKS: f32 = 0.5;
/// …and of what is coherent with it: two who talk at once are so, too, now and then.
const COHERES: f32 = 0.5;
/// Keeps quotients of silence finite.
const SILENCE: f32 = 1e-9;

/// The damper.
pub(super) struct Residual {
    window: [f32; SPAN],
    taper: [f32; TAPS],
    left: [f32; BLOCK],
    echo: [f32; BLOCK],
    /// Slow means of the powers of both, to see them fluctuate around.
    mean_left: [f32; BINS],
    mean_echo: [f32; BINS],
    covariance: [f32; BINS],
    variance: [f32; BINS],
    cross: Spectrum,
    power_left: [f32; BINS],
    power_echo: [f32; BINS],
    gain: [f32; BINS],
    damper: Damper,
    agility: f32,
    /// How sure it is that nobody talks here, 0 to 1.
    alone: f32,
}

impl Residual {
    pub(super) fn new() -> Self {
        // Long in the past and short now: what is heard now counts, and its spectrum still has a clean edge.
        let rise = SPAN - BLOCK / 2;
        let quarter = std::f32::consts::FRAC_PI_2;
        let window = std::array::from_fn(|n| {
            if n < rise {
                (quarter * n as f32 / rise as f32).sin().powi(2)
            } else {
                (quarter * (n - rise) as f32 / (SPAN - rise) as f32)
                    .cos()
                    .powi(2)
            }
        });
        let taper = std::array::from_fn(|n| {
            let at = (n + 1) as f32 / (TAPS + 1) as f32;
            (std::f32::consts::PI * at).sin().powi(2)
        });
        Self {
            window,
            taper,
            left: [0.0; BLOCK],
            echo: [0.0; BLOCK],
            mean_left: [0.0; BINS],
            mean_echo: [0.0; BINS],
            covariance: [SILENCE; BINS],
            variance: [SILENCE; BINS],
            cross: [Complex32::ZERO; BINS],
            power_left: [SILENCE; BINS],
            power_echo: [SILENCE; BINS],
            gain: [1.0; BINS],
            damper: Damper::new(),
            agility: 0.0,
            alone: 0.0,
        }
    }

    /// How much the way seems to have changed, 0 to 1.
    pub(super) fn agility(&self) -> f32 {
        self.agility
    }

    /// After a silence: what was lately does not count any more.
    pub(super) fn forget_sound(&mut self) {
        self.left.fill(0.0);
        self.echo.fill(0.0);
        self.cross.fill(Complex32::ZERO);
        self.power_left.fill(SILENCE);
        self.power_echo.fill(SILENCE);
        self.gain.fill(1.0);
        self.agility = 0.0;
        self.alone = 0.0;
    }

    /// Nothing is to be damped; only delayed.
    pub(super) fn pass(&mut self, block: &mut [f32; BLOCK]) {
        self.damper.pass(block);
    }

    /// Damps the echo that is in `left`, of which `echo` was taken away already and `uncertain` may be left.
    pub(super) fn damp(
        &mut self,
        transform: &mut Transform,
        left: &[f32; BLOCK],
        echo: &[f32; BLOCK],
        uncertain: &[f32; BINS],
        out: &mut [f32; BLOCK],
    ) {
        let mut spectrum_left = [Complex32::ZERO; BINS];
        let mut spectrum_echo = [Complex32::ZERO; BINS];
        self.spectrum(transform, &self.left, left, &mut spectrum_left);
        self.spectrum(transform, &self.echo, echo, &mut spectrum_echo);
        self.left = *left;
        self.echo = *echo;

        let (mut total_left, mut total_echo) = (0.0, 0.0);
        for n in 0..BINS {
            total_left += spectrum_left[n].norm_sqr();
            total_echo += spectrum_echo[n].norm_sqr();
        }
        // The more of what is heard was predicted, the more there is to be learnt from it.
        let learn = 0.01 * (total_echo / (total_left + SILENCE)).min(1.0);
        let mut leakage = [0.0; BINS];
        let mut coherence = [0.0; BINS];
        for n in 0..BINS {
            let (e, y) = (spectrum_left[n], spectrum_echo[n]);
            let (e2, y2) = (e.norm_sqr(), y.norm_sqr());
            let (up_left, up_echo) = (e2 - self.mean_left[n], y2 - self.mean_echo[n]);
            self.mean_left[n] += 0.1 * up_left;
            self.mean_echo[n] += 0.1 * up_echo;
            self.covariance[n] += learn * (up_left * up_echo - self.covariance[n]);
            self.variance[n] += learn * (up_echo * up_echo - self.variance[n]);
            leakage[n] = (self.covariance[n] / (self.variance[n] + 1e-12)).clamp(0.0, 1.0);
            self.cross[n] = self.cross[n] * SMOOTH + e * y.conj() * (1.0 - SMOOTH);
            self.power_left[n] += (1.0 - SMOOTH) * (e2 - self.power_left[n]);
            self.power_echo[n] += (1.0 - SMOOTH) * (y2 - self.power_echo[n]);
            coherence[n] =
                self.cross[n].norm_sqr() / (self.power_left[n] * self.power_echo[n] + 1e-12);
        }
        let leakage = smoothed::<4>(&leakage);
        let mut coherence = smoothed::<2>(&coherence);
        for each in &mut coherence {
            *each = ((*each - CHANCE) / (1.0 - CHANCE)).clamp(0.0, 1.0);
        }
        self.agility = self.change(&coherence);

        let mut estimates = [0.0; BINS];
        let mut powers = [0.0; BINS];
        for n in 0..BINS {
            powers[n] = spectrum_left[n].norm_sqr();
            let leaked = LEAKS * leakage[n] * spectrum_echo[n].norm_sqr();
            let coherent = COHERES * coherence[n] * powers[n];
            estimates[n] = CAUTION * WINDOWED * uncertain[n] + leaked.max(coherent);
        }
        self.alone = self.alone(&estimates, &powers);
        let (doubt, floor) = (
            1.0 + DOUBT * self.alone,
            FLOOR + (FLOOR_ALONE - FLOOR) * self.alone,
        );
        let mut gains = [Complex32::ZERO; BINS];
        for n in 0..BINS {
            let wanted = (1.0 - doubt * estimates[n] / (powers[n] + SILENCE)).clamp(floor, 1.0);
            self.gain[n] = wanted.max(self.gain[n] + IN * (wanted - self.gain[n]));
            gains[n].re = self.gain[n];
        }
        let mut response = [0.0; SPAN];
        transform.backward(&gains, &mut response);
        // Symmetric around zero; moved so that it begins there.
        let taps = std::array::from_fn(|n| response[(SPAN + n - HALF) % SPAN] * self.taper[n]);
        self.damper.filter(left, &taps, out);
    }

    fn spectrum(
        &self,
        transform: &mut Transform,
        before: &[f32; BLOCK],
        now: &[f32; BLOCK],
        to: &mut Spectrum,
    ) {
        let mut span = [0.0; SPAN];
        let sound = before.iter().chain(now);
        for ((out, sample), window) in span.iter_mut().zip(sound).zip(&self.window) {
            *out = sample * window;
        }
        transform.forward(&mut span, to);
    }

    /// How sure it is that nobody talks here, from how much of what is left may be echo. Believed by and by, and given up at once.
    fn alone(&self, estimates: &[f32; BINS], powers: &[f32; BINS]) -> f32 {
        let (mut echo, mut all) = (0.0, 0.0);
        for n in TELLING {
            echo += estimates[n].min(powers[n]);
            all += powers[n];
        }
        let seems = ((echo / (all + SILENCE) - MOSTLY) / (1.0 - MOSTLY)).clamp(0.0, 1.0);
        self.alone.min(seems) + 0.1 * (seems - self.alone).max(0.0)
    }

    /// Coherence where speech is, weighed by what is left there.
    fn change(&self, coherence: &[f32; BINS]) -> f32 {
        let (mut sum, mut all, mut echo) = (0.0, 0.0, 0.0);
        for n in TELLING {
            sum += coherence[n] * self.power_left[n];
            all += self.power_left[n];
            echo += self.power_echo[n];
        }
        if echo < 1e-3 {
            return 0.0;
        }
        (sum / (all + SILENCE) - CHANGED).max(0.0)
    }
}

/// Means over `HALF_WIDTH` neighbours on either side.
fn smoothed<const HALF_WIDTH: usize>(values: &[f32; BINS]) -> [f32; BINS] {
    let mut out = [0.0; BINS];
    let mut sum: f32 = values[..HALF_WIDTH].iter().sum();
    for n in 0..BINS {
        if let Some(more) = values.get(n + HALF_WIDTH) {
            sum += more;
        }
        if n > HALF_WIDTH {
            sum -= values[n - HALF_WIDTH - 1];
        }
        out[n] = sum / (2 * HALF_WIDTH + 1) as f32;
    }
    out
}
