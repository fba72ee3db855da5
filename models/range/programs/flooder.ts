/** A flooder of our own: datagrams on few sockets, or connections, or requests, as fast as it is told. */
import { createSocket } from 'node:dgram';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

interface Orders {
  readonly kind: 'udp' | 'connections' | 'requests';
  readonly host: string;
  readonly port: number;
  readonly bytes: number;
  readonly gapMs: number;
  readonly sockets: number;
}

// the orders are made by the range itself
const { kind, host, port, bytes, gapMs, sockets } = JSON.parse(process.argv[2] ?? '{}') as Orders;
const began = performance.now();
const payload = Buffer.alloc(bytes, 'f');
const datagrams = Array.from({ length: kind === 'udp' ? sockets : 0 }, () =>
  createSocket(host.includes(':') ? 'udp6' : 'udp4'),
);
const agent = new Agent({ keepAlive: kind === 'requests', maxSockets: sockets });
let open = 0;

function once(count: number): void {
  if (kind === 'udp') {
    datagrams[count % sockets]?.send(payload, port, host, () => undefined);
  } else if (kind === 'connections') {
    if (open >= sockets * 4) return;
    open += 1;
    const socket = connect(port, host, () => socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (open -= 1));
    socket.resume();
  } else {
    if (open >= sockets * 2) return;
    open += 1;
    get({ host, port, agent, path: `/?${count}` }, (response) => response.resume())
      .on('error', () => undefined)
      .on('close', () => (open -= 1));
  }
}

for (let count = 0; ;) {
  const due = Math.min((performance.now() - began) / gapMs, count + 200);
  for (; count < due; count++) once(count);
  await pause(Math.max(gapMs, 1));
}
