import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { isLocal, originIsAllowed } from './origin.ts';

interface Visit {
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly loopbackOnly?: boolean;
}

function requestOf({ from = '127.0.0.1', headers = {} }: Visit): IncomingMessage {
  const request = new IncomingMessage(Object.defineProperty(new Socket(), 'remoteAddress', { value: from }));
  Object.assign(request.headers, { host: '127.0.0.1:9000' }, headers);
  return request;
}

function local(visit: Visit): boolean {
  return isLocal(requestOf(visit), { loopbackOnly: visit.loopbackOnly ?? true });
}

describe('a visitor is local', () => {
  test.each<[string, Visit]>([
    ['a program of this machine', {}],
    ['over IPv6', { from: '::1', headers: { host: '[::1]:9000' } }],
    ['over IPv4 in IPv6', { from: '::ffff:127.0.0.1', headers: { host: 'localhost:9000' } }],
    ['the engine’s own page', { headers: { origin: 'http://127.0.0.1:9000' } }],
  ])('as %s', (_, visit) => {
    expect(local(visit)).toBe(true);
  });
});

describe('a visitor is not local', () => {
  test.each<[string, Visit]>([
    ['from another address', { from: '192.168.1.7' }],
    ['under a name that is not loopback, as through a rebound DNS name', { headers: { host: 'evil.example.com' } }],
    ['without a host', { headers: { host: '' } }],
    ['on a page of another origin', { headers: { origin: 'https://evil.example.com' } }],
    ['on a page of another port', { headers: { origin: 'http://127.0.0.1:3000' } }],
    ['through a proxy that says for whom', { headers: { 'x-forwarded-for': '203.0.113.7' } }],
    ['through a proxy that says so the new way', { headers: { forwarded: 'for=203.0.113.7' } }],
    ['through a proxy or tunnel that says nothing, to an engine with a public address', { loopbackOnly: false }],
  ])('%s', (_, visit) => {
    expect(local(visit)).toBe(false);
  });
});

function mayCall(origin: string | undefined, allowed: readonly string[]): boolean {
  return originIsAllowed(requestOf({ headers: origin === undefined ? {} : { origin } }), new Set(allowed));
}

describe('a page may call', () => {
  test.each<[string, string | undefined, readonly string[]]>([
    ['when there is none: a program', undefined, []],
    ['from the engine’s own address', 'http://127.0.0.1:9000', []],
    ['from the engine’s own address, behind TLS', 'https://127.0.0.1:9000', []],
    ['from an origin of the list', 'https://school.example.com', ['https://school.example.com']],
    ['from anywhere, where the list says so', 'https://any.example.com', ['*']],
  ])('%s', (...[, origin, allowed]) => {
    expect(mayCall(origin, allowed)).toBe(true);
  });

  test.each(['https://school.example.com.evil.com', 'http://school.example.com', 'https://evil.example.com', 'null'])(
    'not from %s, which is not on the list',
    (origin) => {
      expect(mayCall(origin, ['https://school.example.com'])).toBe(false);
    },
  );
});
