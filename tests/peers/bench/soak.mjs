// An hour in a call: does anything grow?
//
//   node run.mjs soak [--minutes N]

import {readdirSync} from 'node:fs';
import path from 'node:path';

import {halloo, Relay, Server} from '../lib/programs.mjs';
import {figure, pause} from '../lib/run.mjs';
import {score} from './bus.mjs';
import {slope, warm} from './growth.mjs';
import {Sheet} from './sheet.mjs';
import {family, own, pss} from './tree.mjs';

const MINUTE = 60_000;

const count = (pid, what) => readdirSync(`/proc/${pid}/${what}`).length;

/** One of ours stays in a call for `minutes` with one who talks about a third of the time; every tenth minute the network is
 * away for two seconds. Judged is the memory of its own. */
export async function soak(minutes) {
    if (!(minutes >= 2)) {
        throw new Error('two minutes are the least that has a slope');
    }
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
            const pids = family(pid);
            samples.push({minute, own: own(pids), pss: pss(pids), files: count(pid, 'fd'), threads: count(pid, 'task')});
            figure('soak', samples.at(-1));
        }
        const kept = warm(samples, minutes);
        const perHour = (what) => slope(kept.map((sample) => [sample.minute / 60, sample[what]]));
        const [first, last] = [kept[0], kept.at(-1)];
        const change = (what) => `${first[what].toFixed(1)} to ${last[what].toFixed(1)} MiB from minute ${first.minute} to ${last.minute}`;
        sheet.row('soak_slope_mb_h', 'MiB/h', {ours: [perHour('own')], target: {most: 0.5}, extra: {samples},
            note: `anonymous memory: ${change('own')}; files ${first.files} to ${last.files}, threads ${first.threads} to ${last.threads}`});
        // Not judged: programs beside this one move it.
        sheet.row('soak_pss_slope_mb_h', 'MiB/h', {ours: [perHour('pss')], note: `PSS: ${change('pss')}`});
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
