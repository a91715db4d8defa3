import { createServer } from 'node:http';
import { Agent } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { AV_CHANNEL_LAYOUT_MONO, AV_SAMPLE_FMT_S16P, FF_ENCODER_LIBMP3LAME } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * A stand-in for Microsoft Edge's read-aloud service on loopback, at the level of its WebSocket
 * messages. It has no voice: it says the samples that the test gives it. Microsoft publishes no
 * description; this is what its clients agree on (msedge-tts 2.0.7, edge-tts 7).
 */

/** What the service is about to say, before it is MP3. */
export interface EdgeScript {
  /** At 24 kHz. */
  readonly samples: Int16Array;
  readonly words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
}

export type EdgeFault = 'none' | 'forbidden' | 'truncated' | 'no boundaries' | 'stall' | 'no audio' | 'not MP3';

export interface EdgeTtsServer extends AsyncDisposable {
  /** Brings connections that are meant for the service here. */
  readonly agent: Agent;
  readonly port: number;
  /** What the next questions meet. */
  fault: EdgeFault;
  /** SSML received, oldest first. */
  readonly questions: readonly string[];
  /** Connections open now. */
  readonly connections: number;
}

/** Connects there instead, without TLS. */
export function agentTo(port: number): Agent {
  const agent = new Agent();
  agent.createConnection = (_options, onConnected) => {
    const socket: Socket = connect({ host: '127.0.0.1', port });
    if (onConnected !== undefined)
      socket.once('connect', () => onConnected(null, socket)).once('error', (error) => onConnected(error, socket));
    return undefined;
  };
  return agent;
}

export async function startEdgeTtsServer(script: (text: string) => Promise<EdgeScript>): Promise<EdgeTtsServer> {
  const questions: string[] = [];
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const state: { fault: EdgeFault } = { fault: 'none' };
  http.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const signed = /^[0-9A-F]{64}$/.test(url.searchParams.get('Sec-MS-GEC') ?? '') && url.searchParams.has('TrustedClientToken');
    const isEdge =
      request.headers['user-agent']?.includes('Edg/') === true && request.headers.origin?.startsWith('chrome-extension://') === true;
    if (state.fault === 'forbidden' || !signed || !isEdge) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => converse(webSocket, { script, questions, state }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(http.address());
  const agent = agentTo(port);
  return {
    agent,
    port,
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    questions,
    get connections() {
      return sockets.clients.size;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      for (const client of sockets.clients) client.terminate();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

interface Service {
  readonly script: (text: string) => Promise<EdgeScript>;
  readonly questions: string[];
  readonly state: { readonly fault: EdgeFault };
}

function converse(socket: WebSocket, { script, questions, state }: Service): void {
  let boundariesWanted = false;
  socket.on('message', (data: Buffer) => {
    const [head = '', ...rest] = data.toString().split('\r\n\r\n');
    const body = rest.join('\r\n\r\n');
    if (head.includes('Path:speech.config')) {
      boundariesWanted = /"wordBoundaryEnabled":\s*"true"/.test(body);
      if (!body.includes('audio-24khz-96kbitrate-mono-mp3')) socket.close(1007, 'Unsupported output format');
      return;
    }
    if (!head.includes('Path:ssml')) return;
    questions.push(body);
    const requestId = /X-RequestId:(\w+)/.exec(head)?.[1] ?? '';
    const text = unescaped((/<prosody[^>]*>([\s\S]*)<\/prosody>/.exec(body)?.[1] ?? '').trim());
    void script(text).then((planned) => answer(socket, { requestId, planned, fault: state.fault, boundariesWanted }));
  });
}

interface Answering {
  readonly requestId: string;
  readonly planned: EdgeScript;
  readonly fault: EdgeFault;
  readonly boundariesWanted: boolean;
}

function answer(socket: WebSocket, { requestId, planned, fault, boundariesWanted }: Answering): void {
  const say = (path: string, body: string) =>
    socket.send(`X-RequestId:${requestId}\r\nContent-Type:application/json; charset=utf-8\r\nPath:${path}\r\n\r\n${body}`);
  say('turn.start', '{"context":{"serviceTag":"stand-in"}}');
  say('response', '{"context":{"serviceTag":"stand-in"},"audio":{"type":"inline","streamId":"1"}}');
  const sound = fault === 'not MP3' ? Buffer.alloc(5_000, 'no sound ') : encodeMp3(planned.samples);
  const pieces = fault === 'no audio' ? [] : chunks(sound, 1_440);
  const boundaries = boundariesWanted && fault !== 'no boundaries' ? planned.words : [];
  const half = Math.ceil(pieces.length / 2);
  for (const [index, piece] of pieces.entries()) {
    if (index === half && fault === 'truncated') socket.close();
    if (index === half && (fault === 'truncated' || fault === 'stall')) return;
    const word = boundaries[index];
    if (word !== undefined) say('audio.metadata', metadataOf(word));
    socket.send(framed(requestId, piece));
  }
  for (const word of boundaries.slice(pieces.length)) say('audio.metadata', metadataOf(word));
  say('turn.end', '{}');
}

function metadataOf({ text, startMs, endMs }: EdgeScript['words'][number]): string {
  const ticks = (ms: number) => Math.round(ms * 10_000);
  const data = {
    Offset: ticks(startMs),
    Duration: ticks(endMs - startMs),
    text: { Text: escaped(text), Length: text.length, BoundaryType: 'WordBoundary' },
  };
  return JSON.stringify({ Metadata: [{ Type: 'WordBoundary', Data: data }] });
}

/** A binary message: length of its head in two bytes, its head, sound. */
function framed(requestId: string, sound: Buffer): Buffer {
  const head = Buffer.from(`X-RequestId:${requestId}\r\nContent-Type:audio/mpeg\r\nX-StreamId:1\r\nPath:audio\r\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(head.length);
  return Buffer.concat([length, head, sound]);
}

function chunks(bytes: Buffer, size: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll("'", '&apos;');
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&apos;', "'").replaceAll('&amp;', '&');
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new TypeError('the stand-in listens on no port');
  return address;
}

const mp3Rate = 24_000;

/** LAME's frames, one after the other, without a header: as the service streams them. */
export function encodeMp3(samples: Int16Array): Buffer {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBMP3LAME);
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = mp3Rate;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.sampleFormat = AV_SAMPLE_FMT_S16P;
  context.bitRate = 96_000n;
  context.timeBase = new Rational(1, mp3Rate);
  FFmpegError.throwIfError(context.open2Sync(codec), 'open LAME');
  const packet = new Packet();
  packet.alloc();
  const packets: Buffer[] = [];
  const drain = () => {
    while (context.receivePacketSync(packet) === 0) {
      packets.push(Buffer.from(packet.data ?? []));
      packet.unref();
    }
  };
  for (let at = 0; at < samples.length; at += context.frameSize) {
    const part = new Int16Array(context.frameSize);
    part.set(samples.subarray(at, at + context.frameSize));
    const frame = new Frame();
    frame.alloc();
    frame.nbSamples = context.frameSize;
    frame.format = AV_SAMPLE_FMT_S16P;
    frame.sampleRate = mp3Rate;
    frame.channelLayout = AV_CHANNEL_LAYOUT_MONO;
    frame.pts = BigInt(at);
    FFmpegError.throwIfError(frame.getBuffer(), 'allocate frame');
    FFmpegError.throwIfError(frame.fromBuffer(Buffer.from(part.buffer)), 'fill frame');
    FFmpegError.throwIfError(context.sendFrameSync(frame), 'encode MP3');
    frame.free();
    drain();
  }
  FFmpegError.throwIfError(context.sendFrameSync(null), 'encode MP3');
  drain();
  packet.free();
  context.freeContext();
  return Buffer.concat(packets);
}
