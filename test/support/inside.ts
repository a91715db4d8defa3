import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { z } from 'zod';

/*
 * Faults that no outsider can cause are made inside the running product, through Node's inspector, so that the product
 * itself needs no doors for tests.
 */

/** Node's own choice for a process that is told to open its inspector. */
const inspector = 'http://127.0.0.1:9229/json/list';
const Targets = z.array(z.object({ webSocketDebuggerUrl: z.string() })).nonempty();
const Answer = z.object({
  result: z.object({ result: z.object({ value: z.unknown().optional() }), exceptionDetails: z.unknown().optional() }),
});

/** Runs a JavaScript expression in the main thread of a Node process of this machine, and returns its JSON value. */
export async function evaluateInside(pid: number, expression: string): Promise<unknown> {
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await debuggerUrl());
  try {
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const found = await call(socket, 'process.pid');
    if (found !== pid) throw new Error(`another process, ${String(found)}, holds the inspector's port`);
    return await call(socket, expression);
  } finally {
    socket.close();
  }
}

async function debuggerUrl(): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const listed = await fetch(inspector).then(
      (response) => response.json(),
      () => [],
    );
    const [target] = Targets.safeParse(listed).data ?? [];
    if (target !== undefined) return target.webSocketDebuggerUrl;
    await wait(100);
  }
  throw new Error('the process did not open its inspector');
}

async function call(socket: WebSocket, expression: string): Promise<unknown> {
  const answer = new Promise<unknown>((resolve) => socket.once('message', (data) => resolve(JSON.parse(data.toString()))));
  socket.send(
    JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true, includeCommandLineAPI: true } }),
  );
  const { result } = Answer.parse(await answer);
  if (result.exceptionDetails !== undefined) throw new Error(`it failed inside: ${JSON.stringify(result.exceptionDetails)}`);
  return result.result.value;
}
