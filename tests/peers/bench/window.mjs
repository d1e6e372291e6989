// The real window of the app, driven over WebDriver (W3C WebDriver, 2018).

import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import {pause, until} from '../lib/run.mjs';
import {program} from '../lib/programs.mjs';
import {commandLine, family} from './tree.mjs';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

const freePort = () => new Promise((done, no) => {
    const server = net.createServer();
    server.once('error', no);
    server.listen(0, '127.0.0.1', () => {
        const {port} = server.address();
        server.close(() => done(port));
    });
});

/** The app, signed in as `user`. */
export class Window {
    static async open(server, user) {
        const window = new Window();
        window.port = await freePort();
        window.profile = mkdtempSync(path.join(os.tmpdir(), 'halloo-bench-'));
        window.driver = spawn('WebKitWebDriver', ['--host=127.0.0.1', `--port=${window.port}`], {
            env: {...process.env, TAURI_WEBVIEW_AUTOMATION: 'true', HALLOO_PASSWORD: server.password(user)},
            stdio: 'ignore',
        });
        await until('WebKitWebDriver', () => fetch(`http://127.0.0.1:${window.port}/status`).then(() => true, () => false), 20);
        const browserOptions = {
            binary: program('HALLOO', 'halloo'),
            args: ['--server', server.url, '--user', user, '--profile', window.profile],
        };
        const session = await window.ask('POST', '', {capabilities: {alwaysMatch: {'webkitgtk:browserOptions': browserOptions}}});
        window.session = session.sessionId;
        return window;
    }

    async ask(method, where, body) {
        const url = `http://127.0.0.1:${this.port}/session${this.session ? `/${this.session}` : ''}${where}`;
        const answer = await fetch(url, {method, body: body ? JSON.stringify(body) : undefined});
        const {value} = await answer.json();
        if (!answer.ok) {
            throw new Error(`${method} ${where}: ${JSON.stringify(value).slice(0, 300)}`);
        }
        return value;
    }

    find(selector, seconds = 20) {
        return until(selector, async () => {
            const found = await this.ask('POST', '/element', {using: 'css selector', value: selector}).catch(() => null);
            return found?.[ELEMENT];
        }, seconds);
    }

    async click(selector, seconds) {
        await this.ask('POST', `/element/${await this.find(selector, seconds)}/click`, {});
    }

    /** Opens a channel and is in the call that others have there when this returns. */
    async join(channel = 'Standup') {
        const row = `[data-testid=channel-row][data-channel-name="${channel}"]`;
        await this.click(row, 30);
        // The button belongs to the channel that is shown, and for a moment that is still the one before.
        await this.find(`${row}[aria-current=page]`);
        await this.click('[data-testid=call-button][data-state=join]');
        await this.find('[data-testid=call-phase][data-phase=live]');
        await until('the others in the call', () => this.ask('POST', '/execute/sync', {
            script: 'return parseInt(document.querySelector("[data-testid=people-button]")?.textContent ?? "0", 10) > 1', args: [],
        }));
    }

    async unmute() {
        await this.click('[data-testid=mute-button]');
        await this.find('[data-testid=mute-button][data-microphone=open]');
    }

    /** The app's processes and those of its webview, without the driver's own. */
    pids = () => family(this.driver.pid).filter((pid) => pid !== this.driver.pid && !commandLine(pid).includes('WebKitWebDriver'));

    async close() {
        await this.ask('DELETE', '').catch(() => {});
        const all = family(this.driver.pid);
        this.driver.kill('SIGTERM');
        await pause(500);
        for (const pid of all.filter((pid) => /halloo|WebKit/.test(commandLine(pid)))) {
            try {
                process.kill(pid, 'SIGKILL');
            } catch {
                // Gone already.
            }
        }
        rmSync(this.profile, {recursive: true, force: true});
    }
}
