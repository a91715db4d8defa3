import { z } from 'zod';

/** One environment variable: the single source of the parser, the table in docs and `describeConfig`. */
export interface Variable {
  readonly group: 'server' | 'sessions' | 'language model' | 'speech' | 'WebRTC' | 'avatar' | 'data' | 'limits';
  /** As it is written in the environment; null: no default, off. */
  readonly fallback: string | null;
  readonly schema: z.ZodType;
  /** What a right value looks like, for the error and the table. */
  readonly expects: string;
  readonly meaning: { readonly en: string; readonly zh: string };
  readonly secret?: boolean;
  /** Validated now, used by a later part. */
  readonly later?: boolean;
}

const port = z.coerce.number().int().min(1).max(65_535);
const seconds = z.coerce.number().int().min(1).max(604_800);
const perMinute = z.coerce.number().int().min(1).max(1_000_000);
/** Python's `True` is as good as ours: the predecessor's files stay right. */
const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']))
  .transform((word) => word === 'true' || word === '1' || word === 'yes' || word === 'on');
const httpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !url.includes('@'))
  .transform((url) => url.replace(/\/+$/, ''));
const secret = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const text = z.string().trim().min(1);

const onOff = { schema: flag, expects: 'true or false' };
const speech = { group: 'speech' } as const;
const avatar = { group: 'avatar' } as const;

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
  WEBRTC_LAYOUT: {
    group: 'WebRTC',
    fallback: 'single-port',
    schema: z.enum(['single-port', 'port-range']),
    expects: 'single-port or port-range',
    meaning: {
      en: 'Which ports are public: WEBRTC_PORT_MIN alone, or all to WEBRTC_PORT_MAX, one for each connection, as in the system before this one',
      zh: '对外端口：仅 WEBRTC_PORT_MIN；或直到 WEBRTC_PORT_MAX，每个连接占一个（与旧系统相同）',
    },
  },
  WEBRTC_PUBLIC_IP: {
    group: 'WebRTC',
    fallback: null,
    schema: z.union([z.ipv4(), z.ipv6()]),
    expects: 'an IP address',
    meaning: {
      en: 'Where browsers reach the relay; default the host of WEBSOCKET_URL or PUBLIC_URL',
      zh: '浏览器访问媒体中继的地址；默认为 WEBSOCKET_URL 或 PUBLIC_URL 的主机',
    },
  },
  WEBRTC_PORT_MIN: {
    group: 'WebRTC',
    fallback: '10110',
    schema: port,
    expects: 'a port, 1 to 65535',
    meaning: { en: 'Port of the relay, UDP and TCP: the one that must be open', zh: '媒体中继端口（UDP 和 TCP），必须对外开放' },
  },
  WEBRTC_PORT_MAX: {
    group: 'WebRTC',
    fallback: '10115',
    schema: port,
    expects: 'a port, at least WEBRTC_PORT_MIN',
    meaning: {
      en: 'Last port of the layout port-range; unused in single-port',
      zh: 'port-range 布局的最后一个端口；single-port 布局不使用',
    },
  },
  WEBRTC_ENGINE_RELAY: {
    group: 'WebRTC',
    fallback: 'false',
    schema: flag,
    expects: 'true or false',
    meaning: {
      en: 'On: the engine relays too, so that both ends have relay candidates; costs a second relay port for each connection',
      zh: '开启后引擎一端也经过中继，两端都是 relay 候选；每个连接多占一个中继端口',
    },
  },
  WEBRTC_STUN_SERVER: {
    group: 'WebRTC',
    fallback: null,
    schema: z.string().regex(/^stuns?:[^\s@]+$/),
    expects: 'stun:host:port',
    meaning: { en: 'Accepted and not used: media that only passes a relay needs none', zh: '接受但不使用：仅经中继的媒体不需要 STUN' },
  },
  WEBRTC_TURN_SERVER: {
    group: 'WebRTC',
    fallback: null,
    schema: z.string().regex(/^turns?:[^\s@]+$/),
    expects: 'turn:host:port',
    meaning: {
      en: "A TURN server of your own, e.g. coturn; not set: the engine's own relay",
      zh: '自备的 TURN 服务器（如 coturn）；未设置时使用引擎自带的中继',
    },
  },
  WEBRTC_TURN_SECRET_FILE: {
    group: 'WebRTC',
    fallback: null,
    schema: text,
    expects: 'a file that only the engine can read',
    meaning: {
      en: "Holds the TURN server's static-auth-secret; default DATA_DIR/turn.key, made on first start",
      zh: '保存 TURN 服务器 static-auth-secret 的文件；默认 DATA_DIR/turn.key，首次启动时生成',
    },
  },
  WEBRTC_TURN_USERNAME: {
    group: 'WebRTC',
    fallback: null,
    schema: text,
    expects: 'a user name',
    meaning: {
      en: 'A fixed TURN user for every browser, instead of one for each session',
      zh: '所有浏览器共用的固定 TURN 用户（替代按会话生成的凭证）',
    },
  },
  WEBRTC_TURN_PASSWORD: {
    group: 'WebRTC',
    fallback: null,
    schema: text,
    expects: 'a password',
    meaning: { en: 'Password of WEBRTC_TURN_USERNAME', zh: 'WEBRTC_TURN_USERNAME 的密码' },
    secret: true,
  },
  WEBRTC_MEDIA_ADDRESS: {
    group: 'WebRTC',
    fallback: null,
    schema: z.ipv4(),
    expects: 'an IPv4 address of this machine',
    meaning: {
      en: "Private address that the relay forwards to; default 127.0.0.1, with WEBRTC_TURN_SERVER this machine's own",
      zh: '中继转发到的内网地址；默认 127.0.0.1，设置 WEBRTC_TURN_SERVER 时为本机地址',
    },
  },
  WEBRTC_MEDIA_PORTS: {
    group: 'WebRTC',
    fallback: '20000-20999',
    schema: z
      .string()
      .regex(/^\d{1,5}-\d{1,5}$/)
      .transform((range) => range.split('-').map(Number))
      .transform(([min = 0, max = 0]) => [min, max] as const)
      .refine(([min, max]) => min >= 1 && min <= max && max <= 65_535),
    expects: 'two ports with "-" between, e.g. 20000-20999',
    meaning: {
      en: 'UDP ports on WEBRTC_MEDIA_ADDRESS, one for each connection; never public',
      zh: 'WEBRTC_MEDIA_ADDRESS 上的 UDP 端口，每个连接一个；不对外',
    },
  },
  WEBRTC_RELAY_ADDRESS: {
    group: 'WebRTC',
    fallback: null,
    schema: z.ipv4(),
    expects: 'an IPv4 address',
    meaning: {
      en: 'relay-ip of WEBRTC_TURN_SERVER; default WEBRTC_MEDIA_ADDRESS',
      zh: 'WEBRTC_TURN_SERVER 的 relay-ip；默认与 WEBRTC_MEDIA_ADDRESS 相同',
    },
  },
  DATA_DIR: {
    group: 'data',
    fallback: './data',
    schema: text,
    expects: 'a folder',
    meaning: { en: 'Keys, documents, and the embedded database; back it up', zh: '密钥、文档和内置数据库所在目录；请备份' },
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
  ENABLE_TTS: { ...speech, fallback: 'true', ...onOff, meaning: { en: 'Tutors speak', zh: '老师用语音回答' } },
  TTS_VOICE: {
    ...speech,
    fallback: null,
    schema: text,
    expects: 'the name of an Edge voice, e.g. zh-CN-XiaoxiaoNeural',
    meaning: {
      en: 'A neural voice of Microsoft Edge: what tutors say is then sent to its servers. Not set: embedded voices, nothing leaves this machine',
      zh: '微软 Edge 神经网络音色：老师说的话会发送到其服务器。未设置时使用内置音色，数据不离开本机',
    },
  },
  ENABLE_ASR: { ...speech, fallback: 'true', ...onOff, meaning: { en: 'Tutors listen', zh: '老师能听懂语音' } },
  ASR_MODEL: {
    ...speech,
    fallback: 'base',
    schema: z.enum(['tiny', 'base', 'small', 'medium', 'large']),
    expects: 'tiny, base, small, medium or large',
    meaning: { en: 'Size of the Whisper model in ASR_MODELS_DIR', zh: 'ASR_MODELS_DIR 中 Whisper 模型的大小' },
  },
  ASR_MODELS_DIR: {
    ...speech,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: {
      en: 'Recognition models, each in its folder (whisper-base, ...); default DATA_DIR/models. Without one: English by the embedded model, spoken Chinese not understood',
      zh: '语音识别模型目录（whisper-base 等）；默认 DATA_DIR/models。没有模型时只能听懂英语，中文请打字',
    },
  },
  ASR_DEVICE: {
    ...speech,
    fallback: 'cpu',
    schema: z.enum(['cuda', 'cpu']),
    expects: 'cuda or cpu',
    meaning: { en: 'Where Whisper runs', zh: 'Whisper 运行设备' },
  },
  ASR_LANGUAGE: {
    ...speech,
    fallback: null,
    schema: z.enum(['zh', 'en']),
    expects: 'zh or en',
    meaning: { en: 'Language that students speak; not set: the language of the lesson', zh: '学生所说的语言；未设置时为课程语言' },
  },
  ENABLE_AVATAR: { ...avatar, fallback: 'true', ...onOff, meaning: { en: 'Tutors have a face', zh: '老师有虚拟形象' } },
  MEDIA_WORKERS: {
    group: 'speech',
    fallback: '1',
    schema: z.coerce.number().int().min(1).max(64),
    expects: 'a number, 1 to 64',
    meaning: {
      en: 'Processes for voice and video; one serves about twelve speaking tutors',
      zh: '语音视频进程数；每个进程约可同时服务十二位说话的老师',
    },
  },
  MAX_MEDIA_SESSIONS: {
    group: 'speech',
    fallback: '40',
    schema: z.coerce.number().int().min(1).max(10_000),
    expects: 'a number, 1 to 10000',
    meaning: { en: 'Lessons with voice and video at once on this node', zh: '本节点同时进行语音视频课程的数量上限' },
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

/** Accepted and checked today, so that an operator's file stays right; used by the parts that come. */
export const laterVariables: Readonly<Record<string, Variable>> = {
  AVATARS_DIR: {
    group: 'avatar',
    later: true,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: { en: 'Built avatars; default DATA_DIR/avatars', zh: '虚拟形象目录；默认 DATA_DIR/avatars' },
  },
  MUSETALK_BASE: {
    group: 'avatar',
    later: true,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: { en: 'Exported ONNX models', zh: '导出的 ONNX 模型目录' },
  },
};
