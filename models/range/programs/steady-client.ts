/**
 * An honest client, to count what defence costs it: a new connection to a web server every so often, and one connection
 * that is kept and used all the time. Says on one line of JSON, when it is asked to stop, how many were lost.
 */
import { get } from 'node:http';
import { type Socket, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

interface Orders {
  readonly host: string;
  /** Of the web server, and of the echo server. */
  readonly port: number;
  readonly echoPort: number;
  readonly everyMs: number;
  /** A connection that has not done its work after this long is lost. */
  readonly patienceMs: number;
}

// the orders are made by the range itself
const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const counted = { opened: 0, lost: 0, keptCut: 0, echoed: 0, slowestMs: 0, why: [] as string[] };
const running = new Set<Promise<void>>();
const stopping = new AbortController();

function note(why: string): void {
  if (counted.why.length < 10) counted.why.push(`${new Date().toISOString()} ${why}`);
}

/** Resolves with what went wrong, or undefined. */
function visit(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(
      { host: orders.host, port: orders.port, path: '/index.html', agent: false, timeout: orders.patienceMs },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
        response.on('error', (error) => resolve(error.message));
      },
    );
    const tooLong = setTimeout(() => request.destroy(new Error('no answer in time')), orders.patienceMs);
    request.on('error', (error) => resolve(error.message));
    request.on('close', () => clearTimeout(tooLong));
  });
}

async function count(): Promise<void> {
  const began = performance.now();
  counted.opened += 1;
  const problem = await visit();
  counted.slowestMs = Math.max(counted.slowestMs, Math.round(performance.now() - began));
  if (problem === undefined) {
    console.log('visited');
    return;
  }
  counted.lost += 1;
  note(problem);
}

/** One connection for as long as it lasts: what is sent must come back. */
async function keep(): Promise<void> {
  while (!stopping.signal.aborted) {
    const socket = connect(orders.echoPort, orders.host);
    const problem = await useUntilItFails(socket);
    socket.destroy();
    if (problem !== undefined) {
      counted.keptCut += 1;
      note(`kept connection: ${problem}`);
      await pause(orders.everyMs);
    }
  }
}

function useUntilItFails(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answeredAt = performance.now();
    const timer = setInterval(() => {
      if (stopping.signal.aborted) finish(undefined);
      else if (performance.now() - answeredAt > orders.patienceMs) finish('silent for too long');
      else if (socket.writable) socket.write('.');
    }, 500);
    function finish(problem: string | undefined): void {
      clearInterval(timer);
      resolve(problem);
    }
    socket.on('data', () => {
      answeredAt = performance.now();
      counted.echoed += 1;
    });
    socket.on('error', (error) => finish(error.message));
    socket.on('close', () => finish(stopping.signal.aborted ? undefined : 'closed by the other side'));
  });
}

async function stop(): Promise<void> {
  stopping.abort();
  await Promise.all(running);
  process.stdout.write(`${JSON.stringify(counted)}\n`, () => process.exit(0));
}
process.once('SIGTERM', () => void stop());

void keep();
while (!stopping.signal.aborted) {
  const visiting = count().finally(() => running.delete(visiting));
  running.add(visiting);
  await pause(orders.everyMs);
}
await pause(orders.patienceMs + 1000); // `stop` ends the process
