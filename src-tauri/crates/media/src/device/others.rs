//! What other programs play, where the system itself adds it up and leaves out one program (Windows, macOS): no echo of
//! the call, on whichever device anybody plays. On Linux that is our own work (`pulse/others.rs`).

#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use std::sync::Arc;

#[cfg(target_os = "macos")]
pub(super) use self::macos::{has_played, open_played};
#[cfg(windows)]
pub(super) use self::windows::{has_played, open_played};

use super::Format;
use super::ring::{self, CaptureFeed, CaptureTap};
use crate::block::RATE;

/// What both systems are asked for; they convert whatever the programs play.
const FORMAT: Format = Format {
    rate: RATE,
    channels: 2,
};

/// Sound as a system hands it over: 32-bit floats in this machine's order, the channels in turn.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    data: &'a [u8],
    channels: usize,
}

impl Piece<'_> {
    fn frames(&self) -> usize {
        let samples = self.data.len() / size_of::<f32>();
        samples.checked_div(self.channels).unwrap_or(0)
    }

    /// One sample, −1..1: what several loud programs add up to is cut off.
    fn sample(&self, frame: usize, channel: usize) -> f32 {
        let (samples, _) = self.data.as_chunks::<{ size_of::<f32>() }>();
        let at = frame * self.channels + channel;
        let sample = samples.get(at).copied().map_or(0.0, f32::from_ne_bytes);
        sample.clamp(-1.0, 1.0)
    }
}

/// Where the system's pieces go in: they become stereo and wait to be read.
struct Inlet {
    feed: CaptureFeed,
}

impl Inlet {
    fn new() -> (Self, CaptureTap) {
        let (feed, tap) = ring::capture(FORMAT);
        (Self { feed }, tap)
    }

    /// Takes one piece with all channels, or one for each. Of more than two channels the first two count.
    fn take(&mut self, pieces: &[Piece<'_>]) {
        let (left, right, second) = match pieces {
            [] => return,
            [all] => (all, all, usize::from(all.channels > 1)),
            [left, right, ..] => (left, right, 0),
        };
        let frames = left.frames().min(right.frames());
        self.feed.push((0..2 * frames).map(|n| match n % 2 {
            0 => left.sample(n / 2, 0),
            _ => right.sample(n / 2, second),
        }));
    }

    /// Takes silence, which is time as well.
    #[cfg(any(windows, test))]
    fn silence(&mut self, frames: usize) {
        self.feed.push(std::iter::repeat_n(0.0, 2 * frames));
    }

    /// Where faults are reported.
    fn status(&self) -> Arc<ring::Status> {
        self.feed.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::ring::RingSource;
    use crate::device::{AudioSource, Fault};

    fn bytes(samples: &[f32]) -> Vec<u8> {
        samples.iter().flat_map(|s| s.to_ne_bytes()).collect()
    }

    fn read(source: &mut RingSource<()>) -> Vec<f32> {
        let mut pcm = [9.0; 64];
        let n = source.read(&mut pcm);
        pcm[..n].to_vec()
    }

    #[test]
    fn whatever_the_layout_it_becomes_stereo() {
        let stereo = bytes(&[0.1, -0.1, 0.2, -0.2]);
        let (left, right) = (bytes(&[0.1, 0.2]), bytes(&[-0.1, -0.2]));
        let surround = bytes(&[0.1, -0.1, 0.9, 0.2, -0.2, 0.9]);
        let piece = |data, channels| Piece { data, channels };
        let both = vec![0.1, -0.1, 0.2, -0.2];
        for (name, pieces, heard) in [
            ("in turn", vec![piece(&stereo, 2)], both.clone()),
            (
                "apart",
                vec![piece(&left, 1), piece(&right, 1)],
                both.clone(),
            ),
            ("more", vec![piece(&surround, 3)], both),
            ("mono", vec![piece(&left, 1)], vec![0.1, 0.1, 0.2, 0.2]),
            ("nothing", vec![], vec![]),
        ] {
            let (mut inlet, tap) = Inlet::new();
            inlet.take(&pieces);
            assert_eq!(read(&mut RingSource::new(tap, ())), heard, "{name}");
        }
    }

    #[test]
    fn silence_takes_its_time_and_what_makes_no_sense_does_no_harm() {
        let (mut inlet, tap) = Inlet::new();
        let mut source = RingSource::new(tap, ());
        inlet.silence(3);
        assert_eq!(read(&mut source), [0.0; 6]);
        // Too loud, cut short in the middle of a frame, without channels, one side longer than the other.
        let loud = bytes(&[3.0, -3.0, 0.5]);
        let piece = |data, channels| Piece { data, channels };
        inlet.take(&[piece(&loud, 2)]);
        assert_eq!(read(&mut source), [1.0, -1.0]);
        inlet.take(&[piece(&loud[..7], 2)]);
        assert!(read(&mut source).is_empty());
        inlet.take(&[piece(&loud[1..], 0)]);
        assert!(read(&mut source).is_empty());
        inlet.take(&[piece(&loud, 1), piece(&loud[..4], 1)]);
        assert_eq!(read(&mut source), [1.0, 1.0]);
        assert_eq!(source.overruns(), 0);
        inlet.status().report(Fault::Gone);
        assert_eq!(source.fault(), Some(Fault::Gone));
    }
}
