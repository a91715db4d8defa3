import type { IncomingMessage } from 'node:http';
import type { App } from '../app/app.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);
const loopbackAddresses = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

function hostnameOf(host: string): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
}

/**
 * From this machine, to a loopback name, through no proxy. A proxy or tunnel beside the engine also
 * connects from loopback, and may send any Host and no Forwarded header: so where the engine has a
 * public address, nobody is local. A page of another origin is not local either, or any website
 * could sign itself in.
 */
export function isLocal(request: IncomingMessage, { loopbackOnly }: Pick<App, 'loopbackOnly'>): boolean {
  const { headers, socket } = request;
  if (!loopbackOnly) return false;
  if (!loopbackAddresses.has(socket.remoteAddress ?? '')) return false;
  if (headers['x-forwarded-for'] !== undefined || headers['x-real-ip'] !== undefined || headers.forwarded !== undefined) return false;
  if (!loopbackHosts.has(hostnameOf(headers.host ?? '') ?? '')) return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

/** Pages of the engine's own address and of the operator's list may call from a browser; programs send no Origin. */
export function originIsAllowed(request: IncomingMessage, allowed: ReadonlySet<string>): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  return origin === `http://${host}` || origin === `https://${host}` || allowed.has('*') || allowed.has(origin);
}
