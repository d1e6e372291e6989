// An hour in a call: does anything grow?
//
//   node run.mjs soak [--minutes N]

import {readdirSync} from 'node:fs';
import path from 'node:path';

import {halloo, Relay, Server} from '../lib/programs.mjs';
import {pause} from '../lib/run.mjs';
import {score} from './bus.mjs';
import {Sheet} from './sheet.mjs';
import {family, pss} from './tree.mjs';

const MINUTE = 60_000;

const count = (pid, what) => readdirSync(`/proc/${pid}/${what}`).length;

/** Slope of a line through these points, by least squares. */
function slope(points) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
    const above = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
    return above / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

/** One of ours stays in a call for `minutes` with one who talks about a third of the time; every tenth minute the network is
 * away for two seconds. The first sixth is left out: caches fill. */
export async function soak(minutes) {
    const sheet = new Sheet('soak', {seed: 1, quick: false});
    const relay = await Relay.start();
    const server = await Server.start('small', ['--media-announce', `127.0.0.1:${relay.port}`]);
    const clients = [];
    try {
        await relay.order({to: `127.0.0.1:${server.told.media_port}`});
        await server.configure({dc_signaling: true, rest_limit: false});
        const speech = path.join(sheet.folder, 'soak.wav');
        score('speech', speech, 8, 3);
        clients.push(halloo(server, 'bob', ['--unmuted', '--play', `loop:${speech}`]));
        const alice = halloo(server, 'alice', ['--unmuted', '--play', `loop:${speech}`]);
        clients.push(alice);
        for (const client of clients) {
            await client.line('connected', (line) => line.event === 'connected');
        }
        const pid = alice.child.pid;
        const samples = [];
        const from = performance.now();
        for (let minute = 0; minute <= minutes; minute++) {
            await pause(Math.max(0, from + minute * MINUTE - performance.now()));
            if (minute % 10 === 9) {
                await relay.order({loss: 1});
                await pause(2000);
                await relay.order({loss: 0});
            }
            samples.push({minute, mib: pss(family(pid)), files: count(pid, 'fd'), threads: count(pid, 'task')});
        }
        const kept = samples.filter(({minute}) => minute >= minutes / 6);
        const perHour = slope(kept.map(({minute, mib}) => [minute / 60, mib]));
        const [first, last] = [kept[0], kept.at(-1)];
        sheet.row('soak_slope_mb_h', 'MiB/h', {ours: [perHour], chromium: null, target: {most: 0.5}, extra: {samples},
            note: `${minutes} minutes; ${first.mib.toFixed(1)} to ${last.mib.toFixed(1)} MiB, files ${first.files} to ${last.files}, threads ${first.threads} to ${last.threads}`});
        if (last.files > first.files || last.threads > first.threads) {
            throw new Error(`files ${first.files} to ${last.files}, threads ${first.threads} to ${last.threads}`);
        }
    } finally {
        for (const client of clients) {
            await client.stop();
        }
        await server.stop();
        await relay.stop();
    }
}
