import { StoreUnavailable } from './app/ports.ts';
import { ConfigError, describeConfig, parseConfig } from './config.ts';
import { createLog } from './log.ts';
import { type EngineNode, startNode } from './node.ts';
import { DataFolderInUse } from './store/folder-lock.ts';
import { UnsafeSecret } from './store/secret-file.ts';

/** How long a stop may take before the process leaves anyway, ms. */
const stopWithinMs = 10_000;

function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

function welcome(node: EngineNode, settings: readonly string[]): void {
  say();
  say(`  Virtual Tutor Engine   ${node.url}`);
  say();
  say(`  event log              ${node.runsOn.log}`);
  say(`  language model         ${node.runsOn.model}`);
  if (node.dataPort !== null) say(`  data plane             port ${node.dataPort}`);
  for (const line of settings) say(`  ${line}`);
  say();
  if (node.firstStart !== null) {
    say('  API key (operator), shown this once: keep it on your web server');
    say(`  ${node.firstStart.apiKey}`);
    say();
  }
}

/** What stops a start, as a sentence for the operator; null: a defect. */
function explain(error: unknown): string | null {
  if (
    error instanceof ConfigError ||
    error instanceof DataFolderInUse ||
    error instanceof UnsafeSecret ||
    error instanceof StoreUnavailable
  )
    return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const taken = 'port' in error ? `port ${error.port}` : 'a port';
    return `${taken} is taken: stop what listens there, or set MANAGEMENT_API_PORT or WEBSOCKET_PORT to another one`;
  }
  return null;
}

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLog(config.logLevel);
  for (const notice of config.notices) say(`  note: ${notice}`);
  const node = await startNode(config, log);
  welcome(node, describeConfig(process.env));

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info(`stopping on ${signal}`);
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    node[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('the stop failed', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('unhandledRejection', (error) => log.error('a defect', error));
}

main().catch((error: unknown) => {
  const sentence = explain(error);
  process.stderr.write(
    sentence === null ? `the engine could not start\n${error instanceof Error ? error.stack : String(error)}\n` : `${sentence}\n`,
  );
  process.exit(1);
});
