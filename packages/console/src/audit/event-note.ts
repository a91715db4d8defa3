import type { AuditedEvent } from '@virtual-tutor/sdk';
import { isRecord, numberOr, stringOr } from '../engine/plain-data.ts';
import { isTextKey, type Say, type TextKey } from '../texts/texts.ts';

/** What is worth knowing of an event at a glance, beside the words that were said; null: nothing. */
export function noteOf({ type, payload }: Pick<AuditedEvent, 'type' | 'payload'>, say: Say): string | null {
  switch (type) {
    case 'MessageReceived':
      return isRecord(payload['asr'])
        ? say('note_spoken', { engine: stringOr(payload['asr']['engine'], '?'), asr: duration(payload['asr']['asrMs']) })
        : null;
    case 'SentenceHeard':
      return heardNote(payload['playout'], say);
    case 'ReplyCompleted':
      return timingsNote(payload['timings'], say);
    case 'ReplyInterrupted':
      return typeof payload['heardMs'] === 'number' ? say('note_cut', { heard: duration(payload['heardMs']) }) : null;
    case 'MediaConnected':
      return say('note_connected', { port: isRecord(payload['remote']) ? numberOr(payload['remote']['port'], 0) : 0 });
    case 'MediaDisconnected':
      return say('note_disconnected', { reason: wordFor('why', payload['reason'], say), duration: duration(payload['connectedMs']) });
    case 'QualityChanged':
      return say('note_quality', {
        from: wordFor('quality', payload['from'], say),
        to: wordFor('quality', payload['to'], say),
        reason: wordFor('why', payload['reason'], say),
      });
    default:
      return null;
  }
}

function heardNote(playout: unknown, say: Say): string | null {
  if (!isRecord(playout)) return null;
  if (playout['medium'] !== 'voice') return say('note_read');
  return say('note_heard', { heard: duration(playout['heardMs']), total: duration(playout['durationMs']) });
}

function timingsNote(timings: unknown, say: Say): string | null {
  if (!isRecord(timings)) return null;
  const { firstTokenMs, firstAudioMs, firstFrameMs, totalMs } = timings;
  const token = duration(firstTokenMs);
  const total = duration(totalMs);
  if (typeof firstAudioMs !== 'number') return say('note_timingsText', { token, total });
  return say('note_timings', { token, audio: duration(firstAudioMs), frame: duration(firstFrameMs), total });
}

/** `320 ms`, `4.2 s`; a dash for what was not. */
function duration(ms: unknown): string {
  if (typeof ms !== 'number') return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** In plain words; what only a newer engine says keeps its own name. */
function wordFor(kind: 'why' | 'quality', value: unknown, say: Say): string {
  const name = stringOr(value, '?');
  const key = `${kind}_${name}`;
  return isWordKey(key) ? say(key) : name;
}

type WordKey = Extract<TextKey, `why_${string}` | `quality_${string}`>;

function isWordKey(key: string): key is WordKey {
  return /^(?:why|quality)_/.test(key) && isTextKey(key);
}
