/**
 * A TCP port on loopback for a program that is started with its number. Below those that the kernel gives to connections
 * and to listeners on port 0; the datagram port of the same number is the sign, until this process ends, that it is taken.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const [first, count] = [20_000, 12_000];

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = first + Math.floor(Math.random() * count);
    if ((await claims(port)) && (await canListen(port))) return port;
  }
  throw new Error(`no free port from ${first} to ${first + count - 1}`);
}

async function claims(port: number): Promise<boolean> {
  const claim = createSocket('udp4').unref();
  claim.bind({ port, address: '127.0.0.1', exclusive: true });
  return once(claim, 'listening').then(
    () => true,
    () => false,
  );
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  const { port: taken } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return taken === port;
}
