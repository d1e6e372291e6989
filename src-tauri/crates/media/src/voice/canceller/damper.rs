//! A short filter in time that is another one with every block: what damps.
//!
//! By transforms (overlap-save: Oppenheim and Schafer, "Discrete-Time Signal Processing", 8.7.3), which cost a fraction of
//! adding up 241 products for each sample of both filters.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::BLOCK;

/// Half the length of a filter, samples: its delay.
pub(super) const HALF: usize = 120;
/// Taps of a filter.
pub(super) const TAPS: usize = 2 * HALF + 1;
/// Samples of a transform: a block, and what a filter sees before it.
const SPAN: usize = 2 * HALF + BLOCK;
/// Frequencies of a transform.
const BINS: usize = SPAN / 2 + 1;

type Spectrum = [Complex32; BINS];

/// The sound and the filter of before.
pub(super) struct Damper {
    to: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<Complex32>,
    history: [f32; 2 * HALF],
    /// `None` let everything pass.
    filter: Option<Spectrum>,
}

impl Damper {
    /// One that has let silence pass.
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let to = planner.plan_fft_forward(SPAN);
        let back = planner.plan_fft_inverse(SPAN);
        let length = to.get_scratch_len().max(back.get_scratch_len());
        Self {
            to,
            back,
            scratch: vec![Complex32::ZERO; length],
            history: [0.0; 2 * HALF],
            filter: None,
        }
    }

    /// Only delays, once the filter before has faded.
    pub(super) fn pass(&mut self, block: &mut [f32; BLOCK]) {
        let input = *block;
        self.apply(&input, None, block);
    }

    /// Filters a block, going over from the filter before to this one within it.
    pub(super) fn filter(
        &mut self,
        input: &[f32; BLOCK],
        taps: &[f32; TAPS],
        out: &mut [f32; BLOCK],
    ) {
        let mut sound = [0.0; SPAN];
        for (sound, tap) in sound.iter_mut().zip(taps) {
            *sound = tap / SPAN as f32;
        }
        let mut filter = self.spectrum(&mut sound);
        for value in &mut filter {
            *value = value.conj();
        }
        self.apply(input, Some(filter), out);
    }

    fn apply(&mut self, input: &[f32; BLOCK], filter: Option<Spectrum>, out: &mut [f32; BLOCK]) {
        let mut sound = [0.0; SPAN];
        sound[..2 * HALF].copy_from_slice(&self.history);
        sound[2 * HALF..].copy_from_slice(input);
        self.history.copy_from_slice(&sound[BLOCK..]);
        out.copy_from_slice(&sound[HALF..HALF + BLOCK]);
        let before = self.filter.take();
        if before.is_some() || filter.is_some() {
            let mut spectrum_of = sound;
            let spectrum = self.spectrum(&mut spectrum_of);
            let old = self.product(before.as_ref(), &spectrum, out);
            let new = self.product(filter.as_ref(), &spectrum, out);
            for (n, out) in out.iter_mut().enumerate() {
                let share = (n as f32 + 0.5) / BLOCK as f32;
                *out = old[n] + share * (new[n] - old[n]);
            }
        }
        self.filter = filter;
    }

    /// What a filter makes of sound; `open` is what it is where everything passes.
    fn product(
        &mut self,
        filter: Option<&Spectrum>,
        spectrum: &Spectrum,
        open: &[f32; BLOCK],
    ) -> [f32; BLOCK] {
        let Some(filter) = filter else {
            return *open;
        };
        let mut product = [Complex32::ZERO; BINS];
        for ((product, sound), filter) in product.iter_mut().zip(spectrum).zip(filter) {
            *product = sound * filter;
        }
        let mut sound = [0.0; SPAN];
        // It can only refuse lengths, and ours are fixed.
        let done = self
            .back
            .process_with_scratch(&mut product, &mut sound, &mut self.scratch);
        debug_assert!(done.is_ok());
        // The end is wrapped around.
        std::array::from_fn(|n| sound[n])
    }

    /// Spoils `sound`.
    fn spectrum(&mut self, sound: &mut [f32; SPAN]) -> Spectrum {
        let mut spectrum = [Complex32::ZERO; BINS];
        let done = self
            .to
            .process_with_scratch(sound, &mut spectrum, &mut self.scratch);
        debug_assert!(done.is_ok());
        spectrum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, by adding up products.
    fn plainly(sound: &[f32], taps: &[f32; TAPS]) -> f32 {
        sound.iter().zip(taps).map(|(s, t)| s * t).sum()
    }

    #[test]
    fn a_block_goes_over_from_one_filter_to_the_next() {
        let mut seed = 3_u32;
        let mut chance = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed as f32 / u32::MAX as f32 - 0.5
        };
        let sound: Vec<f32> = (0..2 * HALF + 4 * BLOCK)
            .map(|n| if n < 2 * HALF { 0.0 } else { chance() })
            .collect();
        let mut flat = [0.0; TAPS];
        flat[HALF] = 1.0;
        let one: [f32; TAPS] = std::array::from_fn(|_| chance() * 0.1);
        let two: [f32; TAPS] = std::array::from_fn(|_| chance() * 0.1);
        let filters = [flat, one, two, flat];
        let mut damper = Damper::new();
        for (block, filter) in filters.iter().enumerate() {
            let from = block * BLOCK;
            let before = filters[block.saturating_sub(1)];
            let mut out = [0.0; BLOCK];
            out.copy_from_slice(&sound[2 * HALF + from..][..BLOCK]);
            if *filter == flat {
                damper.pass(&mut out);
            } else {
                let input = out;
                damper.filter(&input, filter, &mut out);
            }
            for (n, out) in out.iter().enumerate() {
                let seen = &sound[from + n..][..TAPS];
                let share = (n as f32 + 0.5) / BLOCK as f32;
                let (old, new) = (plainly(seen, &before), plainly(seen, filter));
                let expected = old + share * (new - old);
                assert!(
                    (out - expected).abs() < 1e-5,
                    "{block} {n}: {out} {expected}"
                );
            }
        }
    }
}
