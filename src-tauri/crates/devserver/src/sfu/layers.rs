//! Which layer of a screen a receiver gets.
//!
//! rtcd decides by a bandwidth estimate; there is none here, so reported loss decides: up to `h` after
//! ten quiet seconds (each change makes the next wait half as long again, as in rtcd), down to `l` at
//! once when more than a tenth is lost twice in a row.

use std::time::{Duration, Instant};

use super::track::Layer;

const FIRST_WAIT: Duration = Duration::from_secs(10);
/// Loss, 0…1, under which a receiver may go up.
const QUIET: f32 = 0.02;
/// Loss, 0…1, over which it goes down.
const TOO_MUCH: f32 = 0.10;

/// The choice for one receiver.
#[derive(Debug)]
pub(crate) struct Layers {
    quiet_since: Option<Instant>,
    wait: Duration,
    bad: u8,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            quiet_since: None,
            wait: FIRST_WAIT,
            bad: 0,
        }
    }
}

impl Layers {
    /// Takes a report about what is sent on `current`; tells when another layer would be better.
    pub(crate) fn report(&mut self, now: Instant, current: Layer, loss: f32) -> Option<Layer> {
        self.bad = if loss > TOO_MUCH {
            self.bad.saturating_add(1)
        } else {
            0
        };
        if loss >= QUIET {
            self.quiet_since = None;
        } else {
            self.quiet_since.get_or_insert(now);
        }
        let quiet = self.quiet_since.map(|since| now - since);
        match current {
            Layer::Low if quiet.is_some_and(|quiet| quiet >= self.wait) => Some(Layer::High),
            Layer::High if self.bad >= 2 => Some(Layer::Low),
            _ => None,
        }
    }

    /// The other layer is on its way.
    pub(crate) fn switched(&mut self, now: Instant) {
        self.wait += self.wait / 2;
        self.quiet_since = Some(now);
        self.bad = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(layers: &mut Layers, start: Instant, layer: Layer, losses: &[f32]) -> Option<u64> {
        losses.iter().enumerate().find_map(|(n, loss)| {
            let at = start + Duration::from_secs(n as u64);
            layers.report(at, layer, *loss).map(|_| n as u64)
        })
    }

    #[test]
    fn ten_quiet_seconds_lead_up_and_the_next_time_fifteen() {
        let start = Instant::now();
        let mut layers = Layers::default();
        assert_eq!(after(&mut layers, start, Layer::Low, &[0.0; 20]), Some(10));
        layers.switched(start);
        assert_eq!(after(&mut layers, start, Layer::High, &[0.0; 20]), None);
        assert_eq!(after(&mut layers, start, Layer::High, &[0.2, 0.2]), Some(1));
        layers.switched(start);
        assert!(after(&mut layers, start, Layer::Low, &[0.0; 40]) > Some(15));
    }

    #[test]
    fn loss_keeps_a_receiver_low() {
        let mut layers = Layers::default();
        let losses: Vec<f32> = (0..60)
            .map(|n| if n % 5 == 0 { 0.03 } else { 0.0 })
            .collect();
        assert_eq!(
            after(&mut layers, Instant::now(), Layer::Low, &losses),
            None
        );
    }
}
