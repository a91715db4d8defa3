import { describe, expect, test } from 'vitest';
import { ConfigError, describeConfig, parseConfig } from './config.ts';
import { variables } from './config-table.ts';

/** Every variable of the system that this one succeeds, with a value its users may have written. */
const predecessors = {
  MANAGEMENT_API_HOST: '0.0.0.0',
  MANAGEMENT_API_PORT: '9000',
  WEBSOCKET_HOST: '0.0.0.0',
  WEBSOCKET_PORT: '9001',
  WEBSOCKET_URL: 'ws://127.0.0.1:9001',
  MAX_SESSIONS: '10',
  SESSION_TIMEOUT_SECONDS: '3600',
  ENABLE_LLM: 'True',
  OLLAMA_BASE_URL: 'http://127.0.0.1:11434',
  DEFAULT_LLM_MODEL: 'mistral-nemo:12b-instruct-2407-fp16',
  LLM_TEMPERATURE: '0.4',
  TUTOR_1_LLM_MODEL: 'qwen3:8b',
  ENABLE_ASR: 'true',
  ASR_MODEL: 'base',
  ASR_DEVICE: 'cuda',
  ASR_LANGUAGE: 'zh',
  ENABLE_TTS: 'true',
  TTS_VOICE: 'zh-CN-XiaoxiaoNeural',
  WEBRTC_PUBLIC_IP: '203.0.113.7',
  WEBRTC_PORT_MIN: '10110',
  WEBRTC_PORT_MAX: '10115',
  WEBRTC_STUN_SERVER: 'stun:stun.example.com:3478',
  WEBRTC_TURN_SERVER: 'turn:203.0.113.7:10110',
  WEBRTC_TURN_USERNAME: 'tutor',
  WEBRTC_TURN_PASSWORD: 'canary-turn-password',
  ENABLE_AVATAR: 'false',
  AVATARS_DIR: '/srv/avatars',
  MUSETALK_BASE: '/srv/musetalk',
  FFMPEG_PATH: '/usr/bin/ffmpeg',
  ENGINE_URL: 'http://gpu-server.frp.example.com',
};

/** One wrong value for each variable that not every text is right for. */
const wrong = {
  MANAGEMENT_API_PORT: '70000',
  WEBSOCKET_PORT: '-1',
  WEBSOCKET_URL: 'ftp://x',
  PUBLIC_URL: 'gpu.example.com',
  ENGINE_URL: 'nowhere',
  ALLOWED_ORIGINS: 'https://a.example.com/path',
  NODE_NAME: 'a node',
  LOG_LEVEL: 'loud',
  MAX_SESSIONS: '0',
  SESSION_TIMEOUT_SECONDS: '1h',
  SESSION_IDLE_SECONDS: '0',
  ENGINE_TOKEN_TTL_SECONDS: '-5',
  ENABLE_LLM: 'maybe',
  OLLAMA_BASE_URL: 'http://user:canary@host',
  LLM_TEMPERATURE: '2.1',
  LLM_FIRST_TOKEN_SECONDS: '0',
  LLM_STALL_SECONDS: 'soon',
  EXTRACTIVE_PACE_MS: '5000',
  DATABASE_URL: 'mysql://user:canary@host/db',
  MASTER_KEY: 'canary',
  ENGINE_TOKEN_SECRET: 'Y2FuYXJ5',
  EVENT_STORE: 'files',
  KURRENTDB_URL: 'http://canary@127.0.0.1:2113',
  SEAL_EVENTS: '0',
  SEAL_MINUTES: 'daily',
  RATE_PER_KEY: '0',
  RATE_PER_TOKEN: '0',
  RATE_PER_ADDRESS: '0',
  RATE_MESSAGES: '1.5',
  ENABLE_ASR: '2',
  ASR_MODEL: 'huge',
  ASR_DEVICE: 'tpu',
  ASR_LANGUAGE: 'fr',
  ENABLE_TTS: 'y',
  AVATAR_MAX_MB: '0',
  AVATAR_MAX_SECONDS: '1',
  AVATAR_UPLOADS_MB: 'much',
  MEDIA_WORKERS: '0',
  MAX_MEDIA_SESSIONS: 'all',
  WEBRTC_PUBLIC_IP: 'example.com',
  WEBRTC_PORT_MIN: '0',
  WEBRTC_PORT_MAX: '65536',
  WEBRTC_STUN_SERVER: 'example.com',
  WEBRTC_TURN_SERVER: 'stun:example.com',
  WEBRTC_LAYOUT: 'many-ports',
  WEBRTC_ENGINE_RELAY: 'perhaps',
  WEBRTC_MEDIA_ADDRESS: '::1',
  WEBRTC_MEDIA_PORTS: '30000-20000',
  WEBRTC_RELAY_ADDRESS: 'relay.example.com',
  ENABLE_AVATAR: 'ja',
};
const anyText = new Set([
  'MANAGEMENT_API_HOST',
  'WEBSOCKET_HOST',
  'DEFAULT_LLM_MODEL',
  'DATA_DIR',
  'SEALS_DIR',
  'SEALS_COMMAND',
  'TTS_VOICE',
  'ASR_MODELS_DIR',
  'AVATAR_CLIPS_DIR',
  'WEBRTC_TURN_USERNAME',
  'WEBRTC_TURN_PASSWORD',
  'WEBRTC_TURN_SECRET_FILE',
  'AVATARS_DIR',
  'MUSETALK_BASE',
]);

function refusalOf(env: Readonly<Record<string, string>>): string {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'nothing refused';
}

describe('an empty environment', () => {
  test('is a working one: embedded database, port 9000, this machine only in grants', () => {
    expect(parseConfig({})).toMatchObject({
      managementApiPort: 9000,
      websocketPort: 9001,
      publicUrl: 'http://127.0.0.1:9000',
      databaseUrl: null,
      dataDir: './data',
      masterKey: null,
      engineTokenSecret: null,
      allowedOrigins: [],
      maxSessions: 200,
      sessionTimeoutMs: 3_600_000,
      notices: [],
    });
  });

  test('has nothing to describe', () => {
    expect(describeConfig({})).toEqual([]);
  });

  test('counts a variable that is set to nothing as not set', () => {
    expect(parseConfig({ MAX_SESSIONS: '', DATABASE_URL: ' ' })).toMatchObject({ maxSessions: 200, databaseUrl: null });
  });
});

describe('the environment of the system before this one', () => {
  test('is accepted whole', () => {
    const config = parseConfig(predecessors);
    expect(config).toMatchObject({
      maxSessions: 10,
      enableLlm: true,
      grantUrl: 'http://127.0.0.1:9001',
      publicUrl: 'http://127.0.0.1:9000',
      loopbackOnly: true,
    });
    expect(config.tutorModels).toEqual(new Map([['1', 'qwen3:8b']]));
  });

  test.each(['MUSETALK_CONDA_ENV', 'FFMPEG_PATH'])('brings one notice for %s, which nothing uses any more', (name) => {
    const { notices } = parseConfig({ [name]: 'x' });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(name);
  });
});

describe('voice and face', () => {
  test('are on, embedded, and send nothing outside by default', () => {
    expect(parseConfig({})).toMatchObject({
      enableTts: true,
      ttsVoice: null,
      enableAsr: true,
      asr: { model: 'base', device: 'cpu', language: null },
      enableAvatar: true,
    });
  });

  test('look for recognition models where they are told to, else in the data folder', () => {
    expect(parseConfig({ DATA_DIR: '/srv/tutor' }).asr.modelsFolder).toBe('/srv/tutor/models');
    expect(parseConfig({ ASR_MODELS_DIR: '/srv/models' }).asr.modelsFolder).toBe('/srv/models');
  });

  test('tell an operator who asks for an Edge voice that words leave the machine', () => {
    const { ttsVoice, notices } = parseConfig({ TTS_VOICE: 'zh-CN-XiaoxiaoNeural' });
    expect(ttsVoice).toBe('zh-CN-XiaoxiaoNeural');
    expect(notices).toEqual([expect.stringContaining('TTS_VOICE')]);
    expect(parseConfig({ TTS_VOICE: 'zh-CN-XiaoxiaoNeural', ENABLE_TTS: 'false' }).notices).toEqual([]);
  });
});

describe('wrong values', () => {
  test('are known for every variable that has them', () => {
    const checked = Object.keys(variables).filter((name) => !anyText.has(name));
    expect(Object.keys(wrong).sort()).toEqual(checked.sort());
  });

  test.each(Object.entries(wrong))('%s=%s is refused by name', (name, value) => {
    const table: Readonly<Record<string, { readonly expects: string }>> = variables;
    expect(refusalOf({ [name]: value })).toContain(`${name} must be ${table[name]?.expects}`);
  });

  test('are all named at once, and never repeated', () => {
    const refusal = refusalOf(wrong);
    for (const name of Object.keys(wrong)) expect(refusal).toContain(`${name} must be`);
    expect(refusal).not.toMatch(/canary|Y2FuYXJ5/);
  });

  test.each([
    ['PUBLIC_URL', 'https://user:canary@gpu.example.com'],
    ['WEBSOCKET_URL', 'wss://user:canary@gpu.example.com'],
    ['ENGINE_URL', 'http://user:canary@gpu.example.com'],
    ['WEBRTC_STUN_SERVER', 'stun:user:canary@stun.example.com'],
    ['WEBRTC_TURN_SERVER', 'turn:user:canary@turn.example.com'],
  ])('include a password in %s, where it would be shown', (name, value) => {
    expect(refusalOf({ [name]: value })).toMatch(new RegExp(`${name} must be (?!.*canary)`));
  });

  test('include a range of ports that ends before it begins', () => {
    expect(refusalOf({ WEBRTC_PORT_MIN: '10200' })).toContain('WEBRTC_PORT_MAX must be');
  });
});

describe('names that are almost right', () => {
  test.each([
    ['MAX_SESSION', 'MAX_SESSIONS'],
    ['WEBRTC_PUBLC_IP', 'WEBRTC_PUBLIC_IP'],
    ['OLAMA_BASE_URL', 'OLLAMA_BASE_URL'],
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['WEBSOCKETS_URL', 'WEBSOCKET_URL'],
  ])('%s: did you mean %s?', (written, meant) => {
    expect(parseConfig({ [written]: 'x' }).notices).toEqual([`${written} is not a variable of this engine: did you mean ${meant}?`]);
  });

  test.each(['TUTOR_ada_MODEL', 'WEBRTC_RANGE', 'MUSETALK_PYTHON'])('%s was meant for this engine, and is not one of its own', (name) => {
    expect(parseConfig({ [name]: 'x' }).notices).toEqual([`${name} is not a variable of this engine: see docs/configuration.md`]);
  });

  test.each(['HOME', 'PATH', 'PORT', 'OLLAMA_HOST', 'PGHOST', 'XDG_DATA_DIRS'])('%s is none of our business', (name) => {
    expect(parseConfig({ [name]: 'x' }).notices).toEqual([]);
  });
});

describe('values with more than one way to write them', () => {
  test.each(['true', 'True', 'TRUE', '1', 'yes', 'on'])('ENABLE_LLM=%s is on', (written) => {
    expect(parseConfig({ ENABLE_LLM: written }).enableLlm).toBe(true);
  });

  test.each(['false', 'False', '0', 'no', 'off'])('ENABLE_LLM=%s is off', (written) => {
    expect(parseConfig({ ENABLE_LLM: written }).enableLlm).toBe(false);
  });

  test('grants name WEBSOCKET_URL, else PUBLIC_URL; links name PUBLIC_URL; neither ends with a slash', () => {
    expect(parseConfig({ PUBLIC_URL: 'https://gpu.example.com/' })).toMatchObject({
      publicUrl: 'https://gpu.example.com',
      grantUrl: 'https://gpu.example.com',
    });
    expect(parseConfig({ PUBLIC_URL: 'https://a.example.com', WEBSOCKET_URL: 'wss://b.example.com/' })).toMatchObject({
      publicUrl: 'https://a.example.com',
      grantUrl: 'https://b.example.com',
    });
  });

  test.each([
    [{}, true],
    [{ PUBLIC_URL: 'http://localhost:9000' }, true],
    [{ PUBLIC_URL: 'http://192.168.1.20:9000' }, false],
    [{ WEBSOCKET_URL: 'wss://gpu.example.com' }, false],
    [{ PUBLIC_URL: 'https://gpu.example.com', WEBSOCKET_URL: 'ws://127.0.0.1:9001' }, false],
  ])('%o is for this machine alone: %s', (env, loopbackOnly) => {
    expect(parseConfig(env).loopbackOnly).toBe(loopbackOnly);
  });

  test('a list of origins may have spaces and an empty end', () => {
    expect(parseConfig({ ALLOWED_ORIGINS: 'https://a.example.com, http://localhost:3000,' }).allowedOrigins).toEqual([
      'https://a.example.com',
      'http://localhost:3000',
    ]);
  });

  test('a master key is 32 bytes in base64', () => {
    const key = Buffer.alloc(32, 7);
    expect(parseConfig({ MASTER_KEY: key.toString('base64') }).masterKey).toEqual(new Uint8Array(key));
  });
});

test('the banner names secrets as set, other settings by their value, and defaults not at all', () => {
  const lines = describeConfig({
    MAX_SESSIONS: '50',
    SESSION_IDLE_SECONDS: '900',
    TUTOR_ada_LLM_MODEL: 'qwen3:8b',
    MASTER_KEY: 'canary',
    ENGINE_TOKEN_SECRET: 'canary',
    DATABASE_URL: 'postgres://tutor:canary@host/db',
    WEBRTC_TURN_PASSWORD: 'canary',
  });
  expect(lines.join('\n')).not.toContain('canary');
  expect(lines.map((line) => line.split(/\s+/))).toEqual(
    expect.arrayContaining([
      ['MAX_SESSIONS', '50'],
      ['TUTOR_ada_LLM_MODEL', 'qwen3:8b'],
      ['MASTER_KEY', 'set'],
      ['ENGINE_TOKEN_SECRET', 'set'],
      ['DATABASE_URL', 'set'],
      ['WEBRTC_TURN_PASSWORD', 'set'],
    ]),
  );
  expect(lines).toHaveLength(6);
});
