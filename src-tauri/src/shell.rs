//! The program with its window: Tauri, the client behind it, and an orderly end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use calls_core::alert::DesktopNews;
use calls_core::command::Command;
use calls_core::snapshot::{Call, CallPhase};
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Manager, RunEvent, UserAttentionType, WindowEvent};
use tokio::sync::Notify;

use crate::awake::Awake;
use crate::bridge::{self, Portraits};
use crate::control::{self, Listener};
use crate::desk::{self, Desk};
use crate::keys::Keys;
use crate::session;
use crate::start::Running;
use crate::tray::Tray;
use crate::watch;
use crate::windows;
use crate::windows::call::CallWindows;
use crate::windows::place::Places;
use crate::words;

/// Why the window does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellError {
    /// No display, no webview, or a broken installation.
    #[error("the window cannot be opened")]
    Window(#[from] tauri::Error),
}

/// What goes with the window.
pub(crate) struct Around<'a> {
    /// Rings, notifications, and what comes back from them.
    pub(crate) desk: Arc<Desk>,
    /// The profile's folder.
    pub(crate) folder: &'a Path,
    /// The same, if it is not the person's own.
    pub(crate) profile: Option<PathBuf>,
    /// No window at first.
    pub(crate) hidden: bool,
    /// When the program started, for the log.
    pub(crate) begun: Instant,
}

/// Shows the window until the person quits (or closes it where there is no tray), the system asks to end, or the
/// core is gone; leaves any call; returns when everything has ended.
///
/// Runs on the main thread: systems insist on it.
///
/// # Errors
///
/// When the window cannot be opened; the core has been stopped then, too.
pub(crate) fn run(
    core: &Running,
    runtime: &tokio::runtime::Handle,
    around: &Around<'_>,
) -> Result<(), ShellError> {
    let begun = around.begun;
    let quit = Arc::new(Notify::new());
    tauri::async_runtime::set(runtime.clone());
    let portraits = Arc::new(Portraits::default());
    let for_portraits = core.clone();
    let builder = tauri::Builder::default();
    // On Linux each window does this itself, on Windows WebView2 does.
    #[cfg(target_os = "macos")]
    let builder = builder.on_web_content_process_terminate(|page| {
        let _ = page.reload();
    });
    #[cfg(target_os = "linux")]
    let builder = builder.plugin(windows::rendering::plugin());
    let app = builder
        .manage(core.clone())
        .manage(bridge::Pages::default())
        .manage(CallWindows::new(
            core.folder().map(Places::load).unwrap_or_default(),
        ))
        .on_window_event(|window, event| {
            let prevent = windows::call::heard(window.app_handle(), window.label(), event);
            if let (true, WindowEvent::CloseRequested { api, .. }) = (prevent, event) {
                api.prevent_close();
            }
        })
        .invoke_handler(tauri::generate_handler![
            bridge::dispatch,
            bridge::snapshot,
            bridge::hear,
            bridge::open_link,
            bridge::open_logs,
            bridge::read_log,
            bridge::save_log,
            bridge::open_privacy,
            bridge::picture::next_frame,
            bridge::picture::thumbnail,
            bridge::call_window,
            bridge::fit_bar,
            bridge::attach,
            bridge::file_part
        ])
        .register_asynchronous_uri_scheme_protocol(bridge::AVATAR_SCHEME, {
            let runtime = runtime.clone();
            move |_, request, responder| {
                let (core, portraits) = (for_portraits.clone(), Arc::clone(&portraits));
                runtime.spawn(async move {
                    responder.respond(bridge::serve_avatar(core, portraits, request).await);
                });
            }
        })
        .on_page_load(move |_, page| {
            if page.event() == PageLoadEvent::Finished {
                tracing::info!(ms = begun.elapsed().as_millis(), "page loaded");
            }
        })
        .build(context())?;

    runtime.spawn(bridge::pump(app.handle().clone(), core.clone()));
    runtime.spawn({
        let (app, desk) = (app.handle().clone(), Arc::clone(&around.desk));
        async move {
            loop {
                desk.shown().await;
                let front = app.clone();
                // Windows are made on the main thread.
                let _ = app.run_on_main_thread(move || windows::show_main(&front));
            }
        }
    });
    listen(core, runtime, around, &quit);
    runtime.spawn(windows::call::follow(app.handle().clone(), core.clone()));
    let leaving = Arc::new(AtomicBool::new(false));
    {
        let (app, core, leaving) = (app.handle().clone(), core.clone(), Arc::clone(&leaving));
        let desk = Arc::clone(&around.desk);
        runtime.spawn(async move {
            tokio::select! {
                () = terminated() => {}
                () = quit.notified() => {}
                () = desk.quits() => {}
            }
            leave(app, core, &leaving).await;
        });
    }
    let (runtime, core) = (runtime.clone(), core.clone());
    let folder = core.folder().map(Path::to_owned);
    let (hidden, profile) = (around.hidden, around.profile.clone());
    let desk = Arc::clone(&around.desk);
    words::speak(&core.snapshot().appearance.language);
    watch::begin(&core);
    if desk::is_demo() {
        core.handle().desktop(DesktopNews::Demo);
    }
    let mut has_tray = false;
    let _ = app.run_return(move |app, event| match event {
        RunEvent::Ready => {
            let tray = Tray::open(app, &core);
            has_tray = tray.is_some();
            // Without a tray a hidden start would be one that nobody can find.
            if hidden && has_tray {
                core.dispatch(Command::SetFocus { focused: false });
                app.state::<CallWindows>().begin_hidden();
            } else {
                windows::show_main(app);
            }
            let around = (Arc::clone(&desk), profile.clone());
            runtime.spawn(desktop(app.clone(), core.clone(), tray, around));
        }
        RunEvent::Exit => {
            if let Some(folder) = &folder {
                windows::call::places(app).save(folder);
            }
        }
        // A code means that we ask ourselves, when all is done. Without one, the last window was closed.
        RunEvent::ExitRequested {
            api, code: None, ..
        } => {
            api.prevent_exit();
            let snapshot = core.snapshot();
            if in_call(&snapshot.call) || (has_tray && snapshot.alerts.settings.to_tray) {
                tracing::info!("the window is closed, Halloo goes on");
                core.dispatch(Command::SetFocus { focused: false });
                return;
            }
            let (app, core, leaving) = (app.clone(), core.clone(), Arc::clone(&leaving));
            runtime.spawn(async move { leave(app, core, &leaving).await });
        }
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            for address in urls {
                core.dispatch(Command::OpenAddress {
                    address: address.into(),
                });
            }
            windows::show_main(app);
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => windows::show_main(app),
        _ => {}
    });
    Ok(())
}

/// Lets a second start, links and `halloo ctl` find us.
fn listen(
    core: &Running,
    runtime: &tokio::runtime::Handle,
    around: &Around<'_>,
    quit: &Arc<Notify>,
) {
    let _inside = runtime.enter();
    match Listener::open(around.folder) {
        Ok(listener) => {
            let (desk, quit) = (Arc::clone(&around.desk), Arc::clone(quit));
            runtime.spawn(control::serve(listener, core.clone(), desk, quit));
        }
        Err(why) => {
            tracing::warn!(%why, "no control socket: a second start will not find this one");
        }
    }
}

/// Follows the core with everything that is no page: the tray, the popup of calls, the window's call for attention.
async fn desktop(
    app: AppHandle,
    core: Running,
    mut tray: Option<Tray>,
    (desk, profile): (Arc<Desk>, Option<PathBuf>),
) {
    let mut keys = Keys::new(app.clone(), &core);
    if profile.is_none()
        && let Err(why) = session::take_links()
    {
        tracing::info!(%why, "links are not brought to Halloo");
    }
    let first = core.snapshot().alerts.settings.clone();
    let mut starts = (first.autostart, first.start_hidden);
    let mut awake = None;
    let has_tray = tray.is_some();
    let mut snapshots = core.handle().watch();
    let (mut calls, mut was_in_call) = ((0, 0), false);
    loop {
        let snapshot = snapshots.borrow_and_update().clone();
        words::speak(&snapshot.appearance.language);
        if let Some(tray) = &mut tray {
            tray.show(&snapshot);
        }
        let in_call = in_call(&snapshot.call);
        let now = snapshot.incoming.calls.len();
        // In a call they are rows above its bar, or in its large window.
        let popup_rows = if in_call { 0 } else { now };
        if (now, popup_rows) != calls {
            let (popup, grew) = (app.clone(), now > calls.0);
            calls = (now, popup_rows);
            // Windows are made on the main thread.
            let _ = app.run_on_main_thread(move || {
                windows::incoming::show(&popup, popup_rows);
                if grew && let Some(main) = popup.get_webview_window(windows::MAIN) {
                    let _ = main.request_user_attention(Some(UserAttentionType::Critical));
                }
            });
        }
        let settings = &snapshot.alerts.settings;
        keys.hold(&settings.keys);
        if (settings.autostart, settings.start_hidden) != starts {
            starts = (settings.autostart, settings.start_hidden);
            if let Err(why) = session::autostart(starts.0, starts.1, profile.as_deref()) {
                tracing::warn!(%why, "start with the session");
            }
        }
        match (in_call, awake.is_some()) {
            (true, false) => awake = Awake::hold(),
            (false, true) => awake = None,
            _ => {}
        }
        if was_in_call && !in_call && !has_tray {
            // The window was closed during the call, and there is no tray to find us in.
            let back = app.clone();
            let _ = app.run_on_main_thread(move || {
                if back.get_webview_window(windows::MAIN).is_none() {
                    windows::show_main(&back);
                }
            });
        }
        was_in_call = in_call;
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() {
                return;
            },
            () = desk.asks_for_keys() => keys.again(),
        }
    }
}

fn in_call(call: &Call) -> bool {
    !matches!(call.phase, CallPhase::Idle | CallPhase::Failed { .. })
}

/// Leaves the call, ends the core, then the event loop; once, whoever asks for it first.
async fn leave(app: AppHandle, core: Running, leaving: &AtomicBool) {
    if leaving.swap(true, Ordering::Relaxed) {
        return;
    }
    core.stop().await;
    app.exit(0);
}

/// Resolves when the system or a terminal asks the program to end. A closed terminal (SIGHUP) keeps its usual
/// meaning, so that `nohup` works.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // No signals on this system: never asked.
        std::future::pending::<()>().await;
    }
}

/// What tauri-build has generated from `tauri.conf.json`: settings, rights and the interface itself.
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "generated code; what it unwraps was parsed at build time"
)]
fn context() -> tauri::Context<tauri::Wry> {
    tauri::tauri_build_context!()
}
