"""Joins network namespaces: carries packets between TUN devices, late, lost, damaged or not at all.

Speaks lines of JSON: {"devices": [...], "hosts": [[address, ...], ...], "seed": n} first, then
orders, each answered in turn. It ends when its input does. See net-lab.ts.
"""

import fcntl
import json
import os
import random
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LARGEST = 65535
BATCH = 64
# When nothing overtakes it by then, a held packet goes on.
LONGEST_HOLD = 0.02

COUNTS = (
    "received", "receivedBytes", "sent", "sentBytes", "lost", "blocked",
    "overflowed", "duplicated", "reordered", "corrupted", "refused",
)


class Way:
    """From one host to one other."""

    def __init__(self, seed, out):
        self.random = random.Random(seed).random
        self.out = out
        self.blocked = False
        self.queue = deque()
        self.held = []
        self.free = 0.0
        self.last = 0.0
        self.counts = dict.fromkeys(COUNTS, 0)
        self.set({})

    def set(self, faults):
        get = faults.get
        self.loss = get("lossPercent", 0) / 100
        self.duplicate = get("duplicatePercent", 0) / 100
        self.reorder = get("reorderPercent", 0) / 100
        self.corrupt = get("corruptPercent", 0) / 100
        self.overtaken = get("overtakenBy", 3)
        self.delay = get("delayMs", 0) / 1000
        self.jitter = get("jitterMs", 0) / 1000
        rate = get("bytesPerSecond", None)
        self.per_byte = 0.0 if rate is None else 1 / rate
        self.limit = get("queueBytes", 4194304) * self.per_byte
        self.is_plain = not (self.loss or self.duplicate or self.reorder or self.corrupt)

    def push(self, packet, now):
        counts = self.counts
        counts["received"] += 1
        counts["receivedBytes"] += len(packet)
        if self.blocked:
            counts["blocked"] += 1
            return
        if self.is_plain:
            self.onto_wire(packet, now)
            return
        chance = self.random
        if self.loss and chance() < self.loss:
            counts["lost"] += 1
            return
        if self.corrupt and chance() < self.corrupt:
            packet = self.damaged(packet)
        twice = self.duplicate and chance() < self.duplicate
        if twice:
            counts["duplicated"] += 1
        if self.reorder and chance() < self.reorder:
            self.held.append([packet, now + LONGEST_HOLD, self.overtaken, False])
        else:
            self.pass_one(packet, now)
        if twice:
            self.pass_one(packet, now)

    def damaged(self, packet):
        """Behind the addresses: a packet for nobody would be a loss."""
        self.counts["corrupted"] += 1
        start = 40 if packet[0] >> 4 == 6 else 20
        data = bytearray(packet)
        if len(data) > start:
            bit = int(self.random() * (len(data) - start) * 8)
            data[start + (bit >> 3)] ^= 1 << (bit & 7)
        return bytes(data)

    def pass_one(self, packet, now):
        self.onto_wire(packet, now)
        for held in self.held:
            held[2] -= 1
            held[3] = True
        if self.held:
            self.release(now)

    def release(self, now):
        due = [held for held in self.held if held[2] <= 0 or held[1] <= now]
        if not due:
            return
        self.held = [held for held in self.held if held not in due]
        for packet, _, _, overtaken in due:
            if overtaken:
                self.counts["reordered"] += 1
            self.onto_wire(packet, now)

    def onto_wire(self, packet, now):
        if self.per_byte:
            start = self.free if self.free > now else now
            if start - now > self.limit:
                self.counts["overflowed"] += 1
                return
            self.free = due = start + len(packet) * self.per_byte
        else:
            due = now
        if self.delay or self.jitter:
            due += self.delay
            if self.jitter:
                due += self.random() * self.jitter
        if due <= now and not self.queue:
            self.send(packet)
            return
        if due < self.last:
            due = self.last
        self.last = due
        self.queue.append((due, packet))

    def send(self, packet):
        try:
            os.write(self.out, packet)
        except OSError:
            # Its host is being taken down, or its queue is full.
            self.counts["refused"] += 1
            return
        self.counts["sent"] += 1
        self.counts["sentBytes"] += len(packet)

    def leave(self, now):
        """Lets go what is due; when the next is, or nothing."""
        if self.held:
            self.release(now)
        queue = self.queue
        while queue and queue[0][0] <= now:
            self.send(queue.popleft()[1])
        due = queue[0][0] if queue else None
        if self.held:
            first = self.held[0][1]
            due = first if due is None or first < due else due
        return due


def open_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14s", name.encode(), IFF_TUN | IFF_NO_PI, b""))
    return device


class Forwarder:
    def __init__(self, start):
        self.devices = [open_device(name) for name in start["devices"]]
        self.ways = {}
        self.routes = [{} for _ in self.devices]
        self.strays = 0
        for source in range(len(self.devices)):
            for target, addresses in enumerate(start["hosts"]):
                if source == target:
                    continue
                seed = start["seed"] * 1000 + source * 32 + target
                way = Way(seed, self.devices[target])
                self.ways[source, target] = way
                for address in addresses:
                    self.routes[source][bytes.fromhex(address)] = way
        self.sources = dict(zip(self.devices, self.routes))

    def obey(self, order):
        if "faults" in order:
            for source, target in order["ways"]:
                self.ways[source, target].set(order["faults"])
        if "blocked" in order:
            for source, target in order["ways"]:
                self.ways[source, target].blocked = order["blocked"]
        if order.get("counts"):
            ways = [{"way": key, **way.counts, "waiting": len(way.queue) + len(way.held)}
                    for key, way in self.ways.items()]
            return {"ways": ways, "strays": self.strays}
        return {}

    def run(self):
        read, clock = os.read, time.monotonic
        control = sys.stdin.fileno()
        os.set_blocking(control, False)
        pending = b""
        readers = [*self.devices, control]
        ways = list(self.ways.values())
        timeout = None
        while True:
            ready, _, _ = select.select(readers, [], [], timeout)
            now = clock()
            for source in ready:
                if source == control:
                    text = read(control, 65536)
                    if not text:
                        return
                    *lines, pending = (pending + text).split(b"\n")
                    for line in lines:
                        say(self.obey(json.loads(line)))
                    continue
                routes = self.sources[source]
                for _ in range(BATCH):
                    try:
                        packet = read(source, LARGEST)
                    except BlockingIOError:
                        break
                    except OSError:
                        break
                    target = packet[24:40] if packet[0] >> 4 == 6 else packet[16:20]
                    way = routes.get(target)
                    if way is None:
                        self.strays += 1
                    else:
                        way.push(packet, now)
            now = clock()
            due = None
            for way in ways:
                if way.queue or way.held:
                    first = way.leave(now)
                    if first is not None and (due is None or first < due):
                        due = first
            timeout = None if due is None else max(0.0, due - clock())


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    forwarder = Forwarder(json.loads(sys.stdin.readline()))
    say({"ready": True})
    forwarder.run()


main()
