//! The mute gate: the one place where the microphone's sound is let through or ends.
//!
//! The encoder accepts nothing but [`Admitted`], and nobody but [`Gate::admit`] can make one. While the gate is
//! closed there is no frame: not a silent one, none. (The frame maker ends a talk spurt with one frame of silence of
//! its own making, so that receivers do not repeat the last sound.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::level::Dbov;
use crate::block::{BLOCK, Block};

/// The person's side of the gate. Lock-free; any thread.
#[derive(Clone, Debug, Default)]
pub struct GateSwitch(Arc<AtomicBool>);

impl GateSwitch {
    /// Opens or closes; effective with the next block.
    pub fn set(&self, open: bool) {
        self.0.store(open, Ordering::Release);
    }

    /// What was asked for last.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A block that may be heard by others.
#[derive(Debug)]
pub struct Admitted<'a> {
    block: &'a Block,
    first: bool,
}

impl Admitted<'_> {
    /// The sound.
    #[must_use]
    pub fn block(&self) -> &Block {
        self.block
    }

    /// The first one after the gate was closed: a talk spurt begins.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.first
    }
}

/// The engine's side of the gate.
#[derive(Debug)]
pub struct Gate {
    switch: GateSwitch,
    was_open: bool,
}

impl Gate {
    /// 5 ms: short enough not to eat a consonant, long enough not to click.
    const FADE_IN: usize = BLOCK / 2;

    /// A gate that obeys this switch.
    #[must_use]
    pub fn new(switch: GateSwitch) -> Self {
        Self {
            switch,
            was_open: false,
        }
    }

    /// Whether the person wants to be heard.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.switch.is_open()
    }

    /// Lets a block through if the gate is open and the block is `wanted` (voice activation). The first one is faded
    /// in.
    pub fn admit<'a>(&mut self, block: &'a mut Block, wanted: bool) -> Option<Admitted<'a>> {
        let open = self.switch.is_open() && wanted;
        let first = open && !self.was_open;
        self.was_open = open;
        if !open {
            return None;
        }
        if first {
            for (n, sample) in block.0[..Self::FADE_IN].iter_mut().enumerate() {
                *sample *= n as f32 / Self::FADE_IN as f32;
            }
        }
        Some(Admitted { block, first })
    }
}

/// Voice activation: opens at a loudness, and stays open over the gaps of speech.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activation {
    threshold: Option<Dbov>,
    /// Blocks for which it stays open yet.
    left: u32,
}

impl Activation {
    /// 400 ms: the pauses within a sentence are shorter.
    const HOLD: u32 = 40;

    /// Opens at this loudness; `None` is always open.
    pub fn set(&mut self, threshold: Option<Dbov>) {
        self.threshold = threshold;
    }

    /// Whether a block of this loudness is let through.
    pub fn wants(&mut self, level: Dbov) -> bool {
        let Some(threshold) = self.threshold else {
            return true;
        };
        if level >= threshold {
            self.left = Self::HOLD;
            true
        } else {
            let open = self.left > 0;
            self.left = self.left.saturating_sub(1);
            open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_gate_yields_nothing_and_an_opened_one_fades_in_once() {
        let switch = GateSwitch::default();
        let mut gate = Gate::new(switch.clone());
        assert!(gate.admit(&mut Block([1.0; BLOCK]), true).is_none());
        switch.set(true);
        let mut block = Block([1.0; BLOCK]);
        let admitted = gate.admit(&mut block, true).unwrap();
        assert!(admitted.is_first());
        assert_eq!(admitted.block().0[0], 0.0);
        assert_eq!(admitted.block().0[BLOCK - 1], 1.0);
        let mut block = Block([1.0; BLOCK]);
        let admitted = gate.admit(&mut block, true).unwrap();
        assert!(!admitted.is_first());
        assert_eq!(admitted.block().0[0], 1.0);
        switch.set(false);
        assert!(gate.admit(&mut Block([1.0; BLOCK]), true).is_none());
    }

    #[test]
    fn voice_activation_opens_at_once_and_closes_after_a_while() {
        let mut activation = Activation::default();
        assert!(
            activation.wants(Dbov::SILENCE),
            "off lets everything through"
        );
        activation.set(Some(Dbov(-45.0)));
        assert!(!activation.wants(Dbov(-50.0)));
        assert!(activation.wants(Dbov(-40.0)));
        let open = (0..100)
            .take_while(|_| activation.wants(Dbov(-60.0)))
            .count();
        assert_eq!(open, 40);
    }
}
