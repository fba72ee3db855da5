"""A line with a length: two TUN or TAP devices in two namespaces, and between them delay, jitter, loss and a bottleneck.

Kernels without sch_netem have no other honest delay. The delay belongs to the far address, as distance does; order within
a direction and address is kept. One JSON argument; see line.ts. Ends with its parent or on SIGTERM.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def enter(namespace: str) -> None:
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if LIBC.setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns {namespace}")
    os.close(handle)


def open_end(namespace: str, device: str, is_ethernet: bool) -> int:
    enter(namespace)
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = (0x0002 if is_ethernet else 0x0001) | 0x1000  # IFF_TAP or IFF_TUN, no packet information
    fcntl.ioctl(handle, 0x400454CA, struct.pack("16sH", device.encode(), flags))
    return handle


class Line:
    """What a direction does to packets: the queue of a bottleneck, then distance."""

    def __init__(self, settings: dict, chance: random.Random) -> None:
        self.settings = settings
        self.chance = chance
        self.seconds_per_byte = 8 / (settings["megabits"] * 1e6) if settings["megabits"] else 0.0
        self.free_at = 0.0
        self.distances: dict = {}
        self.last_out: dict = {}

    def distance(self, far: bytes) -> float:
        known = self.distances.get(far)
        if known is None:
            if len(self.distances) > 4096:
                self.distances.clear()
                self.last_out.clear()
            low, high = self.settings["delay_ms"]
            own = random.Random(far + self.settings["seed"].to_bytes(4, "big"))
            known = self.distances[far] = (low + (high - low) * own.random() ** 2) / 1000
        return known

    def leaves_at(self, now: float, far: bytes, size: int):
        """When the packet comes out at the other end, or None where it is lost."""
        if self.settings["loss"] and self.chance.random() < self.settings["loss"]:
            return None
        begins = max(now, self.free_at)
        if begins - now > self.settings["queue_ms"] / 1000:
            return None
        self.free_at = begins + size * self.seconds_per_byte
        jitter = self.settings["jitter_ms"]
        out = self.free_at + self.distance(far) + (self.chance.expovariate(1000 / jitter) if jitter else 0.0)
        out = max(out, self.last_out.get(far, 0.0))
        self.last_out[far] = out
        return out


def far_address(packet: bytes, offset: int, is_source: bool) -> bytes:
    version = packet[offset] >> 4 if len(packet) > offset + 40 or len(packet) >= offset + 20 else 0
    if version == 4:
        at = offset + (12 if is_source else 16)
        return packet[at : at + 4]
    if version == 6:
        at = offset + (8 if is_source else 24)
        return packet[at : at + 16]
    return b""


def main() -> None:
    settings = json.loads(sys.argv[1])
    is_ethernet = settings["ethernet"]
    offset = 14 if is_ethernet else 0
    ends = [open_end(end["namespace"], end["device"], is_ethernet) for end in settings["ends"]]
    print("ready", flush=True)
    chance = random.Random(settings["line"]["seed"])
    # the far side is the second end: what comes from there has its distance by source, what goes there by destination
    lines = [Line({**settings["line"], "megabits": settings["line"]["up"]}, chance),
             Line({**settings["line"], "megabits": settings["line"]["down"]}, chance)]
    waiting: list = []
    number = 0
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    parent = os.getppid()
    while True:
        patience = 1000.0 if not waiting else max(0.0, (waiting[0][0] - time.monotonic()) * 1000)
        for handle, _ in poll.poll(patience if patience == 0 or patience > 1 else 1):
            side = ends.index(handle)
            for _ in range(64):
                try:
                    packet = os.read(handle, 2048)
                except BlockingIOError:
                    break
                now = time.monotonic()
                out = lines[side].leaves_at(now, far_address(packet, offset, side == 1), len(packet))
                if out is not None and len(waiting) < 20000:
                    number += 1
                    heapq.heappush(waiting, (out, number, 1 - side, packet))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, side, packet = heapq.heappop(waiting)
            try:
                os.write(ends[side], packet)
            except OSError:
                pass  # the device went down with its namespace, or its queue is full: the packet is lost, as on a line
        if os.getppid() != parent:
            return


main()
