import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Health } from '@virtual-tutor/schemas';
import { putDatabaseInto } from './made-database.ts';
import { freePort } from './postgres.ts';

const main = new URL('../../packages/server/src/main.ts', import.meta.url).pathname;

export interface RunningEngine extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** The operator's, from the first start. */
  readonly apiKey: string;
  readonly pid: () => number;
  /** Everything that it wrote so far, over all its lives. */
  readonly output: () => string;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM, and waits. */
  stop(): Promise<number | null>;
  /** After `kill` or `stop`: the same data, the same port. */
  restart(): Promise<void>;
}

const startWithinMs = 60_000;
/** Most lessons of the tests are written: no relay, no engine workers. */
const inWriting = { ENABLE_TTS: 'false', ENABLE_ASR: 'false', ENABLE_AVATAR: 'false' };

/** The environment of an engine whose tutors speak, listen and have a face, behind a relay of its own. */
export async function withVoice(): Promise<Readonly<Record<string, string>>> {
  const port = String(await freePort());
  return { ENABLE_TTS: 'true', ENABLE_ASR: 'true', ENABLE_AVATAR: 'true', WEBRTC_PORT_MIN: port, WEBRTC_PORT_MAX: port };
}

/** A real engine in a process of its own, on a free port and a data folder that goes with it. */
export async function startEngine(env: Readonly<Record<string, string>> = {}): Promise<RunningEngine> {
  const port = await freePort();
  const dataDir = mkdtempSync(join(tmpdir(), 'tutor-engine-'));
  if (env['DATABASE_URL'] === undefined) await putDatabaseInto(dataDir);
  const url = `http://127.0.0.1:${port}`;
  let output = '';
  let child: ChildProcess;
  let exited: Promise<number | null>;

  async function start(): Promise<void> {
    const from = output.length;
    child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: dataDir,
        MANAGEMENT_API_HOST: '127.0.0.1',
        MANAGEMENT_API_PORT: String(port),
        WEBSOCKET_PORT: '0',
        NODE_NAME: 'test-node',
        ENABLE_LLM: 'false',
        EXTRACTIVE_PACE_MS: '0',
        ...inWriting,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        // The banner is printed whole, once everything listens.
        if (output.slice(from).includes('event log  ')) ready.resolve();
      });
    }
    exited = new Promise((resolve) => child.once('exit', resolve));
    ready.promise.catch(() => undefined);
    const timer = setTimeout(() => ready.reject(new Error(`the engine did not start:\n${output.slice(from)}`)), startWithinMs);
    void exited.then(() => ready.reject(new Error(`the engine stopped:\n${output.slice(from)}`)));
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    child.kill(signal);
    return exited;
  }

  await start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    url,
    port,
    dataDir,
    apiKey: /vt_key_[\w-]+/.exec(output)?.[0] ?? '',
    pid: () => child.pid ?? 0,
    output: () => output,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    restart: start,
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Until its workers can be given media. Lessons in writing do not wait for them. */
export async function untilVoiceIsReady({ url }: RunningEngine): Promise<void> {
  const isReady = async () => {
    const { dependencies } = Health.parse(await (await fetch(`${url}/health`)).json());
    return dependencies.some(({ name, status }) => name === 'voice and video' && status === 'ok');
  };
  for (let tries = 0; tries < 300; tries += 1) {
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the engine workers did not become ready');
}
