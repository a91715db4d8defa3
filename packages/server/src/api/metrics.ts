import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ClearEvent } from '../app/event-codec.ts';
import type { SessionFact } from '../app/media-plane.ts';

/** Numbers for Prometheus. Labels are types, codes and providers: never an id, never a word. */
export interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
  /** How long a piece of a reply waited for its reader, ms. */
  deltaWaited(ms: number): void;
  /** Told of every event, in order. */
  follow(event: ClearEvent): void;
  /** Told of everything that happens to voice and picture. */
  followMedia(fact: SessionFact): void;
}

export interface Gauges {
  readonly activeSessions: () => number;
  readonly openSockets: () => number;
  readonly repliesUnderWay: () => number;
  /** Sessions with voice or picture, and those whose tutor is speaking. */
  readonly media: () => { readonly sessions: number; readonly speaking: number };
}

type Stage = 'asr' | 'retrieve' | 'first_token' | 'first_audio' | 'first_frame' | 'total';

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('tutor_sessions_active', 'Lessons under way on this node', gauges.activeSessions);
  gauge('tutor_sockets_open', 'Data-plane sockets', gauges.openSockets);
  gauge('tutor_replies_under_way', 'Replies being made', gauges.repliesUnderWay);
  gauge('tutor_media_sessions', 'Lessons with voice or picture on this node', () => gauges.media().sessions);
  gauge('tutor_media_speaking', 'Of them, those whose tutor is speaking', () => gauges.media().speaking);
  const position = new Gauge({ name: 'tutor_log_position', help: 'Newest event that this node has seen', registers });
  const events = new Counter({ name: 'tutor_events_total', help: 'Events by type', labelNames: ['type'], registers });
  const failures = new Counter({ name: 'tutor_reply_failures_total', help: 'Failed replies by code', labelNames: ['code'], registers });
  const stages = new Histogram({
    name: 'tutor_turn_stage_seconds',
    help: 'From the message to the end of each stage of its reply; asr: from the end of the voice to the message',
    labelNames: ['stage'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1, 2.5, 5, 10, 30],
    registers,
  });
  const interruptions = new Counter({
    name: 'tutor_interruptions_total',
    help: 'Replies cut short, by whom and of what',
    labelNames: ['by', 'medium'],
    registers,
  });
  const bargeIns = new Counter({ name: 'tutor_barge_ins_total', help: "Times that a student's voice took the floor", registers });
  const qualities = new Counter({
    name: 'tutor_quality_changes_total',
    help: 'Steps on the ladder from video over voice to text, and why',
    labelNames: ['to', 'reason'],
    registers,
  });
  const disconnections = new Counter({
    name: 'tutor_media_disconnections_total',
    help: 'Media connections that ended, by reason',
    labelNames: ['reason'],
    registers,
  });
  const waited = new Histogram({
    name: 'tutor_delta_wait_seconds',
    help: 'From a piece of a reply being made to its socket',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const stage = (name: Stage, ms: number | null) => {
    if (ms !== null) stages.observe({ stage: name }, ms / 1000);
  };

  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    deltaWaited: (ms) => waited.observe(ms / 1000),
    follow(event) {
      position.set(event.stored.position);
      events.inc({ type: event.type });
      switch (event.type) {
        case 'ReplyFailed':
          failures.inc({ code: event.payload.code });
          break;
        case 'ReplyInterrupted':
          interruptions.inc({ by: event.payload.by, medium: event.payload.heardMs === null ? 'text' : 'voice' });
          break;
        case 'QualityChanged':
          qualities.inc({ to: event.payload.to, reason: event.payload.reason });
          break;
        case 'MediaDisconnected':
          disconnections.inc({ reason: event.payload.reason });
          break;
        case 'ReplyCompleted': {
          const { timings } = event.payload;
          stage('asr', timings.asrMs);
          stage('retrieve', timings.retrieveMs);
          stage('first_token', timings.firstTokenMs);
          stage('first_audio', timings.firstAudioMs);
          stage('first_frame', timings.firstFrameMs);
          stage('total', timings.totalMs);
          break;
        }
        default:
      }
    },
    followMedia(fact) {
      if (fact.type === 'bargeIn') bargeIns.inc();
    },
  };
}
