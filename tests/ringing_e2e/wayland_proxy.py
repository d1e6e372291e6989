"""Stands between a Wayland compositor and xdg-desktop-portal-wlr, on a machine without a graphics card.

That portal (0.7) refuses to begin before it has heard of a format for a graphics card's memory, even where it then
copies through ordinary memory. A compositor that draws with the processor has none to tell. Here it is told one.

Usage: wayland_proxy.py LISTEN COMPOSITOR
"""

import array
import os
import socket
import struct
import sys
import threading

MANAGER = b"zwlr_screencopy_manager_v1\0"
# Of zwlr_screencopy_frame_v1.
BUFFER, LINUX_DMABUF, BUFFER_DONE = 0, 5, 6
# wl_shm has numbers of its own for the two formats that everybody has.
FOURCC = {0: 0x34325241, 1: 0x34325258}


class Session:
    """One client of the compositor."""

    def __init__(self, client, compositor):
        self.ends = (client, compositor)
        self.managers, self.frames = set(), {}
        for end, other, rewrite in ((client, compositor, self.request), (compositor, client, self.event)):
            threading.Thread(target=self.pump, args=(end, other, rewrite), daemon=True).start()

    def request(self, target, opcode, message):
        """A client's: notes which objects tell of frames."""
        if opcode == 0 and MANAGER in message:
            self.managers.add(struct.unpack("=I", message[-4:])[0])
        elif target in self.managers and opcode in (0, 1):
            self.frames[struct.unpack("=I", message[8:12])[0]] = None
        return message

    def event(self, target, opcode, message):
        """The compositor's: adds the format."""
        if target in self.frames and opcode == BUFFER:
            form, width, height = struct.unpack("=III", message[8:20])
            self.frames[target] = (FOURCC.get(form, form), width, height)
        elif target in self.frames and opcode == BUFFER_DONE and self.frames[target]:
            told = struct.pack("=IIIII", target, 20 << 16 | LINUX_DMABUF, *self.frames[target])
            return told + message
        return message

    def pump(self, end, other, rewrite):
        """Passes messages on, whole, and open files with them."""
        pending = b""
        try:
            while True:
                data, files, _, _ = socket.recv_fds(end, 65536, 64)
                if not data:
                    break
                pending += data
                out = b""
                while len(pending) >= 8:
                    target, word = struct.unpack("=II", pending[:8])
                    size = word >> 16
                    if len(pending) < size:
                        break
                    out += rewrite(target, word & 0xFFFF, pending[:size])
                    pending = pending[size:]
                if files:
                    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
                    # Files need a byte to travel with: that of the message is on its way.
                    sent = other.sendmsg([out or pending], rights) if out or pending else 0
                    if not out:
                        pending = pending[sent:]
                    out = out[sent:]
                    for one in files:
                        os.close(one)
                other.sendall(out)
        except OSError:
            pass
        for one in self.ends:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main(listen, compositor):
    """Serves until it is killed."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(listen)
    door.listen()
    while True:
        client, _ = door.accept()
        there = socket.socket(socket.AF_UNIX)
        there.connect(compositor)
        Session(client, there)


main(*sys.argv[1:])
