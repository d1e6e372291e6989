//! A stream of pictures from the compositor, through PipeWire.
//!
//! PipeWire calls us on a thread of its own, which only remembers the newest buffer and adds up what changed; the
//! screen thread converts straight out of the shared memory and gives the buffer back. Buffers in a graphics card's
//! memory are not asked for: the compositor then copies them once, which costs it less than mapping them would cost us.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::frame::{self, Dirty, Order};
use super::library::{self, Api, Context, Core, Events, Hook, Stream, ThreadLoop, flag};
use super::pod::{Agreed, Writer, key, object, param};
use crate::error::Cause;
use crate::screen::differ::Differ;
use crate::screen::{Look, Patch, Rect, ScreenError, ScreenSource};
use crate::video::Size;
use buffer::pixels;
use callbacks::{Shared, State, on_param, on_process, on_remove, on_state};

mod buffer;
mod callbacks;

/// How long a compositor may take to agree on a format after a person has said yes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open stream.
pub(super) struct PipeWireSource {
    // Destroyed by hand, in the order that the library wants.
    main: *mut ThreadLoop,
    context: *mut Context,
    core: *mut Core,
    stream: *mut Stream,
    _hook: Box<Hook>,
    events: Box<Events>,
    shared: Box<Shared>,
    size: Size,
    /// Everything is to be handed over.
    fresh: bool,
    differ: Differ,
    scratch: Vec<u8>,
}

/// Unlocks the loop when it goes.
struct Locked(&'static Api, *mut ThreadLoop);

impl Locked {
    fn new(api: &'static Api, main: *mut ThreadLoop) -> Self {
        // SAFETY: the loop lives longer than the guard.
        unsafe { (api.loop_lock)(main) };
        Self(api, main)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: locked by us.
        unsafe { (self.0.loop_unlock)(self.1) };
    }
}

fn failed(what: &'static str) -> ScreenError {
    ScreenError::Failed(Some(what.into()))
}

impl PipeWireSource {
    /// Connects to the node that a portal has opened for us, and waits until its format is known.
    ///
    /// # Errors
    /// [`ScreenError::Failed`] if PipeWire or the compositor does not play along.
    pub(super) fn connect(
        api: &'static Api,
        remote: OwnedFd,
        node: u32,
    ) -> Result<Self, ScreenError> {
        let events = Events {
            state_changed: Some(on_state),
            param_changed: Some(on_param),
            remove_buffer: Some(on_remove),
            process: Some(on_process),
            ..Events::default()
        };
        let mut source = Self {
            main: std::ptr::null_mut(),
            context: std::ptr::null_mut(),
            core: std::ptr::null_mut(),
            stream: std::ptr::null_mut(),
            _hook: Box::new(Hook::EMPTY),
            events: Box::new(events),
            shared: Box::new(Shared {
                api,
                state: Mutex::new(State {
                    agreed: None,
                    held: std::ptr::null_mut(),
                    crop: None,
                    dirty: Dirty::default(),
                    ended: None,
                    stream: std::ptr::null_mut(),
                }),
                news: Condvar::new(),
            }),
            size: Size::default(),
            fresh: true,
            differ: Differ::default(),
            scratch: Vec::new(),
        };
        source.start(remote, node)?;
        let agreed = source.wait_for_format()?;
        let (_, size) = frame::view(agreed.size, None).ok_or_else(|| failed("its size"))?;
        source.size = size;
        Ok(source)
    }

    fn start(&mut self, remote: OwnedFd, node: u32) -> Result<(), ScreenError> {
        let api = self.shared.api;
        let offer = Writer::new(object::FORMAT, param::ENUM_FORMAT)
            .id(key::MEDIA_TYPE, 2)
            .id(key::MEDIA_SUBTYPE, 1)
            .ids(key::VIDEO_FORMAT, &Order::FORMATS)
            .rectangles(key::VIDEO_SIZE, [(1920, 1080), (1, 1), (8192, 8192)])
            .fractions(key::VIDEO_FRAME_RATE, [(30, 1), (0, 1), (240, 1)])
            .done();
        // SAFETY: as the library's documentation wants it: a loop, a context on it, then, while it is locked,
        // a connection (which owns the descriptor from here on) and a stream on that. Properties are taken over.
        // The listener's memory is boxed and freed only after the stream.
        unsafe {
            self.main = (api.loop_new)(c"halloo-pipewire".as_ptr(), std::ptr::null());
            if self.main.is_null() {
                return Err(failed("no loop"));
            }
            self.context = (api.context_new)((api.loop_inner)(self.main), std::ptr::null_mut(), 0);
            if self.context.is_null() {
                return Err(failed("no context"));
            }
            if (api.loop_start)(self.main) < 0 {
                return Err(failed("no thread"));
            }
            let _locked = Locked::new(api, self.main);
            let remote = remote.into_raw_fd();
            self.core = (api.context_connect_fd)(self.context, remote, std::ptr::null_mut(), 0);
            if self.core.is_null() {
                return Err(failed("no connection"));
            }
            let properties = (api.properties)(
                c"media.type=Video media.category=Capture media.role=Screen".as_ptr(),
            );
            self.stream = (api.stream_new)(self.core, c"Halloo".as_ptr(), properties);
            if self.stream.is_null() {
                return Err(failed("no stream"));
            }
            self.shared.state().stream = self.stream;
            let data = std::ptr::from_ref::<Shared>(&self.shared).cast_mut().cast();
            (api.stream_listen)(self.stream, &mut *self._hook, &*self.events, data);
            let mut params = [offer.as_ptr().cast::<c_void>()];
            let flags = flag::AUTOCONNECT | flag::MAP_BUFFERS | flag::DONT_RECONNECT;
            let done = (api.stream_connect)(
                self.stream,
                library::INPUT,
                node,
                flags,
                params.as_mut_ptr(),
                params.len() as u32,
            );
            if done < 0 {
                return Err(failed("no connection to the screen's stream"));
            }
        }
        Ok(())
    }

    fn wait_for_format(&self) -> Result<Agreed, ScreenError> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shared.state();
        loop {
            if let Some(why) = &state.ended {
                return Err(ScreenError::Failed(Some(why.clone().into())));
            }
            if let Some(agreed) = state.agreed {
                return Ok(agreed);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(failed("the compositor offers no format"));
            }
            let waited = self.shared.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a buffer for at most this long; false without one.
    fn wait(&self, wait: Duration) -> Result<bool, ScreenError> {
        let limit = Instant::now() + wait;
        let mut state = self.shared.state();
        loop {
            if let Some(why) = &state.ended {
                tracing::info!(why, "the compositor ended the stream");
                return Err(ScreenError::Gone);
            }
            if !state.held.is_null() {
                return Ok(true);
            }
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let waited = self.shared.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is to be handed over of this picture.
    fn dirty(&mut self, dirty: Dirty, view: Rect, whole: &[u8], stride: usize) -> Vec<Rect> {
        let size = self.size;
        if std::mem::take(&mut self.fresh) {
            self.differ.forget();
            return vec![Rect::all(size)];
        }
        match dirty {
            Dirty::Parts(parts) => {
                let mut rects: Vec<Rect> = parts
                    .into_iter()
                    .filter_map(|part| frame::placed(part, view, size))
                    .collect();
                rects.dedup();
                for rect in &rects {
                    let start = rect.y as usize * stride + rect.x as usize * 4;
                    self.differ.note(*rect, &whole[start..], stride);
                }
                rects
            }
            Dirty::Unknown => self.differ.compare(size, whole, stride),
        }
    }
}

impl ScreenSource for PipeWireSource {
    fn size(&self) -> Size {
        self.size
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        if !self.wait(wait)? {
            return Ok(Look::Same);
        }
        let api = self.shared.api;
        let _locked = Locked::new(api, self.main);
        let (buffer, agreed, crop) = {
            let state = self.shared.state();
            (state.held, state.agreed, state.crop)
        };
        let Some(agreed) = agreed.filter(|_| !buffer.is_null()) else {
            return Ok(Look::Same); // Taken back while we were looking the other way.
        };
        let (view, size) = frame::view(agreed.size, crop).ok_or(ScreenError::Unsupported(None))?;
        if size != self.size {
            self.size = size;
            self.fresh = true;
            return Ok(Look::Resized(size));
        }
        let dirty = {
            let mut state = self.shared.state();
            state.held = std::ptr::null_mut();
            std::mem::take(&mut state.dirty)
        };
        let order = Order::of(agreed.format);
        // SAFETY: the buffer is ours until it is queued below, and the loop is locked, so that it cannot be removed.
        let pixels = unsafe { pixels(buffer, agreed.size) };
        let mut look = Look::Same;
        match (pixels, order) {
            (Some((pixels, stride)), Some(order)) => {
                let whole = &pixels[view.y as usize * stride + view.x as usize * 4..];
                for rect in self.dirty(dirty, view, whole, stride) {
                    let part = &whole[rect.y as usize * stride + rect.x as usize * 4..];
                    let (data, stride) = match order {
                        Order::Blue => (part, stride),
                        Order::Red => {
                            frame::swapped(rect, part, stride, &mut self.scratch);
                            (&self.scratch[..], rect.width as usize * 4)
                        }
                    };
                    take(Patch { rect, data, stride });
                    look = Look::Changed;
                }
            }
            _ => tracing::debug!(?agreed, "a buffer without a picture"),
        }
        // SAFETY: dequeued from this stream, and not used from here on.
        unsafe { (api.stream_queue)(self.stream, buffer) };
        Ok(look)
    }
}

impl Drop for PipeWireSource {
    fn drop(&mut self) {
        let api = self.shared.api;
        // SAFETY: in the reverse order of `start`; what was not made is left out. The thread is stopped before what it
        // works on goes.
        unsafe {
            if !self.main.is_null() {
                (api.loop_stop)(self.main);
            }
            if !self.stream.is_null() {
                (api.stream_destroy)(self.stream);
            }
            if !self.core.is_null() {
                (api.core_disconnect)(self.core);
            }
            if !self.context.is_null() {
                (api.context_destroy)(self.context);
            }
            if !self.main.is_null() {
                (api.loop_destroy)(self.main);
            }
        }
    }
}

/// The library, for [`PipeWireSource::connect`].
///
/// # Errors
/// [`ScreenError::NoPipeWire`].
pub(super) fn library(name: &'static str) -> Result<&'static Api, ScreenError> {
    Api::get(name).map_err(|error: Cause| ScreenError::NoPipeWire(Some(error)))
}
