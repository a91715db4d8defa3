import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locale } from '@virtual-tutor/schemas';
import type { z } from 'zod';
import type { RateLimits } from './app/limits.ts';
import { variables } from './config-table.ts';
import type { TurnSettings } from './turn/settings.ts';
import type { Variable } from './variable.ts';

export interface Config {
  readonly managementApiHost: string;
  readonly managementApiPort: number;
  readonly websocketHost: string;
  /** 0, or the management port: no port of its own. */
  readonly websocketPort: number;
  /** Where the page is: what one-time links name. */
  readonly publicUrl: string;
  /** Where browsers reach the data plane: what grants name. */
  readonly grantUrl: string;
  /** Neither of both names another machine than this one. */
  readonly loopbackOnly: boolean;
  readonly allowedOrigins: readonly string[];
  readonly nodeName: string;
  readonly logLevel: string;
  readonly maxSessions: number;
  readonly sessionTimeoutMs: number;
  readonly sessionIdleMs: number;
  readonly tokenTtlMs: number;
  readonly enableLlm: boolean;
  readonly ollamaBaseUrl: string;
  readonly defaultLlmModel: string;
  /** 0 to 2. */
  readonly llmTemperature: number;
  readonly llmFirstTokenMs: number;
  readonly llmStallMs: number;
  readonly extractivePaceMs: number;
  /** `TUTOR_{id}_LLM_MODEL`, by tutor id. */
  readonly tutorModels: ReadonlyMap<string, string>;
  readonly dataDir: string;
  /** Null: PGlite in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly eventStore: 'postgres' | 'kurrentdb';
  readonly kurrentUrl: string | null;
  /** Null: from its file in `dataDir`. */
  readonly masterKey: Uint8Array | null;
  readonly engineTokenSecret: Uint8Array | null;
  readonly seals: {
    readonly folder: string;
    /** Null: none. */
    readonly command: string | null;
    readonly everyEvents: number;
    readonly everyMs: number;
    /** False: this process reads seals and makes none. */
    readonly signs: boolean;
  };
  readonly rates: RateLimits;
  readonly turn: TurnSettings;
  readonly enableTts: boolean;
  /** An Edge voice; null: nothing that a tutor says leaves this machine. */
  readonly ttsVoice: string | null;
  readonly enableAsr: boolean;
  readonly asr: {
    readonly modelsFolder: string;
    readonly model: 'tiny' | 'base' | 'small' | 'medium' | 'large';
    readonly device: 'cuda' | 'cpu';
    /** Null: the lesson's. */
    readonly language: Locale | null;
  };
  readonly enableAvatar: boolean;
  readonly avatars: {
    readonly folder: string;
    /** Null: filmed tutors speak by the warp renderer. */
    readonly museTalkFolder: string | null;
    /** Null: uploads only. */
    readonly clipsFolder: string | null;
    readonly maxClipBytes: number;
    readonly maxClipMs: number;
    /** All uploads that are under way. */
    readonly uploadBytes: number;
  };
  readonly mediaWorkers: number;
  readonly maxMediaSessions: number;
  /** The built page; null: none. */
  readonly pageFolder: string | null;
  /** What the operator should know of his settings, a sentence each. */
  readonly notices: readonly string[];
}

/** One or more variables are wrong. Values are not repeated: they may be secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(problems: readonly string[]) {
    super(['these environment variables are not right:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Name = keyof typeof variables;
type Value<N extends Name> = z.infer<(typeof variables)[N]['schema']> | ((typeof variables)[N]['fallback'] extends null ? null : never);

const withoutSuccessor: Readonly<Record<string, string>> = {
  MUSETALK_CONDA_ENV: 'MUSETALK_CONDA_ENV has no successor: there is no Python here; remove it',
  FFMPEG_PATH: 'FFMPEG_PATH is accepted but not used: FFmpeg comes inside an npm package',
  WEBRTC_STUN_SERVER: 'WEBRTC_STUN_SERVER is accepted but not used: media passes only the relay, which needs no STUN',
};
const spokenOutside =
  'TTS_VOICE names an Edge voice: what tutors say is sent to servers of Microsoft; remove it for embedded voices, which send nothing';
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Prefixes that nobody else uses: a name that begins so was meant for us. */
const ours = /^(TUTOR|AVATAR|WEBRTC|MUSETALK|MANAGEMENT_API|ASR|TTS|MEDIA|SEALS?)_/;
const tutorModelPattern = /^TUTOR_(.+)_LLM_MODEL$/;
const pageFolder = fileURLToPath(new URL('../../console/dist', import.meta.url));

/** Reads every variable once. Throws `ConfigError` naming all that are wrong. */
export function parseConfig(env: Environment): Config {
  const problems: string[] = [];
  const read = (name: string, { fallback, schema, expects }: Variable): unknown => {
    const written = env[name]?.trim() || fallback;
    if (written === null) return null;
    const parsed = schema.safeParse(written);
    if (parsed.success) return parsed.data;
    problems.push(`${name} must be ${expects}`);
    return null;
  };
  const values = new Map<string, unknown>(Object.entries(variables).map(([name, variable]) => [name, read(name, variable)]));
  problems.push(...contradictions(values));
  if (problems.length > 0) throw new ConfigError(problems);
  // Each value came out of the schema that its name stands for in the table.
  const get: Get = <N extends Name>(name: N) => values.get(name) as Value<N>;
  const port = get('MANAGEMENT_API_PORT');
  const publicUrl = get('PUBLIC_URL') ?? `http://127.0.0.1:${port}`;
  const grantUrl = get('WEBSOCKET_URL') ?? publicUrl;
  return {
    managementApiHost: get('MANAGEMENT_API_HOST'),
    managementApiPort: port,
    websocketHost: get('WEBSOCKET_HOST'),
    websocketPort: get('WEBSOCKET_PORT'),
    publicUrl,
    grantUrl,
    loopbackOnly: [publicUrl, grantUrl].every((url) => loopbackHosts.has(new URL(url).hostname)),
    allowedOrigins: get('ALLOWED_ORIGINS') ?? [],
    nodeName:
      get('NODE_NAME') ??
      hostname()
        .replaceAll(/[^A-Za-z0-9_.-]/g, '-')
        .slice(0, 60),
    logLevel: get('LOG_LEVEL'),
    maxSessions: get('MAX_SESSIONS'),
    sessionTimeoutMs: get('SESSION_TIMEOUT_SECONDS') * 1000,
    sessionIdleMs: get('SESSION_IDLE_SECONDS') * 1000,
    tokenTtlMs: get('ENGINE_TOKEN_TTL_SECONDS') * 1000,
    enableLlm: get('ENABLE_LLM'),
    ollamaBaseUrl: get('OLLAMA_BASE_URL'),
    defaultLlmModel: get('DEFAULT_LLM_MODEL'),
    llmTemperature: get('LLM_TEMPERATURE'),
    llmFirstTokenMs: get('LLM_FIRST_TOKEN_SECONDS') * 1000,
    llmStallMs: get('LLM_STALL_SECONDS') * 1000,
    extractivePaceMs: get('EXTRACTIVE_PACE_MS'),
    tutorModels: tutorModels(env),
    dataDir: get('DATA_DIR'),
    databaseUrl: get('DATABASE_URL'),
    eventStore: get('EVENT_STORE'),
    kurrentUrl: get('KURRENTDB_URL'),
    masterKey: get('MASTER_KEY'),
    engineTokenSecret: get('ENGINE_TOKEN_SECRET'),
    seals: {
      folder: get('SEALS_DIR') ?? join(get('DATA_DIR'), 'seals'),
      command: get('SEALS_COMMAND'),
      everyEvents: get('SEAL_EVENTS'),
      everyMs: get('SEAL_MINUTES') * 60_000,
      signs: true,
    },
    rates: {
      perKey: get('RATE_PER_KEY'),
      perToken: get('RATE_PER_TOKEN'),
      perAddress: get('RATE_PER_ADDRESS'),
      messages: get('RATE_MESSAGES'),
    },
    turn: turnSettings(get, grantUrl),
    enableTts: get('ENABLE_TTS'),
    ttsVoice: get('TTS_VOICE'),
    enableAsr: get('ENABLE_ASR'),
    asr: {
      modelsFolder: get('ASR_MODELS_DIR') ?? join(get('DATA_DIR'), 'models'),
      model: get('ASR_MODEL'),
      device: get('ASR_DEVICE'),
      language: get('ASR_LANGUAGE'),
    },
    enableAvatar: get('ENABLE_AVATAR'),
    avatars: avatarSettings(get),
    mediaWorkers: get('MEDIA_WORKERS'),
    maxMediaSessions: get('MAX_MEDIA_SESSIONS'),
    pageFolder: existsSync(pageFolder) ? pageFolder : null,
    notices: [...noticesOf(env), ...(get('ENABLE_TTS') && get('TTS_VOICE') !== null ? [spokenOutside] : [])],
  };
}

type Get = <N extends Name>(name: N) => Value<N>;

const mebibyte = 1024 * 1024;

function avatarSettings(get: Get): Config['avatars'] {
  return {
    folder: get('AVATARS_DIR') ?? join(get('DATA_DIR'), 'avatars'),
    museTalkFolder: get('MUSETALK_BASE'),
    clipsFolder: get('AVATAR_CLIPS_DIR'),
    maxClipBytes: get('AVATAR_MAX_MB') * mebibyte,
    maxClipMs: get('AVATAR_MAX_SECONDS') * 1000,
    uploadBytes: get('AVATAR_UPLOADS_MB') * mebibyte,
  };
}

function turnSettings(get: Get, grantUrl: string): TurnSettings {
  return {
    layout: get('WEBRTC_LAYOUT'),
    portMin: get('WEBRTC_PORT_MIN'),
    portMax: get('WEBRTC_PORT_MAX'),
    publicHost: get('WEBRTC_PUBLIC_IP') ?? new URL(grantUrl).hostname.replaceAll(/^\[|\]$/g, ''),
    loopbackOnly: get('WEBRTC_PUBLIC_IP') === null && loopbackHosts.has(new URL(grantUrl).hostname),
    server: get('WEBRTC_TURN_SERVER'),
    user: turnUser(get('WEBRTC_TURN_USERNAME'), get('WEBRTC_TURN_PASSWORD')),
    secretFile: get('WEBRTC_TURN_SECRET_FILE'),
    engineRelay: get('WEBRTC_ENGINE_RELAY'),
    mediaAddress: get('WEBRTC_MEDIA_ADDRESS'),
    mediaPorts: get('WEBRTC_MEDIA_PORTS'),
    relayAddress: get('WEBRTC_RELAY_ADDRESS'),
  };
}

/** Settings that are right one by one, and not together. */
function contradictions(values: ReadonlyMap<string, unknown>): readonly string[] {
  const [min, max] = [Number(values.get('WEBRTC_PORT_MIN')), Number(values.get('WEBRTC_PORT_MAX'))];
  const range = values.get('WEBRTC_LAYOUT') === 'port-range';
  const problems: string[] = [];
  if (min > max) problems.push('WEBRTC_PORT_MAX must be a port, at least WEBRTC_PORT_MIN');
  else if (range && min === max) problems.push('WEBRTC_PORT_MAX must be above WEBRTC_PORT_MIN when WEBRTC_LAYOUT is port-range');
  if ((values.get('WEBRTC_TURN_USERNAME') === null) !== (values.get('WEBRTC_TURN_PASSWORD') === null))
    problems.push('WEBRTC_TURN_USERNAME and WEBRTC_TURN_PASSWORD must be set together');
  if (values.get('EVENT_STORE') === 'kurrentdb' && values.get('KURRENTDB_URL') === null)
    problems.push('KURRENTDB_URL must be set when EVENT_STORE is kurrentdb');
  return problems;
}

function turnUser(username: string | null, password: string | null): TurnSettings['user'] {
  return username === null || password === null ? null : { username, password };
}

/** Settings that differ from their defaults, for the operator's first look; secrets only as set or not. */
export function describeConfig(env: Environment): readonly string[] {
  const known = Object.entries(variables).flatMap(([name, variable]: [string, Variable]) => {
    const written = env[name]?.trim();
    if (written === undefined || written === '' || written === variable.fallback) return [];
    return [[name, variable.secret === true ? 'set' : written] as const];
  });
  const models = [...tutorModels(env)].map(([id, model]) => [`TUTOR_${id}_LLM_MODEL`, model] as const);
  return [...known, ...models].map(([name, value]) => `${name.padEnd(22)} ${value}`);
}

function tutorModels(env: Environment): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(env).flatMap(([name, model]) => {
      const id = tutorModelPattern.exec(name)?.[1];
      return id === undefined || model === undefined || model.trim() === '' ? [] : [[id, model.trim()] as const];
    }),
  );
}

function noticesOf(env: Environment): string[] {
  const known = new Set(Object.keys(variables));
  return Object.keys(env).flatMap((name) => {
    if (withoutSuccessor[name] !== undefined) return [withoutSuccessor[name]];
    if (known.has(name) || tutorModelPattern.test(name)) return [];
    const meant = [...known].find((candidate) => isTypoOf(name, candidate));
    if (meant !== undefined) return [`${name} is not a variable of this engine: did you mean ${meant}?`];
    return ours.test(name) ? [`${name} is not a variable of this engine: see docs/configuration.md`] : [];
  });
}

/** One letter more, less or other, or two swapped. */
function isTypoOf(written: string, meant: string): boolean {
  if (Math.abs(written.length - meant.length) > 1) return false;
  let at = 0;
  while (at < written.length && written[at] === meant[at]) at += 1;
  const rest = [written.slice(at), meant.slice(at)] as const;
  const swapped = rest[0].slice(0, 2) === [...rest[1].slice(0, 2)].reverse().join('') && rest[0].slice(2) === rest[1].slice(2);
  return swapped || rest[0].slice(1) === rest[1] || rest[0] === rest[1].slice(1) || rest[0].slice(1) === rest[1].slice(1);
}
