"""What the voice bench makes and measures, with numpy: speech, bursts, delays and PESQ.

  score.py speech OUT.wav SECONDS_OF_PAUSE VOICES   synthesises speech with espeak-ng
  score.py bursts OUT.wav SEED COUNT                short bursts of noise at uneven times
  score.py delay REC.raw                            how much later the right channel is, per burst, milliseconds
  score.py room DB MS                               a room between `ear` and `mouth`, until it is ended; says when it is there
  score.py level FILE FROM TO                       loudness of a recording between two times in seconds, dBFS
  score.py near SPEECH.wav HEARD.wav                PESQ-WB of each utterance of a file, wherever it is in a recording
  score.py pesq REC.raw                             PESQ-WB of the right channel against the left, per utterance

A recording is raw, 16 bit, 48 kHz, two channels: left what was spoken, right what was heard. Prints JSON.
"""

import json
import os
import signal as signals
import subprocess
import sys
import wave

import numpy as np
from scipy import signal

RATE = 48_000
# Everything is compared by its envelope at this rate: fine enough for an eighth of a millisecond.
FINE = 8_000
# Longest delay looked for, seconds.
LONGEST = 0.9

# Harvard sentences (IEEE, 1969), which are free of rights, spoken by three voices.
SENTENCES = [
    ("en-gb", 150, "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background."),
    ("en-us+f3", 160, "It is easy to tell the depth of a well. These days a chicken leg is a rare dish."),
    ("en-gb-x-rp+m3", 155, "Rice is often served in round bowls. The juice of lemons makes fine punch."),
    ("en-gb+f4", 165, "The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage."),
    ("en-us", 150, "Four hours of steady work faced us. A large size in stockings is hard to sell."),
    ("en-gb+f2", 160, "The boy was there when the sun rose. A rod is used to catch pink salmon."),
]


def write(path, sound):
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def speech(path, pause, voices, first=0):
    parts = [np.zeros(int(0.5 * RATE))]
    for voice, speed, text in SENTENCES[int(first) : int(first) + int(voices)]:
        said = subprocess.run(
            ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text], check=True, capture_output=True
        ).stdout
        # The header's length is a guess, because espeak-ng writes into a pipe.
        at = said.index(b"data") + 8
        rate = int.from_bytes(said[24:28], "little")
        sound = np.frombuffer(said[at : at + (len(said) - at) // 2 * 2], "<i2") / 32768
        sound = signal.resample_poly(sound, RATE, rate)
        loud = np.abs(sound) > 0.02
        # Active speech at -23 dBFS, a usual level.
        sound *= 10 ** (-23 / 20) / max(1e-6, np.sqrt(np.mean(sound[loud] ** 2)))
        parts += [sound, np.zeros(int(float(pause) * RATE))]
    write(path, np.concatenate(parts))
    return {"seconds": sum(len(part) for part in parts) / RATE}


def bursts(path, seed, count):
    chance = np.random.default_rng(int(seed))
    band = signal.butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
    parts = [np.zeros(int(0.6 * RATE))]
    length = int(0.06 * RATE)
    for _ in range(int(count)):
        noise = signal.sosfilt(band, chance.standard_normal(length + RATE // 10))[-length:]
        noise *= signal.windows.tukey(length, 0.2)
        noise *= 0.2 / max(1e-9, np.sqrt(np.mean(noise**2)))
        parts += [noise, np.zeros(int(chance.uniform(0.45, 0.75) * RATE))]
    write(path, np.concatenate(parts))
    return {"seconds": sum(len(part) for part in parts) / RATE}


def load(path):
    raw = np.fromfile(path, "<i2")
    return raw[: len(raw) // 2 * 2].reshape(-1, 2).T / 32768


def envelope(sound):
    if len(sound) < RATE // 10:
        return np.zeros(len(sound) // (RATE // FINE))
    band = signal.butter(2, [250, 3500], "bandpass", fs=RATE, output="sos")
    sound = signal.sosfiltfilt(band, sound)
    # 1.5 ms: shorter than any syllable's edge, longer than a period of the lowest tone that counts here.
    power = np.convolve(sound**2, np.hanning(72), "same")
    return np.sqrt(np.maximum(power[:: RATE // FINE], 0))


def pieces(fine, quiet, least, threshold):
    """Stretches of sound in an envelope: (from, to) in its samples, with at least `quiet` s between them."""
    loud = np.flatnonzero(fine > threshold)
    if len(loud) == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) > quiet * FINE)
    starts = np.concatenate([[loud[0]], loud[breaks + 1]])
    ends = np.concatenate([loud[breaks], [loud[-1]]])
    return [(a, b) for a, b in zip(starts, ends) if b - a > least * FINE]


def lag_of(piece, there):
    """Where `piece` is in `there`, in samples of the envelope, and how alike they are."""
    piece = piece - piece.mean()
    product = signal.correlate(there, piece, "valid", method="fft")
    square = np.cumsum(np.concatenate([[0], there**2]))
    mean = np.cumsum(np.concatenate([[0], there]))
    n = len(piece)
    energy = (square[n:] - square[:-n]) - (mean[n:] - mean[:-n]) ** 2 / n
    alike = product / np.sqrt(np.maximum(energy, 1e-12) * np.sum(piece**2))
    # What is nearly silent resembles anything.
    alike[energy < np.max(energy) * 0.02] = 0
    best = int(np.argmax(alike))
    return best, float(alike[best])


def delay(path):
    left, right = load(path)
    spoken, heard = envelope(left), envelope(right)
    found, missed = [], 0
    for a, b in pieces(spoken, 0.15, 0.03, 0.03):
        margin = int(0.02 * FINE)
        a, b = max(0, a - margin), b + margin
        there = heard[a : a + (b - a) + int(0.45 * FINE)]
        if len(there) < (b - a) + int(0.44 * FINE):
            continue
        lag, alike = lag_of(spoken[a:b], there)
        if alike > 0.75:
            found.append(lag / FINE * 1000)
        else:
            missed += 1
    return {"delays": [round(value, 2) for value in found], "missed": missed}


def pesq_of(path):
    from pesq import NoUtterancesError, pesq

    left, right = load(path)
    spoken, heard = envelope(left), envelope(right)
    scores, lags = [], []
    for a, b in pieces(spoken, 0.6, 1.0, 0.004):
        a, b = max(0, a - int(0.25 * FINE)), min(len(spoken), b + int(0.25 * FINE))
        there = heard[a : min(len(heard), b + int(LONGEST * FINE))]
        if len(there) <= b - a:
            continue
        lag, _ = lag_of(spoken[a:b], there)
        step = RATE // FINE
        one = signal.resample_poly(left[a * step : b * step], 1, 3)
        two = signal.resample_poly(right[(a + lag) * step : (b + lag) * step], 1, 3)
        n = min(len(one), len(two))
        try:
            scores.append(round(float(pesq(16_000, one[:n], two[:n], "wb")), 3))
        except NoUtterancesError:
            # Nothing was heard: the worst that there is.
            scores.append(1.0)
        lags.append(round(lag / FINE * 1000, 1))
    return {"scores": scores, "lags": lags}


def room(decibels, late):
    """An early reflection pattern and a short tail, from a fixed seed; the same for whoever is measured."""
    chance = np.random.default_rng(7)
    taps = chance.standard_normal(2_400) * np.exp(-np.arange(2_400) / 400)
    taps[0] = 4
    taps *= 10 ** (float(decibels) / 20) / np.sqrt(np.sum(taps**2))
    taps = np.concatenate([np.zeros(int(float(late) * RATE / 1000)), taps])
    # Long enough that it does not run dry: a room's way does not jump.
    form = ["--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=30"]
    mouth = subprocess.Popen(["pacat", "--device=mouth", *form], stdin=subprocess.PIPE)
    ear = subprocess.Popen(["parec", "--device=ear.monitor", *form], stdout=subprocess.PIPE)

    def end(*_):
        ear.kill()
        mouth.kill()
        sys.exit(0)

    signals.signal(signals.SIGTERM, end)
    print("ready", flush=True)
    state, raw = np.zeros(len(taps) - 1), b""
    while more := os.read(ear.stdout.fileno(), 65536):
        # What has piled up would be delay for all that follows: after a stall the room forgets it.
        raw = (raw + more)[-RATE // 10 * 2 :] if len(more) > RATE // 10 * 2 else raw + more
        whole = len(raw) // 2 * 2
        sound, raw = np.frombuffer(raw[:whole], "<i2") / 32768, raw[whole:]
        if len(sound) == 0:
            continue
        # Overlap-add by blocks: a filter of this length sample by sample would take a core.
        full = signal.fftconvolve(sound, taps)
        full[: len(state)] += state
        out, state = full[: len(sound)], full[len(sound) :]
        mouth.stdin.write((np.clip(out, -1, 1) * 32767).astype("<i2").tobytes())
        mouth.stdin.flush()
    return None


def sound_of(path):
    if path.endswith(".raw"):
        return load(path)[0]
    with open(path, "rb") as file:
        data = file.read()
    # A recording that was cut off says a wrong length.
    at = data.index(b"data") + 8
    bits = int.from_bytes(data[34:36], "little")
    kind = {16: "<i2", 32: "<f4"}[bits]
    body = data[at : at + (len(data) - at) // (bits // 8) * (bits // 8)]
    return np.frombuffer(body, kind) / (32768 if bits == 16 else 1)


def level(path, start, end):
    sound = sound_of(path)[int(float(start) * RATE) : int(float(end) * RATE)]
    return {"level": round(float(10 * np.log10(np.mean(sound**2) + 1e-12)), 2)}


def near(path, heard_path):
    from pesq import NoUtterancesError, pesq

    spoken, heard = sound_of(path), sound_of(heard_path)
    fine, there = envelope(spoken), envelope(heard)
    scores = []
    for a, b in pieces(fine, 0.6, 1.0, 0.004):
        a, b = max(0, a - int(0.25 * FINE)), min(len(fine), b + int(0.25 * FINE))
        if len(there) <= b - a:
            continue
        lag, _ = lag_of(fine[a:b], there)
        step = RATE // FINE
        one = signal.resample_poly(spoken[a * step : b * step], 1, 3)
        two = signal.resample_poly(heard[lag * step : (lag + b - a) * step], 1, 3)
        n = min(len(one), len(two))
        try:
            scores.append(round(float(pesq(16_000, one[:n], two[:n], "wb")), 3))
        except NoUtterancesError:
            scores.append(1.0)
    return {"scores": scores}


CHORES = {"room": room, "level": level, "near": near, "speech": speech, "bursts": bursts, "delay": delay, "pesq": pesq_of}
if __name__ == "__main__":
    said = CHORES[sys.argv[1]](*sys.argv[2:])
    if said is not None:
        print(json.dumps(said))
