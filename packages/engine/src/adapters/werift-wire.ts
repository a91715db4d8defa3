import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  Candidate,
  candidateFoundation,
  candidatePriority,
  classes,
  type IceConnection,
  Message,
  methods,
  parseMessage,
  type RTCDtlsTransport,
  type RTCIceTransport,
  StunOverTurnProtocol,
  StunProtocol,
  TurnProtocol,
} from 'werift';
import { OfferRefused } from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';
import type { SourcePin } from '../media/source-pin.ts';
import { openUdpPort, type UdpPort } from './udp-port.ts';

/*
 * The one place that reaches into werift 0.25.2. Why each reach is there:
 *
 * - gathering is replaced by one socket of ours: werift would offer every address of the machine, ask Google's
 *   STUN server when none is given, and die of an unhandled error when a port is taken;
 * - datagrams pass `SourcePin` before anything parses them: one stray unencrypted DTLS record silences a session;
 * - as a TURN client it believes ChannelData from anybody, ignores `438 Stale Nonce` (no MESSAGE-INTEGRITY in it),
 *   refreshes once per lifetime and never frees its allocation: all four are done here;
 * - a start of ICE that fails is waited for by the next one, and keys are made anew for each packet.
 */

type Address = readonly [string, number];
type MediaPorts = Pick<WorkerConfig, 'mediaAddress' | 'mediaPorts'>;
type Wire = StunProtocol | StunOverTurnProtocol;

/** What `Connection` has and does not export. */
interface Inside extends IceConnection {
  protocols: Wire[];
  localUsername: string;
  generation: number;
  getCandidatePromises(): Promise<unknown>[];
  ensureProtocol(wire: Wire): void;
  pairLocalProtocol(wire: Wire): void;
  appendLocalCandidate(candidate: Candidate): void;
}

interface InsideStun {
  datagramReceived(data: Buffer, from: Address): void;
}

interface InsideTurn {
  handleSTUNMessage(data: Buffer, from: Address): void;
  createPermission(peer: Address): Promise<void>;
  channelByAddr: Record<string, { refreshAt: number }>;
}

interface InsideStunOverTurn {
  handleStunMessage(data: Buffer, from: Address): void;
}

/** Private members have types that do not unite with an interface: the compiler is told once, here. */
function inside<T>(object: object): T {
  return object as T;
}

/** The one address that a peer answers with. */
export interface LocalWire {
  readonly type: 'host' | 'relay';
  readonly address: string;
  readonly port: number;
  /** Makes it the only candidate of this connection. */
  attach(connection: IceConnection): void;
  /** Frees what `attach` was not called for. */
  close(): Promise<void>;
}

/** A socket of our own. Throws `OfferRefused` when the ports are taken. */
export async function openHostWire(
  config: MediaPorts,
  { pin, nth }: { readonly pin: SourcePin; readonly nth: number },
): Promise<LocalWire> {
  const port = await openUdpPort(config, nth);
  const wire = new StunProtocol();
  inside<{ transport: UdpPort }>(wire).transport = port;
  wire.localIp = port.host;
  const receiver = inside<InsideStun>(wire);
  port.onData = (data, from) => {
    if (pin.admits(data, ...from)) receiver.datagramReceived(data, from);
  };
  const own = { type: 'host', address: port.host, port: port.port } as const;
  return { ...own, attach: (connection) => attach(connection, wire, own), close: () => wire.close() };
}

function attach(
  connection: IceConnection,
  wire: Wire,
  { type, address, port }: { readonly type: 'host' | 'relay'; readonly address: string; readonly port: number },
): void {
  const within = inside<Inside>(connection);
  within.getCandidatePromises = () => {
    // After an ICE restart the same wire is offered again, by werift itself.
    if (within.protocols.includes(wire)) return [];
    within.ensureProtocol(wire);
    within.protocols.push(wire);
    wire.localCandidate = new Candidate(
      candidateFoundation(type, 'udp', address),
      1,
      'udp',
      candidatePriority(type),
      address,
      port,
      type,
      type === 'relay' ? '0.0.0.0' : undefined,
      type === 'relay' ? 9 : undefined,
      undefined,
      within.generation,
      within.localUsername,
    );
    within.pairLocalProtocol(wire);
    within.appendLocalCandidate(wire.localCandidate);
    return [];
  };
}

/** A start of ICE that failed, or that another restart overtook, would be waited for by the next one for ever. */
export function forgetStart(transport: RTCIceTransport): void {
  inside<{ waitStart: unknown }>(transport).waitStart = undefined;
}

/** Node 24 takes 9 us longer for a packet whose key is bytes: a third of what sending one costs. */
export function readyKeys(dtls: RTCDtlsTransport): void {
  for (const context of [dtls.srtp.localContext, dtls.srtp.remoteContext]) {
    const { cipher } = inside<{ cipher: { srtpSessionKey: Buffer | KeyObject } }>(context);
    if (Buffer.isBuffer(cipher.srtpSessionKey)) cipher.srtpSessionKey = createSecretKey(cipher.srtpSessionKey);
  }
}

const allocationSeconds = 600;
/** Permissions last 300 s (RFC 8656 section 9). */
const refreshMs = 120_000;
const freeWithinMs = 500;

export interface RelayWireOptions extends MediaPorts {
  readonly engineRelay: NonNullable<WorkerConfig['engineRelay']>;
  readonly pin: SourcePin;
  readonly nth: number;
}

/** An allocation on the TURN server. Throws `OfferRefused` when it has none to give. */
export async function openRelayWire({
  engineRelay: { url, username, credential },
  pin,
  nth,
  ...config
}: RelayWireOptions): Promise<LocalWire> {
  const socket = await openUdpPort(config, nth);
  const turn = new TurnProtocol(serverOf(url), username, credential, allocationSeconds, socket);
  adoptNonces(turn);
  try {
    await turn.connectionMade();
  } catch (error) {
    await turn.close();
    throw new OfferRefused('no_free_port', 'the relay has no port for the engine: try again in a moment', { cause: error });
  }
  pinServer(turn, socket);
  const stopRefreshing = keepAlive(turn, pin);
  const close = turn.close.bind(turn);
  turn.close = async () => {
    stopRefreshing();
    await free(turn);
    await close();
  };
  const wire = new StunOverTurnProtocol(turn);
  const receiver = inside<InsideStunOverTurn>(wire);
  const { handleStunMessage } = receiver;
  receiver.handleStunMessage = (data, from) => {
    if (pin.admits(data, ...from)) handleStunMessage(data, from);
  };
  const [address, port] = turn.relayedAddress;
  const own = { type: 'relay', address, port } as const;
  return { ...own, attach: (connection) => attach(connection, wire, own), close: () => wire.close() };
}

function serverOf(url: string): [string, number] {
  const match = /^turns?:([^:?]+)(?::(\d+))?/.exec(url);
  return [match?.[1] ?? '127.0.0.1', Number(match?.[2] ?? 3_478)];
}

/**
 * Nobody but the server may say what a peer sent: werift believes any ChannelData, from anywhere, and whoever may
 * use the relay reaches this socket through it.
 */
function pinServer(turn: TurnProtocol, socket: UdpPort): void {
  const receive = socket.onData;
  const [host, port] = turn.serverEndpoint ?? turn.server;
  socket.onData = (data, from) => {
    if (from[0] === host && from[1] === port) receive(data, from);
  };
}

/** A 438 answer carries no MESSAGE-INTEGRITY (RFC 8489 section 9.2.4), which werift demands: its transaction proves it. */
function adoptNonces(turn: TurnProtocol): void {
  const within = inside<InsideTurn>(turn);
  const handle = within.handleSTUNMessage;
  within.handleSTUNMessage = (data, from) => {
    const message = stunOf(data);
    const isStale = message?.messageClass === classes.ERROR && message.getAttributeValue('ERROR-CODE')?.[0] === 438;
    const transaction = message === undefined || !isStale ? undefined : turn.transactions[message.transactionIdHex];
    if (message === undefined || transaction === undefined) {
      handle.call(turn, data, from);
      return;
    }
    inside<{ integrityKey: Buffer | undefined }>(transaction).integrityKey = undefined;
    transaction.responseReceived(message, [from[0], from[1]]);
  };
}

/** The parser throws on some malformed messages. */
function stunOf(data: Buffer): Message | undefined {
  try {
    return parseMessage(data);
  } catch {
    return undefined;
  }
}

/** Four rounds within an allocation's life, and two within a permission's: a lost one does no harm. */
function keepAlive(turn: TurnProtocol, pin: SourcePin): () => void {
  const within = inside<InsideTurn>(turn);
  const timer = setInterval(() => {
    refresh(turn, allocationSeconds).catch(() => undefined);
    for (const { address, port } of pin.candidates) within.createPermission([address, port]).catch(() => undefined);
    // The next packet binds its channel anew.
    for (const channel of Object.values(within.channelByAddr)) channel.refreshAt = 0;
  }, refreshMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function refresh(turn: TurnProtocol, lifetime: number): Promise<void> {
  const request = new Message(methods.REFRESH, classes.REQUEST).setAttribute('LIFETIME', lifetime);
  await turn.requestWithRetry(request, turn.server);
}

async function free(turn: TurnProtocol): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, freeWithinMs);
  await Promise.race([refresh(turn, 0).catch(() => undefined), promise]);
  clearTimeout(timer);
}

/** A browser's candidate on the relay, as werift has it. */
export function relayCandidate({ address, port }: { readonly address: string; readonly port: number }): Candidate {
  return new Candidate(candidateFoundation('relay', 'udp', address), 1, 'udp', candidatePriority('relay'), address, port, 'relay');
}
