import { createTRPCClient } from '@trpc/client';
import { type AppRouter, controlLinks, emptyFeed, type FeedState, lessonLinks, receive } from '@virtual-tutor/sdk/trpc';
import { expect, test, vi } from 'vitest';
import { sessionId, turnNumber } from '../support/scripted-engine.ts';
import { replyInPieces, startEngine, wholeReply } from '../support/scripted-tutor.ts';

const clientMessageId = '0190b0a0-0000-4000-8000-00000000abcd';

/** Folds what a subscription of one's own brings. */
function folding() {
  const folded: { feed: FeedState } = { feed: emptyFeed };
  return {
    folded,
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
  const { folded, onData } = folding();
  const subscription = trpc.session.events.subscribe({ sessionId }, { onData });
  expect(await trpc.chat.send.mutate({ sessionId, clientMessageId, text: 'Why?' })).toMatchObject({ turnId: turnNumber(0) });
  await vi.waitFor(() => expect(folded.feed.view.turns[0]?.status).toBe('completed'), { timeout: 20_000 });
  expect(folded.feed.view.turns).toMatchObject([{ message: 'Why?', reply: wholeReply }]);
  expect(engine.connections).toBe(4);
  subscription.unsubscribe();
  await client.close();
});

test('a feed that failed for a reason that may pass is taken up again where it was', async () => {
  await using engine = await startEngine();
  engine.script.nextSubscriptions.push('unavailable');
  const { links, client } = lessonLinks({ url: engine.url, token: 'token-1' });
  const { folded, onData } = folding();
  const subscription = createTRPCClient<AppRouter>({ links }).session.events.subscribe({ sessionId }, { onData });
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
