import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Config } from '../config.ts';
import { knockAt } from '../turn/allocate.ts';
import { ownAddress, tryRelay } from '../turn/open-turn.ts';
import { planOf, type TurnPlan } from '../turn/plan.ts';
import { turnSecret } from '../turn/secret.ts';
import { findRunning } from './engine-client.ts';
import { type Finding, ok, trouble, waitMs, warning } from './finding.ts';

/** The way of voice and video, from the browser's door to the engine's ports. */
export async function examineMedia(config: Config): Promise<readonly Finding[]> {
  const plan = planOf(config.turn, ownAddress());
  const found = await Promise.all([relay(config, plan), mediaAddress(plan), publicRelay(config, plan)]);
  return found.flat();
}

async function relay({ turn, ...config }: Config, plan: TurnPlan): Promise<readonly Finding[]> {
  const name = 'media relay';
  const serves = turn.server !== null || (await findRunning({ turn, ...config })) !== null;
  if (!serves) {
    return (await canBind('0.0.0.0', plan.port))
      ? [warning(name, `nothing listens on UDP port ${plan.port}`, 'it starts with the engine: `npm start`')]
      : [trouble(name, `UDP port ${plan.port} is taken by something else`, 'stop that, or set WEBRTC_PORT_MIN')];
  }
  const keyring = { secret: await turnSecret(turn, config.dataDir), user: turn.user, clock: { now: () => Date.now() } };
  const { found, fix } = await tryRelay(plan, keyring);
  if (fix !== null) return [trouble(name, found, fix)];
  const overTcp = plan.urls.some((url) => url.endsWith('transport=tcp') && url.startsWith('turn:'));
  if (!overTcp) return [ok(name, found)];
  const { status } = await knockAt(`${plan.localUrl}?transport=tcp`, waitMs);
  return [
    ok(name, found),
    status === 'silent'
      ? warning(
          'media relay over TCP',
          `${plan.localUrl} does not answer over TCP`,
          'open TCP on the same port: networks without UDP need it',
        )
      : ok('media relay over TCP', 'answers'),
  ];
}

/** Peers bind it, so it must be an address of this machine. */
async function mediaAddress({ mediaAddress: address, mediaPorts }: TurnPlan): Promise<readonly Finding[]> {
  const name = 'media address';
  return (await canBind(address, 0))
    ? [ok(name, `${address}, ports ${mediaPorts[0]}-${mediaPorts[1]}`)]
    : [trouble(name, `${address} is no address of this machine`, 'set WEBRTC_MEDIA_ADDRESS to one that `ip address` lists')];
}

/** Only outside can it be known whether browsers get through; what can be seen from here is said. */
async function publicRelay({ turn }: Config, { publicIp, portRange: { min, max } }: TurnPlan): Promise<readonly Finding[]> {
  const name = 'public relay address';
  if (turn.server !== null || turn.loopbackOnly) return [];
  const ports = min === max ? `UDP and TCP port ${min}` : `UDP ports ${min}-${max}`;
  if (isIP(publicIp) === 0)
    return [
      warning(
        name,
        `browsers look for the relay at ${publicIp}`,
        `media passes no HTTP tunnel: unless ${ports} of that name lead here, set WEBRTC_PUBLIC_IP`,
      ),
    ];
  return [ok(name, `${publicIp}; ${ports} must be open to browsers`)];
}

function canBind(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
      .once('error', () => {
        socket.close();
        resolve(false);
      })
      .bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
