/** What tcpdump says on its standard error: that it listens, what it dropped (asked for by SIGUSR1), why it ended. */
import type { Readable } from 'node:stream';

const maxLineCharacters = 500;

export class TcpdumpReport {
  /** Resolves when the first child listens. */
  readonly listening: Promise<void>;
  /** The last thing worth repeating that any child said. */
  lastLine = 'it said nothing';
  readonly #resolveListening: () => void;
  #kernelBefore = 0;
  #interfaceBefore = 0;
  #kernel = 0;
  #interface = 0;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.listening = promise;
    this.#resolveListening = resolve;
  }

  /** Of all children. */
  get kernelDrops(): number {
    return this.#kernelBefore + this.#kernel;
  }

  get interfaceDrops(): number {
    return this.#interfaceBefore + this.#interface;
  }

  /** Counts begin at 0 again with the next child. */
  newChild(): void {
    this.#kernelBefore += this.#kernel;
    this.#interfaceBefore += this.#interface;
    this.#kernel = 0;
    this.#interface = 0;
  }

  follow(stderr: Readable): void {
    let rest = '';
    stderr.setEncoding('utf8');
    stderr.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-maxLineCharacters);
      for (const line of lines) this.read(line);
    });
    stderr.on('end', () => this.read(rest));
  }

  /** One line. Counts look alike in the answer to a signal and at the end. */
  read(whole: string): void {
    const line = whole.slice(-maxLineCharacters).replaceAll(/\p{Cc}/gu, ' ');
    const kernel = countOf(line, 'kernel');
    const byInterface = countOf(line, 'interface');
    if (kernel !== undefined) this.#kernel = kernel;
    if (byInterface !== undefined) this.#interface = byInterface;
    if (/listening on /.test(line)) {
      this.#resolveListening();
    } else if (line.trim() !== '' && !/packets? (?:captured|received|dropped)/.test(line)) {
      const said = line.replace(/^tcpdump: /, '');
      this.lastLine = said.startsWith('(') ? `${this.lastLine} ${said}`.slice(-2 * maxLineCharacters) : said;
    }
  }
}

/** tcpdump counts in 32 bits; a longer number is none of its counts. */
function countOf(line: string, dropper: 'kernel' | 'interface'): number | undefined {
  const found = new RegExp(`(?<!\\d)(\\d{1,10}) packets? dropped by ${dropper}`).exec(line);
  return found === null ? undefined : Number(found[1]);
}
