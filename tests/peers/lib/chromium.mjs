// Headless Chromium on a page that comes from the development server, with our script added to it: the same origin
// as with the real web client, so that CORS, the WebSocket's origin check and Chromium's own check of requests into
// the local network see nothing unusual.

import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';

import {build} from 'esbuild';
import {chromium} from 'playwright-core';

const FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-timer-throttling',
    '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows',
];

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The page's script, bundled once. */
async function bundle() {
    const result = await build({
        entryPoints: [path.resolve(import.meta.dirname, '../page/main.js')],
        bundle: true,
        format: 'iife',
        write: false,
        // calls-common asks for Node's event emitter; esbuild does not bring one.
        alias: {events: path.resolve(import.meta.dirname, '../page/events.js')},
        logLevel: 'error',
    });
    return result.outputFiles[0].text;
}

/** A browser in which participants are opened. */
export class Browser {
    /** `sound: true` uses the machine's devices, and plays what is heard; `screen: true` has the machine's display. */
    static async start({sound = false, screen = false} = {}) {
        const browser = new Browser();
        const executablePath = process.env.HALLOO_CHROMIUM ?? PROGRAMS.find((file) => existsSync(file));
        if (!executablePath) {
            throw new Error('Chromium is not installed');
        }
        browser.screen = screen;
        browser.script = await bundle();
        // With a screen of its own: the window lies outside of it, and the question what to share answers itself. (The
        // flag that answers questions about devices would choose a screen that does not exist.)
        const without = [sound && '--use-fake-device-for-media-stream', screen && '--use-fake-ui-for-media-stream'];
        const args = FLAGS.filter((flag) => !without.includes(flag));
        if (screen) {
            args.push('--auto-select-desktop-capture-source=Entire screen', '--ozone-platform=x11', '--window-position=4000,4000', '--window-size=200,200');
        }
        browser.chromium = await chromium.launch({
            executablePath,
            headless: !screen,
            args,
            ignoreDefaultArgs: sound ? ['--mute-audio'] : [],
        });
        return browser;
    }

    /** A signed-in page that is in no call yet. `form` is 'older' or 'current', `source` 'beep', 'mic' (as the official
     * client opens it), 'mic-raw' (without processing) or a frequency; `lean` leaves our meter out. */
    async participant(server, user, {form = 'current', source = 'beep', channel = 'standup', lean = false} = {}) {
        const {token} = await server.login(user);
        const context = await this.chromium.newContext({permissions: ['microphone'], ...(this.screen ? {viewport: null} : {})});
        const page = await context.newPage();
        const log = [];
        page.on('console', (message) => log.push(message.text()));
        page.on('pageerror', (error) => log.push(`error: ${error}`));
        await context.addCookies([{name: 'MMAUTHTOKEN', value: token, url: server.url, httpOnly: true}]);
        // Any address of the server will do; what matters is that the page really comes from there.
        await page.goto(`${server.url}/api/v4/system/ping`);
        await page.evaluate((on) => {
            globalThis.lean = on;
        }, lean);
        await page.addScriptTag({content: this.script});
        const channelId = await server.channel(channel, token);
        const peer = new Participant(page, context, log, {token, form, source, channel: channelId, user});
        return peer;
    }

    /** Whether a process belongs to this browser. */
    owns(pid) {
        const at = (file) => {
            try {
                return readFileSync(`/proc/${pid}/${file}`, 'utf8');
            } catch {
                return ''; // It has just ended.
            }
        };
        return at('cmdline').includes('chromium') || at('comm').startsWith('chrom');
    }

    close() {
        return this.chromium.close();
    }
}

/** One page in a call. */
export class Participant {
    constructor(page, context, log, options) {
        Object.assign(this, {page, context, log, options});
    }

    /** Joins; gives back {connectedMs} counted from the moment before the WebSocket is opened. */
    join() {
        return this.call('join', this.options);
    }

    unmute() {
        return this.call('unmute');
    }

    mute(options) {
        return this.call('mute', options);
    }

    /** Sums over all received voices: energy, samples, concealed; and who is heard. */
    stats() {
        return this.call('stats');
    }

    state() {
        return this.call('state');
    }

    /** The newest level of what is heard, dBFS, and since when it is below −60 dBFS. */
    level() {
        return this.call('level');
    }

    async leave() {
        await this.call('leave').catch(() => {});
        await this.context.close();
    }

    async call(name, ...words) {
        try {
            return await this.page.evaluate(([method, given]) => globalThis.peer[method](...given), [name, words]);
        } catch (error) {
            throw new Error(`${this.options.user} ${name}: ${error.message}\n${this.log.slice(-15).join('\n')}`);
        }
    }
}
