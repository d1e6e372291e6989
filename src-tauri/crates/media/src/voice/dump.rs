//! Three sound files for "I have an echo": what the microphone heard, what was played, and what was sent.
//!
//! They show whether the echo was there before our canceller, whether it was played at all, and what was left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::block::{BLOCK, Block, RATE};

/// Room between the voice thread and the writer: 2 s, for a disk that hesitates. When full, the newest is dropped.
const ROOM: usize = RATE as usize * 2;
/// It stops by itself after five minutes: 29 MB a file.
const LONGEST: usize = RATE as usize * 300;
/// How often the writer looks.
const LOOK: Duration = Duration::from_millis(100);
/// The files.
const NAMES: [&str; 3] = ["near.wav", "far.wav", "clean.wav"];

/// The voice thread's end. Dropping it ends the files.
#[derive(Debug)]
pub(crate) struct Dump {
    rings: [Producer<f32>; 3],
    /// Blocks that the microphone is ahead of what is played.
    ahead: u32,
}

/// So far the two may be apart while both run: devices move several blocks at once.
const APART: u32 = 20;

impl Dump {
    /// Begins to write into a folder, on a thread of its own. `None` if that cannot be had; it is logged.
    pub(crate) fn begin(folder: &Path) -> Option<Self> {
        let rings = [(); 3].map(|()| RingBuffer::new(ROOM));
        let (producers, consumers) = split(rings);
        let folder = folder.to_owned();
        std::thread::Builder::new()
            .name("halloo-dump".into())
            .spawn(move || {
                if let Err(error) = write(&folder, consumers) {
                    tracing::warn!(%error, folder = %folder.display(), "sound is not written");
                }
            })
            .inspect_err(|error| tracing::warn!(%error, "sound is not written"))
            .ok()?;
        Some(Self {
            rings: producers,
            ahead: 0,
        })
    }

    /// What the microphone heard. While nothing is played, that is written as silence: one time is one place in all files.
    pub(crate) fn near(&mut self, block: &Block) {
        push(&mut self.rings[0], block);
        self.ahead += 1;
        if self.ahead > APART {
            self.far(&Block::SILENCE);
        }
    }

    /// What is played.
    pub(crate) fn far(&mut self, block: &Block) {
        self.ahead = self.ahead.saturating_sub(1);
        push(&mut self.rings[1], block);
    }

    /// What is left for the others.
    pub(crate) fn clean(&mut self, block: &Block) {
        push(&mut self.rings[2], block);
    }
}

type Ring = (Producer<f32>, Consumer<f32>);

fn split(rings: [Ring; 3]) -> ([Producer<f32>; 3], [Consumer<f32>; 3]) {
    let [(a, x), (b, y), (c, z)] = rings;
    ([a, b, c], [x, y, z])
}

fn push(ring: &mut Producer<f32>, block: &Block) {
    // A full ring means a disk that hangs.
    if ring.slots() >= BLOCK {
        let _ = ring.push_partial_slice(&block.0);
    }
}

fn write(folder: &Path, mut rings: [Consumer<f32>; 3]) -> Result<(), hound::Error> {
    std::fs::create_dir_all(folder)?;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let paths: [PathBuf; 3] = NAMES.map(|name| folder.join(name));
    let mut files = Vec::new();
    for path in &paths {
        files.push(hound::WavWriter::create(path, spec)?);
    }
    tracing::info!(folder = %folder.display(), "writing sound");
    let mut written = 0;
    loop {
        let over = rings.iter().all(Consumer::is_abandoned);
        for (n, (file, ring)) in files.iter_mut().zip(&mut rings).enumerate() {
            while let Ok(sample) = ring.pop() {
                file.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
                written += usize::from(n == 0);
            }
        }
        if over || written >= LONGEST {
            break;
        }
        std::thread::sleep(LOOK);
    }
    for file in files {
        file.finalize()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_played_is_silence_of_the_same_length() {
        let (producers, mut consumers) = split([(); 3].map(|()| RingBuffer::new(ROOM)));
        let mut dump = Dump {
            rings: producers,
            ahead: 0,
        };
        let sound = Block([0.5; BLOCK]);
        for n in 0..100 {
            dump.near(&sound);
            if n >= 50 {
                dump.far(&sound);
            }
        }
        let [near, far] = [0, 1].map(|n| consumers[n].slots() / BLOCK);
        assert_eq!(near, 100);
        assert!(near - far <= APART as usize, "{far} of {near}");
        assert_eq!(consumers[1].pop(), Ok(0.0));
    }
}
