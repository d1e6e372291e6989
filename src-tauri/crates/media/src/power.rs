//! What Windows is told of sleeping. It is here because its interface is called without safety, as devices are; other
//! systems are asked by the program itself.

use windows::Win32::System::Power::{
    ES_CONTINUOUS, ES_DISPLAY_REQUIRED, ES_SYSTEM_REQUIRED, EXECUTION_STATE,
    SetThreadExecutionState,
};

/// What a thread wants of the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Neither screen nor computer may sleep by themselves. A person may still send them to sleep.
    Awake,
    /// Nothing.
    Nothing,
}

/// Tells the system, until the same thread says otherwise or ends; false if it refuses.
#[must_use = "the screen sleeps if it is refused"]
#[allow(unsafe_code)]
pub fn this_thread_wants(wish: Wish) -> bool {
    let state = match wish {
        Wish::Awake => ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED,
        Wish::Nothing => ES_CONTINUOUS,
    };
    // SAFETY: takes a number, returns the one before, and touches no memory of ours.
    let before = unsafe { SetThreadExecutionState(state) };
    before != EXECUTION_STATE(0)
}
