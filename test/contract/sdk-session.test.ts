import { expect, test } from 'vitest';
import { connectSession } from '../../packages/sdk/src/browser.ts';
import type { TurnEvent } from '../../packages/sdk/src/contract.ts';
import { completed, opening, question, ScriptedEngine, sessionId } from '../support/scripted-engine.ts';

const sentences = ['The sky is blue. ', 'Air scatters blue light more than red.'];

/** Replies to every message with `sentences`, letter by letter in pieces of `size`. */
function replyWhole(engine: ScriptedEngine, size = 5): void {
  const { lesson } = engine.script;
  engine.script.onSend = (turnId, message) => {
    for (const item of question(turnId, message)) lesson.append(item);
    sentences.forEach((text, index) => {
      for (let at = 0; at < text.length; at += size) lesson.piece(index, text.slice(at, at + size));
      lesson.append({ type: 'sentence', turnId, index, text, citations: [] });
    });
    lesson.append(completed(turnId, sentences.length));
  };
}

function connect(engine: ScriptedEngine, options: { transport?: 'ws' | 'sse' } = {}) {
  return connectSession({ url: engine.url, sessionId, token: 'token-1', ...options });
}

for (const transport of ['ws', 'sse'] as const) {
  test(`a message sent over ${transport} is answered, piece by piece`, async () => {
    await using engine = await ScriptedEngine.start();
    engine.script.lesson.append(opening);
    replyWhole(engine);
    await using session = await connect(engine, { transport });
    expect(session.state).toBe('connected');
    expect(session.view.tutorName).toBe('Newton');
    const events: TurnEvent[] = [];
    for await (const event of session.chat.send('Why is the sky blue?')) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'done', reason: 'completed', reply: sentences.join('') });
    expect(session.view.turns[0]).toMatchObject({ message: 'Why is the sky blue?', status: 'completed', reply: sentences.join('') });
  });
}
