import type { TurnPlan } from './plan.ts';
import type { TurnSettings } from './settings.ts';

export interface CoturnOptions {
  readonly plan: TurnPlan;
  readonly settings: Pick<TurnSettings, 'engineRelay' | 'user'>;
  readonly realm: string;
  /** `static-auth-secret`; null: left out, for showing. */
  readonly secret: string | null;
}

/** A `turnserver.conf` for coturn 4.6 or later that relays to the engine's peers and to nothing else. */
export function coturnConfig({ plan, settings, realm, secret }: CoturnOptions): string {
  const { port, relayAddress, relayPorts, peers, quotas } = plan;
  const loopback = [peers.address, relayAddress].some((address) => address.startsWith('127.'));
  return `${[
    '# Made by `vtutor turn-config` from the WEBRTC_* settings: make it anew when they change.',
    '# Start with: turnserver -c FILE. It holds a secret: mode 0600, owned by the user that coturn runs as.',
    `listening-port=${port}`,
    '# Relay ports are private: only the engine talks to them. Exactly one address, IPv4, and no external-ip.',
    `relay-ip=${relayAddress}`,
    `min-port=${relayPorts[0]}`,
    `max-port=${relayPorts[1]}`,
    `realm=${realm}`,
    ...credentials(settings.user, secret),
    '# Everything is denied but the engine. coturn knows no ports here: docs/operations/media.md has the firewall for that.',
    'denied-peer-ip=0.0.0.0-255.255.255.255',
    'denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    `allowed-peer-ip=${peers.address}`,
    ...(loopback ? ['allow-loopback-peers'] : []),
    'no-multicast-peers',
    'no-tcp-relay',
    'no-rfc5780',
    'no-stun-backward-compatibility',
    'no-cli',
    'no-tls',
    'no-dtls',
    'no-software-attribute',
    ...limits(settings, quotas),
    `max-bps=${quotas.bytesPerSecond}`,
    'max-allocate-lifetime=600',
    ...(settings.engineRelay ? ["# The engine's own client keeps one nonce for as long as a lesson lasts.", 'stale-nonce=0'] : []),
  ].join('\n')}\n`;
}

function credentials(user: TurnSettings['user'], secret: string | null): readonly string[] {
  const shown = (value: string) => (secret === null ? '# left out here: write the file with `vtutor turn-config FILE`' : value);
  if (user !== null) return ['lt-cred-mech', shown(`user=${user.username}:${user.password}`)];
  return ['use-auth-secret', shown(`static-auth-secret=${secret}`)];
}

/** A user that stands for many cannot be limited as one session is. */
function limits({ user, engineRelay }: CoturnOptions['settings'], { perUser, total }: TurnPlan['quotas']): readonly string[] {
  return user === null && !engineRelay ? [`user-quota=${perUser}`, `total-quota=${total}`] : [`total-quota=${total}`];
}
