//! What large text, other colours and dialogs do to the pages.

use serde_json::json;

use crate::driver::wait_for;
use crate::sound::Devices;
use crate::stage::{Server, alone, folder};
use crate::{CHANNEL, open_channel, phase};

#[test]
fn large_text_fits_dialogs_keep_the_focus_and_nothing_moves_where_that_is_wanted() {
    let _stage = alone();
    let folder = folder("limits");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.test_id("post-row");

    // A dialog takes the focus, and gives it back to what opened it.
    window.script(
        "const author = document.querySelector('[data-testid=post-author]:not(:disabled)'); author.focus(); author.click()",
    );
    window.test_id("person-card");
    wait_for("the focus inside the dialog", || {
        let inside = window.script("return document.activeElement.closest('dialog') !== null");
        (inside == true).then_some(())
    });
    window.screenshot(&folder.join("1-card.png"));
    window.test_id("person-close").click();
    window.gone("[data-testid=person-card]");
    let back = window.script("return document.activeElement.dataset.testid ?? ''");
    assert_eq!(back, "post-author");

    let look = |theme: &str, text: u32| {
        window.script(&format!(
            "window.__TAURI_INTERNALS__.invoke('dispatch', {{command: {{type: 'setAppearance', appearance: \
             {{theme: '{theme}', textPercent: {text}, density: 'comfortable', motion: 'less', language: 'en', clock: 'system'}}}}}})"
        ));
        wait_for("the look", || {
            let worn = window.script("return document.documentElement.dataset.theme + document.documentElement.style.fontSize");
            (worn == format!("{theme}{text}%")).then_some(())
        });
    };
    // What does not fit: wider than the window, or cut without a sign that it was.
    let cut = "const seen = [...document.querySelectorAll('button, h1, h2, h3, label, .what, .btn, kbd')].filter((one) => {
        const style = getComputedStyle(one);
        return one.getClientRects().length > 0 && one.scrollWidth > one.clientWidth + 2 && style.overflowX !== 'visible'
          && style.textOverflow !== 'ellipsis' && !one.querySelector('.cut');
      }).map((one) => one.outerHTML.slice(0, 140));
      const page = document.documentElement;
      if (page.scrollWidth > innerWidth + 1) seen.push('the page is ' + page.scrollWidth + ' wide');
      return seen;";
    let check = |what: &str| {
        assert_eq!(window.script(cut), json!([]), "{what}");
        let moving = window.script(
            "return document.getAnimations().filter((one) => one.playState === 'running' && one.effect.getComputedTiming().activeDuration > 0).length",
        );
        assert_eq!(moving, 0, "{what}");
    };
    window.test_id("call-button").click();
    phase(&window, "live");
    for theme in ["light", "dark", "contrast"] {
        look(theme, 200);
        check(theme);
        window.screenshot(&folder.join(format!("2-main-{theme}.png")));
    }
    window.test_id("settings-button").click();
    for page in [
        "sound",
        "calls",
        "ringing",
        "notifications",
        "appearance",
        "shortcuts",
        "advanced",
    ] {
        window.test_id(&format!("settings-page-{page}")).click();
        window.attribute_is(&format!("settings-page-{page}"), "aria-current", "page");
        check(page);
        window.screenshot(&folder.join(format!("3-{page}.png")));
    }
    // The log, as it is: read, without the password that signed us in.
    window.test_id("log-show").click();
    wait_for("the log", || {
        let text = window
            .script("return document.querySelector('[data-testid=log-lines]')?.textContent ?? ''");
        let text = text.as_str()?.to_owned();
        (text.contains("rtc connected") && !text.contains(&server.password)).then_some(())
    });
    look("dark", 100);
    window.screenshot(&folder.join("4-log.png"));
    window.terminate();
}
