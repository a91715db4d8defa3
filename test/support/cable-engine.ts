import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putDatabaseInto } from './made-database.ts';
import type { Cable } from './netns.ts';
import type { RelayKind } from './relays.ts';

const server = join(import.meta.dirname, '..', '..', 'packages', 'server', 'src');
const startWithinMs = 60_000;

/** The whole engine at its end of a cable, set up as its operator's guide says. */
export interface CableEngine extends AsyncDisposable {
  readonly url: string;
  /** The operator's. */
  readonly apiKey: string;
  /** Everything that the engine wrote. */
  readonly output: () => string;
}

export interface CableEngineOptions {
  readonly kind: RelayKind;
  readonly env: Readonly<Record<string, string>>;
}

export async function startCableEngine(cable: Cable, { kind, env: own }: CableEngineOptions): Promise<CableEngine> {
  await using cleanUp = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'tutor-cable-'));
  cleanUp.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  await putDatabaseInto(dataDir);
  const { address } = cable.engine;
  const url = `http://${address}:9000`;
  const env = {
    PATH: process.env['PATH'],
    DATA_DIR: dataDir,
    PUBLIC_URL: url,
    WEBSOCKET_PORT: '0',
    NODE_NAME: 'test-node',
    ENABLE_LLM: 'false',
    WEBRTC_MEDIA_ADDRESS: kind === 'coturn' ? address : '127.0.0.1',
    ...own,
  };
  if (kind === 'coturn') cleanUp.use(await startCoturn(cable, dataDir, env));
  const turnServer = kind === 'coturn' ? { WEBRTC_TURN_SERVER: `turn:${address}:10110` } : {};
  const engine = cleanUp.use(
    await start(cable, [process.execPath, join(server, 'main.ts')], { env: { ...env, ...turnServer }, until: /vt_key_[\w-]+/ }),
  );
  const resources = cleanUp.move();
  return {
    url,
    apiKey: /vt_key_[\w-]+/.exec(engine.output())?.[0] ?? '',
    output: engine.output,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** With the file that `vtutor turn-config` writes. */
async function startCoturn(cable: Cable, dataDir: string, env: Readonly<Record<string, string | undefined>>): Promise<Running> {
  const file = join(dataDir, 'turnserver.conf');
  const [command, ...args] = cable.engine.within([process.execPath, join(server, 'cli', 'vtutor.ts'), 'turn-config', file]);
  const written = spawnSync(command, args, { env, encoding: 'utf8' });
  if (written.status !== 0) throw new Error(`turn-config: ${written.stderr}`);
  const places = ['-b', join(dataDir, 'turndb'), '--pidfile', join(dataDir, 'coturn.pid'), '--log-file', 'stdout', '--simple-log'];
  return start(cable, ['turnserver', '-c', file, ...places], { env, until: /Total General servers/ });
}

interface Running extends AsyncDisposable {
  readonly output: () => string;
}

interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What it writes once it is ready. */
  readonly until: RegExp;
}

async function start(cable: Cable, command: readonly string[], { env, until }: StartOptions): Promise<Running> {
  const [program, ...args] = cable.engine.within(command);
  const child: ChildProcess = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (until.test(output)) ready.resolve();
    });
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(() => ready.reject(new Error(`it stopped:\n${output}`)));
  const timer = setTimeout(() => ready.reject(new Error(`it did not start:\n${output}`)), startWithinMs);
  try {
    await ready.promise;
  } finally {
    clearTimeout(timer);
  }
  return {
    output: () => output,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
