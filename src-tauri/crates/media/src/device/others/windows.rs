//! Windows: process loopback, which records everything but one process and those that it started, whatever device they
//! play on and whichever is the default. Windows 10 has it since version 2004.
//!
//! A plain loopback of the loudspeaker would have the call itself in it, so older systems share no sound.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use windows::Wdk::System::SystemServices::RtlGetVersion;
use windows::Win32::Foundation::{E_ACCESSDENIED, HANDLE, WAIT_FAILED};
use windows::Win32::Media::Audio::{
    AUDCLNT_BUFFERFLAGS_SILENT, AUDCLNT_E_DEVICE_INVALIDATED, AUDCLNT_E_SERVICE_NOT_RUNNING,
    AUDCLNT_SHAREMODE_SHARED, AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM,
    AUDCLNT_STREAMFLAGS_EVENTCALLBACK, AUDCLNT_STREAMFLAGS_LOOPBACK,
    AUDCLNT_STREAMFLAGS_SRC_DEFAULT_QUALITY, AUDIOCLIENT_ACTIVATION_PARAMS,
    AUDIOCLIENT_ACTIVATION_PARAMS_0, AUDIOCLIENT_ACTIVATION_TYPE_PROCESS_LOOPBACK,
    AUDIOCLIENT_PROCESS_LOOPBACK_PARAMS, ActivateAudioInterfaceAsync,
    IActivateAudioInterfaceAsyncOperation, IActivateAudioInterfaceCompletionHandler,
    IActivateAudioInterfaceCompletionHandler_Impl, IAudioCaptureClient, IAudioClient,
    PROCESS_LOOPBACK_MODE_EXCLUDE_TARGET_PROCESS_TREE, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK,
    WAVEFORMATEX,
};
use windows::Win32::Media::Multimedia::WAVE_FORMAT_IEEE_FLOAT;
use windows::Win32::System::Com::StructuredStorage::{
    PROPVARIANT, PROPVARIANT_0, PROPVARIANT_0_0, PROPVARIANT_0_0_0,
};
use windows::Win32::System::Com::{BLOB, COINIT_MULTITHREADED, CoInitializeEx, CoUninitialize};
use windows::Win32::System::SystemInformation::OSVERSIONINFOW;
use windows::Win32::System::Threading::{CreateEventW, WaitForSingleObject};
use windows::Win32::System::Variant::VT_BLOB;
use windows::core::{HRESULT, IUnknown, Interface, Owned, Ref, implement};

use super::{FORMAT, Inlet, Piece};
use crate::device::AudioSource;
use crate::device::guard::{Guard, Ready};
use crate::device::ring::RingSource;
use crate::error::MediaError;

/// The first build that has it, version 2004. Microsoft's page of the interface names a later one; there it fails, and
/// that is said.
const FIRST_BUILD: u32 = 19_041;
/// How long the system may take for one step of opening.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the system keeps for us: 200 ms, in units of 100 ns. It is room, not delay.
const KEPT: i64 = 2_000_000;
/// The system says when there is something; while nobody plays, we look so often whether we are still wanted, milliseconds.
const TURN_MS: u32 = 100;

/// Whether this system can leave us out.
pub(in crate::device) fn has_played() -> bool {
    let mut version = OSVERSIONINFOW {
        dwOSVersionInfoSize: size_of::<OSVERSIONINFOW>() as u32,
        ..Default::default()
    };
    // SAFETY: it fills in a structure of ours that says how large it is.
    let told = unsafe { RtlGetVersion(&raw mut version) };
    told.is_ok() && version.dwBuildNumber >= FIRST_BUILD
}

/// Opens what all other programs play.
pub(in crate::device) fn open_played() -> Result<Box<dyn AudioSource>, MediaError> {
    if !has_played() {
        return Err(MediaError::Missing);
    }
    let (inlet, tap) = Inlet::new();
    let status = inlet.status();
    let guard = Guard::start("shared-sound", 2 * PATIENCE, status, move |stop, ready| {
        record(inlet, stop, ready)
    })?;
    Ok(Box::new(RingSource::new(tap, guard)))
}

fn record(mut inlet: Inlet, stop: &AtomicBool, ready: &Ready) -> Result<(), MediaError> {
    // Left last: dropped after everything that came from it.
    let _apartment = Apartment::enter()?;
    // SAFETY: nobody else has the handle.
    let news = unsafe { Owned::new(CreateEventW(None, false, false, None).map_err(refused)?) };
    let client = activate()?;
    let capture = start(&client, *news)?;
    // Whoever waited has given up if nobody hears it; then `stop` is set.
    let _ = ready.try_send(Ok(()));
    while !stop.load(Ordering::Acquire) {
        // SAFETY: the handle is open.
        if unsafe { WaitForSingleObject(*news, TURN_MS) } == WAIT_FAILED {
            return Err(MediaError::Failed(None));
        }
        drain(&capture, &mut inlet).map_err(refused)?;
    }
    // SAFETY: a call without arguments. It goes with the client anyway.
    let _ = unsafe { client.Stop() };
    Ok(())
}

/// This thread among those that use the system's objects from anywhere.
struct Apartment;

impl Apartment {
    fn enter() -> Result<Self, MediaError> {
        // SAFETY: the thread is ours, and each success is undone once by the same thread.
        unsafe { CoInitializeEx(None, COINIT_MULTITHREADED) }
            .ok()
            .map_err(refused)?;
        Ok(Self)
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        // SAFETY: belongs to the success in `enter`.
        unsafe { CoUninitialize() };
    }
}

/// Hears, on a thread of the system, that the client is there.
#[implement(IActivateAudioInterfaceCompletionHandler)]
struct Activated(SyncSender<()>);

impl IActivateAudioInterfaceCompletionHandler_Impl for Activated_Impl {
    fn ActivateCompleted(
        &self,
        _operation: Ref<'_, IActivateAudioInterfaceAsyncOperation>,
    ) -> windows::core::Result<()> {
        // Nobody hears it who has given up.
        let _ = self.0.try_send(());
        Ok(())
    }
}

/// A client for the sound of everybody but us.
fn activate() -> Result<IAudioClient, MediaError> {
    let mut wish = Box::new(AUDIOCLIENT_ACTIVATION_PARAMS {
        ActivationType: AUDIOCLIENT_ACTIVATION_TYPE_PROCESS_LOOPBACK,
        Anonymous: AUDIOCLIENT_ACTIVATION_PARAMS_0 {
            ProcessLoopbackParams: AUDIOCLIENT_PROCESS_LOOPBACK_PARAMS {
                TargetProcessId: std::process::id(),
                ProcessLoopbackMode: PROCESS_LOOPBACK_MODE_EXCLUDE_TARGET_PROCESS_TREE,
            },
        },
    });
    let blob = BLOB {
        cbSize: size_of::<AUDIOCLIENT_ACTIVATION_PARAMS>() as u32,
        pBlobData: (&raw mut *wish).cast(),
    };
    // Never dropped: that would free the box, which is not the system's to free.
    let packed = ManuallyDrop::new(PROPVARIANT {
        Anonymous: PROPVARIANT_0 {
            Anonymous: ManuallyDrop::new(PROPVARIANT_0_0 {
                vt: VT_BLOB,
                wReserved1: 0,
                wReserved2: 0,
                wReserved3: 0,
                Anonymous: PROPVARIANT_0_0_0 { blob },
            }),
        },
    });
    let packed = Box::new(packed);
    let (tell, told) = sync_channel(1);
    let handler: IActivateAudioInterfaceCompletionHandler = Activated(tell).into();
    // SAFETY: `packed`, and `wish` that it points to, live until the system has answered or for ever; the handler is
    // counted by the system.
    let asked = unsafe {
        ActivateAudioInterfaceAsync(
            VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK,
            &IAudioClient::IID,
            Some(&raw const **packed),
            &handler,
        )
    };
    let operation = asked.map_err(refused)?;
    if told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        // It may still read what it was asked.
        std::mem::forget((packed, wish));
        return Err(MediaError::Busy(None));
    }
    let (mut result, mut client) = (HRESULT(0), None::<IUnknown>);
    // SAFETY: both places are ours, and hold what the system may overwrite: nothing.
    unsafe { operation.GetActivateResult(&raw mut result, &raw mut client) }.map_err(refused)?;
    result.ok().map_err(refused)?;
    let client = client.ok_or(MediaError::Failed(None))?;
    client.cast().map_err(refused)
}

/// Begins to record; `news` is set whenever there is something.
fn start(client: &IAudioClient, news: HANDLE) -> Result<IAudioCaptureClient, MediaError> {
    let sample = size_of::<f32>() as u16;
    let format = WAVEFORMATEX {
        wFormatTag: WAVE_FORMAT_IEEE_FLOAT as u16,
        nChannels: FORMAT.channels,
        nSamplesPerSec: FORMAT.rate,
        nAvgBytesPerSec: FORMAT.rate * u32::from(FORMAT.channels * sample),
        nBlockAlign: FORMAT.channels * sample,
        wBitsPerSample: 8 * sample,
        cbSize: 0,
    };
    let flags = AUDCLNT_STREAMFLAGS_LOOPBACK
        | AUDCLNT_STREAMFLAGS_EVENTCALLBACK
        | AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM
        | AUDCLNT_STREAMFLAGS_SRC_DEFAULT_QUALITY;
    // SAFETY: the format lives through the call; the event is closed after the client is gone.
    let started = unsafe {
        client
            .Initialize(
                AUDCLNT_SHAREMODE_SHARED,
                flags,
                KEPT,
                0,
                &raw const format,
                None,
            )
            .and_then(|()| client.SetEventHandle(news))
            .and_then(|()| client.GetService::<IAudioCaptureClient>())
            .and_then(|capture| client.Start().map(|()| capture))
    };
    started.map_err(refused)
}

/// Takes all that is there.
fn drain(capture: &IAudioCaptureClient, inlet: &mut Inlet) -> windows::core::Result<()> {
    loop {
        // SAFETY: a call without arguments.
        if unsafe { capture.GetNextPacketSize() }? == 0 {
            return Ok(());
        }
        let (mut data, mut frames, mut flags) = (std::ptr::null_mut(), 0, 0);
        // SAFETY: three places of ours; the other two are not wanted.
        unsafe { capture.GetBuffer(&raw mut data, &raw mut frames, &raw mut flags, None, None) }?;
        let channels = usize::from(FORMAT.channels);
        if data.is_null() || flags & AUDCLNT_BUFFERFLAGS_SILENT.0 as u32 != 0 {
            inlet.silence(frames as usize);
        } else {
            let length = frames as usize * channels * size_of::<f32>();
            // SAFETY: so many frames of the format that was asked for are there, until they are given back.
            let data = unsafe { std::slice::from_raw_parts(data, length) };
            inlet.take(&[Piece { data, channels }]);
        }
        // SAFETY: what was taken, and nobody looks at it any more.
        unsafe { capture.ReleaseBuffer(frames) }?;
    }
}

fn refused(error: windows::core::Error) -> MediaError {
    match error.code() {
        E_ACCESSDENIED => MediaError::Denied,
        // The sound service goes or comes.
        AUDCLNT_E_DEVICE_INVALIDATED | AUDCLNT_E_SERVICE_NOT_RUNNING => {
            MediaError::Busy(Some(Box::new(error)))
        }
        _ => MediaError::Failed(Some(Box::new(error))),
    }
}
