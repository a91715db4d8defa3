import { join } from 'node:path';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import type { AppRouter } from '../api/router.ts';
import { defaultTenant } from '../app/access.ts';
import { Tokens } from '../app/tokens.ts';
import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import { startNode } from '../node.ts';
import { openSecretFile } from '../store/secret-file.ts';

/** The engine's API with every role: whoever can read the data folder's secrets is its operator. */
export type EngineClient = ReturnType<typeof createTRPCClient<AppRouter>>;

const tokenTtlMs = 60_000;

function clientOf(url: string, token: string): EngineClient {
  return createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${url}/trpc`, headers: { authorization: `Bearer ${token}` } })] });
}

/** Where this machine's engine listens; null when none answers there. */
export async function findRunning(config: Config): Promise<string | null> {
  const url = `http://127.0.0.1:${config.managementApiPort}`;
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3_000) }).catch(() => null);
  return answer === null ? null : url;
}

/**
 * Talks to the running engine; without one, opens the data in this process for as long as it takes,
 * on a port of its own and under a name of its own, so that it takes nothing over.
 */
export async function withEngine<T>(config: Config, use: (client: EngineClient) => Promise<T>): Promise<T> {
  const running = await findRunning(config);
  if (running !== null) {
    const secret = config.engineTokenSecret ?? (await openSecretFile(join(config.dataDir, 'token.key')));
    const tokens = new Tokens(secret, { now: () => Date.now() });
    const { token } = await tokens.signConsole({ tenantId: defaultTenant, roles: ['operator', 'teacher', 'auditor'] }, tokenTtlMs);
    return use(clientOf(running, token));
  }
  const own = {
    managementApiHost: '127.0.0.1',
    managementApiPort: 0,
    websocketPort: 0,
    nodeName: `vtutor-${process.pid}`,
    enableLlm: false,
    pageFolder: null,
  };
  await using node = await startNode({ ...config, ...own }, createLog('error'));
  const { token } = await node.app.signInConsole();
  return await use(clientOf(node.url, token));
}
