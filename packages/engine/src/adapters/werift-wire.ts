import { createSocket, type Socket } from 'node:dgram';
import {
  Candidate,
  candidateFoundation,
  candidatePriority,
  classes,
  createTurnClient,
  type IceConnection,
  Message,
  methods,
  parseMessage,
  StunOverTurnProtocol,
  StunProtocol,
  type TurnProtocol,
} from 'werift';
import { OfferRefused } from '../media/ports.ts';
import type { WorkerConfig } from '../media/protocol.ts';

/*
 * The one place that reaches into werift 0.25.2. Why each reach is there:
 *
 * - gathering is replaced by one socket of ours: werift would offer every address of the machine, ask Google's
 *   STUN server when none is given, and die of an unhandled error when a port is taken;
 * - datagrams pass `SourcePin` before anything parses them: one stray unencrypted DTLS record silences a session;
 * - as a TURN client it ignores `438 Stale Nonce` (no MESSAGE-INTEGRITY in it), refreshes once per lifetime and
 *   never frees its allocation: all three are done here.
 */

type Address = readonly [string, number];
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

/** The relay addresses that one session's datagrams may come from: `address:port`. */
export class SourcePin {
  #allowed: ReadonlySet<string> = new Set();
  /** When an allowed datagram came last, ms of `performance.now()`. */
  heardAtMs = 0;
  dropped = 0;

  allow(candidates: readonly { readonly address: string; readonly port: number }[], { keep }: { readonly keep: boolean }): void {
    const named = candidates.map(({ address, port }) => `${address}:${port}`);
    this.#allowed = new Set(keep ? [...this.#allowed, ...named] : named);
  }

  admits([address, port]: Address): boolean {
    if (!this.#allowed.has(`${address}:${port}`)) {
      this.dropped += 1;
      return false;
    }
    this.heardAtMs = performance.now();
    return true;
  }
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
  { mediaAddress, mediaPorts: [first, last] }: Pick<WorkerConfig, 'mediaAddress' | 'mediaPorts'>,
  { pin, nth }: { readonly pin: SourcePin; readonly nth: number },
): Promise<LocalWire> {
  const ports = last - first + 1;
  for (let attempt = 0; attempt < Math.min(ports, 64); attempt += 1) {
    const port = first + ((nth + attempt) % ports);
    const socket = await bind(mediaAddress, port);
    if (socket !== null) return hostWire(socket, { address: mediaAddress, port, pin });
  }
  throw new OfferRefused('no_free_port', 'all media ports of this engine are taken: try again in a moment');
}

async function bind(address: string, port: number): Promise<Socket | null> {
  const socket = createSocket('udp4');
  const bound = await new Promise<boolean>((resolve) => {
    socket.once('listening', () => resolve(true));
    // Stays: later errors, such as ICMP answers, must not end the process.
    socket.on('error', () => resolve(false));
    socket.bind({ port, address, exclusive: true });
  });
  if (bound) return socket;
  socket.close();
  return null;
}

/** Stands in for werift's `UdpTransport`. */
class PinnedTransport {
  readonly type = 'udp';
  readonly addressFamily = 4;
  readonly #socket: Socket;
  closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get address() {
    return this.#socket.address();
  }

  readonly send = async (data: Buffer, [address, port]: Address): Promise<void> => {
    if (!this.closed) this.#socket.send(data, port, address);
  };

  readonly close = async (): Promise<void> => {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  };
}

interface HostAddress {
  readonly address: string;
  readonly port: number;
  readonly pin: SourcePin;
}

function hostWire(socket: Socket, { address, port, pin }: HostAddress): LocalWire {
  const wire = new StunProtocol();
  inside<{ transport: PinnedTransport }>(wire).transport = new PinnedTransport(socket);
  wire.localIp = address;
  const receiver = inside<InsideStun>(wire);
  socket.on('message', (data, { address: host, port: from }) => {
    if (pin.admits([host, from])) receiver.datagramReceived(data, [host, from]);
  });
  return {
    type: 'host',
    address,
    port,
    attach: (connection) => attach(connection, wire, { type: 'host', address, port }),
    close: () => wire.close(),
  };
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

const allocationSeconds = 600;
/** Permissions last 300 s (RFC 8656 section 9). */
const refreshMs = 120_000;
const freeWithinMs = 500;

/** An allocation on the TURN server. Throws `OfferRefused` when it has none to give. */
export async function openRelayWire(
  relay: NonNullable<WorkerConfig['engineRelay']>,
  { pin, peers }: { readonly pin: SourcePin; readonly peers: () => readonly Address[] },
): Promise<LocalWire> {
  const server = serverOf(relay.url);
  let turn: TurnProtocol;
  try {
    turn = await createTurnClient(
      { address: server, username: relay.username, password: relay.credential },
      { lifetime: allocationSeconds },
    );
  } catch (error) {
    throw new OfferRefused('no_free_port', 'the relay has no port for the engine: try again in a moment', { cause: error });
  }
  adoptNonces(turn);
  const stopRefreshing = keepAlive(turn, peers);
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
    if (pin.admits(from)) handleStunMessage(data, from);
  };
  const [address, port] = turn.relayedAddress;
  return {
    type: 'relay',
    address,
    port,
    attach: (connection) => attach(connection, wire, { type: 'relay', address, port }),
    close: () => wire.close(),
  };
}

function serverOf(url: string): [string, number] {
  const match = /^turns?:([^:?]+)(?::(\d+))?/.exec(url);
  return [match?.[1] ?? '127.0.0.1', Number(match?.[2] ?? 3_478)];
}

/** A 438 answer carries no MESSAGE-INTEGRITY (RFC 8489 section 9.2.4); its transaction is what proves it. */
function adoptNonces(turn: TurnProtocol): void {
  const within = inside<InsideTurn>(turn);
  const handle = within.handleSTUNMessage;
  within.handleSTUNMessage = (data, from) => {
    const message = parseMessage(data);
    const isStale = message?.messageClass === classes.ERROR && message.getAttributeValue('ERROR-CODE')?.[0] === 438;
    if (message !== undefined && isStale) turn.transactions[message.transactionIdHex]?.responseReceived(message, [from[0], from[1]]);
    else handle.call(turn, data, from);
  };
}

function keepAlive(turn: TurnProtocol, peers: () => readonly Address[]): () => void {
  const within = inside<InsideTurn>(turn);
  const timer = setInterval(() => {
    refresh(turn, allocationSeconds).catch(() => undefined);
    for (const peer of peers()) within.createPermission(peer).catch(() => undefined);
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
