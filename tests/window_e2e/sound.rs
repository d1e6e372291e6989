//! Ears and mouth for the window: PulseAudio null sinks as microphone and loudspeaker, tones, and what is heard.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Pieces that recordings are looked at in, seconds: whole ones fit into a syllable.
const SYLLABLE: f64 = 0.1;

/// The virtual devices of one test: unloaded when dropped.
pub struct Devices {
    modules: Vec<String>,
}

/// Sink whose monitor is the microphone: what is played there is "said".
const MOUTH: &str = "e2e_mouth";
/// The microphone.
const MICROPHONE: &str = "e2e_microphone";
/// The loudspeaker.
const SPEAKER: &str = "e2e_speaker";

impl Devices {
    /// Makes a microphone and a loudspeaker, and makes them the default.
    pub fn new() -> Self {
        let mut devices = Self {
            modules: Vec::new(),
        };
        devices.load(&[
            "module-null-sink",
            &format!("sink_name={MOUTH}"),
            "rate=48000",
        ]);
        devices.load(&[
            "module-null-sink",
            &format!("sink_name={SPEAKER}"),
            "rate=48000",
            "sink_properties=device.description=Headphones",
        ]);
        devices.load(&[
            "module-remap-source",
            &format!("master={MOUTH}.monitor"),
            &format!("source_name={MICROPHONE}"),
            "source_properties=device.description=Headset",
        ]);
        pactl(&["set-default-sink", SPEAKER]);
        pactl(&["set-default-source", MICROPHONE]);
        devices
    }

    fn load(&mut self, module: &[&str]) {
        let mut arguments = vec!["load-module"];
        arguments.extend(module);
        self.modules.push(pactl(&arguments));
    }

    /// Says a tone in syllables until the answer is dropped. (Noise suppression takes a steady one for a fan.)
    pub fn say(&self, hz: f64, folder: &Path) -> Playing {
        let file = folder.join(format!("tone-{hz}.wav"));
        write_syllables(&file, hz, 60.0);
        let child = Command::new("paplay")
            .args(["--device", MOUTH])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .expect("paplay");
        Playing(child)
    }

    /// Records what the loudspeaker plays until [`Recording::stop`].
    pub fn listen(&self, file: &Path) -> Recording {
        let child = Command::new("parec")
            .args(["--device", &format!("{SPEAKER}.monitor")])
            .args([
                "--rate=48000",
                "--channels=1",
                "--format=s16le",
                "--file-format=wav",
            ])
            .arg(file)
            .stdin(Stdio::null())
            .spawn()
            .expect("parec");
        Recording {
            child,
            file: file.to_owned(),
        }
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        for module in self.modules.drain(..).rev() {
            let _ = Command::new("pactl")
                .args(["unload-module", &module])
                .status();
        }
    }
}

fn pactl(arguments: &[&str]) -> String {
    let output = Command::new("pactl")
        .args(arguments)
        .output()
        .expect("pactl");
    assert!(
        output.status.success(),
        "pactl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A sound being played.
pub struct Playing(Child);

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A recording that goes on.
pub struct Recording {
    child: Child,
    file: PathBuf,
}

impl Recording {
    /// Ends it and gives what was heard.
    pub fn stop(mut self) -> Heard {
        // SIGTERM, so that the header is finished.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
        Heard::read(&self.file)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sound, mono, −1..1.
pub struct Heard {
    rate: f64,
    samples: Vec<f64>,
}

impl Heard {
    /// Reads a WAV file, first channel.
    pub fn read(file: &Path) -> Self {
        let mut reader =
            hound::WavReader::open(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        let spec = reader.spec();
        let samples: Vec<f64> = match spec.sample_format {
            hound::SampleFormat::Float => reader
                .samples::<f32>()
                .map(|s| f64::from(s.unwrap()))
                .collect(),
            hound::SampleFormat::Int => {
                let full = f64::from(1u32 << (spec.bits_per_sample - 1));
                reader
                    .samples::<i32>()
                    .map(|s| f64::from(s.unwrap()) / full)
                    .collect()
            }
        };
        let samples = samples
            .into_iter()
            .step_by(usize::from(spec.channels))
            .collect();
        Self {
            rate: f64::from(spec.sample_rate),
            samples,
        }
    }

    /// How long it is, seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / self.rate
    }

    /// The last so many seconds of it.
    pub fn last(&self, seconds: f64) -> Self {
        let count = ((seconds * self.rate) as usize).min(self.samples.len());
        Self {
            rate: self.rate,
            samples: self.samples[self.samples.len() - count..].to_vec(),
        }
    }

    /// Pitch and purity of the louder half of all syllables, each the median. Single syllables may be torn where a
    /// busy machine was late, and where the jitter buffer then caught up.
    pub fn syllables(&self) -> (f64, f64) {
        let count = (SYLLABLE * self.rate) as usize;
        let mut pieces: Vec<Self> = self
            .samples
            .chunks_exact(count)
            .map(|samples| Self {
                rate: self.rate,
                samples: samples.to_vec(),
            })
            .collect();
        pieces.sort_by(|a, b| b.level().total_cmp(&a.level()));
        pieces.truncate(pieces.len().div_ceil(4).min(40));
        let heard: Vec<(f64, f64)> = pieces.iter().map(Self::pitch).collect();
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        (
            median(heard.iter().map(|(pitch, _)| *pitch).collect()),
            median(heard.iter().map(|(_, purity)| *purity).collect()),
        )
    }

    /// Root mean square, 0..1.
    pub fn level(&self) -> f64 {
        let sum: f64 = self.samples.iter().map(|s| s * s).sum();
        (sum / self.samples.len().max(1) as f64).sqrt()
    }

    /// The strongest frequency between 100 and 2000 Hz, to 0.1 Hz, and its share of the whole power.
    fn pitch(&self) -> (f64, f64) {
        // A piece of 0.1 s answers to a tone within ±10 Hz, so a grid of 5 Hz misses none.
        let coarse = self.strongest((20..400).map(|step| f64::from(step) * 5.0));
        let fine = self.strongest((-50..=50).map(|step| coarse.0 + f64::from(step) * 0.1));
        let total: f64 = self.samples.iter().map(|s| s * s).sum();
        // A pure tone over the whole length has amplitude a, |X|² = (a·n/2)² and total a²·n/2.
        let share = fine.1 * 2.0 / (self.samples.len() as f64 * total.max(f64::MIN_POSITIVE));
        (fine.0, share)
    }

    fn strongest(&self, frequencies: impl Iterator<Item = f64>) -> (f64, f64) {
        frequencies
            .map(|hz| (hz, self.power(hz)))
            .fold(
                (0.0, 0.0),
                |best, next| if next.1 > best.1 { next } else { best },
            )
    }

    /// Goertzel's algorithm: |X(hz)|².
    fn power(&self, hz: f64) -> f64 {
        let w = TAU * hz / self.rate;
        let twice_cos = 2.0 * w.cos();
        let (mut before, mut last) = (0.0, 0.0);
        for sample in &self.samples {
            let next = sample + twice_cos * last - before;
            before = last;
            last = next;
        }
        before * before + last * last - twice_cos * before * last
    }
}

/// Writes something that servers take for speech: a tone in syllables. They look at how much the loudness varies
/// (rtcd `vad.go`), so a steady tone is nobody talking.
pub fn write_syllables(file: &Path, hz: f64, seconds: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    for n in 0..(seconds * 48_000.0) as u32 {
        let time = f64::from(n) / 48_000.0;
        let gain = if time % 0.4 < 0.25 { 0.3 } else { 0.0003 };
        let value = (TAU * hz * time).sin() * gain;
        writer.write_sample((value * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}
