import { join } from 'node:path';
import { createTRPCClient, createWSClient, httpLink, splitLink, wsLink } from '@trpc/client';
import { z } from 'zod';
import type { AppRouter } from '../api/router.ts';
import { defaultTenant } from '../app/access.ts';
import { Tokens } from '../app/tokens.ts';
import type { Config } from '../config.ts';
import { openSecretFile } from '../store/secret-file.ts';

/** The engine's API with every role: whoever can read the data folder's secrets is its operator. */
export type EngineClient = ReturnType<typeof createTRPCClient<AppRouter>>;

const tokenTtlMs = 60_000;
const OwnHeaders = z.record(z.string(), z.string()).default({});

/** The engine does not run, and this needs it. */
export class EngineNotRunning extends Error {
  override readonly name = 'EngineNotRunning';
}

/** Signed in anew for each call, however long the command takes. What a call has as `headers` in its context is sent along. */
function clientOf(url: string, signIn: () => Promise<{ readonly token: string }>): EngineClient {
  const token = async () => (await signIn()).token;
  const calls = httpLink<AppRouter>({
    url: `${url}/trpc`,
    headers: async ({ op }) => ({ ...OwnHeaders.parse(op.context['headers']), authorization: `Bearer ${await token()}` }),
  });
  // Opened by the first subscription; comes back by itself.
  const socket = createWSClient({
    url: `${url.replace('http', 'ws')}/trpc`,
    connectionParams: async () => ({ token: await token() }),
    lazy: { enabled: true, closeMs: 0 },
  });
  const live = wsLink<AppRouter>({ client: socket });
  return createTRPCClient<AppRouter>({
    links: [splitLink({ condition: ({ type }) => type === 'subscription', true: live, false: calls })],
  });
}

/** Where this machine's engine listens; null when none answers there. */
export async function findRunning(config: Config): Promise<string | null> {
  const url = `http://127.0.0.1:${config.managementApiPort}`;
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
  return answer === null ? null : url;
}

/** Talks to the engine that runs here. */
export async function withRunningEngine<T>(config: Config, use: (client: EngineClient) => Promise<T>): Promise<T> {
  const url = await findRunning(config);
  if (url === null) throw new EngineNotRunning('no engine runs here: start it with `npm start`, then try again');
  const secret = config.engineTokenSecret ?? (await openSecretFile(join(config.dataDir, 'token.key')));
  const tokens = new Tokens(secret, { now: () => Date.now() });
  const operator = { tenantId: defaultTenant, roles: ['operator', 'teacher', 'auditor'] } as const;
  return use(clientOf(url, () => tokens.signConsole(operator, tokenTtlMs)));
}

/**
 * Talks to the running engine; without one, opens the data in this process for as long as it takes,
 * on a port of its own and under a name of its own, so that it takes nothing over.
 */
export async function withEngine<T>(config: Config, use: (client: EngineClient) => Promise<T>): Promise<T> {
  if ((await findRunning(config)) !== null) return withRunningEngine(config, use);
  const own = {
    managementApiHost: '127.0.0.1',
    managementApiPort: 0,
    websocketPort: 0,
    nodeName: `vtutor-${process.pid}`,
    enableLlm: false,
    pageFolder: null,
    seals: { ...config.seals, signs: false },
  };
  // Read only here: two seconds, on a machine of two cores.
  const [{ startNode }, { createLog }] = await Promise.all([import('../node.ts'), import('../log.ts')]);
  await using node = await startNode({ ...config, ...own }, createLog('error'));
  return await use(clientOf(node.url, () => node.app.signInConsole()));
}
