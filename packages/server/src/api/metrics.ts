import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ClearEvent } from '../app/event-codec.ts';

/** Numbers for Prometheus. Labels are types, codes and providers: never an id, never a word. */
export interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
  /** How long a piece of a reply waited for its reader, ms. */
  deltaWaited(ms: number): void;
  /** Told of every event, in order. */
  follow(event: ClearEvent): void;
}

export interface Gauges {
  readonly activeSessions: () => number;
  readonly openSockets: () => number;
  readonly repliesUnderWay: () => number;
}

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
  const position = new Gauge({ name: 'tutor_log_position', help: 'Newest event that this node has seen', registers });
  const events = new Counter({ name: 'tutor_events_total', help: 'Events by type', labelNames: ['type'], registers });
  const failures = new Counter({ name: 'tutor_reply_failures_total', help: 'Failed replies by code', labelNames: ['code'], registers });
  const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
  const firstToken = new Histogram({ name: 'tutor_reply_first_token_seconds', help: 'Message to first token', buckets, registers });
  const waited = new Histogram({
    name: 'tutor_delta_wait_seconds',
    help: 'From a piece of a reply being made to its socket',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const total = new Histogram({ name: 'tutor_reply_total_seconds', help: 'Message to end of the reply', buckets, registers });

  return {
    contentType: registry.contentType,
    read: () => registry.metrics(),
    deltaWaited: (ms) => waited.observe(ms / 1000),
    follow(event) {
      position.set(event.stored.position);
      events.inc({ type: event.type });
      if (event.type === 'ReplyFailed') failures.inc({ code: event.payload.code });
      if (event.type !== 'ReplyCompleted') return;
      firstToken.observe(event.payload.timings.firstTokenMs / 1000);
      total.observe(event.payload.timings.totalMs / 1000);
    },
  };
}
