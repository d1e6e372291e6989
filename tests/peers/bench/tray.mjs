// The app without a window, as it is while nobody looks: signed in, in the tray.

import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';

import {program, Talking} from '../lib/programs.mjs';
import {pause, until} from '../lib/run.mjs';
import {family, pss} from './tree.mjs';

const run = promisify(execFile);

/** A method call to the bus itself (D-Bus specification, "Message Protocol"): fields of the header, then the body. */
function call(serial, member, signature, body) {
    const align = (bytes, to) => Buffer.concat([bytes, Buffer.alloc((to - bytes.length % to) % to)]);
    const text = (value) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(`${value}\0`)]);
    const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
    const field = (code, type, value) => Buffer.concat([Buffer.from([code, 1, type.charCodeAt(0), 0]), value]);
    const fields = [field(1, 'o', text('/org/freedesktop/DBus')), field(2, 's', text('org.freedesktop.DBus')), field(3, 's', text(member)),
        field(6, 's', text('org.freedesktop.DBus'))];
    if (signature) {
        fields.push(Buffer.concat([Buffer.from([8, 1, 103, 0, signature.length]), Buffer.from(`${signature}\0`)]));
    }
    // Between fields there is padding, behind the last one there is none that counts.
    const header = fields.reduce((before, each) => Buffer.concat([align(before, 8), each]), Buffer.alloc(0));
    const content = body ? Buffer.concat([align(text(body[0]), 4), u32(body[1])]) : Buffer.alloc(0);
    return Buffer.concat([align(Buffer.concat([Buffer.from([108, 1, 0, 1]), u32(content.length), u32(serial), u32(header.length), header]), 8), content]);
}

/** Makes the desktop one that shows trays: without, the app would open its window. Gives back what ends that. */
async function watcher() {
    const [, kind, where] = /unix:(path|abstract)=([^,;]+)/.exec(process.env.DBUS_SESSION_BUS_ADDRESS ?? '') ?? [];
    if (!where) {
        throw new Error('this needs a D-Bus of its own: run it through cargo xtask bench');
    }
    const socket = net.connect(kind === 'path' ? where : `\0${where}`);
    await once(socket, 'connect');
    const identity = Buffer.from(String(process.getuid())).toString('hex');
    socket.write(`\0AUTH EXTERNAL ${identity}\r\n`);
    await once(socket, 'data');
    socket.write('BEGIN\r\n');
    socket.write(call(1, 'Hello'));
    socket.write(call(2, 'RequestName', 'su', ['org.kde.StatusNotifierWatcher', 4]));
    await once(socket, 'data');
    socket.resume();
    return () => socket.destroy();
}

/** Memory of the app in the tray, MiB. */
export async function tray(server, user) {
    const file = program('HALLOO', 'halloo');
    const forget = await watcher();
    const profile = mkdtempSync(path.join(os.tmpdir(), 'halloo-tray-'));
    const app = new Talking(file, ['--hidden', '--server', server.url, '--user', user, '--profile', profile],
        {HALLOO_PASSWORD: server.password(user)}, 'halloo');
    try {
        await until('a signed-in app in the tray', async () => {
            const {stdout} = await run(file, ['ctl', '--profile', profile, 'status', '--json']).catch(() => ({stdout: '{}'}));
            return JSON.parse(stdout || '{}').user === user;
        }, 30);
        // What starting took is given back.
        await pause(3000);
        return pss(family(app.child.pid));
    } finally {
        await app.stop();
        forget();
        rmSync(profile, {recursive: true, force: true});
    }
}
