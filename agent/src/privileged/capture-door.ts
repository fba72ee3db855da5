/**
 * Starts tcpdump for the main process, which has no right to capture: the packets go from tcpdump to the main process
 * directly and are never seen here. A local socket without a name in the file system; who connects must show the token
 * that only the main process was told.
 */
import { spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { captureEnvironment, interfacePattern, tcpdumpCommand } from '../capture/tcpdump-child.ts';

const token = z.string().length(64);
const Opening = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('capture'),
    token,
    interface: z.string().regex(interfacePattern),
    snap_length: z.int().min(64).max(65_535),
    ring_kib: z.int().min(64).max(1_048_576),
    filter: z.string().max(1000),
  }),
  /** The second connection of a capture, which the packets go to. */
  z.strictObject({ ask: z.literal('packets'), token }),
]);
type Capture = Extract<z.infer<typeof Opening>, { readonly ask: 'capture' }>;

const maxOpeningBytes = 4096;
const openingMs = 10_000;
const maxConnections = 16;
const maxCaptures = 4;
/** Counts are asked for every few seconds. */
const countEveryMs = 500;

export class CaptureDoor implements AsyncDisposable {
  readonly path: string;
  readonly token: string;
  readonly #server: Server;
  /** Captures that wait for their second connection, by the token it must show. */
  readonly #expected = new Map<string, (packets: Socket) => void>();
  readonly #open = new Set<Socket>();
  #captures = 0;

  private constructor() {
    this.path = `\0picket-capture-${randomBytes(16).toString('hex')}`;
    this.token = newToken();
    this.#server = createServer({ pauseOnConnect: false }, (socket) => this.#welcome(socket));
    this.#server.maxConnections = maxConnections;
  }

  static async listen(): Promise<CaptureDoor> {
    const door = new CaptureDoor();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    door.#server.once('error', reject).listen(door.path, resolve);
    await promise;
    return door;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #welcome(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    const tooLate = setTimeout(() => socket.destroy(), openingMs);
    socket.once('close', () => clearTimeout(tooLate));
    let text = '';
    const read = (data: Buffer): void => {
      text += data.toString('utf8');
      const end = text.indexOf('\n');
      if (end === -1 && text.length <= maxOpeningBytes) return;
      socket.off('data', read);
      clearTimeout(tooLate);
      const opening = end === -1 ? undefined : readOpening(text.slice(0, end));
      if (opening === undefined) socket.destroy();
      else this.#serve(socket, opening);
    };
    socket.on('data', read);
  }

  #serve(socket: Socket, opening: z.infer<typeof Opening>): void {
    if (opening.ask === 'packets') {
      const expected = this.#expected.get(opening.token);
      this.#expected.delete(opening.token);
      if (expected === undefined) socket.destroy();
      else expected(socket);
      return;
    }
    if (!isEqual(opening.token, this.token) || this.#captures >= maxCaptures) {
      socket.destroy();
      return;
    }
    this.#captures += 1;
    socket.once('close', () => {
      this.#captures -= 1;
    });
    const packetsToken = newToken();
    this.#expected.set(packetsToken, (packets) => capture(opening, socket, packets));
    socket.once('close', () => this.#expected.delete(packetsToken));
    socket.on('data', () => undefined);
    socket.write(`${packetsToken}\n`);
  }
}

/** tcpdump writes into `packets`; `control` hears what it says, asks for counts, and ends it by closing. */
function capture(request: Capture, control: Socket, packets: Socket): void {
  const [program = '', ...args] = tcpdumpCommand({
    interface: request.interface,
    snapLength: request.snap_length,
    ringKib: request.ring_kib,
    filter: request.filter,
  });
  packets.pause();
  const child = spawn(program, args, { stdio: ['ignore', packets, 'pipe'], env: captureEnvironment() });
  packets.destroy(); // tcpdump has its own
  child.stderr?.pipe(control, { end: false });
  child.once('error', (error: NodeJS.ErrnoException) => {
    control.end(`failed to execute tcpdump: ${error.code === 'ENOENT' ? 'No such file' : error.message}\n`);
  });
  child.once('close', () => control.end());
  let countedAtMs = -Infinity;
  control.on('data', () => {
    if (performance.now() - countedAtMs < countEveryMs) return;
    countedAtMs = performance.now();
    child.kill('SIGUSR1');
  });
  control.once('close', () => child.kill());
}

function readOpening(line: string): z.infer<typeof Opening> | undefined {
  try {
    return Opening.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function newToken(): string {
  return randomBytes(32).toString('hex');
}

function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a.padEnd(64).slice(0, 64)), Buffer.from(b));
}
