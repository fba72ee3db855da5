/** What every part of a host's life shares: the certificate, and the storms that tear connections. */
import type { Socket } from 'node:net';

export class Surroundings {
  readonly certificate: string;
  readonly key: string;
  readonly #open = new Set<Socket>();
  #awayUntil = 0;

  constructor(certificate: string, key: string) {
    this.certificate = certificate;
    this.key = key;
  }

  /** Torn in the next storm. */
  keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#open.delete(socket));
  }

  /** All kept connections break; servers accept nobody for some seconds. */
  storm(seconds: number): void {
    this.#awayUntil = performance.now() + seconds * 1000;
    for (const socket of this.#open) socket.destroy();
  }

  isAway(): boolean {
    return performance.now() < this.#awayUntil;
  }

  /** A server that cannot listen is a mistake of the plan and must be seen. */
  readonly complain = (error: Error): void => console.error(String(error));
}
