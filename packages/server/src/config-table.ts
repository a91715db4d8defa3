import { z } from 'zod';
import { mediaVariables } from './media-variables.ts';
import { flag, port, text, type Variable } from './variable.ts';

const seconds = z.coerce.number().int().min(1).max(604_800);
const perMinute = z.coerce.number().int().min(1).max(1_000_000);
const httpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !url.includes('@'))
  .transform((url) => url.replace(/\/+$/, ''));
const secret = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));

export const variables = {
  MANAGEMENT_API_HOST: {
    group: 'server',
    fallback: '0.0.0.0',
    schema: text,
    expects: 'an address to listen on, e.g. 0.0.0.0',
    meaning: { en: 'Address of the control plane and the page', zh: '控制面和网页的监听地址' },
  },
  MANAGEMENT_API_PORT: {
    group: 'server',
    fallback: '9000',
    schema: port,
    expects: 'a port, 1 to 65535',
    meaning: { en: 'Port of the control plane, the page, and the data plane too', zh: '控制面、网页以及数据面的端口' },
  },
  WEBSOCKET_HOST: {
    group: 'server',
    fallback: '0.0.0.0',
    schema: text,
    expects: 'an address to listen on, e.g. 0.0.0.0',
    meaning: { en: 'Address of the data plane when it has a port of its own', zh: '数据面单独监听时的地址' },
  },
  WEBSOCKET_PORT: {
    group: 'server',
    fallback: '9001',
    schema: z.union([port, z.literal('0').transform(Number)]),
    expects: 'a port, 1 to 65535, or 0 for none of its own',
    meaning: {
      en: 'Port of the data plane alone; 0, or the same as MANAGEMENT_API_PORT: none of its own',
      zh: '数据面单独的端口；0 或与 MANAGEMENT_API_PORT 相同表示不单独监听',
    },
  },
  WEBSOCKET_URL: {
    group: 'server',
    fallback: null,
    schema: z
      .url({ protocol: /^(wss?|https?)$/ })
      .refine((url) => !url.includes('@'))
      .transform((url) => url.replace(/^ws/, 'http').replace(/\/+$/, '')),
    expects: 'a URL without a password that browsers reach the data plane by, e.g. wss://gpu.example.com',
    meaning: { en: 'What grants name as the engine url; default PUBLIC_URL', zh: '授权中返回给浏览器的引擎地址；默认为 PUBLIC_URL' },
  },
  PUBLIC_URL: {
    group: 'server',
    fallback: null,
    schema: httpUrl,
    expects: 'an http(s) URL without a password, e.g. https://gpu.example.com',
    meaning: {
      en: 'Where browsers reach this engine; default http://127.0.0.1:PORT, for this machine alone. Set it whenever a proxy or tunnel stands in front',
      zh: '浏览器访问本引擎的地址；默认 http://127.0.0.1:端口，仅供本机使用。前面有代理或隧道时必须设置',
    },
  },
  ENGINE_URL: {
    group: 'server',
    fallback: null,
    schema: httpUrl,
    expects: 'an http(s) URL',
    meaning: {
      en: 'For the web server, not for the engine: where the SDK finds it',
      zh: '供 Web 服务器使用（引擎本身不用）：SDK 连接的地址',
    },
  },
  ALLOWED_ORIGINS: {
    group: 'server',
    fallback: null,
    schema: z
      .string()
      .transform((list) =>
        list
          .split(',')
          .map((origin) => origin.trim())
          .filter((origin) => origin !== ''),
      )
      .refine((origins) => origins.every((origin) => origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin))),
    expects: 'origins with commas between, e.g. https://school.example.com, or *',
    meaning: { en: 'Pages of other origins that may call from a browser', zh: '允许从浏览器调用的其他来源' },
  },
  NODE_NAME: {
    group: 'server',
    fallback: null,
    schema: z.string().regex(/^[A-Za-z0-9_.-]{1,60}$/),
    expects: 'letters, digits, "_", "." and "-", at most 60',
    meaning: {
      en: 'Name of this node in the log: keep it over restarts; default the host name',
      zh: '本节点在日志中的名称，重启后应保持不变；默认为主机名',
    },
  },
  LOG_LEVEL: {
    group: 'server',
    fallback: 'info',
    schema: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
    expects: 'trace, debug, info, warn, error or silent',
    meaning: { en: 'How much is written to standard error', zh: '标准错误输出的日志级别' },
  },
  MAX_SESSIONS: {
    group: 'sessions',
    fallback: '200',
    schema: z.coerce.number().int().min(1).max(100_000),
    expects: 'a whole number from 1',
    meaning: { en: 'Lessons under way at once on this node', zh: '本节点同时进行的课程数上限' },
  },
  SESSION_TIMEOUT_SECONDS: {
    group: 'sessions',
    fallback: '3600',
    schema: seconds,
    expects: 'seconds, 1 to 604800',
    meaning: { en: 'A lesson ends after this long', zh: '课程的最长时间' },
  },
  SESSION_IDLE_SECONDS: {
    group: 'sessions',
    fallback: '900',
    schema: seconds,
    expects: 'seconds, 1 to 604800',
    meaning: { en: 'A lesson ends after this long without a message', zh: '无消息多久后课程结束' },
  },
  ENGINE_TOKEN_TTL_SECONDS: {
    group: 'sessions',
    fallback: '600',
    schema: seconds,
    expects: 'seconds, 1 to 604800',
    meaning: { en: 'How long an engine token is good', zh: '引擎令牌的有效期' },
  },
  ENABLE_LLM: {
    group: 'language model',
    fallback: 'true',
    schema: flag,
    expects: 'true or false',
    meaning: { en: 'Off: tutors answer by quoting the course', zh: '关闭时老师只引用课程内容作答' },
  },
  OLLAMA_BASE_URL: {
    group: 'language model',
    fallback: 'http://127.0.0.1:11434',
    schema: httpUrl,
    expects: 'an http(s) URL without a password, e.g. http://127.0.0.1:11434',
    meaning: { en: 'The Ollama server', zh: 'Ollama 服务器地址' },
  },
  DEFAULT_LLM_MODEL: {
    group: 'language model',
    fallback: 'qwen3:8b',
    schema: text,
    expects: 'the name of a model, e.g. qwen3:8b',
    meaning: {
      en: 'Model of tutors that name none; TUTOR_{id}_LLM_MODEL wins for one tutor',
      zh: '未指定模型的老师使用的模型；TUTOR_{id}_LLM_MODEL 可为单个老师指定',
    },
  },
  LLM_TEMPERATURE: {
    group: 'language model',
    fallback: '0.4',
    schema: z.coerce.number().min(0).max(2),
    expects: 'a number, 0 to 2',
    meaning: { en: 'Temperature of tutors that set none', zh: '未设置温度的老师使用的温度' },
  },
  LLM_FIRST_TOKEN_SECONDS: {
    group: 'language model',
    fallback: '120',
    schema: seconds,
    expects: 'seconds, 1 to 604800',
    meaning: {
      en: 'Longest wait for the first text: the server may have to load the model',
      zh: '等待首个输出的最长时间（服务器可能需要加载模型）',
    },
  },
  LLM_STALL_SECONDS: {
    group: 'language model',
    fallback: '30',
    schema: seconds,
    expects: 'seconds, 1 to 604800',
    meaning: { en: 'Longest silence within a reply', zh: '回答过程中允许的最长停顿' },
  },
  EXTRACTIVE_PACE_MS: {
    group: 'language model',
    fallback: '15',
    schema: z.coerce.number().int().min(0).max(1_000),
    expects: 'milliseconds, 0 to 1000',
    meaning: { en: 'Pause between words when quoting, so that they can be read as they come', zh: '引用课程时词与词之间的停顿，便于阅读' },
  },
  ...mediaVariables,
  DATA_DIR: {
    group: 'data',
    fallback: './data',
    schema: text,
    expects: 'a folder',
    meaning: { en: 'Keys, documents, and the embedded database; back it up', zh: '密钥、文档和内置数据库所在目录；请备份' },
  },
  SEALS_DIR: {
    group: 'data',
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: {
      en: 'Where seals of the log go, for auditors: best on another machine; default DATA_DIR/seals',
      zh: '日志封签的导出目录，供审计使用，最好位于另一台机器；默认 DATA_DIR/seals',
    },
  },
  SEALS_COMMAND: {
    group: 'data',
    fallback: null,
    schema: text,
    expects: 'a command of the shell, e.g. ssh keeper "cat > seals/$SEAL_NO.json"',
    meaning: {
      en: 'Gets each seal on its standard input, with its number in SEAL_NO; leaving with 0 means it is safe',
      zh: '每个封签通过标准输入传给该命令，编号在 SEAL_NO 中；以 0 退出表示已妥善保存',
    },
    secret: true,
  },
  SEAL_EVENTS: {
    group: 'data',
    fallback: '1000',
    schema: z.coerce.number().int().min(1).max(100_000),
    expects: 'a whole number, 1 to 100000',
    meaning: { en: 'Most events under one seal', zh: '一个封签最多覆盖的事件数' },
  },
  SEAL_MINUTES: {
    group: 'data',
    fallback: '10',
    schema: z.coerce.number().min(0.01).max(1_440),
    expects: 'minutes, 0.01 to 1440',
    meaning: {
      en: 'No event waits longer for its seal; before it, whoever rules the database could change it unseen',
      zh: '事件等待封签的最长时间；封签之前，数据库管理者的改动可能无法被发现',
    },
  },
  EVENT_STORE: {
    group: 'data',
    fallback: 'postgres',
    schema: z.enum(['postgres', 'kurrentdb']),
    expects: 'postgres or kurrentdb',
    meaning: {
      en: 'Where the log of events lies: in the same database as all else, or in KurrentDB',
      zh: '事件日志的存放位置：与其他数据同库，或 KurrentDB',
    },
  },
  KURRENTDB_URL: {
    group: 'data',
    fallback: null,
    schema: z.string().regex(/^(kurrentdb|kdb|esdb)(\+discover)?:\/\/\S+$/),
    expects: 'kurrentdb://user:password@host:2113?tls=true, of a KurrentDB 25 or later',
    meaning: { en: 'The KurrentDB of EVENT_STORE=kurrentdb', zh: 'EVENT_STORE=kurrentdb 时使用的 KurrentDB' },
    secret: true,
  },
  DATABASE_URL: {
    group: 'data',
    fallback: null,
    schema: z.url({ protocol: /^postgres(ql)?$/ }),
    expects: 'postgres://user:password@host:port/database',
    meaning: { en: 'PostgreSQL 13 or later; not set: PGlite in DATA_DIR', zh: 'PostgreSQL 13 及以上；未设置时使用 DATA_DIR 中的 PGlite' },
    secret: true,
  },
  MASTER_KEY: {
    group: 'data',
    fallback: null,
    schema: secret.refine((bytes) => bytes.length === 32),
    expects: '32 bytes in base64 (`openssl rand -base64 32`)',
    meaning: {
      en: "Wraps the students' data keys; default DATA_DIR/master.key, made on first start",
      zh: '用于加密学生数据密钥；默认 DATA_DIR/master.key，首次启动时生成',
    },
    secret: true,
  },
  ENGINE_TOKEN_SECRET: {
    group: 'data',
    fallback: null,
    schema: secret.refine((bytes) => bytes.length >= 32),
    expects: '32 bytes or more in base64 (`openssl rand -base64 32`)',
    meaning: {
      en: 'Signs engine tokens, the same on all nodes; default DATA_DIR/token.key',
      zh: '签发引擎令牌，各节点需一致；默认 DATA_DIR/token.key',
    },
    secret: true,
  },
  RATE_PER_KEY: {
    group: 'limits',
    fallback: '6000',
    schema: perMinute,
    expects: 'calls a minute',
    meaning: { en: 'Calls of one API key', zh: '每个 API 密钥的调用次数' },
  },
  RATE_PER_TOKEN: {
    group: 'limits',
    fallback: '1200',
    schema: perMinute,
    expects: 'calls a minute',
    meaning: { en: 'Calls of one engine token', zh: '每个引擎令牌的调用次数' },
  },
  RATE_PER_ADDRESS: {
    group: 'limits',
    fallback: '600',
    schema: perMinute,
    expects: 'calls a minute',
    meaning: { en: 'Calls without a credential from one address', zh: '同一地址无凭证的调用次数' },
  },
  RATE_MESSAGES: {
    group: 'limits',
    fallback: '60',
    schema: perMinute,
    expects: 'messages a minute',
    meaning: { en: 'Messages of one student', zh: '每个学生的消息数' },
  },
} as const satisfies Readonly<Record<string, Variable>>;
