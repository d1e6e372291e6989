//! What PipeWire's thread tells: it only remembers.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::super::frame::Dirty;
use super::super::library::{Api, Buffer, Region, Stream, memory, meta, state};
use super::super::pod::{self, Agreed, Writer, key, object, param};
use super::buffer::told;

/// Damaged parts that a buffer may tell; a compositor that has more tells one around them.
const REGIONS: u32 = 16;

/// What the callbacks know.
pub(super) struct State {
    pub(super) agreed: Option<Agreed>,
    /// The newest buffer, which is ours until we give it back.
    pub(super) held: *mut Buffer,
    pub(super) crop: Option<Region>,
    pub(super) dirty: Dirty,
    pub(super) ended: Option<String>,
    /// Set once the stream is there; the callbacks use it.
    pub(super) stream: *mut Stream,
}

// SAFETY: the pointers are used only while the loop is locked, or on its thread, which holds the lock as well.
unsafe impl Send for State {}

/// What the callbacks and the screen thread share. It does not move while the stream lives.
pub(super) struct Shared {
    pub(super) api: &'static Api,
    pub(super) state: Mutex<State>,
    pub(super) news: Condvar,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
/// `data` is the [`Shared`] that the listener was given; it lives longer than the stream.
unsafe fn shared<'a>(data: *mut c_void) -> &'a Shared {
    // SAFETY: see above.
    unsafe { &*data.cast::<Shared>() }
}

pub(super) unsafe extern "C" fn on_state(
    data: *mut c_void,
    _old: c_int,
    new: c_int,
    error: *const c_char,
) {
    // SAFETY: called by the library with our data, and a text or nothing.
    let (shared, text) = unsafe {
        let text = (!error.is_null()).then(|| CStr::from_ptr(error).to_string_lossy().into_owned());
        (shared(data), text)
    };
    tracing::debug!(new, text, "PipeWire stream");
    if new == state::ERROR || new == state::UNCONNECTED {
        let why = text.unwrap_or_else(|| "disconnected".to_owned());
        shared.state().ended.get_or_insert(why);
        shared.news.notify_all();
    }
}

pub(super) unsafe extern "C" fn on_param(data: *mut c_void, id: u32, pod: *const c_void) {
    if id != param::FORMAT || pod.is_null() {
        return;
    }
    // SAFETY: called with our data and a whole pod: its first word is the length of what follows the head.
    let (shared, bytes) = unsafe {
        let length = pod.cast::<u32>().read() as usize;
        let bytes = std::slice::from_raw_parts(pod.cast::<u8>(), length + 8);
        (shared(data), bytes)
    };
    let Some(agreed) = pod::read_format(bytes) else {
        return;
    };
    tracing::debug!(?agreed, "PipeWire format");
    let stream = {
        let mut state = shared.state();
        state.agreed = Some(agreed);
        state.dirty = Dirty::Unknown;
        state.stream
    };
    let region = size_of::<Region>() as u32;
    let metas = |kind: u32, usual: u32, least: u32, most: u32| {
        Writer::new(object::META, param::META)
            .id(key::META_TYPE, kind)
            .ints(key::META_SIZE, [usual, least, most])
            .done()
    };
    let wishes = [
        Writer::new(object::BUFFERS, param::BUFFERS)
            .ints(key::BUFFERS_BUFFERS, [4, 2, 8])
            .flags(
                key::BUFFERS_DATA_TYPE,
                1 << memory::FILE | 1 << memory::POINTER,
            )
            .done(),
        metas(meta::HEADER, 32, 32, 32),
        metas(meta::CROP, region, region, region),
        metas(meta::DAMAGE, region * REGIONS, region, region * REGIONS),
    ];
    let mut pointers = wishes.each_ref().map(|wish| wish.as_ptr().cast::<c_void>());
    // SAFETY: on the loop's thread, for our own stream; the library copies the pods.
    unsafe {
        (shared.api.stream_update_params)(stream, pointers.as_mut_ptr(), pointers.len() as u32);
    }
    shared.news.notify_all();
}

pub(super) unsafe extern "C" fn on_process(data: *mut c_void) {
    // SAFETY: called with our data, on the loop's thread.
    unsafe {
        let shared = shared(data);
        let mut state = shared.state();
        loop {
            let buffer = (shared.api.stream_dequeue)(state.stream);
            if buffer.is_null() {
                break;
            }
            let told = told(buffer);
            if told.useless {
                (shared.api.stream_queue)(state.stream, buffer);
                continue;
            }
            state.dirty.add(told.damage.as_deref());
            state.crop = told.crop;
            let before = std::mem::replace(&mut state.held, buffer);
            if !before.is_null() {
                (shared.api.stream_queue)(state.stream, before);
            }
        }
    }
    // SAFETY: as above.
    unsafe { shared(data) }.news.notify_all();
}

pub(super) unsafe extern "C" fn on_remove(data: *mut c_void, buffer: *mut Buffer) {
    // SAFETY: called with our data.
    let mut state = unsafe { shared(data) }.state();
    if state.held == buffer {
        state.held = std::ptr::null_mut();
    }
}
