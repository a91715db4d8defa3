import { expect, test } from 'vitest';
import { chromiumAvailable, describeWith } from '../support/loud-skip.ts';
import { enterRoom, heardAfter, startProduct } from '../support/measured-room.ts';

describeWith(chromiumAvailable, 'Chromium')('an engine without a face', () => {
  test('is heard', { timeout: 120_000 }, async () => {
    await using product = await startProduct({ env: { ENABLE_AVATAR: 'false' } });
    await using room = await enterRoom(product);
    await room.media.until('connected');
    const askedAt = Date.now();
    await room.lesson.ask('What is photosynthesis?');
    await heardAfter(room, askedAt, 15_000);
    // What came is played too: an element that waits for a picture plays nothing.
    await expect
      .poll(() => room.lesson.page.evaluate("document.querySelector('video').currentTime"), { timeout: 10_000 })
      .toBeGreaterThan(1);
    expect((await room.media.received()).openings).toEqual([]);
  });
});
