import { isIPv6 } from 'node:net';
import type { TurnSettings } from './settings.ts';
import { targetOf } from './turn-wire.ts';

/** Peers that a relayed datagram may go to or come from. */
export interface AllowedPeers {
  /** IPv4. */
  readonly address: string;
  /** Inclusive. */
  readonly ports: readonly [number, number];
}

export interface Quotas {
  /** Allocations that one session may hold. */
  readonly perUser: number;
  /** Allocations in all. */
  readonly total: number;
  /** Of one allocation in each direction, bytes a second. */
  readonly bytesPerSecond: number;
}

/** Addresses, ports and limits of the relay: the same for the embedded server and for a generated `turnserver.conf`. */
export interface TurnPlan {
  /** What browsers are given. */
  readonly urls: readonly string[];
  /** What this machine itself calls: the doctor, the health check, a relaying engine. */
  readonly localUrl: string;
  /** Addresses to listen on. */
  readonly listen: readonly string[];
  readonly port: number;
  readonly relayAddress: string;
  /** Inclusive. */
  readonly relayPorts: readonly [number, number];
  readonly mediaAddress: string;
  /** Inclusive. */
  readonly mediaPorts: readonly [number, number];
  readonly peers: AllowedPeers;
  readonly quotas: Quotas;
  readonly publicIp: string;
  readonly portRange: { readonly min: number; readonly max: number };
}

/** Where relay ports are when they are nobody's business but the engine's. */
const privateRelayPorts = [49_152, 65_535] as const;
/** Two transports, two network interfaces, and all of them again while ICE restarts. */
const allocationsPerSession = 8;
/** Where ports are few: one in use, and one while a connection is made anew. */
const scarceAllocationsPerSession = 2;
const allocationsInAll = 2_000;
/** Three times what the best video and voice need. */
const bytesPerSecond = 400_000;

/** `ownAddress`: this machine's IPv4 address in its network, for a TURN server that is not in this process. */
export function planOf(settings: TurnSettings, ownAddress: string): TurnPlan {
  const { layout, portMin, portMax, publicHost, server, engineRelay, mediaPorts } = settings;
  const range = layout === 'port-range';
  const port = server === null ? portMin : (targetOf(server)?.port ?? portMin);
  const relayPorts = range ? ([portMin + 1, portMax] as const) : privateRelayPorts;
  const { mediaAddress, relayAddress } = addressesOf(settings, ownAddress);
  const host = isIPv6(publicHost) ? `[${publicHost}]` : publicHost;
  return {
    urls: urlsOf(server ?? `turn:${host}:${port}`, range),
    localUrl: server ?? `turn:127.0.0.1:${port}`,
    listen: listenOn(settings),
    port,
    relayAddress,
    relayPorts,
    mediaAddress,
    mediaPorts,
    peers: engineRelay ? { address: relayAddress, ports: relayPorts } : { address: mediaAddress, ports: mediaPorts },
    quotas: {
      perUser: range ? scarceAllocationsPerSession : allocationsPerSession,
      total: Math.min(allocationsInAll, relayPorts[1] - relayPorts[0] + 1),
      bytesPerSecond,
    },
    publicIp: publicHost,
    portRange: { min: port, max: range ? portMax : port },
  };
}

/** The embedded relay and the engine's peers meet on loopback, where nobody else can come between. */
function addressesOf({ server, mediaAddress, relayAddress }: TurnSettings, ownAddress: string) {
  if (server === null) return { mediaAddress: mediaAddress ?? '127.0.0.1', relayAddress: mediaAddress ?? '127.0.0.1' };
  return { mediaAddress: mediaAddress ?? ownAddress, relayAddress: relayAddress ?? mediaAddress ?? ownAddress };
}

function listenOn({ loopbackOnly, publicHost }: TurnSettings): readonly string[] {
  if (loopbackOnly) return ['127.0.0.1'];
  return isIPv6(publicHost) ? ['0.0.0.0', '::'] : ['0.0.0.0'];
}

/** A browser takes a relay port for each URL: where ports are few it is offered one. */
function urlsOf(base: string, scarce: boolean): readonly string[] {
  if (base.includes('?')) return [base];
  if (base.startsWith('turns:')) return [`${base}?transport=tcp`];
  return scarce ? [`${base}?transport=udp`] : [`${base}?transport=udp`, `${base}?transport=tcp`];
}
