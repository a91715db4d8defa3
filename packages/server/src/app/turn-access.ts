import type { WorkerConfig } from '@virtual-tutor/engine/media';
import type { DependencyHealth, SessionId, WebrtcConfig } from '@virtual-tutor/schemas';

/** The media relay as the application sees it: who may use it, where it is, how it is. */
export interface TurnAccess extends AsyncDisposable {
  /** What a browser of this session needs to allocate on the relay. A new one for every connection and ICE restart. */
  grant(sessionId: SessionId): Pick<WebrtcConfig, 'iceServers' | 'expiresAt'>;
  /** Set when the engine relays too (`WEBRTC_ENGINE_RELAY`); good for as long as this node runs. */
  engineRelay(): WorkerConfig['engineRelay'];
  /** The only addresses that a browser's relay candidate may have; IPv4. */
  readonly relayAddresses: readonly string[];
  /** Ports that the relay hands out, inclusive: one for each connection, two when the engine relays too. */
  readonly relayPorts: readonly [number, number];
  /** The private IPv4 address that engine peers bind and that the relay forwards to. */
  readonly mediaAddress: string;
  /** Ports that engine peers bind, inclusive. */
  readonly mediaPorts: readonly [number, number];
  /** What browsers reach the relay by: an address, or a name. */
  readonly publicIp: string;
  /** UDP ports that must be open to browsers, inclusive. */
  readonly portRange: { readonly min: number; readonly max: number };
  /** From the last look, never more than some seconds old. */
  health(): DependencyHealth;
}
