// One bus for sound: what is spoken is its left channel, what is heard its right one, so that a single recording
// holds both on one clock. (Two sinks, or a combined one, have an unknown offset.)

import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream, readFileSync} from 'node:fs';
import path from 'node:path';

const pactl = (...words) => execFileSync('pactl', words, {encoding: 'utf8'}).trim();

/** Makes the bus, on a sound server of our own, and its ends the default devices. */
export function setUp() {
    if (!process.env.PULSE_SERVER) {
        throw new Error('this needs a sound server of its own: run it through cargo xtask bench');
    }
    pactl('load-module', 'module-null-sink', 'sink_name=bus', 'rate=48000', 'channels=2', 'channel_map=front-left,front-right',
        'sink_properties=device.description=Bus');
    const half = (name, side) => pactl('load-module', 'module-remap-sink', `sink_name=${name}`, 'master=bus', 'channels=1',
        `master_channel_map=${side}`, 'channel_map=mono', 'remix=no', `sink_properties=device.description=${name}`);
    half('mouth', 'front-left');
    half('ear', 'front-right');
    // Chromium does not show monitors, hence a source of our own.
    pactl('load-module', 'module-remap-source', 'source_name=microphone', 'master=bus.monitor', 'channels=1',
        'master_channel_map=front-left', 'channel_map=mono', 'remix=no', 'source_properties=device.description=Microphone');
    pactl('set-default-sink', 'ear');
    pactl('set-default-source', 'microphone');
}

const ended = (child) => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve());

/** Speaks a file; resolves at its end. */
export async function speak(file) {
    const child = spawn('paplay', ['--device=mouth', file], {stdio: 'ignore'});
    const [code] = await once(child, 'exit');
    if (code !== 0) {
        throw new Error(`paplay ended with ${code}`);
    }
}

/** Speaks a file again and again until it is stopped. */
export function keepSpeaking(file) {
    let on = true;
    let child;
    const work = (async () => {
        while (on) {
            child = spawn('paplay', ['--device=mouth', file], {stdio: 'ignore'});
            await once(child, 'exit');
        }
    })();
    return async () => {
        on = false;
        child?.kill('SIGTERM');
        await work;
    };
}

/** Records both channels into `file` (raw, 16 bit, 48 kHz) from now until it is stopped. */
export async function record(file) {
    // The recorder's wish is the same for all that is measured, and larger than theirs, so that it does not hurry the bus.
    const child = spawn('parec', ['--device=bus.monitor', '--raw', '--format=s16le', '--rate=48000', '--channels=2',
        '--channel-map=front-left,front-right', '--latency-msec=50'], {stdio: ['ignore', 'pipe', 'ignore']});
    const out = createWriteStream(file);
    child.stdout.pipe(out);
    await once(child.stdout, 'readable');
    return async () => {
        child.kill('SIGTERM');
        await ended(child);
        if (!out.closed) {
            await once(out, 'close');
        }
    };
}

/** A room between what is heard and the microphone: `decibels` soft, `late` milliseconds on top of the way there. */
export async function room(decibels, late) {
    const python = process.env.HALLOO_BENCH_PYTHON ?? 'python3';
    // It has its own pipes: through ours, sound would wait whenever something else keeps us busy, and for good.
    const walls = spawn(python, [path.resolve(import.meta.dirname, 'score.py'), 'room', String(decibels), String(late)],
        {stdio: ['ignore', 'pipe', 'inherit']});
    await once(walls.stdout, 'data');
    return async () => {
        walls.kill('SIGTERM');
        await ended(walls);
    };
}

/** Runs the analysis in Python; gives back what it prints, as JSON. */
export function score(...words) {
    const python = process.env.HALLOO_BENCH_PYTHON ?? 'python3';
    const said = execFileSync(python, [path.resolve(import.meta.dirname, 'score.py'), ...words.map(String)], {encoding: 'utf8', maxBuffer: 1 << 26});
    return JSON.parse(said);
}

/** Whether a recording holds anything on its right channel; for messages. */
export function loudness(file) {
    const bytes = readFileSync(file);
    const sums = [0, 0];
    const frames = Math.floor(bytes.length / 4);
    for (let n = 0; n < frames; n++) {
        for (const side of [0, 1]) {
            sums[side] += (bytes.readInt16LE(n * 4 + side * 2) / 32768) ** 2;
        }
    }
    return sums.map((sum) => Math.round(10 * Math.log10(sum / Math.max(1, frames) + 1e-12)));
}
