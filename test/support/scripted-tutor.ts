import { connectSession } from '../../packages/sdk/src/browser.ts';
import type { ConnectOptions, TurnEvent, TutorSession } from '../../packages/sdk/src/contract.ts';
import { completed, opening, question, ScriptedEngine, sessionId } from './scripted-engine.ts';

export const sentences = ['The sky is blue. ', 'Air scatters blue light more than red. ', '为什么天空是蓝色的？'];
export const wholeReply = sentences.join('');

/** An engine with an open lesson. */
export async function startEngine(): Promise<ScriptedEngine> {
  const engine = await ScriptedEngine.start();
  engine.script.lesson.append(opening);
  return engine;
}

/** Replies to every message, some characters at a time, each piece in a turn of the event loop of its own. */
export function replyInPieces(engine: ScriptedEngine, size = 4): void {
  const { lesson } = engine.script;
  engine.script.onSend = (turnId, message) => {
    for (const item of question(turnId, message)) lesson.append(item);
    void (async () => {
      for (const [index, text] of sentences.entries()) {
        for (let at = 0; at < text.length; at += size) {
          await new Promise((resolve) => setImmediate(resolve));
          lesson.piece(index, text.slice(at, at + size));
        }
        lesson.append({ type: 'sentence', turnId, index, text, citations: [] });
      }
      lesson.append(completed(turnId, sentences.length));
    })();
  };
}

/** Begins a reply with one sentence and leaves it there. */
export function replyHalf(engine: ScriptedEngine): void {
  const { lesson } = engine.script;
  engine.script.onSend = (turnId, message) => {
    for (const item of question(turnId, message)) lesson.append(item);
    lesson.piece(0, 'The sky ');
    lesson.piece(0, 'is');
  };
  engine.script.onInterrupt = (turnId) => {
    lesson.append({ type: 'replyInterrupted', turnId, by: 'student', heardText: 'The sky is' });
  };
}

/** Reconnects at once, so that tests need not wait for the jitter. */
export const atOnce = { nextDelayMs: ({ attempt }: { readonly attempt: number }) => (attempt < 50 ? 0 : null) };

export function connect(engine: { readonly url: string }, options: Partial<ConnectOptions> = {}): Promise<TutorSession> {
  return connectSession({ url: engine.url, sessionId, token: 'token-1', reconnect: atOnce, ...options });
}

export async function allOf(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The reply as its pieces add up, and how often a piece took one back. */
export function addedUp(events: readonly TurnEvent[]): { readonly text: string; readonly rewrites: number } {
  const texts = new Map<number, string>();
  let rewrites = 0;
  for (const event of events) {
    if (event.type === 'text') texts.set(event.index, (texts.get(event.index) ?? '') + event.delta);
    if (event.type === 'rewrite') {
      rewrites += 1;
      texts.set(event.index, event.text);
    }
  }
  const text = [...texts].sort(([a], [b]) => a - b).map(([, sentence]) => sentence);
  return { text: text.join(''), rewrites };
}

/** Resolves at the first event of this kind that passes the test. */
export function eventOf(session: TutorSession, type: TurnEvent['type']): Promise<TurnEvent> {
  return new Promise((resolve) => {
    const off = session.on('turn', (event) => {
      if (event.type !== type) return;
      off();
      resolve(event);
    });
  });
}
