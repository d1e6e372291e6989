//! The way from our output to the microphone, learnt by a partitioned-block Kalman filter in the frequency domain
//! (Enzner and Vary 2006, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones";
//! partitions: Kuech, Mabande and Enzner 2014, "State-space architecture of the partitioned-block-based acoustic echo
//! controller").
//!
//! For every partition and frequency there is what is believed of the way, and how uncertain that is. What the microphone hears
//! beyond the prediction is weighed by both: while somebody here talks there is much beyond, and little is learnt from it.

use realfft::num_complex::Complex32;

use super::{BINS, BLOCK, PARTITIONS, SPAN, Spectrum, Transform};

/// Uncertainty of the first partition at the beginning, as power of the way: loud, but not louder than what is played.
const UNKNOWN: f32 = 0.3;
/// Of each further one against the one before: rooms decay.
const DECAY: f32 = 0.9;
/// So much of what is believed of the way stays true from block to block: rooms change by and by.
const STEADY: f32 = 0.9995;
/// Less than this is not believed of any uncertainty, so that learning never ends.
const LEAST: f32 = 1e-10;
/// Keeps quotients of silence finite: −110 dB of full scale.
const SILENCE: f32 = 1e-6;
/// Partitions whose filter is cut back to its own block with every block: the cut costs two transforms.
const CUTS: usize = 4;
/// After so many blocks in which more was left than had come the way is forgotten.
const PATIENCE: u32 = 5;

/// The filter.
pub(super) struct Kalman {
    /// Spectra of what was played, in a ring; the newest at `head`.
    far: Vec<Spectrum>,
    head: usize,
    /// What is believed of the way.
    way: Vec<Spectrum>,
    uncertainty: Vec<[f32; BINS]>,
    /// The next partition to be cut.
    next_cut: usize,
    heard: f32,
    left: f32,
    worse: u32,
    /// Power of the echo that may be left, by the uncertainty.
    uncertain: [f32; BINS],
}

impl Kalman {
    pub(super) fn new() -> Self {
        let mut filter = Self {
            far: vec![[Complex32::ZERO; BINS]; PARTITIONS],
            head: 0,
            way: vec![[Complex32::ZERO; BINS]; PARTITIONS],
            uncertainty: vec![[0.0; BINS]; PARTITIONS],
            next_cut: 0,
            heard: 0.0,
            left: 0.0,
            worse: 0,
            uncertain: [0.0; BINS],
        };
        filter.forget_way();
        filter
    }

    /// Where the next spectrum of what was played goes.
    pub(super) fn newest(&mut self) -> &mut Spectrum {
        self.head = (self.head + PARTITIONS - 1) % PARTITIONS;
        &mut self.far[self.head]
    }

    /// After a silence: nothing was played lately. What is known of the way stays.
    pub(super) fn forget_sound(&mut self) {
        self.far.fill([Complex32::ZERO; BINS]);
        self.heard = 0.0;
        self.left = 0.0;
        self.worse = 0;
    }

    fn forget_way(&mut self) {
        let mut power = UNKNOWN;
        for (way, uncertainty) in self.way.iter_mut().zip(&mut self.uncertainty) {
            way.fill(Complex32::ZERO);
            uncertainty.fill(power);
            power *= DECAY;
        }
    }

    /// What the microphone should hear of what was played.
    pub(super) fn predict(&self, transform: &mut Transform, echo: &mut [f32; BLOCK]) {
        let mut sum = [Complex32::ZERO; BINS];
        for (n, way) in self.way.iter().enumerate() {
            let far = &self.far[(self.head + n) % PARTITIONS];
            for ((sum, far), way) in sum.iter_mut().zip(far).zip(way) {
                sum.re += far.re * way.re - far.im * way.im;
                sum.im += far.re * way.im + far.im * way.re;
            }
        }
        let mut sound = [0.0; SPAN];
        transform.backward(&sum, &mut sound);
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
    ) -> &[f32; BINS] {
        let mut sound = [0.0; SPAN];
        sound[BLOCK..].copy_from_slice(left);
        let mut error = [Complex32::ZERO; BINS];
        transform.forward(&mut sound, &mut error);

        self.uncertain.fill(0.0);
        for (n, uncertainty) in self.uncertainty.iter().enumerate() {
            let far = &self.far[(self.head + n) % PARTITIONS];
            for ((sum, far), uncertainty) in self.uncertain.iter_mut().zip(far).zip(uncertainty) {
                *sum += uncertainty * far.norm_sqr();
            }
        }
        // What was left, in relation to all that it may come from.
        let mut weighed = [Complex32::ZERO; BINS];
        let mut share = [0.0; BINS];
        for n in 0..BINS {
            share[n] = 1.0 / (0.5 * self.uncertain[n] + error[n].norm_sqr() + SILENCE);
            weighed[n] = error[n] * share[n];
        }
        let steady = STEADY - 0.2 * agility;
        let (keep, change) = (steady * steady, 1.0 - steady * steady);
        for n in 0..PARTITIONS {
            let far = &self.far[(self.head + n) % PARTITIONS];
            let way = &mut self.way[n];
            let uncertainty = &mut self.uncertainty[n];
            for k in 0..BINS {
                let (far, u) = (far[k], uncertainty[k]);
                way[k].re += u * (far.re * weighed[k].re + far.im * weighed[k].im);
                way[k].im += u * (far.re * weighed[k].im - far.im * weighed[k].re);
                let learnt = 1.0 - 0.5 * u * share[k] * far.norm_sqr();
                uncertainty[k] = (keep * learnt * u + change * way[k].norm_sqr()).max(LEAST);
            }
        }
        for _ in 0..CUTS {
            let way = &mut self.way[self.next_cut];
            transform.backward(way, &mut sound);
            sound[BLOCK..].fill(0.0);
            transform.forward(&mut sound, way);
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
