//! Hearing oneself: a few seconds of the microphone, kept in memory as the others would get them, and played once.

use crate::block::{BLOCK, Block, RATE};

/// Most that is kept, samples: 5 s, 960 kB.
const LONGEST: usize = RATE as usize * 5;

/// The microphone's recording, or where its playing is.
#[derive(Debug)]
pub(super) struct Trial {
    kept: Vec<f32>,
    /// The next sample to be played; `None` while it is recorded.
    at: Option<usize>,
}

impl Trial {
    /// Begins to record.
    pub(super) fn begin() -> Self {
        Self {
            kept: Vec::with_capacity(LONGEST),
            at: None,
        }
    }

    /// Whether it still wants the microphone.
    pub(super) fn records(&self) -> bool {
        self.at.is_none() && self.kept.len() < LONGEST
    }

    /// Keeps the next block, while it records.
    pub(super) fn keep(&mut self, block: &Block) {
        if self.records() {
            self.kept.extend_from_slice(&block.0);
        }
    }

    /// Begins to play.
    pub(super) fn play(&mut self) {
        self.at = Some(0);
    }

    /// Writes the next block, if it plays and is not over.
    pub(super) fn next(&mut self, out: &mut [f32; BLOCK]) -> bool {
        let Some(at) = &mut self.at else {
            return false;
        };
        // Whole blocks were kept.
        let Some(block) = self.kept.get(*at..*at + BLOCK) else {
            return false;
        };
        out.copy_from_slice(block);
        *at += BLOCK;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_seconds_are_kept_and_played_once() {
        let mut trial = Trial::begin();
        let mut out = [0.0; BLOCK];
        assert!(!trial.next(&mut out));
        for n in 0..700u16 {
            trial.keep(&Block([f32::from(n) / 1000.0; BLOCK]));
        }
        assert!(!trial.records());
        trial.play();
        let mut blocks = 0u16;
        while trial.next(&mut out) {
            assert_eq!(out[0], f32::from(blocks) / 1000.0);
            blocks += 1;
        }
        assert_eq!(blocks, 500);
        trial.keep(&Block::SILENCE);
        assert!(!trial.next(&mut out));
    }
}
