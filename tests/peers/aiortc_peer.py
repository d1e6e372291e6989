"""A participant on aiortc, a third WebRTC stack: joins a call, sends a tone, measures what it hears.

Prints one JSON object a line: connected, track, heard, ended. Written from the protocol document.
"""

import argparse
import asyncio
import fractions
import json
import math
import os
import time
import zlib

import aiohttp
import av
import msgpack
import numpy
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

PREFIX = "custom_com.mattermost.calls_"
RATE = 48000
PING, PONG, SDP, LOCK, UNLOCK, MAP = 1, 2, 3, 7, 8, 9


def say(kind, **values):
    """One line for whoever started us."""
    print(json.dumps({"event": kind, **values}), flush=True)


class Tone(MediaStreamTrack):
    """A steady tone in blocks of 20 ms."""

    kind = "audio"

    def __init__(self, hertz):
        super().__init__()
        self.hertz = hertz
        self.sent = 0
        self.started = None

    async def recv(self):
        """Gives the next block when it is due."""
        now = time.monotonic()
        if self.started is None:
            self.started = now
        await asyncio.sleep(max(0.0, self.started + self.sent / RATE - now))
        at = numpy.arange(self.sent, self.sent + RATE // 50)
        block = (numpy.sin(2 * math.pi * self.hertz * at / RATE) * 9830).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self.sent
        frame.time_base = fractions.Fraction(1, RATE)
        self.sent += RATE // 50
        return frame


class Peer:
    """One session in one call."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.seq = 0
        self.socket = None
        self.session = None
        self.peer = None
        self.channel = None
        self.pending = []
        self.lock = None
        self.answered = asyncio.Event()
        self.opened = asyncio.Event()
        self.connected = asyncio.Event()
        self.heard = []
        self.tasks = []
        self.offers = 0

    async def send(self, action, data=None):
        """A JSON message."""
        self.seq += 1
        message = {"action": action, "seq": self.seq}
        if data is not None:
            message["data"] = data
        await self.socket.send_str(json.dumps(message))

    async def sdp(self):
        """Our description: a zlib stream as msgpack bin in a binary frame."""
        description = self.peer.localDescription
        text = json.dumps({"type": description.type, "sdp": description.sdp})
        self.seq += 1
        message = {"action": PREFIX + "sdp", "seq": self.seq, "data": {"data": zlib.compress(text.encode())}}
        await self.socket.send_bytes(msgpack.packb(message, use_bin_type=True))

    async def signal(self, message):
        """A candidate, an answer or an offer of the server."""
        if message["type"] == "candidate":
            if self.peer.remoteDescription is None:
                self.pending.append(message["candidate"])
            else:
                await self.candidate(message["candidate"])
            return
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=message["sdp"], type=message["type"]))
        if message["type"] == "offer":
            self.offers += 1
            await self.peer.setLocalDescription(await self.peer.createAnswer())
            await self.sdp()
            return
        self.answered.set()
        for candidate in self.pending:
            await self.candidate(candidate)
        self.pending = []

    async def candidate(self, init):
        """UDP only: aiortc speaks no ICE-TCP."""
        text = init["candidate"].removeprefix("candidate:")
        if not text or text.split()[2].lower() != "udp":
            return
        candidate = candidate_from_sdp(text)
        candidate.sdpMid = init.get("sdpMid")
        candidate.sdpMLineIndex = init.get("sdpMLineIndex")
        await self.peer.addIceCandidate(candidate)

    def message(self, data):
        """Of the data channel: a msgpack type, then perhaps a payload."""
        if isinstance(data, str):
            return
        unpacker = msgpack.Unpacker(raw=False)
        unpacker.feed(data)
        kind, *payload = list(unpacker)
        if kind == LOCK and self.lock is not None and not self.lock.done():
            self.lock.set_result(payload[0])

    async def publish(self):
        """Lock, add the voice, offer, answer, unlock."""
        await self.opened.wait()
        await self.answered.wait()
        while True:
            self.lock = asyncio.get_running_loop().create_future()
            self.channel.send(bytes([LOCK]))
            if await self.lock:
                break
            await asyncio.sleep(0.05)
        self.answered.clear()
        self.peer.addTrack(Tone(self.arguments.tone))
        await self.peer.setLocalDescription(await self.peer.createOffer())
        await self.sdp()
        await asyncio.wait_for(self.answered.wait(), 5)
        self.channel.send(bytes([UNLOCK]))
        await self.send(PREFIX + "unmute")
        say("unmuted")

    async def listen(self, track):
        """Keeps what one voice says."""
        try:
            while True:
                frame = await track.recv()
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
                self.heard.append(samples.astype(numpy.float64) / 32768)
        except MediaStreamError:
            return

    def report(self):
        """Level and strongest frequency of the last two seconds."""
        if not self.heard:
            say("heard", seconds=0)
            return
        samples = numpy.concatenate(self.heard)
        last = samples[-2 * RATE:]
        spectrum = numpy.abs(numpy.fft.rfft(last * numpy.hanning(len(last))))
        hertz = float(numpy.argmax(spectrum)) * RATE / len(last)
        power = float(numpy.mean(last**2)) + 1e-12
        say("heard", seconds=len(samples) / RATE, hertz=hertz, level=10 * math.log10(power), offers=self.offers)

    def make(self, servers):
        """The peer connection with its one data channel."""
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self.channel = self.peer.createDataChannel("calls-dc")
        self.channel.on("message", self.message)
        self.channel.on("open", self.opened.set)

        @self.peer.on("connectionstatechange")
        def changed():
            say("state", state=self.peer.connectionState)
            if self.peer.connectionState == "connected":
                self.connected.set()

        @self.peer.on("track")
        def track(track):
            say("track", id=track.id)
            self.tasks.append(asyncio.ensure_future(self.listen(track)))

    async def read(self):
        """Everything that comes over the WebSocket."""
        async for frame in self.socket:
            if frame.type != aiohttp.WSMsgType.TEXT:
                break
            message = json.loads(frame.data)
            name = message.get("event", "").removeprefix(PREFIX)
            data = message.get("data") or {}
            if name == "hello":
                self.session = data["connection_id"]
                await self.send(PREFIX + "join", {"channelID": self.call, "dcSignaling": False})
            elif name == "join" and data.get("connID") == self.session:
                self.make([])
                await self.peer.setLocalDescription(await self.peer.createOffer())
                await self.sdp()
            elif name == "signal" and data.get("connID") == self.session:
                await self.signal(json.loads(data["data"]))
            elif name == "error":
                say("error", text=data.get("data"))
                return

    async def run(self):
        """The whole life of the session."""
        wanted = self.arguments
        async with aiohttp.ClientSession(wanted.server) as web:
            login = {"login_id": wanted.user, "password": os.environ["HALLOO_PASSWORD"]}
            async with web.post("/api/v4/users/login", json=login) as answer:
                answer.raise_for_status()
                headers = {"Authorization": "Bearer " + answer.headers["Token"]}
            where = f"/api/v4/teams/name/{wanted.team}/channels/name/{wanted.channel}"
            async with web.get(where, headers=headers) as answer:
                answer.raise_for_status()
                self.call = (await answer.json())["id"]
            begun = time.monotonic()
            address = "/api/v4/websocket?connection_id=&sequence_number=0"
            async with web.ws_connect(address, headers=headers) as self.socket:
                reader = asyncio.ensure_future(self.read())
                await asyncio.wait_for(self.connected.wait(), 15)
                say("connected", ms=(time.monotonic() - begun) * 1000)
                await self.publish()
                await asyncio.sleep(wanted.duration)
                self.report()
                await self.send(PREFIX + "leave")
                await self.peer.close()
                reader.cancel()
        say("ended")


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--team", required=True)
    parser.add_argument("--channel", required=True)
    parser.add_argument("--tone", type=float, default=880)
    parser.add_argument("--duration", type=float, default=5)
    asyncio.run(Peer(parser.parse_args()).run())


if __name__ == "__main__":
    main()
