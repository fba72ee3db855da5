/**
 * What a gateway of a smart building sees: look-ups, clocks, sensors that keep a broker connection, cameras, updates,
 * and its share of the Internet's scans, guesses and floods. Each recipe adds one conversation to the columns.
 */
import { type PacketColumns, packetKind, type PacketKind } from './packet-columns.ts';
import type { Random } from './random.ts';
import { TcpConversation } from './tcp-conversation.ts';

/** 15 minutes. */
const spanUs = 900_000_000;
const gateway = ipv4(192, 168, 1, 1);
const floodTarget = ipv4(192, 168, 1, 10);

type Recipe = (random: Random, packets: PacketColumns) => void;

/** Share of all conversations, in thousandths. */
const recipes: readonly (readonly [number, Recipe])[] = [
  [300, lookUp],
  [40, clock],
  [80, coap],
  [80, broker],
  [160, web],
  [5, camera],
  [65, passwordGuess],
  [130, scannedPort],
  [80, spoofedSyn],
  [10, slowRequest],
  [30, ping],
  [20, arp],
];

/** Conversations until the columns are full. */
export function fillWithConversations(packets: PacketColumns, random: Random): void {
  const dice = recipes.flatMap(([thousandths, recipe]) => Array.from({ length: thousandths }, () => recipe));
  while (!packets.full) dice[random.between(0, dice.length - 1)]!(random, packets);
}

function lookUp(random: Random, packets: PacketColumns): void {
  const server = random.chance(0.8) ? gateway : outside(random);
  const turns = exchange(random, packets, random.chance(0.06), server, 53);
  turns.ask(random.between(24, 60));
  if (random.chance(0.97)) turns.answer(random.between(300, 60_000), random.between(60, 420));
}

function clock(random: Random, packets: PacketColumns): void {
  const turns = exchange(random, packets, false, outside(random), 123);
  turns.ask(48);
  turns.answer(random.between(3000, 80_000), 48);
}

function coap(random: Random, packets: PacketColumns): void {
  const turns = exchange(random, packets, random.chance(0.06), outside(random), 5683);
  for (let left = random.between(1, 12); left > 0; left--) {
    turns.ask(random.between(12, 90));
    turns.answer(random.between(500, 40_000), random.between(12, 300));
    turns.wait(random.exponential(4e6));
  }
}

function broker(random: Random, packets: PacketColumns): void {
  const tcp = TcpConversation.toServer(random, packets, begin(random), device(random), outside(random), 8883);
  tcp.open();
  tcp.upload(random.between(200, 500));
  tcp.download(random.between(1200, 4200));
  for (let left = random.between(2, 40); left > 0; left--) {
    tcp.wait(random.exponential(9e6));
    tcp.say(random.between(2, 160));
    tcp.hear(random.chance(0.5) ? 4 : random.between(10, 90));
    tcp.acknowledge();
  }
  tcp.close();
}

function web(random: Random, packets: PacketColumns): void {
  const port = random.chance(0.8) ? 443 : 80;
  const tcp = TcpConversation.toServer(random, packets, begin(random), device(random), outside(random), port);
  tcp.open();
  tcp.upload(random.between(180, 900));
  tcp.download(random.between(900, 6000));
  for (let left = random.between(1, 3); left > 0; left--) {
    tcp.wait(random.exponential(4e5));
    if (random.chance(0.85)) {
      tcp.upload(random.between(80, 700));
      tcp.download(Math.min(900_000, Math.round(2000 / (1 - random.fraction()) ** 0.8)));
    } else {
      tcp.upload(random.between(3000, 90_000));
      tcp.download(random.between(60, 400));
    }
  }
  tcp.close();
}

function camera(random: Random, packets: PacketColumns): void {
  const turns = exchange(random, packets, false, outside(random), 6970);
  for (let sent = 1, left = random.between(200, 900); left > 0; left--, sent++) {
    turns.ask(sent % 12 === 0 ? random.between(900, 1400) : random.between(120, 1200));
    if (sent % 60 === 0) turns.answer(50, 52);
    turns.wait(random.between(300, 12_000));
  }
}

function passwordGuess(random: Random, packets: PacketColumns): void {
  const port = random.chance(0.5) ? 22 : 23;
  const tcp = TcpConversation.toServer(random, packets, begin(random), outside(random), device(random), port);
  tcp.open();
  tcp.hear(random.between(20, 42));
  for (let left = random.between(3, 14); left > 0; left--) {
    tcp.wait(random.between(2000, 90_000));
    tcp.say(random.between(6, 700));
    tcp.hear(random.between(6, 500));
  }
  tcp.close();
}

function scannedPort(random: Random, packets: PacketColumns): void {
  const port = random.between(1, 10_000);
  const tcp = TcpConversation.toServer(random, packets, begin(random), outside(random), device(random), port);
  tcp.knock();
  if (random.chance(0.85)) tcp.refuse();
}

function spoofedSyn(random: Random, packets: PacketColumns): void {
  const source = ((random.between(1, 220) << 24) | (random.word() & 0xffffff)) >>> 0;
  const tcp = TcpConversation.toServer(random, packets, begin(random), source, floodTarget, 80);
  tcp.knock();
  if (random.chance(0.7)) tcp.welcome();
}

function slowRequest(random: Random, packets: PacketColumns): void {
  const tcp = TcpConversation.toServer(random, packets, begin(random), outside(random), device(random), 80);
  tcp.open();
  tcp.upload(random.between(180, 300));
  for (let left = random.between(4, 20); left > 0; left--) {
    tcp.wait(random.between(3_000_000, 15_000_000));
    tcp.say(random.between(8, 30));
    tcp.hear(0);
  }
  tcp.close();
}

function ping(random: Random, packets: PacketColumns): void {
  const src = device(random);
  const dst = outside(random);
  const id = random.between(1, 65_535);
  let timeUs = begin(random);
  for (let count = random.between(1, 6), turn = 1; turn <= count; turn++, timeUs += 1_000_000) {
    const echo = { ...blank, kind: packetKind.icmp4, srcPort: id, dstPort: turn, payload: 56 };
    packets.add({ ...echo, timeUs, src, dst, flags: 8 });
    packets.add({ ...echo, timeUs: timeUs + random.between(300, 50_000), src: dst, dst: src, flags: 0 });
  }
}

function arp(random: Random, packets: PacketColumns): void {
  const asker = device(random);
  const timeUs = begin(random);
  packets.add({ ...blank, kind: packetKind.arp, timeUs, src: asker, dst: gateway, flags: 1 });
  const answeredUs = timeUs + random.between(80, 900);
  packets.add({ ...blank, kind: packetKind.arp, timeUs: answeredUs, src: gateway, dst: asker, flags: 2 });
}

const blank = { srcPort: 0, dstPort: 0, payload: 0, sequence: 0, acknowledged: 0, window: 0, stamped: false };

/** UDP: a device asks, a server answers. */
function exchange(random: Random, packets: PacketColumns, ipv6: boolean, server: number, serverPort: number) {
  const kind: PacketKind = ipv6 ? packetKind.udp6 : packetKind.udp4;
  const own = device(random);
  const ownPort = ephemeralPort(random);
  let timeUs = begin(random);
  return {
    ask(payload: number): void {
      const ends = { src: own, dst: server, srcPort: ownPort, dstPort: serverPort };
      packets.add({ ...blank, ...ends, kind, timeUs, payload, flags: 0 });
    },
    answer(afterUs: number, payload: number): void {
      timeUs += afterUs;
      const ends = { src: server, dst: own, srcPort: serverPort, dstPort: ownPort };
      packets.add({ ...blank, ...ends, kind, timeUs, payload, flags: 0 });
    },
    wait(us: number): void {
      timeUs += us;
    },
  };
}

/** Not so late that everything would be cut off by the end. */
function begin(random: Random): number {
  return Math.floor(random.fraction() * spanUs * 0.97);
}

function device(random: Random): number {
  return ipv4(192, 168, random.between(1, 8), random.between(2, 250));
}

function outside(random: Random): number {
  return ipv4(203, random.between(0, 60), random.between(0, 40), random.between(1, 250));
}

function ephemeralPort(random: Random): number {
  return random.between(32_768, 60_999);
}

function ipv4(...bytes: readonly [number, number, number, number]): number {
  return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
}
