//! libpipewire, found at run time: whoever has no PipeWire can still use everything else, and nobody needs its headers
//! to build. Only what a stream of pictures needs is declared, as `pipewire/stream.h`, `pipewire/thread-loop.h` and
//! `spa/buffer/*.h` define it; these have been stable since 0.3.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;

use libloading::Library;

use crate::error::Cause;

/// Its name on every distribution.
pub(super) const NAME: &str = "libpipewire-0.3.so.0";

/// `PW_DIRECTION_INPUT`.
pub(super) const INPUT: c_int = 0;

/// `enum pw_stream_flags`.
pub(super) mod flag {
    pub(in super::super) const AUTOCONNECT: u32 = 1;
    pub(in super::super) const MAP_BUFFERS: u32 = 1 << 2;
    #[cfg(test)]
    pub(in super::super) const DRIVER: u32 = 1 << 3;
    pub(in super::super) const DONT_RECONNECT: u32 = 1 << 7;
}

/// `enum pw_stream_state`.
pub(super) mod state {
    pub(in super::super) const ERROR: std::ffi::c_int = -1;
    pub(in super::super) const UNCONNECTED: std::ffi::c_int = 0;
    #[cfg(test)]
    pub(in super::super) const STREAMING: std::ffi::c_int = 3;
}

/// `enum spa_data_type`.
pub(super) mod memory {
    pub(in super::super) const POINTER: u32 = 1;
    pub(in super::super) const FILE: u32 = 2;
}

/// `enum spa_meta_type`.
pub(super) mod meta {
    pub(in super::super) const HEADER: u32 = 1;
    pub(in super::super) const CROP: u32 = 2;
    pub(in super::super) const DAMAGE: u32 = 3;
}

/// `SPA_META_HEADER_FLAG_CORRUPTED`, `SPA_CHUNK_FLAG_CORRUPTED`.
pub(super) const HEADER_CORRUPTED: u32 = 2;
pub(super) const CHUNK_CORRUPTED: i32 = 1;

macro_rules! opaque {
    ($($(#[$text:meta])* $name:ident),*) => { $($(#[$text])* #[repr(C)] pub(super) struct $name([u8; 0]);)* };
}
opaque!(
    /// `struct pw_thread_loop`
    ThreadLoop,
    /// `struct pw_loop`
    Loop,
    /// `struct pw_context`
    Context,
    /// `struct pw_core`
    Core,
    /// `struct pw_properties`
    Properties,
    /// `struct pw_stream`
    Stream
);

/// `struct spa_hook`: where a listener hangs.
#[repr(C)]
pub(super) struct Hook([*mut c_void; 6]);

impl Hook {
    pub(super) const EMPTY: Self = Self([std::ptr::null_mut(); 6]);
}

/// `struct pw_stream_events`, version 0 of it.
#[repr(C)]
#[derive(Default)]
pub(super) struct Events {
    pub(super) version: u32,
    pub(super) destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub(super) state_changed:
        Option<unsafe extern "C" fn(*mut c_void, c_int, c_int, *const c_char)>,
    pub(super) control_info: Option<unsafe extern "C" fn(*mut c_void, u32, *const c_void)>,
    pub(super) io_changed: Option<unsafe extern "C" fn(*mut c_void, u32, *mut c_void, u32)>,
    pub(super) param_changed: Option<unsafe extern "C" fn(*mut c_void, u32, *const c_void)>,
    pub(super) add_buffer: Option<unsafe extern "C" fn(*mut c_void, *mut Buffer)>,
    pub(super) remove_buffer: Option<unsafe extern "C" fn(*mut c_void, *mut Buffer)>,
    pub(super) process: Option<unsafe extern "C" fn(*mut c_void)>,
    pub(super) drained: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// `struct pw_buffer`, as far as every version has it.
#[repr(C)]
pub(super) struct Buffer {
    pub(super) buffer: *mut SpaBuffer,
    pub(super) user_data: *mut c_void,
    pub(super) size: u64,
}

/// `struct spa_buffer`.
#[repr(C)]
pub(super) struct SpaBuffer {
    pub(super) n_metas: u32,
    pub(super) n_datas: u32,
    pub(super) metas: *mut Meta,
    pub(super) datas: *mut Data,
}

/// `struct spa_meta`.
#[repr(C)]
pub(super) struct Meta {
    pub(super) kind: u32,
    pub(super) size: u32,
    pub(super) data: *mut c_void,
}

/// `struct spa_data`.
#[repr(C)]
pub(super) struct Data {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) fd: i64,
    pub(super) map_offset: u32,
    pub(super) max_size: u32,
    pub(super) data: *mut c_void,
    pub(super) chunk: *mut Chunk,
}

/// `struct spa_chunk`.
#[repr(C)]
pub(super) struct Chunk {
    pub(super) offset: u32,
    pub(super) size: u32,
    pub(super) stride: i32,
    pub(super) flags: i32,
}

/// `struct spa_region`: a point, a width and a height.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: u32,
    pub(super) height: u32,
}

macro_rules! functions {
    ($($(#[$config:meta])* $name:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The library's functions.
        pub(super) struct Api {
            $($(#[$config])* pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            // Last, for the functions are in it.
            _library: Library,
        }

        impl Api {
            fn find(name: &str) -> Result<Self, libloading::Error> {
                // SAFETY: loading runs the library's initialisers; PipeWire's do nothing but set themselves up.
                let library = unsafe { Library::new(name) }?;
                // SAFETY: the types are those of the library's headers.
                unsafe {
                    Ok(Self {
                        $($(#[$config])* $name: *library.get(concat!($symbol, "\0").as_bytes())?,)*
                        _library: library,
                    })
                }
            }
        }
    };
}

functions! {
    init = "pw_init": fn(*mut c_int, *mut c_void);
    loop_new = "pw_thread_loop_new": fn(*const c_char, *const c_void) -> *mut ThreadLoop;
    loop_destroy = "pw_thread_loop_destroy": fn(*mut ThreadLoop);
    loop_inner = "pw_thread_loop_get_loop": fn(*mut ThreadLoop) -> *mut Loop;
    loop_start = "pw_thread_loop_start": fn(*mut ThreadLoop) -> c_int;
    loop_stop = "pw_thread_loop_stop": fn(*mut ThreadLoop);
    loop_lock = "pw_thread_loop_lock": fn(*mut ThreadLoop);
    loop_unlock = "pw_thread_loop_unlock": fn(*mut ThreadLoop);
    context_new = "pw_context_new": fn(*mut Loop, *mut Properties, usize) -> *mut Context;
    context_destroy = "pw_context_destroy": fn(*mut Context);
    context_connect_fd = "pw_context_connect_fd": fn(*mut Context, c_int, *mut Properties, usize) -> *mut Core;
    core_disconnect = "pw_core_disconnect": fn(*mut Core) -> c_int;
    properties = "pw_properties_new_string": fn(*const c_char) -> *mut Properties;
    stream_new = "pw_stream_new": fn(*mut Core, *const c_char, *mut Properties) -> *mut Stream;
    stream_destroy = "pw_stream_destroy": fn(*mut Stream);
    stream_listen = "pw_stream_add_listener": fn(*mut Stream, *mut Hook, *const Events, *mut c_void);
    stream_connect = "pw_stream_connect": fn(*mut Stream, c_int, u32, u32, *mut *const c_void, u32) -> c_int;
    stream_update_params = "pw_stream_update_params": fn(*mut Stream, *mut *const c_void, u32) -> c_int;
    stream_dequeue = "pw_stream_dequeue_buffer": fn(*mut Stream) -> *mut Buffer;
    stream_queue = "pw_stream_queue_buffer": fn(*mut Stream, *mut Buffer) -> c_int;
    #[cfg(test)]
    stream_node = "pw_stream_get_node_id": fn(*mut Stream) -> u32;
}

impl Api {
    /// The library, loaded and initialised once per process.
    ///
    /// # Errors
    /// It is not installed, or too old.
    pub(super) fn get(name: &'static str) -> Result<&'static Self, Cause> {
        static API: OnceLock<Result<Api, String>> = OnceLock::new();
        if name != NAME {
            // A test's name for "not installed".
            return Self::find(name)
                .map(|api| -> &'static Self { Box::leak(Box::new(api)) })
                .map_err(Into::into);
        }
        let api = API.get_or_init(|| {
            let api = Self::find(name).map_err(|error| error.to_string())?;
            // SAFETY: it may be called without arguments, and from any thread.
            unsafe { (api.init)(std::ptr::null_mut(), std::ptr::null_mut()) };
            Ok(api)
        });
        api.as_ref().map_err(|error| error.clone().into())
    }
}
