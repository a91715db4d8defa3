import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { SessionId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { Student } from '../../packages/engine/src/adapters/werift-student.ts';
import { Barrage, datagramKinds } from './barrage.ts';
import { type MediaRig, startMediaRig } from './media-rig.ts';
import { seeded } from './seeded.ts';
import { TurnClient } from './turn-client.ts';

/*
 * Live sessions on an engine worker, each through the relay, and somebody who sends them what is malformed: from beside
 * the relay, through it with a credential that is good, and as a student on a connection of his own.
 */

export interface Quiet {
  /** Longest time in which nothing arrived, ms. */
  readonly audioMs: number;
  readonly videoMs: number;
  /** Sender reports, which end as soon as DTLS does. */
  readonly reportsMs: number;
}

/** Alerts that close and a record of no known kind, unencrypted: one of them silences werift, unless it is kept away. */
const silencers = ['15fefd000000000000000000020100', '15fefd000000000000000000020228', '3ffefd000000000000000000020101'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
/** A pause of Opus is a packet every 400 ms; reports come once a second. */
const mostSilenceMs = 1_000;
const mostReportsMs = 3_000;
const lookMs = 20;
/** While this process itself does not run, it cannot know who is silent. */
const mostStepMs = 3 * lookMs;
/** Of RTCP: a source, at least. */
const leastReportBytes = 8;

/** A student behind the relay, and when something last came. */
class RelayedStudent implements AsyncDisposable {
  readonly sessionId = SessionId.parse(uuidv7());
  readonly student = new Student();
  /** The engine's, as this student sees it. */
  enginePort = 0;
  #quietMs = [0, 0, 0];
  #lookedAtMs = 0;
  #longestMs = [0, 0, 0];
  #timer: NodeJS.Timeout | undefined;

  static async join({ relay, workers }: MediaRig): Promise<RelayedStudent> {
    const joined = new RelayedStudent();
    const { sessionId, student } = joined;
    const refused = workers.open({ sessionId, locale: 'en', voice: null, face: { kind: 'drawn', character: 'ada' } });
    if (refused !== null) throw new Error(refused.message);
    const { connection } = student;
    connection.setConfiguration({ iceServers: [{ urls: relay.url('udp'), ...relay.credential(sessionId) }], iceTransportPolicy: 'relay' });
    await connection.setLocalDescription(await connection.createOffer());
    const offerSdp = connection.localDescription?.sdp ?? '';
    const answer = await workers.request({ type: 'negotiate', sessionId, peerId: randomUUID(), offerSdp });
    if (answer.type !== 'answered') throw new Error(`the engine said no: ${JSON.stringify(answer)}`);
    joined.enginePort = Number(/a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ/.exec(answer.answerSdp)?.[1]);
    await student.take(answer.answerSdp);
    for (let looks = 0; looks < 200 && !joined.#isServed; looks += 1) await wait(50);
    if (!joined.#isServed) throw new Error('no voice and face came');
    return joined;
  }

  /** From now on. */
  watch(): void {
    clearInterval(this.#timer);
    this.#lookedAtMs = performance.now();
    this.#quietMs = [0, 0, 0];
    this.#longestMs = [0, 0, 0];
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  get quiet(): Quiet {
    this.#look();
    const [audioMs = 0, videoMs = 0, reportsMs = 0] = this.#longestMs.map(Math.round);
    return { audioMs, videoMs, reportsMs };
  }

  /** From the address that the engine takes for this student's. */
  async send(datagram: Buffer): Promise<void> {
    await this.student.connection.iceTransports[0]?.connection.send(datagram).catch(() => undefined);
  }

  /** Under the keys of this connection. */
  encrypted(report: Buffer): Buffer {
    return this.student.connection.dtlsTransports[0]?.srtcp.encrypt(report) ?? report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.student[Symbol.asyncDispose]();
  }

  get #isServed(): boolean {
    const { audio, video } = this.student.received;
    return audio.length > 0 && video.length > 0;
  }

  #look(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(mostStepMs, nowMs - this.#lookedAtMs);
    this.#lookedAtMs = nowMs;
    const { audio, video, reports } = this.student.received;
    for (const [nth, packets] of [audio, video, reports].entries()) {
      const quietMs = packets.length > 0 ? 0 : (this.#quietMs[nth] ?? 0) + passedMs;
      this.#quietMs[nth] = quietMs;
      this.#longestMs[nth] = Math.max(this.#longestMs[nth] ?? 0, quietMs);
      // What came is counted, not kept.
      packets.length = 0;
    }
  }
}

export interface HostileStageOptions {
  readonly seed: number;
  /** Where a part of the media ports are that nobody else uses; first and last. */
  readonly mediaPorts: readonly [number, number];
  /** The engine has its ports on the relay, as the students do. */
  readonly throughRelay: boolean;
  /** Live sessions that must notice nothing. */
  readonly victims: number;
}

export class HostileStage implements AsyncDisposable {
  readonly rig: MediaRig;
  readonly victims: readonly RelayedStudent[];
  readonly #barrage: Barrage;
  /** Of the live sessions, then all that an engine may have. */
  readonly #ports: readonly number[];
  readonly #resources: AsyncDisposableStack;
  readonly #pid: number;
  sent = 0;

  private constructor(
    { seed, mediaPorts: [first, last] }: HostileStageOptions,
    parts: { readonly rig: MediaRig; readonly victims: readonly RelayedStudent[]; readonly resources: AsyncDisposableStack },
  ) {
    this.#barrage = new Barrage(seeded(seed));
    this.rig = parts.rig;
    this.#pid = parts.rig.workers.pids[0] ?? 0;
    this.victims = parts.victims;
    this.#ports = [
      ...this.victims.map(({ enginePort }) => enginePort),
      ...Array.from({ length: last - first + 1 }, (_, nth) => first + nth),
    ];
    this.#resources = parts.resources;
  }

  static async open(options: HostileStageOptions): Promise<HostileStage> {
    await using cleanUp = new AsyncDisposableStack();
    const { seed, throughRelay, mediaPorts } = options;
    const rig = cleanUp.use(await startMediaRig({ seed, throughRelay, mediaPorts: [...mediaPorts] }));
    const victims: RelayedStudent[] = [];
    for (let nth = 0; nth < options.victims; nth += 1) victims.push(cleanUp.use(await RelayedStudent.join(rig)));
    return new HostileStage(options, { rig, victims, resources: cleanUp.move() });
  }

  /** What must not have happened to anybody but the attacker, in words; empty: nothing did. */
  harm(): readonly string[] {
    const { workers, facts, output } = this.rig;
    const ended = facts.filter(
      ({ type, sessionId }) => type === 'disconnected' && this.victims.some((victim) => victim.sessionId === sessionId),
    );
    const silent = this.victims
      .map(({ quiet }) => quiet)
      .filter(({ audioMs, videoMs, reportsMs }) => Math.max(audioMs, videoMs) > mostSilenceMs || reportsMs > mostReportsMs);
    return [
      ...(workers.pids.includes(this.#pid) ? [] : ['the worker ended']),
      ...output.map((line) => `the worker wrote: ${line}`),
      ...ended.map(({ sessionId }) => `session ${sessionId} ended`),
      ...silent.map((quiet) => `nothing came for so long, ms: ${JSON.stringify(quiet)}`),
    ];
  }

  /** Resident memory of the worker, MiB. */
  get workerMiB(): number {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024);
  }

  /** Beside the relay: from a socket of its own to every media port. */
  async sprayPorts(count: number): Promise<void> {
    const socket = createSocket('udp4');
    await this.#send(count, { atOnce: 100 }, (datagram, port) => socket.send(datagram, port, '127.0.0.1', () => undefined));
    socket.close();
  }

  /** Through the relay, with the credential of a session that there is not, to every media port. */
  async sprayThroughRelay(count: number): Promise<void> {
    const { relay } = this.rig;
    using client = new TurnClient(relay.url('udp'), relay.credential(uuidv7()));
    if ((await client.allocate()) !== 0) throw new Error('no allocation');
    const [port = 0] = this.#ports;
    if ((await client.permit({ address: '127.0.0.1', port })) !== 0) throw new Error('no permission');
    await this.#send(count, { atOnce: 40 }, (datagram, to) => client.send({ address: '127.0.0.1', port: to }, datagram));
    // Answered behind all of them: they went through.
    if ((await client.refresh(600)) !== 0) throw new Error('the allocation was lost');
  }

  /** As a student who is connected, on his own connection, half of it under its keys. */
  async attackOwnConnection(count: number): Promise<void> {
    await using attacker = await RelayedStudent.join(this.rig);
    await this.#send(count, { atOnce: 16 }, (datagram) => {
      const isReport = (datagram[0] ?? 0) >> 6 === 2 && (datagram[1] ?? 0) >= 192 && datagram.length >= leastReportBytes;
      // Of one source: more than a browser has are not read at all.
      if (isReport) datagram.writeUInt32BE(1, 4);
      attacker.send(isReport ? attacker.encrypted(datagram) : datagram).catch(() => undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  /** So many at once, then 10 ms for everybody else. */
  async #send(count: number, { atOnce }: { readonly atOnce: number }, send: (datagram: Buffer, port: number) => void): Promise<void> {
    for (let nth = 0; nth < count; nth += 1) {
      const kind = datagramKinds[nth % datagramKinds.length] ?? 'noise';
      const silencer = nth % 50 === 0 ? silencers[(nth / 50) % silencers.length] : undefined;
      // Every other one to a live session.
      const port = this.#ports[nth % 2 === 0 ? (nth / 2) % this.victims.length : nth % this.#ports.length];
      send(silencer ?? this.#barrage.next(kind), port ?? 0);
      if (nth % atOnce === atOnce - 1) await wait(10);
    }
    this.sent += count;
  }
}
