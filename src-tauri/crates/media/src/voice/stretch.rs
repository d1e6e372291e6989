//! Playing a little faster or slower without changing the pitch: one period of the sound is cut out or doubled
//! where it resembles its neighbour most (waveform similarity overlap-add).

/// Samples of decoded sound that both directions need: 30 ms.
pub const NEEDED: usize = 1_440;

/// Shortest piece to cut or double: 2.5 ms, a voice of 400 Hz.
const SHORTEST: usize = 120;
/// Longest piece: 15 ms, a voice of 67 Hz.
const LONGEST: usize = 720;
/// Length of the comparison and of the cross-fade: 15 ms.
const WINDOW: usize = NEEDED - LONGEST;
/// The first look compares every fourth sample, enough for the pitch of a voice.
const STEP: usize = 4;
/// Mean square below which there is nothing to hear (−66 dBov): any cut will do.
const QUIET: f32 = 2.5e-7;

/// Mean square of a pause between words (−50 dBov): ordinary speech is 25 dB louder.
const PAUSE: f32 = 1e-5;

/// How alike the cut's two sides must be, −1..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness(pub f32);

impl Likeness {
    /// The cut is not heard.
    pub const CLEAN: Self = Self(0.9);
    /// The cut may be heard: still better than being late by a lot.
    pub const ROUGH: Self = Self(0.5);
}

/// Whether this is a pause between words, or a breath: nobody hears where it is cut.
pub fn is_quiet(pcm: &[f32]) -> bool {
    let energy: f32 = pcm.iter().map(|s| s * s).sum();
    energy < PAUSE * pcm.len() as f32
}

/// Cuts a period of at most `most` samples out of the first [`NEEDED`] samples. Says how many samples at the *front* are to be dropped
/// (the cross-fade is already written behind them), or `None` if no cut is good enough.
pub fn shorten(pcm: &mut [f32], most: usize, wanted: Likeness) -> Option<usize> {
    let lag = find(pcm, most, wanted)?;
    // New sound = old start fading into the later start, written where the later start lies. Backwards, because the
    // two overlap.
    for n in (0..WINDOW).rev() {
        let w = n as f32 / WINDOW as f32;
        pcm[lag + n] = pcm[n] * (1.0 - w) + pcm[lag + n] * w;
    }
    Some(lag)
}

/// Cuts at most `most` samples out of a pause ([`is_quiet`]) of any length, which then ends as it did. Says how many samples at the
/// *front* are to be dropped, or `None` if there is too little.
pub fn shorten_pause(pcm: &mut [f32], most: usize) -> Option<usize> {
    let cut = most.min(pcm.len() / 2);
    if cut < SHORTEST {
        return None;
    }
    let window = pcm.len() - cut;
    for n in (0..window).rev() {
        let w = n as f32 / window as f32;
        pcm[cut + n] = pcm[n] * (1.0 - w) + pcm[cut + n] * w;
    }
    Some(cut)
}

/// Doubles a period of at most `most` samples of the first [`NEEDED`] samples. Writes the sound that goes *before* the untouched `pcm` from
/// [`Doubled::resume`] on into `out` (at least [`NEEDED`] samples).
pub fn lengthen(pcm: &[f32], out: &mut [f32], most: usize, wanted: Likeness) -> Option<Doubled> {
    let lag = find(pcm, most, wanted)?;
    if out.len() < lag + WINDOW {
        return None;
    }
    out[..lag].copy_from_slice(&pcm[..lag]);
    for n in 0..WINDOW {
        let w = n as f32 / WINDOW as f32;
        out[lag + n] = pcm[lag + n] * (1.0 - w) + pcm[n] * w;
    }
    Some(Doubled {
        written: lag + WINDOW,
        resume: WINDOW,
    })
}

/// What [`lengthen`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubled {
    /// Samples written.
    pub written: usize,
    /// Where the old sound goes on.
    pub resume: usize,
}

/// The lag at which the sound is most like itself.
fn find(pcm: &[f32], most: usize, wanted: Likeness) -> Option<usize> {
    let pcm = pcm.get(..NEEDED)?;
    let most = most.clamp(SHORTEST, LONGEST);
    let energy: f32 = pcm.iter().map(|s| s * s).sum();
    if energy < QUIET * NEEDED as f32 {
        return Some(most.min(480));
    }
    let mut best = (SHORTEST, f32::MIN);
    let mut lag = SHORTEST;
    while lag <= most {
        let like = likeness(pcm, lag, STEP);
        if like > best.1 {
            best = (lag, like);
        }
        lag += STEP;
    }
    let around = best.0.saturating_sub(STEP - 1).max(SHORTEST)..=(best.0 + STEP - 1).min(most);
    best.1 = f32::MIN;
    for lag in around {
        let like = likeness(pcm, lag, 1);
        if like > best.1 {
            best = (lag, like);
        }
    }
    (best.1 >= wanted.0).then_some(best.0)
}

/// Normalised correlation of the window with itself, `lag` later.
fn likeness(pcm: &[f32], lag: usize, step: usize) -> f32 {
    let (mut product, mut here, mut there) = (0.0f32, 1e-9f32, 1e-9f32);
    let mut n = 0;
    while n < WINDOW {
        let (a, b) = (pcm[n], pcm[n + lag]);
        product += a * b;
        here += a * a;
        there += b * b;
        n += step;
    }
    product / (here * there).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, length: usize) -> Vec<f32> {
        (0..length)
            .map(|n| 0.5 * (n as f32 * hz * std::f32::consts::TAU / 48_000.0).sin())
            .collect()
    }

    #[test]
    fn a_pause_is_shortened_without_a_step_and_ends_as_it_did() {
        let mut pcm: Vec<f32> = tone(300.0, 700).iter().map(|s| s * 0.004).collect();
        assert!(is_quiet(&pcm));
        let (begins, ends) = (pcm[0], pcm[699]);
        assert_eq!(shorten_pause(&mut pcm, 300), Some(300));
        assert!((pcm[300] - begins).abs() < 1e-6);
        assert!((pcm[699] - ends).abs() < 1e-4);
        assert!(largest_step(&pcm[300..]) < 3e-4);
        assert_eq!(shorten_pause(&mut pcm, 600), Some(350), "half at most");
        assert_eq!(shorten_pause(&mut pcm, 50), None);
        assert_eq!(shorten_pause(&mut pcm[..200], 600), None);
    }

    fn largest_step(pcm: &[f32]) -> f32 {
        pcm.windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_stays_a_tone() {
        for hz in [90.0, 200.0, 440.0, 1000.0, 3300.0] {
            let steady = largest_step(&tone(hz, 4800));
            let mut pcm = tone(hz, 4800);
            let cut = shorten(&mut pcm, LONGEST, Likeness::CLEAN).unwrap();
            assert!(
                largest_step(&pcm[cut..]) < steady * 1.1,
                "{hz} Hz clicks when shortened"
            );
            let pcm = tone(hz, 4800);
            let mut out = vec![0.0; NEEDED];
            let doubled = lengthen(&pcm, &mut out, LONGEST, Likeness::CLEAN).unwrap();
            out.truncate(doubled.written);
            out.extend_from_slice(&pcm[doubled.resume..]);
            assert!(out.len() > pcm.len());
            assert!(
                largest_step(&out) < steady * 1.1,
                "{hz} Hz clicks when lengthened"
            );
        }
    }

    #[test]
    fn noise_is_left_alone_and_silence_is_not() {
        let mut seed = 1u32;
        let mut noise: Vec<f32> = (0..NEEDED)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        assert_eq!(shorten(&mut noise, LONGEST, Likeness::CLEAN), None);
        assert_eq!(
            shorten(&mut [0.0; NEEDED], LONGEST, Likeness::CLEAN),
            Some(480)
        );
        assert_eq!(shorten(&mut [0.0; 100], LONGEST, Likeness::CLEAN), None);
    }
}
