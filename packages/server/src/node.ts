import { mkdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createExtractiveLlm, createMiniSearchIndex, createOllamaLlm, type Llm } from '@virtual-tutor/engine';
import { createControlServer, createDataServer } from './api/http.ts';
import { createMetrics } from './api/metrics.ts';
import { Sockets } from './api/sockets.ts';
import { type App, openApp } from './app/app.ts';
import { Course, type FirstStart, firstStart } from './app/first-start.ts';
import { systemIds } from './app/ids.ts';
import type { Clock } from './app/ports.ts';
import { Projector } from './app/project.ts';
import { allProjections } from './app/projections/all.ts';
import { ClipFolders } from './avatars/clip-folders.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { openMedia } from './media-parts.ts';
import { openSeals } from './seal-parts.ts';
import { FileBlobStore } from './store/blobs.ts';
import { type Database, openDatabase } from './store/database.ts';
import { PostgresKeyVault } from './store/key-vault.ts';
import { PostgresLeases } from './store/leases.ts';
import { scanLog } from './store/log-scan.ts';
import { PostgresEventStore } from './store/postgres-event-store.ts';
import { PostgresProjectionStore } from './store/projection-store.ts';
import { PostgresReadModel } from './store/read-model.ts';
import { openSecretFile } from './store/secret-file.ts';
import { AvatarBuildProcess } from './workers/avatar-build.ts';

/** One engine process, serving. */
export interface EngineNode extends AsyncDisposable {
  readonly app: App;
  /** Where the control plane and the page are. */
  readonly url: string;
  /** Null when the data plane shares the control plane's port. */
  readonly dataPort: number | null;
  readonly runsOn: { readonly log: string; readonly model: string };
  /** Only on the very first start. */
  readonly firstStart: FirstStart | null;
}

export const version = '0.1.0';
const courseFolder = new URL('../../../course/', import.meta.url);
const systemClock: Clock = { now: () => Date.now() };

/** `model` stands in for the configured one: for benches, which bring their own pace. */
export async function startNode(config: Config, log: Log, model?: Llm): Promise<EngineNode> {
  await using cleanUp = new AsyncDisposableStack();
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const database = cleanUp.use(
    await openDatabase(
      config.databaseUrl === null ? { kind: 'embedded', dataDir: config.dataDir } : { kind: 'server', url: config.databaseUrl },
    ),
  );
  const llm: Llm | null = model ?? (config.enableLlm ? createOllamaLlm({ baseUrl: config.ollamaBaseUrl }) : null);
  const app = await openParts(config, { log, database, llm, cleanUp });
  const course = Course.parse(JSON.parse(await readFile(new URL('demo-tutors.json', courseFolder), 'utf8')));
  const first = await firstStart(app, {
    node: config.nodeName,
    course,
    readDocument: (file) => readFile(new URL(file, courseFolder), 'utf8'),
  });
  const listeners = await listen(config, { app, log, cleanUp });
  log.info('serving', { port: listeners.port, node: config.nodeName });
  const resources = cleanUp.move();
  return {
    app,
    url: `http://127.0.0.1:${listeners.port}`,
    dataPort: listeners.dataPort,
    runsOn: {
      log: database.runsOn,
      model: llm === null ? 'extractive (ENABLE_LLM is off)' : `ollama at ${config.ollamaBaseUrl}, else extractive`,
    },
    firstStart: first,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Parts {
  readonly log: Log;
  readonly database: Database;
  readonly llm: Llm | null;
  readonly cleanUp: AsyncDisposableStack;
}

async function openParts(config: Config, { log, database, llm, cleanUp }: Parts): Promise<App> {
  const { dataDir, nodeName: node } = config;
  const onDefect = (error: unknown) => log.error('a defect', error);
  const { store, scan, logRunsOn } = await openLog(config, { database, onDefect });
  cleanUp.defer(() => store.close());
  const projections = await Projector.start({
    events: store,
    store: new PostgresProjectionStore(database),
    projections: allProjections,
    owner: node,
    onDefect,
  });
  cleanUp.defer(() => projections.close());
  const { folder, clipsFolder, maxClipBytes, maxClipMs, uploadBytes } = config.avatars;
  const clips = await ClipFolders.open({ folder, clipsFolder, maxClipBytes, uploadBytes });
  const onFault = (fault: string) => log.error('an avatar could not be built', undefined, { fault });
  const media = await openMedia(config, { log, clock: systemClock, cleanUp });
  const sealParts = { log, database, events: store, scan, clock: systemClock, ids: systemIds, cleanUp };
  const app = await openApp({
    store,
    seals: openSeals(config, sealParts),
    media,
    avatars: { clips, builder: config.enableAvatar ? new AvatarBuildProcess({ folder, maxClipMs, onFault }) : null, retryMs: 30_000 },
    projections,
    vault: new PostgresKeyVault(database, config.masterKey ?? (await openSecretFile(join(dataDir, 'master.key')))),
    leases: new PostgresLeases(database),
    blobs: new FileBlobStore(join(dataDir, 'blobs')),
    readModel: new PostgresReadModel(database),
    clock: systemClock,
    ids: systemIds,
    llm,
    extractive: createExtractiveLlm({ paceMs: config.extractivePaceMs }),
    createIndex: createMiniSearchIndex,
    models: { defaultModel: config.defaultLlmModel, defaultTemperature: config.llmTemperature, overrides: config.tutorModels },
    tokenSecret: config.engineTokenSecret ?? (await openSecretFile(join(dataDir, 'token.key'))),
    tokenTtlMs: config.tokenTtlMs,
    rates: config.rates,
    maxSessions: config.maxSessions,
    sessionTimeoutMs: config.sessionTimeoutMs,
    sessionIdleMs: config.sessionIdleMs,
    firstTextMs: config.llmFirstTokenMs,
    stallMs: config.llmStallMs,
    publicUrl: config.publicUrl,
    grantUrl: config.grantUrl,
    loopbackOnly: config.loopbackOnly,
    node,
    version,
    logRunsOn,
    readModelRunsOn: database.runsOn,
    onDefect,
    onReplyFailure: ({ sessionId, code, error }) => log.error('a reply failed', error, { sessionId, code }),
  });
  return cleanUp.use(app);
}

async function openLog(
  { eventStore, kurrentUrl }: Config,
  { database, onDefect }: Pick<Parts, 'database'> & { readonly onDefect: (error: unknown) => void },
) {
  if (eventStore === 'postgres') {
    return { store: await PostgresEventStore.open(database), scan: scanLog(database), logRunsOn: database.runsOn };
  }
  // Its client is native code of ten megabytes, which no other engine needs.
  const [{ KurrentEventStore }, { scanKurrent }] = await Promise.all([
    import('./store/kurrent/kurrent-event-store.ts'),
    import('./store/kurrent/kurrent-scan.ts'),
  ]);
  const store = await KurrentEventStore.open({ url: kurrentUrl ?? '', sql: database.sql, onDefect });
  return { store, scan: scanKurrent(store), logRunsOn: 'KurrentDB' };
}

async function listen(config: Config, { app, log, cleanUp }: Pick<Parts, 'log' | 'cleanUp'> & { readonly app: App }) {
  const allowedOrigins = new Set(config.allowedOrigins);
  const onDefect = (error: unknown, path: string | undefined, requestId: string) => log.error('a defect', error, { path, requestId });
  const sockets = new Sockets({ app, allowedOrigins, onDefect });
  const metrics = createMetrics({
    activeSessions: () => app.lessons.active,
    openSockets: () => sockets.open,
    repliesUnderWay: app.repliesUnderWay,
    media: app.mediaLoad,
  });
  cleanUp.defer(app.onEvent((event) => metrics.follow(event)));
  cleanUp.defer(app.onMedia((fact) => metrics.followMedia(fact)));
  app.onDelta((waitedMs) => metrics.deltaWaited(waitedMs));
  const control = createControlServer({ app, metrics, sockets, allowedOrigins, onDefect, pageFolder: config.pageFolder });
  const port = await bind(control, config.managementApiPort, config.managementApiHost);
  cleanUp.defer(() => shut(control));
  const apart = config.websocketPort !== config.managementApiPort && config.websocketPort !== 0;
  const data = apart ? createDataServer(sockets) : null;
  const dataPort = data === null ? null : await bind(data, config.websocketPort, config.websocketHost);
  if (data !== null) cleanUp.defer(() => shut(data));
  // Last in, first out: readers are told to come back before anything they need is taken away.
  cleanUp.defer(() => sockets.close());
  return { port, dataPort };
}

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
