import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { WorkerFact } from '@virtual-tutor/engine/media';
import { SessionId, TurnId } from '@virtual-tutor/schemas';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { WorkerProcess } from '../../packages/server/src/workers/worker-process.ts';
import { type Material, sentences } from './lesson-material.ts';

/** Whoever streams a tutor to viewers, in a process whose CPU is counted. */
export interface Sender extends AsyncDisposable {
  answer(id: string, offer: string): Promise<string>;
  /** Everybody is spoken to from now on. */
  speak(): void;
  readonly pid: number;
  /** What went wrong, for the report; empty when nothing did. */
  readonly troubles: readonly string[];
}

const Answer = z.object({ id: z.string(), sdp: z.string() });

export async function startAiortc(material: Material): Promise<Sender> {
  const script = new URL('./aiortc_sender.py', import.meta.url).pathname;
  const child = spawn('/usr/bin/python3', [script, material.pictures, material.sound], { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<string, (sdp: string) => void>();
  const ready = new Promise<string>((resolve) => waiting.set('ready', resolve));
  createInterface(child.stdout).on('line', (line) => {
    const { id, sdp } = Answer.parse(JSON.parse(line));
    waiting.get(id)?.(sdp);
    waiting.delete(id);
  });
  const troubles: string[] = [];
  child.stderr.on('data', (text: Buffer) => troubles.push(text.toString().trim()));
  child.once('exit', (code) => troubles.push(`aiortc ended with ${code}`));
  await ready;
  return {
    pid: child.pid ?? 0,
    troubles,
    speak: () => undefined,
    async answer(id, sdp) {
      const answered = new Promise<string>((resolve) => waiting.set(id, resolve));
      child.stdin.write(`${JSON.stringify({ id, sdp })}\n`);
      return answered;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A sentence lasts some six seconds: so many keep a tutor speaking for longer than any measurement. */
const sentencesAhead = 12;

export async function startOurs(): Promise<Sender> {
  const troubles: string[] = [];
  const waiting = new Map<string, (fact: WorkerFact) => void>();
  const worker = new WorkerProcess({
    config: {
      mediaAddress: '127.0.0.1',
      mediaPorts: [21_000, 21_999],
      relayAddresses: ['127.0.0.1'],
      relayPorts: [1_024, 65_535],
      engineRelay: null,
      tts: { enabled: true, edgeVoice: null },
      asr: { enabled: false, modelsFolder: null, model: 'base', device: 'cpu', language: null },
      avatar: { enabled: true, folder: '', museTalkFolder: null },
      capacity: { sessions: 100, speaking: 100 },
    },
    onFact: (fact) => {
      if ('requestId' in fact) waiting.get(fact.requestId)?.(fact);
      if (fact.type === 'quality' && fact.to !== 'video') troubles.push(`${fact.to}: ${fact.reason}`);
    },
    onLost: () => troubles.push('the worker crashed'),
    onFault: (line) => troubles.push(line),
  });
  await worker.ready;
  const sessions: SessionId[] = [];
  return {
    pid: worker.pid ?? 0,
    troubles,
    async answer(peer, offerSdp) {
      const sessionId = SessionId.parse(uuidv7());
      sessions.push(sessionId);
      worker.send({ type: 'open', sessionId, locale: 'en', voice: null, face: { kind: 'drawn', character: 'ada' } });
      const answered = new Promise<WorkerFact>((resolve) => waiting.set(peer, resolve));
      worker.send({ type: 'negotiate', requestId: peer, sessionId, peerId: randomUUID(), offerSdp });
      const fact = await answered;
      if (fact.type !== 'answered') throw new Error(`the engine said no: ${JSON.stringify(fact)}`);
      return fact.answerSdp;
    },
    speak() {
      for (const sessionId of sessions) {
        const turnId = TurnId.parse(randomUUID());
        for (let index = 0; index < sentencesAhead; index += 1) {
          worker.send({ type: 'say', sessionId, turnId, index, text: sentences[index % sentences.length] ?? '', language: 'en' });
        }
      }
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}
