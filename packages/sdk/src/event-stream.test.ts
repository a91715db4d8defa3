import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser, type ServerEvent } from './event-stream.ts';

function parsed(...chunks: readonly string[]): ServerEvent[] {
  const events: ServerEvent[] = [];
  const parser = new EventStreamParser((event) => events.push(event));
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

test('an event has its name, its lines of data and the last id', () => {
  expect(parsed('id: 3.1\nevent: ping\ndata: a\ndata:b\n\n')).toEqual([{ type: 'ping', data: 'a\nb', lastEventId: '3.1' }]);
});

test('the id stays until there is another, the name does not', () => {
  expect(parsed('id: 1.0\nevent: x\ndata: 1\n\ndata: 2\n\n')).toMatchObject([
    { type: 'x', lastEventId: '1.0' },
    { type: 'message', lastEventId: '1.0' },
  ]);
});

test('comments, unknown fields and events without data are passed over', () => {
  expect(parsed(': hello\nretry: 5\nfoo\nevent: x\n\n')).toEqual([]);
});

test('an event that was not finished does not happen', () => {
  expect(parsed('data: 1\n')).toEqual([]);
});

test('cutting the stream anywhere, with any line ends, changes nothing', () => {
  const event = fc.record({ id: fc.stringMatching(/^\d\.\d$/), data: fc.stringMatching(/^[a-z: ]{1,8}$/) });
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  void fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), cuts, lineEnd, (events, places, end) => {
      const text = `${events.map(({ id, data }) => `id: ${id}${end}data: ${data}${end}${end}`).join('')}: the end${end}`;
      const edges = [0, ...places.map((place) => Math.min(place, text.length)).sort((a, b) => a - b), text.length];
      const chunks = edges.slice(1).map((edge, at) => text.slice(edges[at], edge));
      expect(parsed(...chunks)).toEqual(events.map(({ id, data }) => ({ type: 'message', data, lastEventId: id })));
    }),
  );
});
