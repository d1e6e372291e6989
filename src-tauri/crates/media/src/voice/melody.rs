//! The melody of the loudspeaker test: three notes that rise.

use std::f32::consts::TAU;

use crate::block::{BLOCK, RATE};

/// Hertz: a major chord from A.
const NOTES: [f32; 3] = [440.0, 554.37, 659.25];
/// Samples in a note: 0.4 s.
const NOTE: usize = RATE as usize * 2 / 5;
/// Loudness of the loudest moment: clear, and not frightening.
const PEAK: f32 = 0.25;

/// Where the melody is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Melody {
    at: usize,
}

impl Melody {
    /// Writes the next block; false when it is over (then nothing is written).
    pub(super) fn next(&mut self, out: &mut [f32; BLOCK]) -> bool {
        if self.at >= NOTES.len() * NOTE {
            return false;
        }
        for sample in out.iter_mut() {
            let hertz = NOTES.get(self.at / NOTE).copied().unwrap_or(0.0);
            let within = (self.at % NOTE) as f32 / NOTE as f32;
            // Rises and falls within each note, so that nothing clicks.
            let swell = (within * TAU / 2.0).sin();
            *sample = PEAK * swell * (self.at as f32 / RATE as f32 * hertz * TAU).sin();
            self.at += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_as_long_as_its_notes_and_does_not_click() {
        let mut melody = Melody::default();
        let mut block = [0.0; BLOCK];
        let (mut last, mut step, mut blocks) = (0.0f32, 0.0f32, 0);
        while melody.next(&mut block) {
            blocks += 1;
            for sample in block {
                step = step.max((sample - last).abs());
                last = sample;
            }
        }
        assert_eq!(blocks, 120);
        assert!(step < PEAK * 0.1, "{step}");
    }
}
