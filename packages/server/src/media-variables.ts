import { z } from 'zod';
import { flag, port, text, type Variable } from './variable.ts';

const onOff = { schema: flag, expects: 'true or false' };
const speech = { group: 'speech' } as const;
const avatar = { group: 'avatar' } as const;

/** What voice, face and the way to them are set by. */
export const mediaVariables = {
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
  MUSETALK_BASE: {
    ...avatar,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: {
      en: "MuseTalk's exported models: photorealistic lips, on a graphics card",
      zh: 'MuseTalk 的导出模型：逼真的口型，需要显卡',
    },
  },
  AVATARS_DIR: {
    ...avatar,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: {
      en: 'Filmed tutors, and clips on their way in; default DATA_DIR/avatars',
      zh: '真人形象及上传中的视频；默认 DATA_DIR/avatars',
    },
  },
  AVATAR_CLIPS_DIR: {
    ...avatar,
    fallback: null,
    schema: text,
    expects: 'a folder',
    meaning: {
      en: 'The only folder that avatars may be made from by path; not set: uploads only',
      zh: '允许按路径创建形象的唯一目录；未设置时只能上传',
    },
  },
  AVATAR_MAX_MB: {
    ...avatar,
    fallback: '500',
    schema: z.coerce.number().int().min(1).max(4_000),
    expects: 'megabytes, 1 to 4000',
    meaning: { en: 'Largest clip', zh: '单个视频的大小上限' },
  },
  AVATAR_MAX_SECONDS: {
    ...avatar,
    fallback: '60',
    schema: z.coerce.number().int().min(3).max(600),
    expects: 'seconds, 3 to 600',
    meaning: { en: 'Longest clip', zh: '单个视频的时长上限' },
  },
  AVATAR_UPLOADS_MB: {
    ...avatar,
    fallback: '5000',
    schema: z.coerce.number().int().min(1).max(1_000_000),
    expects: 'megabytes',
    meaning: { en: 'Room for all clips on their way in', zh: '所有上传中视频的总空间' },
  },
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
} as const satisfies Readonly<Record<string, Variable>>;
