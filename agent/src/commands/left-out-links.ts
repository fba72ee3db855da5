/** Names the links of a capture that cannot be metered, so that its owner knows what to capture instead. */
import type { Chunk } from '../capture/packet-source.ts';
import { linkType } from '../packet/decode-packet.ts';

/** 12 and 14 are what some systems write for raw IP. */
const supported: ReadonlySet<number> = new Set<number>([...Object.values(linkType), 12, 14]);

/** LINKTYPE_ numbers that captures of gateways and IoT devices come with, https://www.tcpdump.org/linktypes.html. */
const names: Readonly<Record<number, string>> = {
  6: 'Token Ring',
  9: 'PPP',
  50: 'PPP with HDLC framing',
  51: 'PPPoE',
  105: '802.11',
  119: '802.11 with Prism header',
  127: '802.11 with radiotap header',
  163: '802.11 with AVS header',
  187: 'Bluetooth HCI',
  189: 'USB',
  195: '802.15.4',
  201: 'Bluetooth HCI',
  215: '802.15.4',
  220: 'USB',
  227: 'CAN',
  230: '802.15.4',
  249: 'USB',
  251: 'Bluetooth Low Energy',
  256: 'Bluetooth Low Energy',
  283: '802.15.4',
};

/** A capture may describe a thousand interfaces; a sentence holds a few. */
const maxNamed = 5;

export class LeftOutLinks {
  readonly #seen = new Set<number>();

  /** Look at the links of a chunk. */
  note({ count, linkTypes }: Chunk): void {
    let before = -1;
    for (let row = 0; row < count; row++) {
      const link = linkTypes[row]!;
      if (link === before) continue;
      before = link;
      if (!supported.has(link)) this.#seen.add(link);
    }
  }

  /** For a sentence: `802.11 with radiotap header (127)`. Empty where every link is supported. */
  toString(): string {
    const texts = [...this.#seen].slice(0, maxNamed).map((link) => `${names[link] ?? 'link type'} (${link})`);
    const rest = this.#seen.size - texts.length;
    return rest > 0 ? `${texts.join(', ')} and ${rest} more` : texts.join(', ');
  }
}
