/** The main process's end of the channel to the process that holds the right to change the kernel. */
import { Socket } from 'node:net';
import type { CaptureDoorAddress } from '../capture/capture-door-client.ts';
import { FirewallError } from '../enforcement/firewall.ts';
import { LineChannel } from './line-channel.ts';
import { maxReplyBytes, Reply, type Reading, type Request } from './messages.ts';

export interface HelperLinkListener {
  /** The helper was asked to stop the agent; the name of the signal. */
  readonly onStop: (signal: string) => void;
  readonly onWarning: (text: string) => void;
  /** It is gone: nothing can be restricted or lifted any more. */
  readonly onClose: () => void;
}

/** A request before it is numbered. */
export type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
interface Waiting {
  readonly resolve: (reading: Reading | undefined) => void;
  readonly reject: (error: Error) => void;
}

const deadlineMs = 60_000;

export class HelperLink implements AsyncDisposable {
  readonly #listener: HelperLinkListener;
  readonly #waiting = new Map<number, Waiting>();
  readonly #changed = new Set<() => void>();
  readonly #welcome = Promise.withResolvers<CaptureDoorAddress>();
  #channel: LineChannel | undefined;
  #nextId = 0;
  #isClosed = false;
  #capture: CaptureDoorAddress | undefined;

  private constructor(listener: HelperLinkListener) {
    this.#listener = listener;
  }

  /** `descriptor`: of the socket that this process was started with. Resolves when the helper has said hello. */
  static async open(descriptor: number, listener: HelperLinkListener): Promise<HelperLink> {
    const link = new HelperLink(listener);
    link.#channel = LineChannel.open(new Socket({ fd: descriptor, readable: true, writable: true }), {
      maxLineBytes: maxReplyBytes,
      onValue: (value) => link.#read(value),
      onBadLine: (reason) => listener.onWarning(`the privileged process cannot be understood: ${reason}`),
      onClose: () => link.#close(),
    });
    link.#capture = await link.#welcome.promise;
    return link;
  }

  /** Where captures are started. */
  get capture(): CaptureDoorAddress {
    if (this.#capture === undefined) throw new Error('not opened');
    return this.#capture;
  }

  /** Throws `FirewallError` where it was refused, failed, or nobody answers. */
  request(request: Unnumbered<Request>, signal?: AbortSignal): Promise<Reading | undefined> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Reading | undefined>();
    if (this.#isClosed) return Promise.reject(gone());
    const late = setTimeout(() => this.#settle(id)?.reject(gone('did not answer')), deadlineMs);
    const onAbort = (): void => this.#settle(id)?.reject(new Error('stopped'));
    this.#waiting.set(id, { resolve, reject });
    this.#channel?.send({ ...request, id });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => {
      clearTimeout(late);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** Calls back when something of ours may have left the kernel. */
  watch(onChanged: () => void): AsyncDisposable {
    this.#changed.add(onChanged);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#changed.delete(onChanged);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel?.[Symbol.dispose]();
  }

  #read(value: unknown): void {
    const { data: reply } = Reply.safeParse(value);
    if (reply === undefined) {
      this.#listener.onWarning('the privileged process said something that has no meaning');
    } else if ('re' in reply) {
      const waiting = reply.re === null ? undefined : this.#settle(reply.re);
      if (reply.ok) waiting?.resolve(reply.reading);
      else if (waiting === undefined) this.#listener.onWarning(`the privileged process refused: ${reply.message}`);
      else waiting.reject(new FirewallError(reply.code, reply.message));
    } else if (reply.event === 'welcome') {
      this.#welcome.resolve(reply.capture);
    } else if (reply.event === 'changed') {
      for (const listener of this.#changed) listener();
    } else if (reply.event === 'stop') {
      this.#listener.onStop(reply.signal);
    } else {
      this.#listener.onWarning(reply.text);
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#welcome.reject(gone());
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(gone());
    this.#listener.onClose();
  }
}

function gone(how = 'is gone'): FirewallError {
  return new FirewallError('not-permitted', `the process that may change the kernel ${how}; restart the agent`);
}
