//! The program with its window: Tauri, the client behind it, and an orderly end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, RunEvent};

use crate::bridge::{self, Portraits};
use crate::start::Running;
use crate::windows;

/// Why the window does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellError {
    /// No display, no webview, or a broken installation.
    #[error("the window cannot be opened")]
    Window(#[from] tauri::Error),
}

/// Shows the window until the person closes it, the system asks to end, or the core is gone; leaves any call;
/// returns when everything has ended. `begun` is when the program started, for the log.
///
/// Runs on the main thread: systems insist on it.
///
/// # Errors
///
/// When the window cannot be opened; the core has been stopped then, too.
pub(crate) fn run(
    core: &Running,
    runtime: &tokio::runtime::Handle,
    begun: Instant,
) -> Result<(), ShellError> {
    tauri::async_runtime::set(runtime.clone());
    let portraits = Arc::new(Portraits::default());
    let for_portraits = core.clone();
    let builder = tauri::Builder::default();
    // On Linux each window does this itself, on Windows WebView2 does.
    #[cfg(target_os = "macos")]
    let builder = builder.on_web_content_process_terminate(|page| {
        let _ = page.reload();
    });
    let app = builder
        .manage(core.clone())
        .invoke_handler(tauri::generate_handler![
            bridge::dispatch,
            bridge::snapshot,
            bridge::open_link
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
        .setup(|app| {
            windows::open_main(app)?;
            Ok(())
        })
        .build(context())?;

    runtime.spawn(bridge::pump(app.handle().clone(), core.clone()));
    let leaving = Arc::new(AtomicBool::new(false));
    {
        let (app, core, leaving) = (app.handle().clone(), core.clone(), Arc::clone(&leaving));
        runtime.spawn(async move {
            terminated().await;
            leave(app, core, &leaving).await;
        });
    }
    let (runtime, core) = (runtime.clone(), core.clone());
    let _ = app.run_return(move |app, event| {
        // A code means that we ask ourselves, when all is done. Without one, the last window was closed: the
        // call is left first. (A tray that keeps the program alive is another issue.)
        if let RunEvent::ExitRequested {
            api, code: None, ..
        } = event
        {
            api.prevent_exit();
            let (app, core, leaving) = (app.clone(), core.clone(), Arc::clone(&leaving));
            runtime.spawn(async move { leave(app, core, &leaving).await });
        }
    });
    Ok(())
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
