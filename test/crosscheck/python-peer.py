"""Does what the other end asks for with Python's packages, until its standard input ends.

A job is two blocks: its name with arguments as JSON, and bytes. The answer is one byte, 00 for done
and 01 for failed, and one block: the result or a message. A block is a u32, big-endian, and as many
bytes. Debian has one package for each import below; a job fails where its package is missing.
"""

import datetime
import decimal
import fractions
import ipaddress
import json
import math
import re
import struct
import sys
import uuid


def lz4_compress(payload, **settings):
    import lz4.block

    return lz4.block.compress(payload, store_size=True, **settings)


def lz4_decompress(payload):
    import lz4.block

    return lz4.block.decompress(payload)


def snappy_compress(payload):
    import snappy

    return snappy.compress(payload)


def snappy_decompress(payload):
    import snappy

    return snappy.decompress(payload)


def value_of(expression):
    """The expressions come from our own table."""
    import cbor2

    names = {
        "cbor2": cbor2,
        "datetime": datetime,
        "decimal": decimal,
        "fractions": fractions,
        "ipaddress": ipaddress,
        "math": math,
        "re": re,
        "struct": struct,
        "uuid": uuid,
    }
    return eval(expression, names)


def cbor_encode(payload, expression, **settings):
    import cbor2

    return cbor2.dumps(value_of(expression), **settings)


def cbor_again(payload):
    """The value, encoded anew."""
    import cbor2

    return cbor2.dumps(cbor2.loads(payload))


def cbor_compare(payload, expression):
    """Nothing when the payload is that value, of the same types; else what it is."""
    import cbor2

    actual = cbor2.loads(payload)
    return b"" if is_same(actual, value_of(expression)) else repr(actual)[:1000].encode()


def is_same(actual, expected):
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, float):
        return struct.pack(">d", actual) == struct.pack(">d", expected) or (
            math.isnan(actual) and math.isnan(expected)
        )
    if isinstance(expected, (list, tuple)):
        return len(actual) == len(expected) and all(map(is_same, actual, expected))
    if isinstance(expected, dict):
        return len(actual) == len(expected) and all(
            key in actual and is_same(actual[key], value) for key, value in expected.items()
        )
    if type(expected).__name__ == "CBORTag":
        return actual.tag == expected.tag and is_same(actual.value, expected.value)
    return actual == expected


JOBS = {
    "lz4.compress": lz4_compress,
    "lz4.decompress": lz4_decompress,
    "snappy.compress": snappy_compress,
    "snappy.decompress": snappy_decompress,
    "cbor.again": cbor_again,
    "cbor.encode": cbor_encode,
    "cbor.compare": cbor_compare,
}


def read_block():
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0])


def answer(status, block):
    sys.stdout.buffer.write(struct.pack(">BI", status, len(block)) + block)
    sys.stdout.buffer.flush()


def main():
    while (head := read_block()) is not None:
        name, settings = json.loads(head)
        payload = read_block()
        try:
            answer(0, JOBS[name](payload, **settings))
        except Exception as error:
            answer(1, f"{type(error).__name__}: {error}".encode())


main()
