/**
 * What is done about hosts beyond the LAN: each is blocked as narrowly as it can be told, a network where that is what
 * attacks, and nobody on the word of packets that anybody may have sent in the name of whom our own devices talk to.
 */
import type { DecisionScope } from '../contract/decision.ts';
import type { Rule } from '../contract/rule.ts';
import { Crowd } from './crowd.ts';
import type { JudgedWindow } from './judged-window.ts';
import type { Proven } from './measures.ts';
import type { Offender } from './offender.ts';
import { Partners } from './partners.ts';
import { protectTarget, restrictSource, type Restriction } from './restriction.ts';
import { outsideSource, type Source } from './source-prefix.ts';

export class OutsideHosts {
  readonly #isGuarded: (scope: DecisionScope, value: string) => boolean;
  readonly #crowd: Crowd;
  readonly #partners: Partners;

  /** `isGuarded`: what would be refused anyway. `capacity`: devices, and networks; twice as many hosts that they talk to. */
  constructor(isGuarded: (scope: DecisionScope, value: string) => boolean, capacity: number) {
    this.#isGuarded = isGuarded;
    this.#crowd = new Crowd(capacity);
    this.#partners = new Partners(capacity * 2);
  }

  get evicted(): number {
    return this.#partners.evicted;
  }

  note(window: JudgedWindow): void {
    this.#partners.note(window);
  }

  /** See `Crowd.mayName`. */
  mayName(device: string, peers: readonly string[], nowUs: number): boolean {
    return this.#crowd.mayName(device, peers, nowUs);
  }

  /** Against hosts that attack a device, or for a device that forged or too many sources attack. */
  restrict({ rule, proof }: Proven, { device, atUs }: JudgedWindow, offender: Offender): readonly Restriction[] {
    if (offender.kind !== 'peers' && offender.kind !== 'target') return [];
    const target = protectTarget(proof.attack, device, offender.service);
    if (offender.kind === 'target') return target;
    const { isGenuine } = offender;
    // whom our own devices talk to is not blocked on the word of packets that anybody may have sent
    const peers = isGenuine ? offender.peers : offender.peers.filter((peer) => !this.#partners.has(peer, atUs));
    if (peers.length === 0 || (!isGenuine && !this.#crowd.mayName(device.address, peers, atUs))) return target;
    if (isGenuine) for (const peer of peers) this.#crowd.networkOf(peer, atUs); // all are known before one is judged
    const sources = peers.map((peer) => restrictSource(rule, this.#sourceOf(peer, isGenuine, atUs)));
    // the sources of a flood may be joined by others at any moment: the service gets a bound as well
    return proof.attack === 'ddos_flood' && offender.service !== null ? [...sources, ...target] : sources;
  }

  /** Behind the gateway's own address a device cannot be told: only the other end can be cut, for all of them. */
  restrictBeyondTranslation(rule: Rule, offender: Offender, { atUs }: JudgedWindow): readonly Restriction[] {
    if (offender.kind !== 'destination' || offender.isInside) return [];
    return [restrictSource(rule, this.#sourceOf(offender.peer, false, atUs))];
  }

  /** A network where that is what attacks, and never one that holds what the guard protects. */
  #sourceOf(peer: string, isGenuine: boolean, atUs: number): Source {
    const candidates = [isGenuine ? this.#crowd.networkOf(peer, atUs) : undefined, outsideSource(peer)];
    const free = candidates.find((source) => source !== undefined && !this.#isGuarded(source.scope, source.value));
    return free ?? { scope: 'ip', value: peer };
  }
}
