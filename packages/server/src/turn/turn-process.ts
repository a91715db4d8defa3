import { RelayDoor } from './relay-door.ts';
import { listenTcp, listenUdp, PortRefused } from './relay-sockets.ts';
import { type ServeOrder, type TurnFact, TurnOrder } from './turn-messages.ts';

/* The embedded TURN server, in a process of its own: what strangers send to it cannot slow or stop the engine. */

function tell(fact: TurnFact, then?: () => void): void {
  process.send?.(fact, undefined, {}, () => then?.());
}

async function serve({ listen, port, ...options }: ServeOrder): Promise<void> {
  const door = new RelayDoor({ ...options, nowSeconds: () => Math.floor(Date.now() / 1000) });
  try {
    for (const address of listen) {
      await listenUdp(door, address, port);
      await listenTcp(door, address, port);
    }
    tell({ type: 'serving' });
  } catch (error) {
    if (!(error instanceof PortRefused)) throw error;
    tell({ type: 'refused', reason: error.message }, () => process.exit(0));
  }
}

process.on('message', (message) => {
  const order = TurnOrder.parse(message);
  if (order.type === 'ping') tell({ type: 'pong' });
  else void serve(order);
});
process.on('disconnect', () => process.exit(0));
