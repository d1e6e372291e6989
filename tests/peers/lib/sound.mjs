// What a recording holds: level, frequency, beeps, silence. 16-bit or float WAV, first channel.

import {readFileSync} from 'node:fs';

/** Reads a WAV file: {rate, samples}. */
export function readWav(file) {
    const bytes = readFileSync(file);
    let at = 12;
    let rate = 0;
    let frame = 0;
    let bits = 0;
    while (at + 8 <= bytes.length) {
        const name = bytes.toString('latin1', at, at + 4);
        const length = bytes.readUInt32LE(at + 4);
        const body = at + 8;
        if (name === 'fmt ') {
            rate = bytes.readUInt32LE(body + 4);
            frame = bytes.readUInt16LE(body + 12);
            bits = bytes.readUInt16LE(body + 14);
        } else if (name === 'data') {
            const end = length === 0 ? bytes.length : Math.min(bytes.length, body + length);
            const samples = new Float32Array(Math.floor((end - body) / frame));
            for (let n = 0; n < samples.length; n++) {
                const where = body + n * frame;
                samples[n] = bits === 32 ? bytes.readFloatLE(where) : bytes.readInt16LE(where) / 32768;
            }
            return {rate, samples};
        }
        at = body + length + (length % 2);
    }
    throw new Error(`${file} is no WAV file`);
}

/** Power in each `ms` of the recording, as decibels below full scale. */
export function levels({rate, samples}, ms = 10) {
    const step = Math.round(rate * ms / 1000);
    const found = [];
    for (let at = 0; at + step <= samples.length; at += step) {
        let sum = 0;
        for (let n = at; n < at + step; n++) {
            sum += samples[n] * samples[n];
        }
        found.push(10 * Math.log10(sum / step + 1e-12));
    }
    return found;
}

/** Power at one frequency (Goertzel), of `samples` from `from` to `to`. */
export function power(samples, rate, hertz, from = 0, to = samples.length) {
    const turn = 2 * Math.cos(2 * Math.PI * hertz / rate);
    let last = 0;
    let before = 0;
    for (let n = from; n < to; n++) {
        [last, before] = [samples[n] + turn * last - before, last];
    }
    return (last * last + before * before - turn * last * before) / ((to - from) ** 2);
}

/** The strongest frequency between 100 and 2000 Hz in the loudest second, in steps of `step` Hz. */
export function pitch({rate, samples}, step = 1) {
    const loud = levels({rate, samples}, 1000);
    const second = loud.indexOf(Math.max(...loud));
    let best = {hertz: 0, power: 0};
    for (let hertz = 100; hertz <= 2000; hertz += step) {
        const found = power(samples, rate, hertz, second * rate, (second + 1) * rate);
        if (found > best.power) {
            best = {hertz, power: found};
        }
    }
    return best.hertz;
}

/** How often the sound starts again after at least 100 ms of quiet. */
export function beeps(recording, above = -50) {
    let quiet = 10;
    let count = 0;
    for (const level of levels(recording)) {
        if (level > above) {
            if (quiet >= 10) {
                count++;
            }
            quiet = 0;
        } else {
            quiet++;
        }
    }
    return count;
}

/** The stretches of a recording in which one of these frequencies is clearly the strongest: [{hertz, from, to}], in ms. */
export function tones({rate, samples}, frequencies) {
    const step = rate / 100;
    const found = [];
    for (let at = 0; at + step <= samples.length; at += step) {
        const strength = frequencies.map((hertz) => power(samples, rate, hertz, at, at + step));
        const best = Math.max(...strength);
        const sure = best > 1e-4 && strength.filter((each) => each > best / 10).length === 1;
        const hertz = sure ? frequencies[strength.indexOf(best)] : null;
        const last = found.at(-1);
        if (last?.hertz === hertz) {
            last.to = (at + step) * 1000 / rate;
        } else {
            found.push({hertz, from: at * 1000 / rate, to: (at + step) * 1000 / rate});
        }
    }
    return found.filter((each) => each.hertz !== null);
}
