import { createTRPCClient } from '@trpc/client';
import { type AppRouter, controlLinks, emptyFeed, type FeedState, lessonLinks, receive, restarted } from '@virtual-tutor/sdk/trpc';
import { expect, test, vi } from 'vitest';
import { completed, question, sessionId, turnNumber } from '../support/scripted-engine.ts';
import { replyInPieces, sentences, startEngine, wholeReply } from '../support/scripted-tutor.ts';

const clientMessageId = '0190b0a0-0000-4000-8000-00000000abcd';

/** Folds what a subscription of one's own brings. */
function folding() {
  const folded: { feed: FeedState } = { feed: emptyFeed };
  return {
    folded,
    onStarted: () => {
      folded.feed = restarted(folded.feed);
    },
    onData: ({ id, data }: { readonly id: string; readonly data: Parameters<typeof receive>[2] }) => {
      folded.feed = receive(folded.feed, id, data);
    },
  };
}

test("a frontend's own tRPC client reads a reply whole over the ready-made links, through three cuts", async () => {
  await using engine = await startEngine();
  replyInPieces(engine, 2);
  for (const item of [4, 8, 12]) engine.script.cutAfter.add(item);
  const { links, client } = lessonLinks({ url: engine.url, token: async () => 'token-1' });
  const trpc = createTRPCClient<AppRouter>({ links });
  const { folded, ...handlers } = folding();
  const subscription = trpc.session.events.subscribe({ sessionId }, handlers);
  expect(await trpc.chat.send.mutate({ sessionId, clientMessageId, text: 'Why?' })).toMatchObject({ turnId: turnNumber(0) });
  await vi.waitFor(() => expect(folded.feed.view.turns[0]?.status).toBe('completed'), { timeout: 20_000 });
  expect(folded.feed.view.turns).toMatchObject([{ message: 'Why?', reply: wholeReply }]);
  expect(engine.connections).toBe(4);
  subscription.unsubscribe();
  await client.close();
});

test('wherever the socket is cut, the fold shows what the log says: tRPC resumes from pieces, too (invariant 17)', async () => {
  const turnId = turnNumber(0);
  for (let cutAfter = 1; cutAfter <= 12; cutAfter += 1) {
    await using engine = await startEngine();
    const { lesson, cutAfter: cuts } = engine.script;
    for (const item of question(turnId, { clientMessageId, text: 'Why?' })) lesson.append(item);
    const { links, client } = lessonLinks({ url: engine.url, token: 'token-1' });
    const { folded, ...handlers } = folding();
    cuts.add(cutAfter);
    const subscription = createTRPCClient<AppRouter>({ links }).session.events.subscribe({ sessionId }, handlers);
    const shown = (text: string) => vi.waitFor(() => expect(folded.feed.view.turns[0]?.reply).toBe(text), { interval: 1, timeout: 8_000 });
    const [first = '', second = ''] = sentences;
    for (let at = 0; at < first.length; at += 6) lesson.piece(0, first.slice(at, at + 6));
    lesson.piece(1, second.slice(0, 5));
    lesson.piece(1, second.slice(5, 9));
    await shown(first + second.slice(0, 9));
    lesson.append({ type: 'sentence', turnId, index: 0, text: first, citations: [] });
    await vi.waitFor(() => expect(folded.feed.revision).toBe(5), { interval: 1, timeout: 8_000 });
    lesson.piece(1, second.slice(9, 12));
    await shown(first + second.slice(0, 12));
    lesson.append({ type: 'sentence', turnId, index: 1, text: second, citations: [] });
    lesson.append(completed(turnId, 2));
    await shown(first + second);
    expect(engine.connections, `cut after item ${cutAfter}`).toBe(2);
    subscription.unsubscribe();
    await client.close();
  }
});

test('a feed that failed for a reason that may pass is taken up again where it was', async () => {
  await using engine = await startEngine();
  engine.script.nextSubscriptions.push('unavailable');
  const { links, client } = lessonLinks({ url: engine.url, token: 'token-1' });
  const { folded, ...handlers } = folding();
  const subscription = createTRPCClient<AppRouter>({ links }).session.events.subscribe({ sessionId }, handlers);
  await vi.waitFor(() => expect(folded.feed.view.caughtUp).toBe(true), { timeout: 5_000 });
  subscription.unsubscribe();
  await client.close();
});

test('a refusal reaches whoever asked, in the words of the engine, over sockets and over event streams', async () => {
  await using engine = await startEngine();
  const { links, client } = lessonLinks({ url: engine.url, token: 'wrong' });
  const overHttp = controlLinks({ url: engine.url, credential: 'wrong' });
  for (const trpc of [createTRPCClient<AppRouter>({ links }), createTRPCClient<AppRouter>({ links: overHttp })]) {
    const error = await new Promise((resolve) => trpc.session.events.subscribe({ sessionId }, { onError: resolve }));
    expect(error).toMatchObject({ data: { tutor: { code: 'unauthorized', requestId: 'scripted' } } });
  }
  await client.close();
});
