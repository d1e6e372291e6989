// Pictures of every view, for `src-tauri/docs/views.md`: the interface's demo (`npm run build:demo` in `ui/`) in
// headless Chromium, at a fixed time, without movement, light and dark.
//
//   node shots.mjs [FOLDER] [PART OF A NAME]      FOLDER: src-tauri/docs/views

import {createReadStream, existsSync, mkdirSync, statSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import {chromium} from 'playwright-core';

const root = path.resolve(import.meta.dirname, '../..');
const demo = path.join(root, 'ui/dist-demo');
const [folder = path.join(root, 'src-tauri/docs/views'), only = ''] = process.argv.slice(2);

const WINDOW = {width: 1280, height: 800};
const LARGE = {width: 960, height: 640};
const BAR = {width: 360, height: 600};
const CARD = {width: 380, height: 220};

const settings = (page) => ({view: 'main', size: WINDOW, press: ['settings-button', `settings-page-${page}`]});

/** Name → scene, window, size and what to press before. */
const SHOTS = {
    'sign-in-address': {view: 'address', size: WINDOW},
    'sign-in': {view: 'sign-in', size: WINDOW},
    'sign-in-wrong': {view: 'sign-in-wrong', size: WINDOW},
    'sign-in-code': {view: 'sign-in-code', size: WINDOW},
    'main': {view: 'main', size: WINDOW},
    'servers': {view: 'servers-call', size: WINDOW},
    'servers-add': {view: 'servers-add', size: WINDOW},
    'incoming-server': {view: 'servers-incoming', window: 'incoming', size: CARD},
    'listening': {view: 'listening-untrusted', size: WINDOW},
    'messages': {view: 'rich', size: WINDOW},
    'markdown': {view: 'markdown', size: WINDOW},
    'thread': {view: 'thread', size: WINDOW},
    'direct': {view: 'direct', size: WINDOW},
    'empty': {view: 'empty', size: WINDOW},
    'loading': {view: 'loading', size: WINDOW},
    'offline': {view: 'offline', size: WINDOW},
    'notices': {view: 'notices', size: WINDOW},
    'look-first': {view: 'look-first', size: WINDOW, press: ['call-button']},
    'jump': {view: 'main', size: WINDOW, keys: ['Control+k']},
    'in-call': {view: 'live', size: WINDOW},
    'call-failed': {view: 'failed', size: WINDOW},
    'switch': {view: 'switch', size: WINDOW},
    'call-bar': {view: 'live', window: 'call', size: BAR},
    'call-bar-host': {view: 'host', window: 'call', size: BAR},
    'call-bar-people': {view: 'live', window: 'call', size: BAR, press: ['people-button']},
    'call-bar-reconnecting': {view: 'reconnecting', window: 'call', size: BAR},
    'call-bar-recorded': {view: 'recorded', window: 'call', size: BAR},
    'call-window': {view: 'host', window: 'stage', size: LARGE},
    'call-window-chat': {view: 'host', window: 'stage', size: LARGE, press: ['chat-button']},
    'call-window-screen': {view: 'share-watch', window: 'stage', size: LARGE},
    'call-window-crowd': {view: 'crowd', window: 'stage', size: LARGE},
    'call-window-captions': {view: 'captions', window: 'stage', size: LARGE},
    'call-window-said': {view: 'captions', window: 'stage', size: LARGE, press: ['device-menu-button', 'said-item']},
    'share-picker': {view: 'share-picker', size: WINDOW},
    'sharing': {view: 'share-mine', window: 'stage', size: LARGE},
    'incoming': {view: 'incoming-decline', window: 'incoming', size: CARD},
    'incoming-more': {view: 'incoming-stack', window: 'incoming', size: {width: 380, height: 316}},
    'settings-sound': settings('sound'),
    'settings-calls': settings('calls'),
    'settings-ringing': settings('ringing'),
    'settings-notifications': settings('notifications'),
    'settings-servers': {view: 'servers', size: WINDOW, press: ['settings-button', 'settings-page-servers']},
    'settings-appearance': settings('appearance'),
    'settings-shortcuts': settings('shortcuts'),
    'settings-advanced': settings('advanced'),
    'log': {view: 'main', size: WINDOW, press: ['settings-button', 'settings-page-advanced', 'log-show']},
    'person': {view: 'main', size: WINDOW, press: ['post-author']},
    'call-window-deafened': {view: 'host', window: 'stage', size: LARGE, keys: ['Control+Shift+D']},
    'call-window-figures': {view: 'host', window: 'stage', size: LARGE, press: ['device-menu-button', 'stats-item']},
};

/** To look at things as somebody sees them who needs larger letters: `HALLOO_TEXT=150`. */
const letters = Number(process.env.HALLOO_TEXT ?? 100);

const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json'};

function serve() {
    const server = http.createServer((request, answer) => {
        const wanted = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
        const file = path.join(demo, path.normalize(wanted === '/' ? 'index.html' : wanted));
        if (!file.startsWith(demo) || !existsSync(file) || !statSync(file).isFile()) {
            answer.writeHead(404).end();
            return;
        }
        answer.writeHead(200, {'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream'});
        createReadStream(file).pipe(answer);
    });
    return new Promise((done) => {
        server.listen(0, '127.0.0.1', () => done(server));
    });
}

const executablePath = process.env.HALLOO_CHROMIUM
    ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => existsSync(file));
const server = await serve();
const address = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none']});
mkdirSync(folder, {recursive: true});

/** Takes one picture; gives its size in bytes. */
async function take(page, session, name, theme, shot) {
    await page.setViewportSize(shot.size);
    const query = new URLSearchParams({view: shot.view, theme, ...(shot.window ? {window: shot.window} : {})});
    await page.goto(`${address}/?${query}`);
    await page.waitForSelector('[data-testid]');
    await page.evaluate(() => document.fonts.ready);
    for (const id of shot.press ?? []) {
        await page.click(`[data-testid="${id}"]`, {timeout: 5000});
    }
    for (const key of shot.keys ?? []) {
        await page.keyboard.press(key);
    }
    if (letters !== 100) {
        await page.evaluate((size) => { document.documentElement.style.fontSize = size; }, `${letters}%`);
    }
    await page.mouse.move(0, 0);
    await page.waitForTimeout(200);
    if (shot.window === 'call') {
        // Its window is as high as what it shows.
        const height = await page.evaluate(() => Math.ceil(document.querySelector('[data-testid="call-bar"]').getBoundingClientRect().bottom));
        await page.setViewportSize({...shot.size, height});
        await page.waitForTimeout(100);
    }
    const {data} = await session.send('Page.captureScreenshot', {format: 'webp', quality: 80});
    const picture = Buffer.from(data, 'base64');
    writeFileSync(path.join(folder, `${name}-${theme}.webp`), picture);
    return picture.length;
}

let total = 0;
let count = 0;
let failed = 0;
try {
    for (const theme of ['light', 'dark']) {
        const context = await browser.newContext({reducedMotion: 'reduce', colorScheme: theme, locale: 'en-GB', timezoneId: 'Europe/Berlin'});
        const page = await context.newPage();
        const session = await context.newCDPSession(page);
        // Wednesday morning. Timers go on: the demo shows nothing without them.
        await page.clock.setFixedTime(new Date('2026-03-11T10:24:00+01:00'));
        for (const [name, shot] of Object.entries(SHOTS)) {
            if (!name.includes(only)) {
                continue;
            }
            try {
                total += await take(page, session, name, theme, shot);
                count += 1;
            } catch (error) {
                failed += 1;
                console.error(`FAILED  ${name} ${theme}: ${error.message}`);
            }
        }
        await context.close();
    }
} finally {
    await browser.close();
    server.close();
}
console.log(`${count} pictures, ${(total / 1000).toFixed(0)} kB in ${folder}`);
process.exit(failed ? 1 : 0);
