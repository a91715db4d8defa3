import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examineMedia } from '../../packages/server/src/cli/doctor-media.ts';
import { turnConfig } from '../../packages/server/src/cli/turn-config.ts';
import { parseConfig } from '../../packages/server/src/config.ts';
import { tryRelay } from '../../packages/server/src/turn/open-turn.ts';
import { describeWith } from '../support/loud-skip.ts';
import { coturnAvailable, relaySecret, relaySettings, startRelay } from '../support/relays.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** What the doctor says of these settings on ports that nobody uses, by name. */
async function examined(env: Readonly<Record<string, string>>) {
  const { portMin } = await relaySettings();
  const ports = { MANAGEMENT_API_PORT: String(portMin + 4), WEBRTC_PORT_MIN: String(portMin), WEBRTC_PORT_MAX: String(portMin + 3) };
  const findings = await examineMedia(parseConfig({ DATA_DIR: await folder(), ...ports, ...env }));
  return new Map(findings.map((finding) => [finding.name, finding]));
}

describe('the doctor, while no engine runs,', () => {
  test('says that the relay comes with it, and which addresses and ports media has', async () => {
    const found = await examined({});
    expect(found.get('media relay')).toMatchObject({ status: 'warning', fix: expect.stringContaining('npm start') });
    expect(found.get('media address')).toMatchObject({ status: 'ok', found: '127.0.0.1, ports 20000-20999' });
    expect(found.has('public relay address')).toBe(false);
  });

  test('finds who has taken the port', async () => {
    const { portMin } = await relaySettings();
    const other = createSocket('udp4').bind(portMin);
    await once(other, 'listening');
    const found = await examined({ WEBRTC_PORT_MIN: String(portMin), WEBRTC_PORT_MAX: String(portMin) });
    other.close();
    expect(found.get('media relay')).toMatchObject({ status: 'trouble', found: `UDP port ${portMin} is taken by something else` });
  });

  test('finds a media address that is not of this machine', async () => {
    const found = await examined({ WEBRTC_MEDIA_ADDRESS: '203.0.113.99' });
    expect(found.get('media address')).toMatchObject({ status: 'trouble', fix: expect.stringContaining('WEBRTC_MEDIA_ADDRESS') });
  });

  test.each([
    [{ WEBRTC_PUBLIC_IP: '203.0.113.7' }, 'ok', /203\.0\.113\.7; UDP and TCP port \d+ must be open/],
    [{ WEBRTC_PUBLIC_IP: '203.0.113.7', WEBRTC_LAYOUT: 'port-range' }, 'ok', /203\.0\.113\.7; UDP ports \d+-\d+ must be open/],
    [{ PUBLIC_URL: 'http://gpu-server.frp.example.com' }, 'warning', /look for the relay at gpu-server\.frp\.example\.com/],
  ])('%o: what must be open is named', async (env, status, words) => {
    const found = await examined(env);
    expect(found.get('public relay address')).toMatchObject({ status, found: expect.stringMatching(words) });
  });
});

describeWith(coturnAvailable, 'coturn (turnserver)')("the doctor, at an operator's TURN server,", () => {
  async function at(secret: string) {
    const relay = await startRelay('coturn');
    const file = join(await folder(), 'secret');
    await writeFile(file, secret, { mode: 0o600 });
    const env = { WEBRTC_TURN_SERVER: relay.plan.localUrl, WEBRTC_MEDIA_ADDRESS: '127.0.0.1', WEBRTC_TURN_SECRET_FILE: file };
    return { relay, env, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
  }

  test('allocates, and finds all well over UDP and TCP', async () => {
    await using world = await at(relaySecret);
    const found = await examined(world.env);
    expect(found.get('media relay')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('relays from 127.0.0.1, ports 49152-65535'),
    });
    expect(found.get('media relay over TCP')).toMatchObject({ status: 'ok' });
  });

  test('finds a secret that is not the same on both sides', async () => {
    await using world = await at('quite-another-secret');
    const found = await examined(world.env);
    expect(found.get('media relay')).toMatchObject({ status: 'trouble', fix: expect.stringContaining('static-auth-secret') });
  });

  test('tells a clock that is wrong from a secret that is', async () => {
    await using world = await at(relaySecret);
    const late = { now: () => Date.now() - 400_000 };
    const verdict = await tryRelay(world.relay.plan, { secret: relaySecret, user: null, clock: late });
    expect(verdict).toMatchObject({ found: expect.stringContaining('clock'), fix: expect.stringContaining('NTP') });
  });
});

describe('a configuration for coturn', () => {
  test('is shown without its secret, and written with it for its owner alone', async () => {
    const dataDir = await folder();
    const config = parseConfig({ DATA_DIR: dataDir, WEBRTC_MEDIA_ADDRESS: '10.77.0.1' });
    const shown = await turnConfig(config, null);
    expect(shown).toContain('relay-ip=10.77.0.1\n');
    expect(shown).toContain('allowed-peer-ip=10.77.0.1\n');
    expect(shown).not.toMatch(/^(static-auth-secret|external-ip|allow-loopback-peers)/m);

    const file = join(dataDir, 'turnserver.conf');
    const said = await turnConfig(config, file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const secret = (await readFile(join(dataDir, 'turn.key'), 'utf8')).trim();
    expect(await readFile(file, 'utf8')).toContain(`static-auth-secret=${secret}\n`);
    expect(said).toContain('WEBRTC_TURN_SERVER=turn:127.0.0.1:10110');
    expect(said).not.toContain(secret);
  });

  test('of the predecessor layout has its five relay ports; of an engine that relays too, a nonce that stays', async () => {
    const conf = await turnConfig(
      parseConfig({ DATA_DIR: await folder(), WEBRTC_LAYOUT: 'port-range', WEBRTC_ENGINE_RELAY: 'true' }),
      null,
    );
    expect(conf).toMatch(/^listening-port=10110$/m);
    expect(conf).toMatch(/^min-port=10111\nmax-port=10115$/m);
    expect(conf).toMatch(/^total-quota=5$/m);
    expect(conf).toMatch(/^stale-nonce=0$/m);
  });

  test('for a fixed user shows no password', async () => {
    const env = { WEBRTC_TURN_USERNAME: 'tutor', WEBRTC_TURN_PASSWORD: 'canary' };
    const conf = await turnConfig(parseConfig({ DATA_DIR: await folder(), ...env }), null);
    expect(conf).toMatch(/^lt-cred-mech$/m);
    expect(conf).not.toContain('canary');
  });
});
