//! What is sent at most: the official client's encodings (calls-common `rtc_peer.ts`, signaling 5.5), as a table.

use calls_core::port::media::Layer;

/// One encoding of the shared screen. All are full size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerPlan {
    /// Which.
    pub layer: Layer,
    /// Bits per second, at most.
    pub bitrate: u32,
    /// Pictures per second, at most.
    pub fps: u32,
}

/// Without simulcast: one encoding, forwarded to everybody unchanged, so that it must suit the thinnest line.
pub const SINGLE: &[LayerPlan] = &[LayerPlan {
    layer: Layer::Low,
    bitrate: 1_000_000,
    fps: 10,
}];

/// With simulcast, the server chooses for each viewer.
pub const SIMULCAST: &[LayerPlan] = &[
    LayerPlan {
        layer: Layer::Low,
        bitrate: 500_000,
        fps: 5,
    },
    LayerPlan {
        layer: Layer::High,
        bitrate: 2_500_000,
        fps: 20,
    },
];

/// Other limits than the table's, for the best layer: somebody knows the network, or measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bits per second.
    pub bitrate: Option<u32>,
    /// Pictures per second, 1 to 60.
    pub fps: Option<u32>,
}

/// The encodings to make.
#[must_use]
pub fn plan(simulcast: bool, limits: Limits) -> Vec<LayerPlan> {
    let mut layers = if simulcast { SIMULCAST } else { SINGLE }.to_vec();
    if let Some(best) = layers.last_mut() {
        if let Some(bitrate) = limits.bitrate {
            best.bitrate = bitrate.clamp(50_000, 50_000_000);
        }
        if let Some(fps) = limits.fps {
            best.fps = fps.clamp(1, 60);
        }
    }
    layers
}

/// Share of the network's budget that is left for voice, bits per second: two voices with their headers, and repairs.
/// Voice is never starved for a picture.
const VOICE_RESERVE: u32 = 100_000;

/// Below this a layer is no use: a screen would never get sharp.
const LEAST: u32 = 60_000;

/// How a budget for everything is divided: the bit rate of each layer, 0 for one that rests. The low layer comes
/// first, as those on thin lines watch it; the high one gets the rest.
#[must_use]
pub fn divide(layers: &[LayerPlan], budget: Option<u32>) -> Vec<u32> {
    let Some(budget) = budget else {
        return layers.iter().map(|layer| layer.bitrate).collect();
    };
    let mut left = budget.saturating_sub(VOICE_RESERVE);
    let mut rates = Vec::with_capacity(layers.len());
    for (at, layer) in layers.iter().enumerate() {
        let rate = layer.bitrate.min(left);
        // The first one always goes on: a picture now and then is better than a dead one.
        let rate = if at == 0 { rate.max(LEAST) } else { rate };
        let rate = if at > 0 && rate < layer.bitrate / 4 {
            0
        } else {
            rate
        };
        left = left.saturating_sub(rate);
        rates.push(rate);
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_official_one_and_limits_change_the_best_layer_only() {
        assert_eq!(plan(false, Limits::default()), SINGLE);
        let limits = Limits {
            bitrate: Some(4_000_000),
            fps: Some(1000),
        };
        let layers = plan(true, limits);
        assert_eq!(layers[0], SIMULCAST[0]);
        assert_eq!((layers[1].bitrate, layers[1].fps), (4_000_000, 60));
    }

    #[test]
    fn voice_comes_first_and_the_low_layer_next() {
        let cases = [
            (None, [500_000, 2_500_000]),
            (Some(10_000_000), [500_000, 2_500_000]),
            (Some(2_000_000), [500_000, 1_400_000]),
            (Some(1_000_000), [500_000, 0]),
            (Some(300_000), [200_000, 0]),
            (Some(0), [60_000, 0]),
        ];
        for (budget, rates) in cases {
            assert_eq!(divide(SIMULCAST, budget), rates, "{budget:?}");
        }
    }
}
