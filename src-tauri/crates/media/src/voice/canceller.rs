//! The echo of what we play, taken out of what the microphone hears.
//!
//! Two steps. A linear filter learns the way from our output to the microphone (device, loudspeaker, room) and takes away what
//! it predicts: a Kalman filter in the frequency domain, whose step is the smaller the more somebody here talks, so that both
//! talking at once does not unlearn it (`kalman`). What remains, because the way has just changed, bends or is longer than
//! the filter, is estimated and damped per frequency (`residual`).
//!
//! The way is looked for within 280 ms after the sound was made; a longer one is not found. Adds 2.5 ms of delay.

mod damper;
mod kalman;
mod residual;

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::block::{BLOCK, Block};
use kalman::Kalman;
use residual::Residual;

/// Samples of a transform: a block and the one before.
const SPAN: usize = 2 * BLOCK;
/// Frequencies of a transform, 50 Hz apart.
const BINS: usize = BLOCK + 1;
/// Blocks of 10 ms of the past that the filter looks at: what devices buffer and what a room takes to be quiet.
const PARTITIONS: usize = 28;
/// Played blocks that may wait for their captured ones.
const QUEUE: usize = 8;
/// Power of one sample below which nothing is being played: −80 dB of full scale.
const AUDIBLE: f32 = 1e-8;

/// A spectrum of real sound.
type Spectrum = [Complex32; BINS];

/// Takes the echo out.
pub struct EchoCanceller {
    transform: Transform,
    /// Played, and not yet compared with what was captured.
    queue: Queue,
    /// The played block before.
    before: [f32; BLOCK],
    kalman: Kalman,
    residual: Residual,
    /// Blocks since something was played; what was, echoes for [`PARTITIONS`].
    quiet: usize,
    /// Whether the last block passed untouched.
    idle: bool,
}

impl EchoCanceller {
    /// One that knows nothing of the room.
    #[must_use]
    pub fn new() -> Self {
        Self {
            transform: Transform::new(),
            queue: Queue::default(),
            before: [0.0; BLOCK],
            kalman: Kalman::new(),
            residual: Residual::new(),
            quiet: PARTITIONS,
            idle: true,
        }
    }

    /// Looks at a block that is about to be played.
    pub fn played(&mut self, block: &Block) {
        self.queue.push(&block.0);
    }

    /// Cleans a captured block.
    pub fn captured(&mut self, block: &mut Block) {
        let far = self.queue.pop();
        let power = far.iter().map(|s| s * s).sum::<f32>() / BLOCK as f32;
        self.quiet = if power > AUDIBLE {
            0
        } else {
            (self.quiet + 1).min(PARTITIONS)
        };
        if self.quiet == PARTITIONS {
            // Nothing can come back. The delay stays, so that the voice has no seam.
            if !self.idle {
                self.kalman.forget_sound();
                self.residual.forget_sound();
                self.idle = true;
            }
            self.before = far;
            self.residual.pass(&mut block.0);
            return;
        }
        self.idle = false;
        let mut span = [0.0; SPAN];
        span[..BLOCK].copy_from_slice(&self.before);
        span[BLOCK..].copy_from_slice(&far);
        self.before = far;
        let mut spectrum = [Complex32::ZERO; BINS];
        self.transform.forward(&mut span, &mut spectrum);
        self.kalman.played(&spectrum);
        let mut echo = [0.0; BLOCK];
        self.kalman.predict(&mut self.transform, &mut echo);
        let mut left = [0.0; BLOCK];
        for ((left, heard), echo) in left.iter_mut().zip(&block.0).zip(&echo) {
            *left = heard - echo;
        }
        let uncertain = self.kalman.learn(
            &mut self.transform,
            &block.0,
            &left,
            self.residual.agility(),
        );
        self.residual
            .damp(&mut self.transform, &left, &echo, uncertain, &mut block.0);
    }
}

impl Default for EchoCanceller {
    fn default() -> Self {
        Self::new()
    }
}

/// Played blocks on their way to be compared. Both ends are called a hundred times a second, but not always in turns. Which
/// played block belongs to which captured one must stay the same, or the filter has to learn anew: one that comes too late is
/// thrown away, and only what is wrong for long is put right.
#[derive(Debug)]
struct Queue {
    blocks: [[f32; BLOCK]; QUEUE],
    from: usize,
    length: usize,
    /// Blocks that were wanted before they came.
    owed: usize,
    /// Fewest that were left waiting, and how often none was there, lately.
    least: usize,
    late: u32,
    /// Blocks wanted since both were counted anew.
    since: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            blocks: [[0.0; BLOCK]; QUEUE],
            from: 0,
            length: 0,
            owed: 0,
            least: QUEUE,
            late: 0,
            since: 0,
        }
    }
}

impl Queue {
    /// After so many blocks, 1 s, those that waited all the time are too many.
    const PATIENCE: u32 = 100;
    /// So many may wait: an echo takes longer than this, and it evens out who is called first.
    const SPARE: usize = 1;
    /// So many may be late in a second: beyond that they belong to later captures.
    const LATE: u32 = 10;

    fn push(&mut self, block: &[f32; BLOCK]) {
        if self.owed > 0 {
            self.owed -= 1;
            return;
        }
        if self.length == QUEUE {
            // Nobody captured for long: what comes next belongs to the newest.
            self.length = 0;
        }
        self.blocks[(self.from + self.length) % QUEUE] = *block;
        self.length += 1;
    }

    /// Silence, if nothing was played in time.
    fn pop(&mut self) -> [f32; BLOCK] {
        self.since += 1;
        if self.since >= Self::PATIENCE {
            self.skip(self.least.min(self.length).saturating_sub(Self::SPARE));
            self.least = QUEUE;
            self.late = 0;
            self.since = 0;
        }
        if self.length == 0 {
            self.least = 0;
            self.late += 1;
            if self.late <= Self::LATE {
                self.owed += 1;
            }
            return [0.0; BLOCK];
        }
        let block = self.blocks[self.from];
        self.skip(1);
        self.least = self.least.min(self.length);
        block
    }

    fn skip(&mut self, blocks: usize) {
        self.from = (self.from + blocks) % QUEUE;
        self.length -= blocks;
    }
}

/// Real sound to its spectrum and back, without allocating.
struct Transform {
    to: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<Complex32>,
    spectrum: Spectrum,
}

impl Transform {
    fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let to = planner.plan_fft_forward(SPAN);
        let back = planner.plan_fft_inverse(SPAN);
        let length = to.get_scratch_len().max(back.get_scratch_len());
        Self {
            to,
            back,
            scratch: vec![Complex32::ZERO; length],
            spectrum: [Complex32::ZERO; BINS],
        }
    }

    /// Spoils `sound`.
    fn forward(&mut self, sound: &mut [f32; SPAN], spectrum: &mut Spectrum) {
        // It can only refuse lengths, and ours are fixed.
        let done = self
            .to
            .process_with_scratch(sound, spectrum, &mut self.scratch);
        debug_assert!(done.is_ok());
    }

    fn backward(&mut self, spectrum: &Spectrum, sound: &mut [f32; SPAN]) {
        self.spectrum = *spectrum;
        // Of real sound these are real.
        self.spectrum[0].im = 0.0;
        self.spectrum[BINS - 1].im = 0.0;
        let done = self
            .back
            .process_with_scratch(&mut self.spectrum, sound, &mut self.scratch);
        debug_assert!(done.is_ok());
        for sample in sound {
            *sample /= SPAN as f32;
        }
    }
}

#[cfg(test)]
mod tests;
