import { slowConsumer } from './close-code.ts';

/** How long the other side may take to answer a close frame, ms. */
const graceMs = 250;

/**
 * A WebSocket whose `close()` is over in a quarter of a second even when the network swallows the
 * closing handshake: browsers and `ws` wait for it for up to 30 s, and all the while the
 * connection looks open to whoever wants to reconnect (trpc#6562).
 */
export function withQuickClose(Base: typeof WebSocket): typeof WebSocket {
  return class QuickCloseWebSocket extends Base {
    #closing = false;

    override close(code?: number, reason?: string): void {
      super.close(code, reason);
      if (this.#closing || this.readyState === Base.CLOSED) return;
      this.#closing = true;
      const timer = setTimeout(() => abandon(this), graceMs);
      this.addEventListener('close', () => clearTimeout(timer), { once: true });
    }
  };
}

function abandon(socket: WebSocket): void {
  // Node's `ws` can cut the connection; in browsers only the event can be had early, and Node 22 has no `CloseEvent`.
  if ('terminate' in socket && typeof socket.terminate === 'function') socket.terminate();
  else
    socket.dispatchEvent(
      Object.assign(new Event('close'), { code: slowConsumer, reason: 'no answer to the close frame', wasClean: false }),
    );
}
