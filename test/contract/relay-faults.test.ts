import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SessionId } from '../../packages/schemas/src/index.ts';
import { UnsafeSecret } from '../../packages/server/src/store/secret-file.ts';
import { allocateOnce } from '../../packages/server/src/turn/allocate.ts';
import { openTurn } from '../../packages/server/src/turn/open-turn.ts';
import type { TurnSettings } from '../../packages/server/src/turn/settings.ts';
import { describeWith } from '../support/loud-skip.ts';
import { coturnAvailable, relaySecret, relaySettings, startRelay, until } from '../support/relays.ts';
import { TurnClient } from '../support/turn-client.ts';

const clock = { now: () => Date.now() };
const sessionId = SessionId.parse('0199a8a0-0000-7000-8000-000000000001');

/** A relay as the engine opens it, with a data folder of its own. */
async function opened(changes: Partial<TurnSettings> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'relay-'));
  const settings = await relaySettings(changes);
  const turn = await openTurn({ settings, dataDir, clock });
  return {
    turn,
    settings,
    dataDir,
    [Symbol.asyncDispose]: async () => {
      await turn[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('what a session is granted', () => {
  test('opens the relay over UDP and TCP, for five minutes, under the session of that name', async () => {
    await using world = await opened();
    const { iceServers, expiresAt } = world.turn.grant(sessionId);
    const [server] = iceServers;
    if (server === undefined) throw new Error('no server');
    expect(server.urls).toHaveLength(2);
    for (const url of server.urls) expect(await allocateOnce(url, server, 3_000)).toMatchObject({ status: 'allocated' });
    expect(server.username).toBe(`${Math.floor(Date.parse(expiresAt) / 1000)}:${sessionId}`);
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(295_000);
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(300_000);
    expect(world.turn.engineRelay()).toBeNull();
  });

  test('is the fixed user as it is, where the operator names one', async () => {
    const user = { username: 'tutor', password: 'a fixed password' };
    await using world = await opened({ user });
    expect(world.turn.grant(sessionId).iceServers[0]).toMatchObject({ username: 'tutor', credential: 'a fixed password' });
  });

  test('lets an engine that relays too allocate for as long as it runs', async () => {
    await using world = await opened({ engineRelay: true });
    const engine = world.turn.engineRelay();
    if (engine === null) throw new Error('the engine has no relay');
    expect(Number(engine.username.split(':')[0])).toBeGreaterThan(Date.now() / 1000 + 86_400 * 365);
    expect(await allocateOnce(engine.url, engine, 3_000)).toMatchObject({ status: 'allocated' });
  });
});

describe('the secret', () => {
  test('is made once, for the engine alone', async () => {
    await using world = await opened();
    const file = join(world.dataDir, 'turn.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const before = await readFile(file, 'utf8');
    const again = await openTurn({ settings: await relaySettings(), dataDir: world.dataDir, clock });
    await again[Symbol.asyncDispose]();
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test("of the operator's file is refused when others can read it, and when it is no secret", async () => {
    await using world = await opened();
    const secretFile = join(world.dataDir, 'operators.key');
    const open = async () => openTurn({ settings: await relaySettings({ secretFile }), dataDir: world.dataDir, clock });
    await expect(open()).rejects.toThrow(UnsafeSecret);
    await writeFile(secretFile, 'a-secret-of-some-length\n');
    await chmod(secretFile, 0o644);
    await expect(open()).rejects.toThrow(/chmod 600/);
    await chmod(secretFile, 0o600);
    await (await open())[Symbol.asyncDispose]();
    await writeFile(secretFile, 'short');
    await expect(open()).rejects.toThrow(UnsafeSecret);
  });
});

describe('the embedded relay', () => {
  test('is started again on the same port when it is killed, and says so meanwhile', async () => {
    await using relay = await startRelay('embedded');
    for (let times = 0; times < 2; times += 1) {
      await relay.restart();
      using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
      expect(await client.allocate()).toBe(0);
    }
  });

  test('is replaced when it no longer answers', async () => {
    await using relay = await startRelay('embedded');
    await relay.restart('SIGSTOP');
    using client = new TurnClient(relay.url('udp'), relay.credential('session-1'));
    expect(await client.allocate()).toBe(0);
  });

  test('ends with the engine, however that ends, and has none of its secrets in its environment', async () => {
    const program = "import('./test/support/relays.ts').then(async ({ startRelay }) => console.log((await startRelay('embedded')).pid()))";
    const engine = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, MASTER_KEY: 'canary' },
    });
    const [line] = await once(createInterface({ input: engine.stdout }), 'line');
    const pid = Number(line);
    if (process.platform === 'linux') expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain('canary');
    engine.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  test.each([
    [
      'UDP',
      async (port: number) => {
        const socket = createSocket('udp4').bind(port, '127.0.0.1');
        await once(socket, 'listening');
        return () => socket.close();
      },
    ],
    [
      'TCP',
      async (port: number) => {
        const server = createServer().listen(port, '127.0.0.1');
        await once(server, 'listening');
        return () => server.close();
      },
    ],
  ] as const)('whose %s port is taken says so by name, and serves once it is free', async (protocol, take) => {
    const { portMin } = await relaySettings();
    const release = await take(portMin);
    await using world = await opened({ portMin });
    const { status, reason } = world.turn.health();
    expect(status).toBe('degraded');
    expect(reason).toContain(`${protocol} port ${portMin} is taken`);
    expect(reason).toContain('WEBRTC_PORT_MIN');
    release();
    await until(() => world.turn.health().status === 'ok');
    expect(world.turn.health().reason).toBeNull();
  });
});

describeWith(coturnAvailable, 'coturn (turnserver)')("an operator's TURN server", () => {
  const withSecret = async (secret: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'relay-secret-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, secret, { mode: 0o600 });
    return { secretFile };
  };

  test('that knows the secret and relays from where it should is found well', async () => {
    await using relay = await startRelay('coturn');
    await using world = await opened({ server: relay.plan.localUrl, mediaAddress: '127.0.0.1', ...(await withSecret(relaySecret)) });
    expect(world.turn.health()).toEqual({ name: 'media relay', runsOn: relay.plan.localUrl, status: 'ok', reason: null });
    const server = world.turn.grant(sessionId).iceServers[0];
    if (server === undefined) throw new Error('no server');
    for (const url of server.urls) expect(await allocateOnce(url, server, 3_000)).toMatchObject({ status: 'allocated' });
  });

  test.each([
    ['has another secret', { secret: 'quite-another-secret' }, /refuses the engine's credentials.*WEBRTC_TURN_SECRET_FILE/],
    ['relays from another address', { mediaAddress: '127.0.0.9' }, /relays from 127\.0\.0\.1, but the engine knows 127\.0\.0\.9/],
    ['is not there', { server: 'turn:127.0.0.1:9' }, /turn:127\.0\.0\.1:9 cannot be used/],
  ] as const)(
    'that %s is named with what to do',
    async (_what, { secret = relaySecret, ...wrong }: { secret?: string; mediaAddress?: string; server?: string }, reason) => {
      await using relay = await startRelay('coturn');
      await using world = await opened({ server: relay.plan.localUrl, mediaAddress: '127.0.0.1', ...(await withSecret(secret)), ...wrong });
      expect(world.turn.health()).toMatchObject({ status: 'degraded', reason: expect.stringMatching(reason) });
    },
  );
});
