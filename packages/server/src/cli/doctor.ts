import { access, constants, mkdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createOllamaLlm } from '@virtual-tutor/engine';
import { Health } from '@virtual-tutor/schemas';
import postgres from 'postgres';
import { trpcPath } from '../api/sockets.ts';
import type { Config } from '../config.ts';
import { examineMedia } from './doctor-media.ts';
import { findRunning } from './engine-client.ts';
import { type Finding, ok, trouble, waitMs, warning } from './finding.ts';

async function dataFolder({ dataDir }: Config): Promise<Finding> {
  const name = 'data folder';
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK);
  } catch {
    return trouble(name, `${dataDir} cannot be written`, 'give it to the user the engine runs as, or set DATA_DIR');
  }
  for (const file of ['master.key', 'token.key', 'turn.key', 'seal.key']) {
    const found = await stat(join(dataDir, file)).catch(() => null);
    if (found !== null && (found.mode & 0o077) !== 0)
      return trouble(name, `${file} can be read by others`, `chmod 600 ${join(dataDir, file)}`);
  }
  return ok(name, dataDir);
}

async function database({ databaseUrl }: Config): Promise<Finding> {
  const name = 'database';
  if (databaseUrl === null) return ok(name, 'PGlite in the data folder');
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: waitMs / 1000, onnotice: () => {} });
  try {
    const [row] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    const version = row?.version ?? 0;
    if (version < 130_000) return trouble(name, `PostgreSQL ${Math.floor(version / 10_000)} is too old`, 'use PostgreSQL 13 or later');
    return ok(name, `PostgreSQL ${Math.floor(version / 10_000)}`);
  } catch {
    return trouble(name, 'PostgreSQL does not answer', 'start it, and check host, user and password in DATABASE_URL');
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function engine(config: Config): Promise<Finding> {
  const name = 'engine';
  const url = await findRunning(config);
  if (url !== null) return ok(name, `answers at ${url}`);
  const free = await portIsFree(config.managementApiPort);
  return free
    ? warning(name, `nothing listens on port ${config.managementApiPort}`, 'start it with `npm start`')
    : trouble(name, `port ${config.managementApiPort} is taken by something else`, 'stop that, or set MANAGEMENT_API_PORT');
}

async function languageModel(config: Config): Promise<Finding> {
  const name = 'language model';
  if (!config.enableLlm) return warning(name, 'switched off: tutors quote the course', 'set ENABLE_LLM=true');
  const health = await createOllamaLlm({ baseUrl: config.ollamaBaseUrl }).probe(config.defaultLlmModel, AbortSignal.timeout(waitMs));
  return health.ok
    ? ok(name, `${config.defaultLlmModel} at ${config.ollamaBaseUrl}`)
    : warning(name, 'tutors quote the course for now', health.reason);
}

async function places(config: Config): Promise<Finding | null> {
  const url = await findRunning(config);
  if (url === null) return null;
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(waitMs) });
  const health = Health.safeParse(await answer.json());
  if (!health.success) return trouble('places for lessons', 'something else answers on this port', 'set MANAGEMENT_API_PORT');
  const { active, max } = health.data.sessions;
  return active < max
    ? ok('places for lessons', `${active} of ${max} taken`)
    : trouble('places for lessons', `all ${max} are taken: new lessons are refused`, 'raise MAX_SESSIONS, or end lessons');
}

/** Upgrades on the public address must reach the engine: a tunnel that is down, or one without WebSocket, shows here. */
async function publicAddress(config: Config): Promise<Finding | null> {
  const name = 'public address';
  const { publicUrl, grantUrl } = config;
  if ((await findRunning(config)) === null) return null;
  const answer = await fetch(`${publicUrl}/health`, { signal: AbortSignal.timeout(waitMs) }).catch(() => null);
  if (answer === null) return trouble(name, `${publicUrl} does not answer`, 'start the tunnel (frpc) or proxy in front, or set PUBLIC_URL');
  return (await opensSocket(`${grantUrl.replace(/^http/, 'ws')}${trpcPath}`))
    ? ok(name, `${publicUrl} answers, and ${grantUrl} takes WebSockets`)
    : trouble(name, `${grantUrl}${trpcPath} refuses WebSockets`, `let the proxy pass upgrades on ${trpcPath} (one path, not /ws/ws)`);
}

function opensSocket(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const settle = (opened: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(opened);
    };
    const timer = setTimeout(() => settle(false), waitMs);
    socket.addEventListener('open', () => settle(true));
    socket.addEventListener('error', () => settle(false));
  });
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Every known trouble of the parts that exist so far. */
export async function examine(config: Config): Promise<readonly Finding[]> {
  const findings = await Promise.all([
    dataFolder(config),
    database(config),
    engine(config),
    places(config),
    publicAddress(config),
    languageModel(config),
    examineMedia(config),
  ]);
  return findings.flat().filter((finding) => finding !== null);
}
