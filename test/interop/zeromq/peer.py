"""Sockets of libzmq, as pyzmq has them, for the scenes of this folder.

Each line on the input is a call in JSON, each line on the output its answer: README.md says which.
"""
import asyncio
import json
import sys

import zmq
import zmq.asyncio
import zmq.auth
from zmq.auth.asyncio import AsyncioAuthenticator

context = zmq.asyncio.Context()
sockets = {}
tasks = set()


def numbered(number, size):
    head = number.to_bytes(8, "big")
    pattern = bytes((number + i) & 0xFF for i in range(8, 8 + 256))
    rest = max(size, 8) - 8
    return head + (pattern * (rest // 256 + 1))[:rest]


def number_of(data):
    if len(data) < 8:
        return None
    number = int.from_bytes(data[:8], "big")
    return number if data == numbered(number, len(data)) else None


def as_text(parts):
    return [part.decode("latin-1") for part in parts]


def as_bytes(parts):
    return [part.encode("latin-1") for part in parts]


def secure(socket, security):
    name = security.get("name")
    if name == "plain":
        if security["role"] == "server":
            socket.plain_server = True
            socket.zap_domain = b"global"
        else:
            socket.plain_username = security["username"].encode()
            socket.plain_password = security["password"].encode()
    elif name == "curve":
        socket.curve_secretkey = security["secretKey"].encode()
        socket.curve_publickey = security["publicKey"].encode()
        if security["role"] == "server":
            socket.curve_server = True
            socket.zap_domain = b"global"
        else:
            socket.curve_serverkey = security["serverKey"].encode()


def open_socket(call):
    socket = context.socket(getattr(zmq, call["type"]))
    socket.linger = 0
    options = call.get("options", {})
    if "identity" in options:
        socket.setsockopt(zmq.IDENTITY, options["identity"].encode())
    if "hwm" in options:
        socket.set_hwm(options["hwm"])
    if "heartbeatMs" in options:
        socket.heartbeat_ivl = options["heartbeatMs"]
        socket.heartbeat_timeout = options["heartbeatTimeoutMs"]
        socket.heartbeat_ttl = options.get("heartbeatTtlMs", 0)
    if options.get("verbose"):
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
    if "reconnectMs" in options:
        socket.reconnect_ivl = options["reconnectMs"]
    secure(socket, options.get("security", {}))
    sockets[call["id"]] = socket
    address = ""
    if "bind" in call:
        socket.bind(call["bind"])
        address = socket.last_endpoint.decode().rstrip("\0")
    if "connect" in call:
        socket.connect(call["connect"])
    return {"address": address}


async def echo(socket):
    while True:
        await socket.send_multipart(await socket.recv_multipart())


async def receive_many(socket, call):
    wrong = 0
    expected = call.get("first", 0)
    seen = 0
    while seen < call["count"]:
        parts = await socket.recv_multipart()
        number = number_of(parts[-1])
        if number is None:
            if parts[-1] == b"probe":
                continue
            wrong += 1
        elif not call.get("unordered") and number != expected:
            wrong += 1
        seen += 1
        expected += 1
    return {"wrong": wrong}


async def ask(socket, call):
    right = 0
    head = as_bytes(call.get("head", []))
    for number in range(call["count"]):
        body = numbered(number, call["size"])
        await socket.send_multipart(head + [body])
        parts = await socket.recv_multipart()
        if parts == head + [body]:
            right += 1
    return {"right": right}


async def probe(socket, call):
    while True:
        await socket.send_multipart([call["topic"].encode(), b"probe"])
        await asyncio.sleep(0.01)


async def run(call):
    op = call["op"]
    if op == "version":
        return {"version": f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}"}
    if op == "open":
        return open_socket(call)
    socket = sockets[call["id"]]
    if op == "send":
        await socket.send_multipart(as_bytes(call["parts"]))
    elif op == "receive":
        return {"parts": as_text(await socket.recv_multipart())}
    elif op == "echo":
        keep(echo(socket))
    elif op == "probe":
        keep(probe(socket, call), call["id"])
    elif op == "stop":
        for task in [task for task in tasks if task.get_name() == call["id"]]:
            task.cancel()
    elif op == "sendMany":
        head = as_bytes(call.get("head", []))
        first = call.get("first", 0)
        for number in range(first, first + call["count"]):
            await socket.send_multipart(head + [numbered(number, call["size"])])
    elif op == "receiveMany":
        return await receive_many(socket, call)
    elif op == "ask":
        return await ask(socket, call)
    elif op == "subscribe":
        socket.subscribe(call["prefix"].encode("latin-1"))
    elif op == "unsubscribe":
        socket.unsubscribe(call["prefix"].encode("latin-1"))
    elif op == "connect":
        socket.connect(call["address"])
    elif op == "close":
        socket.close(0)
        del sockets[call["id"]]
    else:
        raise ValueError(f"no op {op}")
    return {}


def keep(coroutine, name=""):
    task = asyncio.ensure_future(coroutine)
    task.set_name(name)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def answer(call):
    try:
        result = await run(call)
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"n": call["n"], **result}), flush=True)


async def main():
    authenticator = AsyncioAuthenticator(context)
    authenticator.start()
    authenticator.configure_plain(domain="global", passwords={"admin": "secret"})
    authenticator.configure_curve(domain="*", location=zmq.auth.CURVE_ALLOW_ANY)
    reader = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = await reader.readline()
        if not line:
            break
        call = json.loads(line)
        if call["op"] == "allow":
            allowed = call["z85"]

            class Only:
                def callback(self, domain, key):
                    from zmq.utils import z85

                    return z85.encode(key).decode() == allowed

            authenticator.configure_curve_callback(domain="*", credentials_provider=Only())
            print(json.dumps({"n": call["n"]}), flush=True)
        else:
            keep(answer(call))
    import os

    os._exit(0)


asyncio.run(main())
