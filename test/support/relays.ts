import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { knockAt } from '../../packages/server/src/turn/allocate.ts';
import { coturnConfig } from '../../packages/server/src/turn/coturn-config.ts';
import { credentialOf, type TurnCredential } from '../../packages/server/src/turn/credentials.ts';
import { EmbeddedTurn } from '../../packages/server/src/turn/embedded-turn.ts';
import { planOf, type TurnPlan } from '../../packages/server/src/turn/plan.ts';
import type { TurnSettings } from '../../packages/server/src/turn/settings.ts';

/** A relay on this machine, as the product starts it or configures it. */
export interface Relay extends AsyncDisposable {
  readonly plan: TurnPlan;
  /** As a session's grant names it. */
  credential(user: string, options?: { readonly ttlSeconds?: number; readonly secret?: string }): TurnCredential;
  /** Kills or stops the server; it comes back by itself, or is brought back. */
  restart(signal?: 'SIGKILL' | 'SIGSTOP'): Promise<void>;
  url(transport: 'udp' | 'tcp'): string;
  /** Of the server's process, now. */
  pid(): number | null;
}

export const relayKinds = ['embedded', 'coturn'] as const;
export type RelayKind = (typeof relayKinds)[number];
export const coturnAvailable = spawnSync('turnserver', ['--version']).error === undefined;

/** What the relays of the tests know. */
export const relaySecret = 'a-secret-of-the-tests-alone';
const realm = 'virtual-tutor';

/** Settings as parsed from an environment, on ports that nobody uses. */
export async function relaySettings(changes: Partial<TurnSettings> = {}): Promise<TurnSettings> {
  const portMin = await freePort();
  return {
    layout: 'single-port',
    portMin,
    portMax: portMin + 5,
    publicHost: '127.0.0.1',
    loopbackOnly: true,
    server: null,
    user: null,
    secretFile: null,
    engineRelay: false,
    mediaAddress: null,
    mediaPorts: [20_000, 20_999],
    relayAddress: null,
    ...changes,
  };
}

/** A port that is free for UDP and TCP, with five after it that few use. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = 11_000 + Math.floor(Math.random() * 9_000);
    const tcp = createServer();
    const udp = createSocket('udp4');
    try {
      tcp.listen(port, '127.0.0.1');
      await once(tcp, 'listening');
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return port;
    } catch {
      // Somebody has it.
    } finally {
      tcp.close();
      udp.close();
    }
  }
  throw new Error('no free port');
}

/** `asUser`: whom coturn runs as, for firewalls that tell processes by their user; not given: whoever runs the test. */
export async function startRelay(kind: RelayKind, changes: Partial<TurnSettings> = {}, asUser?: SystemUser): Promise<Relay> {
  const settings = await relaySettings(changes);
  return kind === 'embedded' ? startEmbedded(settings) : startCoturn(settings, asUser);
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Debian's package makes it. Null: there is none. */
export function coturnUser(): SystemUser | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, 'turnserver'], { encoding: 'utf8' }).stdout.trim());
  return uid === undefined || gid === undefined || uid === '' ? null : { uid: Number(uid), gid: Number(gid) };
}

function credential(user: string, { ttlSeconds = 300, secret = relaySecret } = {}): TurnCredential {
  return credentialOf(secret, user, Math.floor(Date.now() / 1000) + ttlSeconds);
}

async function startEmbedded(settings: TurnSettings): Promise<Relay> {
  const plan = planOf(settings, '127.0.0.1');
  const turn = await EmbeddedTurn.start({ type: 'serve', realm, secret: relaySecret, user: settings.user, ...plan });
  return {
    plan,
    credential,
    url: (transport) => `${plan.localUrl}?transport=${transport}`,
    pid: () => turn.pid,
    restart: async (signal = 'SIGKILL') => {
      const before = turn.pid;
      if (before !== null) process.kill(before, signal);
      if (signal === 'SIGKILL') await until(() => turn.health().status === 'degraded');
      await until(() => turn.pid !== null && turn.pid !== before && turn.health().status === 'ok');
    },
    [Symbol.asyncDispose]: () => turn[Symbol.asyncDispose](),
  };
}

async function startCoturn(settings: TurnSettings, asUser: SystemUser | undefined): Promise<Relay> {
  const server = `turn:${settings.publicHost}:${settings.portMin}`;
  const plan = planOf({ ...settings, server }, settings.publicHost);
  const folder = await mkdtemp(join(tmpdir(), 'coturn-'));
  const file = join(folder, 'turnserver.conf');
  await writeFile(file, coturnConfig({ plan, settings, realm, secret: relaySecret }), { mode: 0o600 });
  if (asUser !== undefined) for (const path of [folder, file]) await chown(path, asUser.uid, asUser.gid);
  const start = async () => {
    const files = ['-b', join(folder, 'turndb'), '--pidfile', join(folder, 'pid')];
    const child = spawn(
      'turnserver',
      ['-c', file, '--listening-ip', settings.publicHost, '--log-file', 'stdout', '--simple-log', ...files],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...asUser,
      },
    );
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    for (let tries = 0; tries < 50; tries += 1) {
      if ((await knockAt(server, 200)).status === 'refused') return child;
      if (child.exitCode !== null) break;
    }
    child.kill('SIGKILL');
    throw new Error(`coturn did not start:\n${said}`);
  };
  let child = await start();
  const stop = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    plan,
    credential,
    url: (transport) => `${server}?transport=${transport}`,
    pid: () => child.pid ?? null,
    restart: async () => {
      await stop();
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Looks again until it is so; at most fifteen seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 750; looks += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come to be so');
}
