//! Decoded samples that wait to be played.

use crate::voice::opus;

/// Decoded samples that may wait: two packets of the longest kind and what a stretch adds.
const ROOM: usize = 3 * opus::LONGEST;

/// Decoded samples in a fixed buffer.
#[derive(Debug)]
pub(super) struct Fifo {
    samples: Vec<f32>,
    from: usize,
    to: usize,
}

impl Fifo {
    pub(super) fn new() -> Self {
        Self {
            samples: vec![0.0; ROOM],
            from: 0,
            to: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.to - self.from
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    pub(super) fn clear(&mut self) {
        self.from = 0;
        self.to = 0;
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.samples[self.from..self.to]
    }

    /// Appends; what does not fit is dropped (it cannot happen: see [`ROOM`]).
    pub(super) fn push(&mut self, samples: &[f32]) {
        if self.to + samples.len() > ROOM {
            self.samples.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let n = samples.len().min(ROOM - self.to);
        self.samples[self.to..self.to + n].copy_from_slice(&samples[..n]);
        self.to += n;
    }

    pub(super) fn pop(&mut self, out: &mut [f32]) -> usize {
        let n = out.len().min(self.len());
        out[..n].copy_from_slice(&self.samples[self.from..self.from + n]);
        self.skip(n);
        n
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.from += n.min(self.len());
        if self.is_empty() {
            self.clear();
        }
    }

    /// Puts `front` in the place of the first `n` samples.
    pub(super) fn replace_front(&mut self, n: usize, front: &[f32]) {
        self.from += n.min(self.len());
        let rest = self.len();
        if front.len() + rest > ROOM {
            return;
        }
        self.samples.copy_within(self.from..self.to, front.len());
        self.samples[..front.len()].copy_from_slice(front);
        self.from = 0;
        self.to = front.len() + rest;
    }
}
