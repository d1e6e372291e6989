//! The hardware, through cpal: the only file that names it.
//!
//! What was learned about it (cpal 0.18): the default buffer size may mean two seconds, so a fixed one is always asked
//! for; callbacks come in any size, so the rings re-block; a vanished device may say nothing, so the list is polled
//! and compared; plain ALSA lists a dozen plug-ins, of which a person wants two.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::snapshot::DeviceRow;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, DeviceDirection, ErrorKind, FromSample, Sample, SampleFormat, SizedSample,
    StreamConfig, SupportedBufferSize,
};

use super::ring::{self, RingSink, RingSource, Status};
use super::{AudioHost, AudioSink, AudioSource, Devices, Fault, Format, NAME};
use crate::block::RATE;
use crate::error::MediaError;
use crate::voice::resample;

/// A device that does not open for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The machine's devices as cpal sees them.
#[derive(Default)]
pub(super) struct Hardware {
    /// Used by the listing thread only, and hence never waited for.
    host: Mutex<Option<cpal::Host>>,
    /// What was listed last, to open without asking the server again.
    known: Mutex<BTreeMap<(Role, DeviceId), cpal::Device>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Input,
    Output,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hardware {
    /// The device, from the last list; asks for a list if there is none yet.
    fn find(&self, role: Role, id: &DeviceId) -> Result<cpal::Device, MediaError> {
        let key = (role, id.clone());
        let known = lock(&self.known).get(&key).cloned();
        if let Some(device) = known {
            return Ok(device);
        }
        let empty = lock(&self.known).is_empty();
        if empty {
            self.devices();
        }
        lock(&self.known)
            .get(&key)
            .cloned()
            .ok_or(MediaError::Missing)
    }
}

impl AudioHost for Hardware {
    fn devices(&self) -> Devices {
        let mut slot = lock(&self.host);
        let host = slot.take().unwrap_or_else(cpal::default_host);
        let mut rows = Vec::new();
        let mut known = BTreeMap::new();
        match host.devices() {
            Ok(devices) => {
                let default_input = host.default_input_device().and_then(|d| d.id().ok());
                let default_output = host.default_output_device().and_then(|d| d.id().ok());
                for device in devices {
                    for (role, default) in [
                        (Role::Input, &default_input),
                        (Role::Output, &default_output),
                    ] {
                        if let Some((id, row)) = describe(&device, role, default.as_ref()) {
                            known.insert((role, id), device.clone());
                            rows.push(row);
                        }
                    }
                }
                *slot = Some(host);
            }
            // Ask anew next time.
            Err(error) => tracing::debug!(%error, "cannot list sound devices"),
        }
        drop(slot);
        *lock(&self.known) = known;
        Devices::told_apart(rows)
    }

    fn open_source(&self, id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        let device = self.find(Role::Input, id)?;
        let (config, sample) = choose(&device, Role::Input)?;
        match sample {
            SampleFormat::F32 => source::<f32>(&device, config),
            SampleFormat::I16 => source::<i16>(&device, config),
            SampleFormat::U16 => source::<u16>(&device, config),
            SampleFormat::I32 => source::<i32>(&device, config),
            SampleFormat::U8 => source::<u8>(&device, config),
            SampleFormat::F64 => source::<f64>(&device, config),
            _ => Err(MediaError::Failed(None)),
        }
    }

    fn open_sink(&self, id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        let device = self.find(Role::Output, id)?;
        let (config, sample) = choose(&device, Role::Output)?;
        match sample {
            SampleFormat::F32 => sink::<f32>(&device, config),
            SampleFormat::I16 => sink::<i16>(&device, config),
            SampleFormat::U16 => sink::<u16>(&device, config),
            SampleFormat::I32 => sink::<i32>(&device, config),
            SampleFormat::U8 => sink::<u8>(&device, config),
            SampleFormat::F64 => sink::<f64>(&device, config),
            _ => Err(MediaError::Failed(None)),
        }
    }

    fn is_acoustic(&self) -> bool {
        true
    }
}

/// The row of a device in one role, if a person would want to see it.
fn describe(
    device: &cpal::Device,
    role: Role,
    default: Option<&cpal::DeviceId>,
) -> Option<(DeviceId, DeviceRow)> {
    let id = device.id().ok()?;
    if is_clutter(&id.host().to_string(), id.id()) {
        return None;
    }
    let description = device.description().ok()?;
    let plays_this_role = match (description.direction(), role) {
        (DeviceDirection::Input, role) => role == Role::Input,
        (DeviceDirection::Output, role) => role == Role::Output,
        (DeviceDirection::Duplex, _) => true,
        (_, Role::Input) => device.supports_input(),
        (_, Role::Output) => device.supports_output(),
    };
    if !plays_this_role {
        return None;
    }
    let ours = DeviceId::new(id.to_string());
    let row = DeviceRow {
        id: ours.clone(),
        name: description.name().chars().take(NAME).collect(),
        role: match role {
            Role::Input => DeviceRole::Input,
            Role::Output => DeviceRole::Output,
        },
        is_default: default == Some(&id),
    };
    Some((ours, row))
}

/// ALSA's plug-ins, which nobody wants to see.
fn is_clutter(host: &str, name: &str) -> bool {
    host == "alsa"
        && !(matches!(name, "default" | "pulse" | "pipewire")
            || name.starts_with("sysdefault:")
            || name.starts_with("plughw:"))
}

/// Rate, channels, buffer size and sample format to open a device with.
fn choose(device: &cpal::Device, role: Role) -> Result<(StreamConfig, SampleFormat), MediaError> {
    let default = match role {
        Role::Input => device.default_input_config(),
        Role::Output => device.default_output_config(),
    };
    let ranges: Vec<_> = match role {
        Role::Input => device
            .supported_input_configs()
            .map(Iterator::collect)
            .unwrap_or_default(),
        Role::Output => device
            .supported_output_configs()
            .map(Iterator::collect)
            .unwrap_or_default(),
    };
    // ALSA converts whatever it lists; elsewhere only the device's own format is sure to work.
    let converts = device.id().is_ok_and(|id| id.host().to_string() == "alsa");
    let channels = match role {
        Role::Input => 1,
        Role::Output => 2,
    };
    let ours = ranges.iter().find(|range| {
        range.channels() == channels
            && range.contains_rate(RATE)
            && range.sample_format() == SampleFormat::F32
    });
    let chosen = match (ours, default) {
        (Some(range), _) if converts => range.with_sample_rate(RATE),
        (_, Ok(default)) => default,
        (Some(range), Err(_)) => range.with_sample_rate(RATE),
        (None, Err(error)) => return Err(refused(error)),
    };
    let rate = chosen.sample_rate();
    if !resample::RATES.contains(&rate) {
        return Err(MediaError::Failed(None));
    }
    // Loudspeakers: 5 ms, because two periods wait in the buffer. Microphones: 10 ms, because a frame of 20 ms waits for its
    // end anyway. What cannot do so little says what it can do.
    let period = match role {
        Role::Input => rate / 100,
        Role::Output => rate / 200,
    };
    let frames = match chosen.buffer_size() {
        SupportedBufferSize::Range { min, max } => period.clamp(*min, (*max).max(*min)),
        SupportedBufferSize::Unknown => period,
    };
    let config = StreamConfig {
        channels: chosen.channels(),
        sample_rate: rate,
        buffer_size: BufferSize::Fixed(frames),
    };
    Ok((config, chosen.sample_format()))
}

fn format(config: StreamConfig) -> Format {
    Format {
        rate: config.sample_rate,
        channels: config.channels,
    }
}

fn source<T>(
    device: &cpal::Device,
    mut config: StreamConfig,
) -> Result<Box<dyn AudioSource>, MediaError>
where
    T: SizedSample + Send + 'static,
    f32: FromSample<T>,
{
    loop {
        let (mut feed, tap) = ring::capture(format(config));
        let status = feed.status();
        let built = device.build_input_stream(
            config,
            move |pcm: &[T], _: &cpal::InputCallbackInfo| {
                feed.push(pcm.iter().map(|sample| f32::from_sample(*sample)));
            },
            on_error(status),
            Some(PATIENCE),
        );
        match built {
            Ok(stream) => {
                stream.play().map_err(refused)?;
                return Ok(Box::new(RingSource::new(tap, stream)));
            }
            Err(error) => config = without_fixed_buffer(config, error)?,
        }
    }
}

fn sink<T>(
    device: &cpal::Device,
    mut config: StreamConfig,
) -> Result<Box<dyn AudioSink>, MediaError>
where
    T: SizedSample + FromSample<f32> + Send + 'static,
{
    loop {
        let (mut drain, tap) = ring::playout(format(config));
        let status = drain.status();
        let built = device.build_output_stream(
            config,
            move |pcm: &mut [T], _: &cpal::OutputCallbackInfo| {
                drain.fill(pcm, T::EQUILIBRIUM, T::from_sample);
            },
            on_error(status),
            Some(PATIENCE),
        );
        match built {
            Ok(stream) => {
                stream.play().map_err(refused)?;
                return Ok(Box::new(RingSink::new(tap, stream)));
            }
            Err(error) => config = without_fixed_buffer(config, error)?,
        }
    }
}

/// The same without our wish for the buffer size, if that was the reason; otherwise the error.
fn without_fixed_buffer(
    mut config: StreamConfig,
    error: cpal::Error,
) -> Result<StreamConfig, MediaError> {
    let could_be_it = matches!(
        error.kind(),
        ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput | ErrorKind::BackendError
    );
    if could_be_it && config.buffer_size != BufferSize::Default {
        config.buffer_size = BufferSize::Default;
        Ok(config)
    } else {
        Err(refused(error))
    }
}

/// Runs on the system's threads: touches an atomic, nothing else.
fn on_error(status: Arc<Status>) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| match error.kind() {
        // The stream goes on.
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
        ErrorKind::DeviceNotAvailable => status.report(Fault::Gone),
        _ => status.report(Fault::Reopen),
    }
}

fn refused(error: cpal::Error) -> MediaError {
    match error.kind() {
        ErrorKind::DeviceNotAvailable => MediaError::Missing,
        ErrorKind::PermissionDenied => MediaError::Denied,
        ErrorKind::DeviceBusy | ErrorKind::HostUnavailable | ErrorKind::ResourceExhausted => {
            MediaError::Busy(Some(Box::new(error)))
        }
        _ => MediaError::Failed(Some(Box::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plug_ins_are_clutter_and_devices_are_not() {
        for (host, name, clutter) in [
            ("alsa", "lavrate", true),
            ("alsa", "null", true),
            ("alsa", "default", false),
            ("alsa", "sysdefault:CARD=PCH", false),
            ("coreaudio", "Built-in", false),
        ] {
            assert_eq!(is_clutter(host, name), clutter, "{host} {name}");
        }
    }
}
