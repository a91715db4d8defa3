import { describe, expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { planOf } from './plan.ts';

const plan = (env: Readonly<Record<string, string>>) => planOf(parseConfig(env).turn, '192.168.1.20');

describe('where the relay is', () => {
  test('nothing set: this machine alone, one port, everything else on loopback', () => {
    expect(plan({})).toMatchObject({
      urls: ['turn:127.0.0.1:10110?transport=udp', 'turn:127.0.0.1:10110?transport=tcp'],
      listen: ['127.0.0.1'],
      relayAddress: '127.0.0.1',
      relayPorts: [49_152, 65_535],
      mediaAddress: '127.0.0.1',
      peers: { address: '127.0.0.1', ports: [20_000, 20_999] },
      publicIp: '127.0.0.1',
      portRange: { min: 10_110, max: 10_110 },
    });
  });

  test.each([
    [{ PUBLIC_URL: 'http://192.168.1.20:9000' }, 'turn:192.168.1.20:10110'],
    [{ PUBLIC_URL: 'https://tutor.example.com' }, 'turn:tutor.example.com:10110'],
    [{ PUBLIC_URL: 'https://a.example.com', WEBSOCKET_URL: 'wss://b.example.com' }, 'turn:b.example.com:10110'],
    [{ WEBRTC_PUBLIC_IP: '203.0.113.7', PUBLIC_URL: 'https://gpu.frp.example.com' }, 'turn:203.0.113.7:10110'],
    [{ WEBRTC_PUBLIC_IP: '2001:db8::7' }, 'turn:[2001:db8::7]:10110'],
  ])('%o: browsers are told %s, and anybody may come', (env, url) => {
    const { urls, listen, relayAddress, mediaAddress } = plan(env);
    expect(urls).toEqual([`${url}?transport=udp`, `${url}?transport=tcp`]);
    expect(listen[0]).toBe('0.0.0.0');
    // Whatever is public, what stands behind the relay is not.
    expect([relayAddress, mediaAddress]).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  test('the predecessor layout: relay ports follow the first one, and a browser is offered one way so that it takes one port', () => {
    expect(plan({ WEBRTC_LAYOUT: 'port-range', WEBRTC_PUBLIC_IP: '203.0.113.7' })).toMatchObject({
      urls: ['turn:203.0.113.7:10110?transport=udp'],
      relayPorts: [10_111, 10_115],
      quotas: { total: 5, perUser: 2 },
      portRange: { min: 10_110, max: 10_115 },
    });
  });

  test('an engine that relays too is reached on relay ports, and nowhere else', () => {
    expect(plan({ WEBRTC_ENGINE_RELAY: 'true' }).peers).toEqual({ address: '127.0.0.1', ports: [49_152, 65_535] });
    expect(plan({ WEBRTC_ENGINE_RELAY: 'true', WEBRTC_LAYOUT: 'port-range' }).peers).toEqual({
      address: '127.0.0.1',
      ports: [10_111, 10_115],
    });
  });
});

describe("an operator's own TURN server", () => {
  test('finds the engine at the address of this machine, and relays from there', () => {
    expect(plan({ WEBRTC_TURN_SERVER: 'turn:203.0.113.7:3478', WEBRTC_PUBLIC_IP: '203.0.113.7' })).toMatchObject({
      urls: ['turn:203.0.113.7:3478?transport=udp', 'turn:203.0.113.7:3478?transport=tcp'],
      localUrl: 'turn:203.0.113.7:3478',
      port: 3478,
      relayAddress: '192.168.1.20',
      mediaAddress: '192.168.1.20',
    });
  });

  test('on another machine has a relay address of its own', () => {
    const env = { WEBRTC_TURN_SERVER: 'turn:203.0.113.7:3478', WEBRTC_MEDIA_ADDRESS: '10.0.0.2', WEBRTC_RELAY_ADDRESS: '10.0.0.3' };
    expect(plan(env)).toMatchObject({ mediaAddress: '10.0.0.2', relayAddress: '10.0.0.3', peers: { address: '10.0.0.2' } });
  });

  test.each([
    ['turns:turn.example.com:443', ['turns:turn.example.com:443?transport=tcp']],
    ['turn:turn.example.com:3478?transport=tcp', ['turn:turn.example.com:3478?transport=tcp']],
  ])('%s is told to browsers as %o', (server, urls) => {
    expect(plan({ WEBRTC_TURN_SERVER: server }).urls).toEqual(urls);
  });
});

describe('settings that do not go together', () => {
  test.each([
    [{ WEBRTC_LAYOUT: 'port-range', WEBRTC_PORT_MIN: '10110', WEBRTC_PORT_MAX: '10110' }, 'WEBRTC_PORT_MAX must be above'],
    [{ WEBRTC_TURN_USERNAME: 'tutor' }, 'WEBRTC_TURN_USERNAME and WEBRTC_TURN_PASSWORD must be set together'],
    [{ WEBRTC_TURN_PASSWORD: 'canary' }, 'WEBRTC_TURN_USERNAME and WEBRTC_TURN_PASSWORD must be set together'],
  ])('%o is refused by name', (env, problem) => {
    expect(() => parseConfig(env)).toThrow(problem);
  });

  test('a STUN server is accepted, with the word that nothing needs it', () => {
    expect(parseConfig({ WEBRTC_STUN_SERVER: 'stun:stun.example.com:3478' }).notices).toEqual([
      expect.stringContaining('WEBRTC_STUN_SERVER'),
    ]);
  });
});
