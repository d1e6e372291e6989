//! The way from our output to the microphone, learnt by a partitioned-block Kalman filter in the frequency domain
//! (Enzner and Vary 2006, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones";
//! partitions: Kuech, Mabande and Enzner 2014, "State-space architecture of the partitioned-block-based acoustic echo
//! controller").
//!
//! For every partition and frequency there is what is believed of the way, and how uncertain that is. What the microphone hears
//! beyond the prediction is weighed by both: while somebody here talks there is much beyond, and little is learnt from it.

use multiversion::multiversion;
use realfft::num_complex::Complex32;

use super::{BINS, BLOCK, PARTITIONS, SPAN, Spectrum, Transform};

/// Uncertainty of the first partition at the beginning, as power of the way: loud, but not louder than what is played.
const UNKNOWN: f32 = 0.3;
/// Of each further one against the one before: rooms decay.
const DECAY: f32 = 0.97;
/// So much of what is believed of the way stays true from block to block: rooms change by and by.
const STEADY: f32 = 0.9998;
/// A way may become so much louder again, of what it could be at the beginning: where there was no echo for long (a headset), one that
/// begins is learnt within seconds.
const MAY_BEGIN: f32 = 0.003;
/// Less than this is not believed of any uncertainty, so that learning never ends.
const LEAST: f32 = 1e-10;
/// Smoothing of what is heard beyond the prediction: words here do not end as suddenly as single transforms of them say.
const LASTS: f32 = 0.7;
/// Keeps quotients of silence finite: −110 dB of full scale.
const SILENCE: f32 = 1e-6;
/// Partitions whose filter is cut back to its own block with every block: the cut costs two transforms.
const CUTS: usize = 4;
/// After so many blocks in which more was left than had come the way is forgotten.
const PATIENCE: u32 = 5;

/// A number for each frequency.
type Line = [f32; BINS];

/// A spectrum with its parts in lines of their own, so that a processor computes several frequencies at once.
#[derive(Clone)]
struct Parts {
    re: Line,
    im: Line,
}

impl Parts {
    const ZERO: Self = Self {
        re: [0.0; BINS],
        im: [0.0; BINS],
    };

    fn set(&mut self, spectrum: &Spectrum) {
        for (n, value) in spectrum.iter().enumerate() {
            (self.re[n], self.im[n]) = (value.re, value.im);
        }
    }

    fn spectrum(&self) -> Spectrum {
        std::array::from_fn(|n| Complex32::new(self.re[n], self.im[n]))
    }
}

/// One block of what was played.
#[derive(Clone)]
struct Played {
    parts: Parts,
    power: Line,
}

impl Played {
    const SILENCE: Self = Self {
        parts: Parts::ZERO,
        power: [0.0; BINS],
    };
}

/// What one block teaches.
struct Lesson {
    /// What was left, in relation to all that it may come from, and that relation.
    weighed: Parts,
    share: Line,
    /// So much of the uncertainty stays, and so much of the way's power is added to it.
    keep: f32,
    change: f32,
}

// Most of what the canceller costs; where there is AVX, on eight frequencies at once.

#[multiversion(targets("x86_64+avx+avx2"))]
fn add_product(sum: &mut Parts, a: &Parts, b: &Parts) {
    for k in 0..BINS {
        sum.re[k] += a.re[k] * b.re[k] - a.im[k] * b.im[k];
        sum.im[k] += a.re[k] * b.im[k] + a.im[k] * b.re[k];
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn add_real_product(sum: &mut Line, a: &Line, b: &Line) {
    for k in 0..BINS {
        sum[k] += a[k] * b[k];
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn learn(
    lesson: &Lesson,
    played: &Played,
    may_begin: f32,
    way: &mut Parts,
    uncertainty: &mut Line,
) {
    let Played { parts: far, power } = played;
    let Lesson { weighed, share, .. } = lesson;
    for k in 0..BINS {
        let u = uncertainty[k];
        let re = way.re[k] + u * (far.re[k] * weighed.re[k] + far.im[k] * weighed.im[k]);
        let im = way.im[k] + u * (far.re[k] * weighed.im[k] - far.im[k] * weighed.re[k]);
        let learnt = 1.0 - 0.5 * u * share[k] * power[k];
        way.re[k] = re;
        way.im[k] = im;
        let power = re * re + im * im + may_begin;
        uncertainty[k] = (lesson.keep * learnt * u + lesson.change * power).max(LEAST);
    }
}

/// The filter.
pub(super) struct Kalman {
    /// What was played, in a ring; the newest at `head`.
    far: Vec<Played>,
    head: usize,
    /// What is believed of the way.
    way: Vec<Parts>,
    uncertainty: Vec<Line>,
    /// The next partition to be cut.
    next_cut: usize,
    heard: f32,
    left: f32,
    worse: u32,
    /// Power of the echo that may be left, by the uncertainty.
    uncertain: Line,
    /// Mean power of what was heard beyond the prediction.
    beyond: Line,
}

impl Kalman {
    pub(super) fn new() -> Self {
        let mut filter = Self {
            far: vec![Played::SILENCE; PARTITIONS],
            head: 0,
            way: vec![Parts::ZERO; PARTITIONS],
            uncertainty: vec![[0.0; BINS]; PARTITIONS],
            next_cut: 0,
            heard: 0.0,
            left: 0.0,
            worse: 0,
            uncertain: [0.0; BINS],
            beyond: [0.0; BINS],
        };
        filter.forget_way();
        filter
    }

    /// Takes what is being played, with the block before it.
    pub(super) fn played(&mut self, spectrum: &Spectrum) {
        self.head = (self.head + PARTITIONS - 1) % PARTITIONS;
        let newest = &mut self.far[self.head];
        newest.parts.set(spectrum);
        for (power, value) in newest.power.iter_mut().zip(spectrum) {
            *power = value.norm_sqr();
        }
    }

    /// After a silence: nothing was played lately. What is known of the way stays.
    pub(super) fn forget_sound(&mut self) {
        self.far.fill(Played::SILENCE);
        self.beyond.fill(0.0);
        self.heard = 0.0;
        self.left = 0.0;
        self.worse = 0;
    }

    fn forget_way(&mut self) {
        let mut power = UNKNOWN;
        for (way, uncertainty) in self.way.iter_mut().zip(&mut self.uncertainty) {
            *way = Parts::ZERO;
            uncertainty.fill(power);
            power *= DECAY;
        }
    }

    /// What the microphone should hear of what was played.
    pub(super) fn predict(&self, transform: &mut Transform, echo: &mut [f32; BLOCK]) {
        let mut sum = Parts::ZERO;
        for (n, way) in self.way.iter().enumerate() {
            add_product(&mut sum, &self.far[(self.head + n) % PARTITIONS].parts, way);
        }
        let mut sound = [0.0; SPAN];
        transform.backward(&sum.spectrum(), &mut sound);
        // The first half is wrapped around (overlap-save).
        echo.copy_from_slice(&sound[BLOCK..]);
    }

    /// Learns from what was `left` of what was `heard`; with `agility` (0 to 1) the way is held for less steady. Gives the
    /// power of echo that may be left, for a transform of two blocks.
    pub(super) fn learn(
        &mut self,
        transform: &mut Transform,
        heard: &[f32; BLOCK],
        left: &[f32; BLOCK],
        agility: f32,
    ) -> &Line {
        let mut sound = [0.0; SPAN];
        sound[BLOCK..].copy_from_slice(left);
        let mut error = [Complex32::ZERO; BINS];
        transform.forward(&mut sound, &mut error);

        self.uncertain.fill(0.0);
        for (n, uncertainty) in self.uncertainty.iter().enumerate() {
            let power = &self.far[(self.head + n) % PARTITIONS].power;
            add_real_product(&mut self.uncertain, uncertainty, power);
        }
        let steady = STEADY - 0.2 * agility;
        let mut lesson = Lesson {
            weighed: Parts::ZERO,
            share: [0.0; BINS],
            keep: steady * steady,
            change: 1.0 - steady * steady,
        };
        for (k, error) in error.iter().enumerate() {
            let now = error.norm_sqr();
            self.beyond[k] = now + LASTS * (self.beyond[k] - now);
            let beyond = now.max(self.beyond[k]);
            let share = 1.0 / (0.5 * self.uncertain[k] + beyond + SILENCE);
            lesson.share[k] = share;
            lesson.weighed.re[k] = error.re * share;
            lesson.weighed.im[k] = error.im * share;
        }
        let mut may_begin = MAY_BEGIN * UNKNOWN;
        for n in 0..PARTITIONS {
            let played = &self.far[(self.head + n) % PARTITIONS];
            let (way, uncertainty) = (&mut self.way[n], &mut self.uncertainty[n]);
            learn(&lesson, played, may_begin, way, uncertainty);
            may_begin *= DECAY;
        }
        for _ in 0..CUTS {
            let way = &mut self.way[self.next_cut];
            transform.backward(&way.spectrum(), &mut sound);
            sound[BLOCK..].fill(0.0);
            let mut cut = [Complex32::ZERO; BINS];
            transform.forward(&mut sound, &mut cut);
            way.set(&cut);
            self.next_cut = (self.next_cut + 1) % PARTITIONS;
        }
        self.watch(heard, left);
        &self.uncertain
    }

    /// A filter that adds more than it takes away has lost its way, and finds it faster from nothing.
    fn watch(&mut self, heard: &[f32; BLOCK], left: &[f32; BLOCK]) {
        let power = |sound: &[f32; BLOCK]| sound.iter().map(|s| s * s).sum::<f32>();
        self.heard += 0.1 * (power(heard) - self.heard);
        self.left += 0.1 * (power(left) - self.left);
        let worse = self.left > 2.0 * self.heard && self.heard > SILENCE;
        // Whatever is not finite (it should not happen) must not stay.
        let broken = !self.left.is_finite();
        self.worse = if worse { self.worse + 1 } else { 0 };
        if self.worse > PATIENCE || broken {
            self.forget_way();
            self.worse = 0;
            self.left = 0.0;
            self.heard = 0.0;
        }
    }
}
