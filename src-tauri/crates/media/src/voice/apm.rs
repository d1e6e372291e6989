//! Echo, noise and gain.

/// What is done to the microphone's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// Remove the echo of what we play.
    pub echo: bool,
    /// Remove steady noise.
    pub noise: bool,
    /// Bring the voice to an even loudness.
    pub gain: bool,
}

impl Processing {
    /// Nothing is done.
    pub const OFF: Self = Self {
        echo: false,
        noise: false,
        gain: false,
    };
}

impl Default for Processing {
    /// Everything on.
    fn default() -> Self {
        Self {
            echo: true,
            noise: true,
            gain: true,
        }
    }
}
