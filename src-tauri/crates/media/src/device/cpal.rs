//! The hardware, through cpal: the only file that names it.
//!
//! What was learned about it (cpal 0.18, PulseAudio 16): the default buffer size may mean two seconds, so a fixed one
//! of 10 ms is always asked for; callbacks come in any size, so the rings re-block; a vanished PulseAudio device
//! says nothing and its stream moves elsewhere, so the list is polled and compared; monitors of outputs are listed as
//! microphones, so they are left out; plain ALSA lists a dozen plug-ins, of which a person wants two.

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
use super::{AudioHost, AudioSink, AudioSource, Devices, Fault, Format};
use crate::block::RATE;
use crate::error::MediaError;
use crate::voice::resample;

/// Sound servers before bare hardware: they share devices, convert rates and know names.
const SERVERS: [&str; 2] = ["pipewire", "pulseaudio"];
/// A sound server that does not answer for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer device names are cut, characters.
const NAME: usize = 120;

/// The machine's own sound devices.
#[must_use]
pub fn system_audio() -> Arc<dyn AudioHost> {
    Arc::new(System::default())
}

#[derive(Default)]
struct System {
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

impl System {
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

impl AudioHost for System {
    fn devices(&self) -> Devices {
        let mut slot = lock(&self.host);
        let host = match slot.take() {
            // A server that was started after us is preferred from then on.
            Some(host) if is_server(&host) => Some(host),
            other => server().or(other).or_else(|| Some(cpal::default_host())),
        };
        let Some(host) = host else {
            return Devices::default();
        };
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
            // The server went away: connect anew next time.
            Err(error) => tracing::debug!(%error, "cannot list sound devices"),
        }
        drop(slot);
        tell_apart(&mut rows);
        *lock(&self.known) = known;
        Devices { rows }
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

fn is_server(host: &cpal::Host) -> bool {
    SERVERS.contains(&host.id().to_string().as_str())
}

/// The sound server, if one runs. The names of other systems' hosts do not parse, so this is the same everywhere.
fn server() -> Option<cpal::Host> {
    SERVERS.iter().find_map(|name| {
        let id = name.parse().ok()?;
        cpal::host_from_id(id).ok()
    })
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

/// Two headsets of one kind have one name: the second becomes "… (2)".
fn tell_apart(rows: &mut [DeviceRow]) {
    for at in 1..rows.len() {
        let (before, from) = rows.split_at_mut(at);
        let Some(row) = from.first_mut() else { return };
        let same = before
            .iter()
            .filter(|other| {
                other.role == row.role
                    && (other.name == row.name
                        || other.name.starts_with(&format!("{} (", row.name)))
            })
            .count();
        if same > 0
            && before
                .iter()
                .any(|other| other.role == row.role && other.name == row.name)
        {
            row.name = format!("{} ({})", row.name, same + 1);
        }
    }
}

/// Monitors of outputs (PulseAudio names them so, `pa_sink_new`), and ALSA's plug-ins.
fn is_clutter(host: &str, name: &str) -> bool {
    match host {
        "pulseaudio" | "pipewire" => name.ends_with(".monitor"),
        "alsa" => {
            !(matches!(name, "default" | "pulse" | "pipewire")
                || name.starts_with("sysdefault:")
                || name.starts_with("plughw:"))
        }
        _ => false,
    }
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
    // Servers and ALSA convert whatever they list; elsewhere only the device's own format is sure to work.
    let converts = device.id().is_ok_and(|id| {
        let host = id.host().to_string();
        host == "alsa" || SERVERS.contains(&host.as_str())
    });
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
    // Loudspeakers: 5 ms, because two periods wait in the sound server's buffer. Microphones: 10 ms, because a frame of 20 ms
    // waits for its end anyway, and each message of the server costs. What cannot do so little says what it can do.
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
    fn monitors_and_plug_ins_are_clutter_and_devices_are_not() {
        for (host, name, clutter) in [
            ("pulseaudio", "spk.monitor", true),
            ("pulseaudio", "alsa_input.usb-headset", false),
            ("pipewire", "out.monitor", true),
            ("alsa", "lavrate", true),
            ("alsa", "null", true),
            ("alsa", "default", false),
            ("alsa", "sysdefault:CARD=PCH", false),
            ("coreaudio", "Built-in.monitor", false),
        ] {
            assert_eq!(is_clutter(host, name), clutter, "{host} {name}");
        }
    }

    #[test]
    fn devices_of_one_name_are_told_apart_in_each_role() {
        let row = |name: &str, role| DeviceRow {
            id: DeviceId::new(name.to_owned()),
            name: name.to_owned(),
            role,
            is_default: false,
        };
        let mut rows = [
            row("Headset", DeviceRole::Input),
            row("Headset", DeviceRole::Output),
            row("Headset", DeviceRole::Input),
            row("Webcam", DeviceRole::Input),
            row("Headset", DeviceRole::Input),
        ];
        tell_apart(&mut rows);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(
            names,
            ["Headset", "Headset", "Headset (2)", "Webcam", "Headset (3)"]
        );
    }
}
