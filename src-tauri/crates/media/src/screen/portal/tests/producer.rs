//! A compositor's end of a stream: paints pictures into PipeWire.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::IntoRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::super::library::{
    self, Api, Buffer, Context, Core, Events, Hook, Region, Stream, ThreadLoop, flag, memory, meta,
    state,
};
use super::super::pod::{self, Writer, key, object, param};

const OUTPUT: c_int = 1;
const ANY: u32 = u32::MAX;

/// What the callbacks know.
struct State {
    state: c_int,
    agreed: Option<(u32, u32)>,
    stream: *mut Stream,
    damage: bool,
}

// SAFETY: used while the loop is locked, or on its thread.
unsafe impl Send for State {}

struct Shared {
    api: &'static Api,
    state: Mutex<State>,
    news: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// Paints pictures.
pub(super) struct Producer {
    main: *mut ThreadLoop,
    context: *mut Context,
    core: *mut Core,
    stream: *mut Stream,
    _hook: Box<Hook>,
    _events: Box<Events>,
    shared: Box<Shared>,
    format: u32,
}

fn offer(format: u32, size: (u32, u32)) -> Vec<u64> {
    Writer::new(object::FORMAT, param::ENUM_FORMAT)
        .id(key::MEDIA_TYPE, 2)
        .id(key::MEDIA_SUBTYPE, 1)
        .id(key::VIDEO_FORMAT, format)
        .rectangle(key::VIDEO_SIZE, size)
        .fraction(key::VIDEO_FRAME_RATE, (0, 1))
        .done()
}

impl Producer {
    /// A node with pictures of this `enum spa_video_format`, which tells what is damaged, or does not.
    pub(super) fn new(socket: &Path, format: u32, size: (u32, u32), damage: bool) -> Self {
        let api = Api::get(library::NAME).unwrap();
        let events = Box::new(Events {
            state_changed: Some(on_state),
            param_changed: Some(on_param),
            ..Events::default()
        });
        let shared = Box::new(Shared {
            api,
            state: Mutex::new(State {
                state: state::UNCONNECTED,
                agreed: None,
                stream: std::ptr::null_mut(),
                damage,
            }),
            news: Condvar::new(),
        });
        let mut hook = Box::new(Hook::EMPTY);
        let remote = UnixStream::connect(socket).unwrap().into_raw_fd();
        let offer = offer(format, size);
        // SAFETY: as in `PipeWireSource::start`.
        unsafe {
            let main = (api.loop_new)(c"producer".as_ptr(), std::ptr::null());
            let context = (api.context_new)((api.loop_inner)(main), std::ptr::null_mut(), 0);
            assert!(!context.is_null());
            assert!((api.loop_start)(main) >= 0);
            (api.loop_lock)(main);
            let core = (api.context_connect_fd)(context, remote, std::ptr::null_mut(), 0);
            assert!(!core.is_null());
            let properties = (api.properties)(
                c"media.class=Video/Source node.name=halloo-test node.description=Test".as_ptr(),
            );
            let stream = (api.stream_new)(core, c"producer".as_ptr(), properties);
            shared.state().stream = stream;
            let data = std::ptr::from_ref::<Shared>(&shared).cast_mut().cast();
            (api.stream_listen)(stream, &mut *hook, &*events, data);
            let mut params = [offer.as_ptr().cast::<c_void>()];
            let flags = flag::DRIVER | flag::MAP_BUFFERS;
            let done = (api.stream_connect)(stream, OUTPUT, ANY, flags, params.as_mut_ptr(), 1);
            assert!(done >= 0);
            (api.loop_unlock)(main);
            Self {
                main,
                context,
                core,
                stream,
                _hook: hook,
                _events: events,
                shared,
                format,
            }
        }
    }

    fn until<T>(&self, what: &str, check: impl Fn(&State) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(10);
        let mut state = self.shared.state();
        loop {
            if let Some(found) = check(&state) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the producer waits for {what}");
            state = self.shared.news.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Its id in the graph.
    pub(super) fn node(&self) -> u32 {
        self.until("a connection", |state| (state.state > 1).then_some(()));
        // SAFETY: the stream lives, and the loop is locked.
        unsafe {
            (self.shared.api.loop_lock)(self.main);
            let node = (self.shared.api.stream_node)(self.stream);
            (self.shared.api.loop_unlock)(self.main);
            node
        }
    }

    /// Offers another size, and waits until it is agreed on.
    pub(super) fn resize(&self, size: (u32, u32)) {
        let offer = offer(self.format, size);
        let mut params = [offer.as_ptr().cast::<c_void>()];
        // SAFETY: the stream lives, and the loop is locked.
        unsafe {
            (self.shared.api.loop_lock)(self.main);
            (self.shared.api.stream_update_params)(self.stream, params.as_mut_ptr(), 1);
            (self.shared.api.loop_unlock)(self.main);
        }
        self.until("the new size", |state| {
            (state.agreed == Some(size)).then_some(())
        });
    }

    /// Sends a picture: `pixel` gives the four bytes at x, y. Damage is told if the producer is one that does.
    pub(super) fn paint(&self, damage: &[Region], pixel: impl Fn(u32, u32) -> [u8; 4]) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let (width, height) = self.until("watchers", |state| {
                state.agreed.filter(|_| state.state == state::STREAMING)
            });
            // SAFETY: the buffer is ours between taking and queueing it; its memory is as long as we asked for.
            unsafe {
                let api = self.shared.api;
                (api.loop_lock)(self.main);
                let buffer = (api.stream_dequeue)(self.stream);
                if !buffer.is_null() {
                    fill(buffer, (width, height), damage, &pixel);
                    (api.stream_queue)(self.stream, buffer);
                    (api.loop_unlock)(self.main);
                    return;
                }
                (api.loop_unlock)(self.main);
            }
            assert!(Instant::now() < end, "no buffer comes back");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

unsafe fn fill(
    buffer: *mut Buffer,
    (width, height): (u32, u32),
    damage: &[Region],
    pixel: &impl Fn(u32, u32) -> [u8; 4],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let buffer = &*(*buffer).buffer;
        let data = &*buffer.datas;
        let stride = width as usize * 4;
        let length = stride * height as usize;
        assert!(data.max_size as usize >= length && !data.data.is_null());
        let pixels = std::slice::from_raw_parts_mut(data.data.cast::<u8>(), length);
        for (at, four) in pixels.chunks_exact_mut(4).enumerate() {
            let at = at as u32;
            four.copy_from_slice(&pixel(at % width, at / width));
        }
        let chunk = &mut *data.chunk;
        (chunk.offset, chunk.size, chunk.stride, chunk.flags) =
            (0, length as u32, stride as i32, 0);
        for meta in std::slice::from_raw_parts(buffer.metas, buffer.n_metas as usize) {
            match meta.kind {
                meta::HEADER => meta.data.cast::<u32>().write(0),
                meta::CROP => meta.data.cast::<Region>().write(Region::default()),
                meta::DAMAGE => {
                    let room = meta.size as usize / size_of::<Region>();
                    let list = std::slice::from_raw_parts_mut(meta.data.cast::<Region>(), room);
                    list.fill(Region::default());
                    list[..damage.len()].copy_from_slice(damage);
                }
                _ => {}
            }
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let api = self.shared.api;
        // SAFETY: as in `PipeWireSource`.
        unsafe {
            (api.loop_stop)(self.main);
            (api.stream_destroy)(self.stream);
            (api.core_disconnect)(self.core);
            (api.context_destroy)(self.context);
            (api.loop_destroy)(self.main);
        }
    }
}

unsafe extern "C" fn on_state(data: *mut c_void, _old: c_int, new: c_int, _error: *const c_char) {
    // SAFETY: our data.
    let shared = unsafe { &*data.cast::<Shared>() };
    shared.state().state = new;
    shared.news.notify_all();
}

unsafe extern "C" fn on_param(data: *mut c_void, id: u32, pod: *const c_void) {
    if id != param::FORMAT || pod.is_null() {
        return;
    }
    // SAFETY: our data, and a whole pod.
    let (shared, bytes) = unsafe {
        let length = pod.cast::<u32>().read() as usize;
        let bytes = std::slice::from_raw_parts(pod.cast::<u8>(), length + 8);
        (&*data.cast::<Shared>(), bytes)
    };
    let Some(agreed) = pod::read_format(bytes) else {
        return;
    };
    let (stream, damage) = {
        let mut state = shared.state();
        state.agreed = Some(agreed.size);
        (state.stream, state.damage)
    };
    let region = size_of::<Region>() as u32;
    let stride = agreed.size.0 * 4;
    let mut wishes = vec![
        Writer::new(object::BUFFERS, param::BUFFERS)
            .ints(key::BUFFERS_BUFFERS, [4, 2, 8])
            .int(key::BUFFERS_BLOCKS, 1)
            .int(key::BUFFERS_SIZE, stride * agreed.size.1)
            .int(key::BUFFERS_STRIDE, stride)
            .flags(key::BUFFERS_DATA_TYPE, 1 << memory::FILE)
            .done(),
        Writer::new(object::META, param::META)
            .id(key::META_TYPE, meta::HEADER)
            .int(key::META_SIZE, 32)
            .done(),
    ];
    if damage {
        let sizes = [region * 4, region, region * 16];
        let wish = Writer::new(object::META, param::META).id(key::META_TYPE, meta::DAMAGE);
        wishes.push(wish.ints(key::META_SIZE, sizes).done());
    }
    let mut pointers: Vec<*const c_void> = wishes.iter().map(|wish| wish.as_ptr().cast()).collect();
    // SAFETY: on the loop's thread, for our own stream.
    unsafe {
        (shared.api.stream_update_params)(stream, pointers.as_mut_ptr(), pointers.len() as u32);
    }
    shared.news.notify_all();
}
