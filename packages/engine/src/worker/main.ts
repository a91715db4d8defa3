import type { WorkerCommand, WorkerFact } from '../media/protocol.ts';
import { EngineWorker } from './engine-worker.ts';
import { describeFault } from './fault.ts';
import { openParts } from './parts.ts';

/*
 * The program of an engine worker: a child of the server process, which sends `configure` first and
 * then commands. It ends when the server does.
 */

const reportMs = 1_000;
/** Longest time for an orderly end. */
const closingMs = 1_000;

function emit(fact: WorkerFact): void {
  // A server that has gone takes its worker along; until then nobody hears.
  if (process.connected) process.send?.(fact, undefined, undefined, () => undefined);
}

/** To the server's log. What libraries write by themselves is not read by anybody: it may quote what they were given. */
function onDefect(error: unknown): void {
  emit({ type: 'defect', fault: describeFault(error) });
}

async function start(config: Extract<WorkerCommand, { type: 'configure' }>['config']): Promise<EngineWorker> {
  const parts = await openParts(config, onDefect);
  const worker = new EngineWorker({
    parts,
    maxSpeaking: config.capacity.speaking,
    emit,
    now: () => Date.now(),
    nowMs: () => performance.now(),
    onDefect,
  });
  let health = JSON.stringify(parts.health());
  const timer = setInterval(() => {
    emit({ type: 'load', ...worker.load });
    const now = JSON.stringify(parts.health());
    if (now !== health) emit({ type: 'health', speech: parts.health() });
    health = now;
  }, reportMs);
  timer.unref();
  emit({ type: 'ready', speech: parts.health() });
  return worker;
}

let worker: Promise<EngineWorker> | null = null;

process.on('message', (command: WorkerCommand) => {
  if (command.type === 'configure') worker ??= start(command.config);
  // Commands that come while the parts are being opened wait for them, in order.
  worker?.then((open) => obey(open, command), fail);
});

process.on('disconnect', () => {
  const closed = worker?.then((open) => open[Symbol.asyncDispose]()) ?? Promise.resolve();
  const timer = setTimeout(() => process.exit(0), closingMs);
  timer.unref();
  closed.catch(onDefect).finally(() => process.exit(0));
});

// The server decides when a worker ends; a terminal's Ctrl+C reaches both.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

function obey(open: EngineWorker, command: WorkerCommand): void {
  try {
    open.obey(command);
  } catch (error) {
    onDefect(error);
  }
}

/** Told before it ends: a message that is still on its way would be lost. */
function fail(error: unknown): void {
  const fact: WorkerFact = { type: 'defect', fault: describeFault(error) };
  if (process.send === undefined || !process.connected) process.exit(1);
  process.send(fact, undefined, undefined, () => process.exit(1));
}

process.on('uncaughtException', fail);
