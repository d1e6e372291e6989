// Screens: watching one, and sharing one with the official client's encodings. A bar code in the pixels tells when a
// picture was painted: 32 cells of 40×40 pixels, 31 bits of the wall clock's milliseconds and one for parity.

const CELL = 40;

/** Official encodings (calls-common rtc_peer.ts), in this order. */
const SINGLE = [{maxBitrate: 1000 * 1000, maxFramerate: 10, scaleResolutionDownBy: 1}];
const SIMULCAST = [
    {rid: 'l', maxBitrate: 500 * 1000, maxFramerate: 5, scaleResolutionDownBy: 1},
    {rid: 'h', maxBitrate: 2500 * 1000, maxFramerate: 20, scaleResolutionDownBy: 1},
];

const clock = () => (performance.timeOrigin + performance.now()) % 2 ** 31;

/** Shows a track and reads the code out of each picture. */
export class Watcher {
    pictures = 0;
    seen = [];
    #reads = true;

    constructor(track) {
        this.track = track;
        this.video = document.createElement('video');
        this.video.muted = true;
        // A few pixels: a page that shows a screen changes the screen that it is on.
        this.video.style.width = '4px';
        document.body.append(this.video);
        this.video.srcObject = new MediaStream([track]);
        this.video.play().catch((error) => console.log(`play: ${error}`));
        this.canvas = new OffscreenCanvas(32 * CELL, 1);
        this.brush = this.canvas.getContext('2d', {willReadFrequently: true});
        const next = () => {
            if (this.#reads) {
                this.#picture();
                this.video.requestVideoFrameCallback(next);
            }
        };
        this.video.requestVideoFrameCallback(next);
    }

    /** From now on it is shown at this width, as a person looks at it, and nothing is read out of it. */
    show(width) {
        this.#reads = false;
        this.video.style.width = `${width}px`;
    }

    #picture() {
        this.pictures++;
        const {videoWidth: width, videoHeight: height} = this.video;
        this.size = {width, height};
        this.brush.drawImage(this.video, 0, CELL / 2, 32 * CELL, 1, 0, 0, 32 * CELL, 1);
        const {data} = this.brush.getImageData(0, 0, 32 * CELL, 1);
        let code = 0;
        let even = false;
        for (let cell = 0; cell < 32; cell++) {
            const white = data[(cell * CELL + CELL / 2) * 4] > 128;
            even ^= white;
            if (cell < 31) {
                code = code * 2 + (white ? 1 : 0);
            }
        }
        if (!even && code !== 0) {
            this.seen.push({code, at: clock()});
        }
    }

    /** How bright the pixels of some rows are now, 0 to 255. */
    rows(which) {
        const {videoWidth: width, videoHeight: height} = this.video;
        const canvas = new OffscreenCanvas(width, height);
        const brush = canvas.getContext('2d', {willReadFrequently: true});
        brush.drawImage(this.video, 0, 0);
        return which.map((y) => {
            const {data} = brush.getImageData(0, y, width, 1);
            return Array.from({length: width}, (_, x) => data[x * 4 + 1]);
        });
    }

    /** Pictures with a readable code since the last time, and everything's counts. */
    take() {
        const seen = this.seen;
        this.seen = [];
        return {pictures: this.pictures, size: this.size, seen};
    }
}

/** A moving picture with the code, for browsers without a screen. */
export function drawn(width = 1280, height = 720) {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, {width, height});
    const brush = canvas.getContext('2d');
    let step = 0;
    const paint = () => {
        brush.fillStyle = '#f4f4f4';
        brush.fillRect(0, 0, width, height);
        brush.fillStyle = '#203040';
        brush.font = '16px sans-serif';
        for (let y = 80; y < height; y += 22) {
            brush.fillText('The quick brown fox jumps over the lazy dog. '.repeat(4), 20, y);
        }
        brush.fillRect((step += 8) % width, 44, 60, 20);
        const now = Math.floor(clock());
        let even = false;
        for (let cell = 0; cell < 32; cell++) {
            const white = cell < 31 ? Math.floor(now / 2 ** (30 - cell)) % 2 === 1 : even;
            even = cell < 31 ? even !== white : even;
            brush.fillStyle = white ? '#fff' : '#000';
            brush.fillRect(cell * CELL, 0, CELL, CELL);
        }
    };
    setInterval(paint, 33);
    paint();
    return canvas.captureStream(30);
}

/** Real pixels of the screen that the browser is on. */
export function captured() {
    return navigator.mediaDevices.getDisplayMedia({video: {frameRate: 30}, audio: false});
}

/** Shares: announces, waits for the grant, publishes. */
export async function share({socket, peer, id, simulcast, stream, limits}) {
    const [track] = stream.getVideoTracks();
    track.contentHint = 'detail';
    const granted = new Promise((done, no) => {
        socket.on('user_screen_on', ({session_id: session}) => session === id && done());
        setTimeout(() => no(new Error('the share was not granted')), 5000);
    });
    socket.calls('screen_on', {data: JSON.stringify({screenStreamID: stream.id})});
    await granted;
    const encodings = (simulcast ? SIMULCAST : SINGLE).map((one) => ({...one}));
    Object.assign(encodings.at(-1), limits ?? {});
    return peer.publishScreen(track, stream, encodings);
}
