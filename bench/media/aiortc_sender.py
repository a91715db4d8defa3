"""Streams pictures and sound to every viewer with aiortc, the library of the predecessor of this product.

Orders are lines of JSON on stdin: {"id", "sdp"} is an offer; answers go to stdout. Pictures are 512x512 I420
from a file, read once and shared by all viewers, at 25 a second; sound is 16-bit mono at 48 kHz from a file.
"""

import asyncio
import fractions
import json
import sys
import time

import aioice.ice
import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

SIZE = 512
STARTED = time.monotonic()
VIDEO_TICKS = 90_000 // 25
AUDIO_SAMPLES = 960


def read_pictures(path):
    data = numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, SIZE * 3 // 2, SIZE)
    return [av.VideoFrame.from_ndarray(picture, format="yuv420p") for picture in data]


def read_sound(path):
    data = numpy.fromfile(path, dtype=numpy.int16)
    data = data[: len(data) // AUDIO_SAMPLES * AUDIO_SAMPLES].reshape(-1, 1, AUDIO_SAMPLES)
    frames = [av.AudioFrame.from_ndarray(part, format="s16", layout="mono") for part in data]
    for frame in frames:
        frame.sample_rate = 48_000
        frame.time_base = fractions.Fraction(1, 48_000)
    return frames


class Paced(MediaStreamTrack):
    """What is due now, on one clock for all viewers, so that the frames can be shared."""

    def __init__(self, kind, frames, seconds, ticks, time_base):
        self.kind = kind
        super().__init__()
        self.frames, self.seconds, self.ticks, self.time_base = frames, seconds, ticks, time_base
        self.next = int((time.monotonic() - STARTED) / seconds) + 1

    async def recv(self):
        await asyncio.sleep(max(0, STARTED + self.next * self.seconds - time.monotonic()))
        frame = self.frames[self.next % len(self.frames)]
        frame.pts, frame.time_base = self.next * self.ticks, self.time_base
        self.next += 1
        return frame


async def answer(offer, pictures, sound, viewers):
    viewer = RTCPeerConnection()
    viewers.append(viewer)
    await viewer.setRemoteDescription(RTCSessionDescription(sdp=offer["sdp"].replace("typ relay", "typ host"), type="offer"))
    viewer.addTrack(Paced("audio", sound, 0.02, AUDIO_SAMPLES, fractions.Fraction(1, 48_000)))
    viewer.addTrack(Paced("video", pictures, 0.04, VIDEO_TICKS, fractions.Fraction(1, 90_000)))
    await viewer.setLocalDescription(await viewer.createAnswer())
    print(json.dumps({"id": offer["id"], "sdp": viewer.localDescription.sdp}), flush=True)


async def main():
    pictures, sound = read_pictures(sys.argv[1]), read_sound(sys.argv[2])
    viewers = []
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    lines._limit = 1 << 20
    print(json.dumps({"id": "ready", "sdp": ""}), flush=True)
    while line := await lines.readline():
        await answer(json.loads(line), pictures, sound, viewers)


asyncio.run(main())
