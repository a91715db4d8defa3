import { connect, type Socket } from 'node:net';

/**
 * Dials, and hangs up when nothing has come back for `silenceMs` after something was sent. A peer that
 * vanished without a word would otherwise keep its caller waiting until TCP gives up, a quarter of an
 * hour later. For clients that close idle connections sooner than that: it counts bytes (so that TLS
 * may run on top) and cannot tell an idle connection from a silent one.
 */
export function dialWatched({ host, port }: { readonly host: string; readonly port: number }, silenceMs: number): Socket {
  const socket = connect({ host, port });
  let moved = 0;
  let movedAt = performance.now();
  const watch = setInterval(() => {
    if (socket.destroyed) return clearInterval(watch);
    const now = performance.now();
    if (socket.bytesRead + socket.bytesWritten !== moved) movedAt = now;
    moved = socket.bytesRead + socket.bytesWritten;
    if (now - movedAt > silenceMs) socket.destroy(Object.assign(new Error('the database fell silent'), { code: 'ETIMEDOUT' }));
  }, silenceMs / 10);
  watch.unref();
  // The driver names the host to TLS by these.
  return Object.assign(socket, { host, port });
}
